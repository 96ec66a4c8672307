// Tiles in f16: half the workgroup memory, and twice the arithmetic rate on devices that have it. Values out of range
// are clamped. Sums of more than four products are f32.
enable f16;

alias Word = vec4<f16>;

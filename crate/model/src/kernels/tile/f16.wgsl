// A tile's numbers in half precision: half the workgroup's memory, and twice the arithmetic where a device has it. What
// does not fit is cut off. Sums of more than four products are single precision.
enable f16;

alias Word = vec4<f16>;

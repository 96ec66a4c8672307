// The input is the stream, normed and rounded to 8 bits by the step before.
@group(0) @binding(3) var<storage, read> vectors: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> rounded: array<vec4<u32>>;
const NORMED = false;

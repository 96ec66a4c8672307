// The input is another step's output, rounded to 8 bits by the step before.
@group(0) @binding(3) var<storage, read> vectors: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> stream: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> rounded: array<vec4<u32>>;
const NORMED = false;

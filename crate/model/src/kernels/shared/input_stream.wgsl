// The input is the stream, normed: the gain is applied to each word, the root mean square to the finished sums.
const NORMED = true;

@group(0) @binding(3) var<storage, read> vectors: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> stream: array<vec4<f32>>;

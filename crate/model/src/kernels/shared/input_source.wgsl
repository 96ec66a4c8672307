// The input is another step's output.
const NORMED = false;

@group(0) @binding(3) var<storage, read> vectors: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> stream: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> source: array<vec4<f32>>;

fn input(token: u32, word: u32) -> vec4<f32> {
    return source[params.x + token * params.x_stride + word];
}

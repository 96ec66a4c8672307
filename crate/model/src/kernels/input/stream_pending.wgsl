// The input is one token's stream, normed, once the last block's output has itself been normed and added: `x + gain *
// delta / rms(delta)`. One workgroup stores that sum as the next stream.
#import shared/step
#import shared/vectors

const NORMED = true;
const STORES_INPUT = true;

@group(0) @binding(4) var<storage, read_write> stream: array<vec4<f32>>;  // [T, C], three times: x, next, delta

var<private> delta_scale: f32;  // 1 / rms(delta)
var<workgroup> delta_parts: array<f32, THREADS>;

fn prepare_input(lane: u32) {
    var squares = 0.0;
    for (var word = lane; word < (params.input.n_cols + 3u) / 4u; word += THREADS) {
        let value = stream[params.input.delta + word];
        squares += dot(value, value);
    }
    delta_parts[lane] = squares;
    workgroupBarrier();
    squares = 0.0;
    for (var i = 0u; i < THREADS; i++) {
        squares += delta_parts[i];
    }
    delta_scale = inverseSqrt(squares / f32(params.input.n_cols) + params.input.eps);
}

fn input(token: u32, word: u32) -> vec4<f32> {
    let at = token * params.input.x_stride + word;
    return stream[params.input.x + at]
        + vectors[params.input.delta_gain + word] * (stream[params.input.delta + at] * delta_scale);
}

fn store_input(word: u32, x: vec4<f32>) {
    stream[params.input.next + word] = x;
}

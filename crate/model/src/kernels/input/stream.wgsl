// The input is the stream, normed: the gain is applied to each word, the root mean square to finished sums.
#import shared/step
#import shared/vectors

const NORMED = true;
const STORES_INPUT = false;

@group(0) @binding(4) var<storage, read_write> stream: array<vec4<f32>>;  // [T, C]

fn prepare_input(lane: u32) {}

fn input(token: u32, word: u32) -> vec4<f32> {
    return stream[params.input.x + (batch.first_row + token) * params.input.x_stride + word];
}

fn store_input(word: u32, x: vec4<f32>) {}

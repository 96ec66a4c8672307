// The input is another step's output.
#import shared/step
#import shared/vectors

const NORMED = false;
const STORES_INPUT = false;

@group(0) @binding(4) var<storage, read_write> step_output: array<vec4<f32>>;  // [T, C]

fn prepare_input(lane: u32) {}

fn input(token: u32, word: u32) -> vec4<f32> {
    return step_output[params.input.x + token * params.input.x_stride + word];
}

fn store_input(word: u32, x: vec4<f32>) {}

// y[t,:] = weights * x[t,:] + bias, soft-capped if there is a cap: for logits, and for the inner products of adapters.
#import shared/step
#import shared/vectors
#import matmul/*

struct Params {
    input: InputParams,
    weights: WeightParams,
    lora: LoraParams,
    output: OutputParams,
}

@group(0) @binding(8) var<storage, read_write> y: array<vec4<f32>>;  // [T, N]

fn store(token: u32, group: u32, rows: vec4<f32>, squares: f32) {
    var value = adapted(token, group, 0u, params.lora.rank, rows, squares);
    if (params.output.bias > 0u) {
        value += vectors[params.output.bias + group];
    }
    if (params.output.cap > 0.0) {
        value = params.output.cap * tanh(clamp(value / params.output.cap, vec4<f32>(-10.0), vec4<f32>(10.0)));
    }
    y[params.output.y + token * params.output.y_stride + group] = value;
}

// The range of LoRA inner products, `A x`, that affect a tile's rows.
fn inner_range(tile: u32) -> vec2<u32> {
    return vec2<u32>(0u, params.lora.rank);
}

// y[t,:] = (ADDS ? y[t,:] : 0) + weights * x[t,:] + bias: a block's output is added to the stream, or stored next to it
// if it has to be normed first.
#import shared/step
#import shared/vectors
#import matmul/*

struct Params {
    input: InputParams,
    weights: WeightParams,
    lora: LoraParams,
    output: OutputParams,
    attention: AttentionParams,
}

@group(0) @binding(8) var<storage, read_write> projected: array<vec4<f32>>;  // [T, C], the stream or the part after it

fn store(token: u32, group: u32, rows: vec4<f32>, squares: f32) {
    var value = adapted(token, group, 0u, params.lora.rank, rows, squares);
    if (params.output.bias > 0u) {
        value += vectors[params.output.bias + group];
    }
    let at = params.output.y + token * params.output.y_stride + group;
    if (ADDS) {
        projected[at] += value;
    } else {
        projected[at] = value;
    }
}

// The range of LoRA inner products, `A x`, that affect a tile's rows.
fn inner_range(tile: u32) -> vec2<u32> {
    return vec2<u32>(0u, params.lora.rank);
}

// y[t,f] = act(gate[f,:] * norm(x[t,:]) + bias) * (up[f,:] * norm(x[t,:]) + bias): rows of gate and up are interleaved,
// so a group of 4 rows yields 2 values.
#import shared/step
#import shared/vectors
#import matmul/*

struct Params {
    input: InputParams,
    weights: WeightParams,
    lora: LoraParams,
    output: OutputParams,
}

@group(0) @binding(8) var<storage, read_write> gated: array<vec2<f32>>;  // [T, F]

fn activated(gate: vec2<f32>) -> vec2<f32> {
    if (IS_GELU) {
        // GELU by its tanh approximation. `tanh` of large values overflows on some devices; from 10 on it is 1.
        let inner = 0.7978845608 * (gate + 0.044715 * gate * gate * gate);
        return 0.5 * gate * (vec2<f32>(1.0) + tanh(clamp(inner, vec2<f32>(-10.0), vec2<f32>(10.0))));
    }
    return gate / (vec2<f32>(1.0) + exp(-gate));
}

fn store(token: u32, group: u32, rows: vec4<f32>, squares: f32) {
    let n_inner = params.lora.n_pairs * params.lora.rank;
    var value = adapted(token, group, 0u, n_inner, rows, squares);
    if (params.output.bias > 0u) {
        value += vectors[params.output.bias + group];
    }
    gated[params.output.y + token * params.output.y_stride + group] = activated(value.xz) * value.yw;
}

// The range of LoRA inner products, `A x`, that affect a tile's rows.
fn inner_range(tile: u32) -> vec2<u32> {
    return vec2<u32>(0u, params.lora.n_pairs * params.lora.rank);
}

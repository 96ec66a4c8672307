// q|k|v[t,:] = weights * norm(x[t,:]) + bias; if heads are not normed, q and k are rotated here, and k and v stored in
// the KV cache; otherwise only v is.
#import shared/step
#import shared/vectors
#import shared/cache
#import shared/rope
#import matmul/*

struct Params {
    input: InputParams,
    weights: WeightParams,
    lora: LoraParams,
    output: OutputParams,
    attention: AttentionParams,
}

@group(0) @binding(8) var<storage, read_write> heads: array<vec4<f32>>;  // [T, q|k]

fn store(token: u32, group: u32, rows: vec4<f32>, squares: f32) {
    let n_q = params.attention.n_heads * params.attention.head_words;
    let end_k = n_q + params.attention.n_kv_heads * params.attention.head_words;
    let pair = select(0u, 1u, group >= n_q) + select(0u, 1u, group >= end_k);
    var value = adapted(token, group, pair * params.lora.rank, params.lora.rank, rows, squares);
    value += vectors[params.output.bias + group];
    let place = batch.position + token;
    let word = group % params.attention.head_words;
    if (group >= end_k) {
        cache[value_place((group - end_k) / params.attention.head_words, place, word)] = to_f16(value);
        return;
    }
    if (ROTATES) {
        value = rotated(value, place, word);
        if (group >= n_q) {
            cache[key_place((group - n_q) / params.attention.head_words, place, word)] = to_f16(value);
            return;
        }
    }
    heads[params.output.y + token * params.output.y_stride + group] = value;
}

// The range of LoRA inner products, `A x`, that affect a tile's rows.
fn inner_range(tile: u32) -> vec2<u32> {
    let n_q = params.attention.n_heads * params.attention.head_words;
    let end_k = n_q + params.attention.n_kv_heads * params.attention.head_words;
    let first = params.weights.first_group + tile * 8u;
    let last = params.weights.first_group + min(tile * 8u + 7u, params.weights.n_groups - 1u);
    let from_pair = select(0u, 1u, first >= n_q) + select(0u, 1u, first >= end_k);
    let to_pair = select(1u, 2u, last >= n_q) + select(0u, 1u, last >= end_k);
    return vec2<u32>(from_pair, to_pair) * params.lora.rank;
}

// For families that norm heads: norms and rotates each head of queries and keys, and stores keys in the KV cache.
// Queries go from `x` to `y`, two offsets into the same buffer.
#import shared/step
#import shared/vectors
#import shared/cache
#import shared/rope

struct Params {
    attention: AttentionParams,
    x: u32,         // first word of the queries and keys to norm
    x_stride: u32,  // words from one token to the next
    y: u32,         // first word of the rotated queries
    y_stride: u32,  // words from one token to the next
    q_gain: u32,    // first word of the query heads' gain, in `vectors`
    k_gain: u32,    // first word of the key heads' gain
    eps: f32,
    padding: u32,
}

@group(0) @binding(8) var<storage, read_write> heads: array<vec4<f32>>;  // [T, q|k], then [T, q]

// One invocation: one word of one head of one token. Each sums its whole head, which avoids a barrier.
@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n_q = params.attention.n_heads * params.attention.head_words;
    let group = id.x;
    let token = id.y;
    if (group >= n_q + params.attention.n_kv_heads * params.attention.head_words || token >= batch.n_tokens) {
        return;
    }
    let word = group % params.attention.head_words;
    let start = params.x + token * params.x_stride + group - word;
    var squares = 0.0;
    for (var i = 0u; i < params.attention.head_words; i++) {
        squares += dot(heads[start + i], heads[start + i]);
    }
    let scale = inverseSqrt(squares / f32(params.attention.head_words * 4u) + params.eps);
    let gain = select(params.q_gain, params.k_gain, group >= n_q);
    let place = batch.position + token;
    let value = rotated(heads[start + word] * scale * vectors[gain + word], place, word);
    if (group < n_q) {
        heads[params.y + token * params.y_stride + group] = value;
    } else {
        cache[key_place((group - n_q) / params.attention.head_words, place, word)] = to_f16(value);
    }
}

// Norms each head of queries and keys, turns it by its position, and puts keys into the cache; for families that norm
// heads. Queries go from `x` to `y`, places in the same buffer.
@group(0) @binding(3) var<storage, read> vectors: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> cache: array<vec2<u32>>;
@group(0) @binding(8) var<storage, read_write> heads: array<vec4<f32>>;  // [T, q|k], then [T, q]

// One invocation: one word of one head of one token. Each sums its whole head, so that none waits for another.
@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n_q = params.n_heads * params.head_words;
    let group = id.x;
    let token = id.y;
    if (group >= n_q + params.n_kv_heads * params.head_words || token >= batch.n_tokens) {
        return;
    }
    let word = group % params.head_words;
    let start = params.x + token * params.x_stride + group - word;
    var squares = 0.0;
    for (var i = 0u; i < params.head_words; i++) {
        squares += dot(heads[start + i], heads[start + i]);
    }
    let scale = inverseSqrt(squares / f32(params.head_words * 4u) + params.eps);
    let gain = select(params.q_gain, params.k_gain, group >= n_q);
    let place = batch.position + token;
    let value = rotated(heads[start + word] * scale * vectors[gain + word], place, word);
    if (group < n_q) {
        heads[params.y + token * params.y_stride + group] = value;
    } else {
        cache[key_place((group - n_q) / params.head_words, place, word)] = to_halves(value);
    }
}

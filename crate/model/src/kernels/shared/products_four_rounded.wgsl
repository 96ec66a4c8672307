// Rows times the inputs of 8 bits of many tokens, without barriers: one invocation makes a group of 4 rows of 4 tokens, so that
// each weight is unpacked once for four uses.
@group(0) @binding(2) var<storage, read> weights: array<vec4<u32>>;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let group = id.x;
    let token = id.y * 4u;
    if (group >= params.n_groups || token >= batch.n_tokens) {
        return;
    }
    // Tokens past the last repeat the last; what they make is not stored.
    let last = batch.n_tokens - 1u;
    let stride = (params.n_words / 8u) * 3u;
    let start0 = token * stride;
    let start1 = min(token + 1u, last) * stride;
    let start2 = min(token + 2u, last) * stride;
    let start3 = min(token + 3u, last) * stride;
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    let n_blocks = params.n_words / BLOCK_WORDS;
    for (var block = 0u; block < n_blocks; block++) {
        let b = block_at(group, block);
        // A block may be half of what the input's scale is for.
        let first = block * BLOCK_WORDS;
        let at = (first / 8u) * 3u;
        var products0 = vec4<i32>();
        var products1 = vec4<i32>();
        var products2 = vec4<i32>();
        var products3 = vec4<i32>();
        for (var u = 0u; u < UNITS; u++) {
            let unit = unit_at(group, block * UNITS + u);
            for (var i = 0u; i < UNIT_WORDS; i++) {
                let word = first + u * UNIT_WORDS + i;
                let four = at + (word / 4u) % 2u;
                let codes = unit_codes(b, unit, u, i);
                products0 += products_of(codes, rounded[start0 + four][word % 4u]);
                products1 += products_of(codes, rounded[start1 + four][word % 4u]);
                products2 += products_of(codes, rounded[start2 + four][word % 4u]);
                products3 += products_of(codes, rounded[start3 + four][word % 4u]);
            }
        }
        sum0 += scaled(b, products0, rounded[start0 + at + 2u], block);
        sum1 += scaled(b, products1, rounded[start1 + at + 2u], block);
        sum2 += scaled(b, products2, rounded[start2 + at + 2u], block);
        sum3 += scaled(b, products3, rounded[start3 + at + 2u], block);
    }
    let row = params.first_group + group;
    store(token, row, sum0, 0.0);
    if (token + 1u < batch.n_tokens) {
        store(token + 1u, row, sum1, 0.0);
    }
    if (token + 2u < batch.n_tokens) {
        store(token + 2u, row, sum2, 0.0);
    }
    if (token + 3u < batch.n_tokens) {
        store(token + 3u, row, sum3, 0.0);
    }
}

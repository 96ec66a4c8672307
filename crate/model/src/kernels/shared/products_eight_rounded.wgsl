// Rows times the inputs of 8 bits of many tokens, without barriers: one invocation makes a group of 4 rows of 8 tokens. Codes are
// unpacked to floats, which hold their products exactly: a load costs a software adapter more than arithmetic, so each is used
// as often as there are variables for, and loops over arrays would turn those into memory.
@group(0) @binding(2) var<storage, read> weights: array<vec4<u32>>;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let group = id.x;
    let token = id.y * 8u;
    if (group >= params.n_groups || token >= batch.n_tokens) {
        return;
    }
    // Tokens past the last repeat the last; what they make is not stored.
    let last = batch.n_tokens - 1u;
    let stride = (params.n_words / 8u) * 3u;
    let start0 = min(token + 0u, last) * stride;
    let start1 = min(token + 1u, last) * stride;
    let start2 = min(token + 2u, last) * stride;
    let start3 = min(token + 3u, last) * stride;
    let start4 = min(token + 4u, last) * stride;
    let start5 = min(token + 5u, last) * stride;
    let start6 = min(token + 6u, last) * stride;
    let start7 = min(token + 7u, last) * stride;
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    var sum4 = vec4<f32>();
    var sum5 = vec4<f32>();
    var sum6 = vec4<f32>();
    var sum7 = vec4<f32>();
    let n_blocks = params.n_words / BLOCK_WORDS;
    for (var block = 0u; block < n_blocks; block++) {
        let b = block_at(group, block);
        // A block may be half of what the input's scale is for.
        let at = (block * BLOCK_WORDS / 8u) * 3u;
        var products0 = vec4<f32>();
        var products1 = vec4<f32>();
        var products2 = vec4<f32>();
        var products3 = vec4<f32>();
        var products4 = vec4<f32>();
        var products5 = vec4<f32>();
        var products6 = vec4<f32>();
        var products7 = vec4<f32>();
        for (var four = 0u; four < BLOCK_WORDS / 4u; four++) {
            let codes = four_words(b, group, block, four);
            let place = at + (block * BLOCK_WORDS / 4u + four) % 2u;
            products0 += products_of_four(codes, rounded[start0 + place]);
            products1 += products_of_four(codes, rounded[start1 + place]);
            products2 += products_of_four(codes, rounded[start2 + place]);
            products3 += products_of_four(codes, rounded[start3 + place]);
            products4 += products_of_four(codes, rounded[start4 + place]);
            products5 += products_of_four(codes, rounded[start5 + place]);
            products6 += products_of_four(codes, rounded[start6 + place]);
            products7 += products_of_four(codes, rounded[start7 + place]);
        }
        sum0 += scaled(b, products0, rounded[start0 + at + 2u], block);
        sum1 += scaled(b, products1, rounded[start1 + at + 2u], block);
        sum2 += scaled(b, products2, rounded[start2 + at + 2u], block);
        sum3 += scaled(b, products3, rounded[start3 + at + 2u], block);
        sum4 += scaled(b, products4, rounded[start4 + at + 2u], block);
        sum5 += scaled(b, products5, rounded[start5 + at + 2u], block);
        sum6 += scaled(b, products6, rounded[start6 + at + 2u], block);
        sum7 += scaled(b, products7, rounded[start7 + at + 2u], block);
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
    if (token + 4u < batch.n_tokens) {
        store(token + 4u, row, sum4, 0.0);
    }
    if (token + 5u < batch.n_tokens) {
        store(token + 5u, row, sum5, 0.0);
    }
    if (token + 6u < batch.n_tokens) {
        store(token + 6u, row, sum6, 0.0);
    }
    if (token + 7u < batch.n_tokens) {
        store(token + 7u, row, sum7, 0.0);
    }
}

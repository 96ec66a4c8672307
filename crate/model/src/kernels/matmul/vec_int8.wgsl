// A matrix times one token's 8-bit input, without barriers: one invocation computes a group of 4 rows.
#import shared/step
#import shared/int8_products
#import lora/*

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let group = id.x;
    if (group >= params.weights.n_groups || batch.n_tokens == 0u) {
        return;
    }
    let first = place_at(0u, params.weights.n_words, group, 0u);
    var sum = vec4<f32>();
    let n_blocks = params.weights.n_words / BLOCK_WORDS;
    for (var block = 0u; block < n_blocks; block++) {
        // A weight block may be half as long as an input block.
        let at = (block * BLOCK_WORDS / 8u) * 3u;
        let sixteen = block * (BLOCK_WORDS / 4u);
        let place = first + block * BLOCK_WORDS * 32u;
        var products = products_of(quantised[at + sixteen % 2u], place);
        if (BLOCK_WORDS == 8u) {
            products += products_of(quantised[at + 1u], place + 128u);
        }
        sum += scaled(block_at(group, block), products, quantised[at + 2u], block);
    }
    store(0u, params.weights.first_group + group, sum, 0.0);
}

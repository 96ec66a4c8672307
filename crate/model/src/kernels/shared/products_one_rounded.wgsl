// Rows times one token's input of 8 bits, without barriers: one invocation makes a group of 4 rows, four products to an
// instruction.
@group(0) @binding(2) var<storage, read> weights: array<vec4<u32>>;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let group = id.x;
    if (group >= params.n_groups || batch.n_tokens == 0u) {
        return;
    }
    var sum = vec4<f32>();
    let n_blocks = params.n_words / BLOCK_WORDS;
    for (var block = 0u; block < n_blocks; block++) {
        let b = block_at(group, block);
        // A block may be half of what the input's scale is for.
        let first = block * BLOCK_WORDS;
        let at = (first / 8u) * 3u;
        var products = vec4<i32>();
        for (var u = 0u; u < UNITS; u++) {
            let unit = unit_at(group, block * UNITS + u);
            for (var i = 0u; i < UNIT_WORDS; i++) {
                let word = first + u * UNIT_WORDS + i;
                let x = rounded[at + (word / 4u) % 2u][word % 4u];
                let codes = unit_codes(b, unit, u, i);
                products += products_of(codes, x);
            }
        }
        sum += scaled(b, products, rounded[at + 2u], block);
    }
    store(0u, params.first_group + group, sum, 0.0);
}

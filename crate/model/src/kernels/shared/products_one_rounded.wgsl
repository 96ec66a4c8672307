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
        let at = (block * BLOCK_WORDS / 8u) * 3u;
        var products = vec4<i32>();
        for (var four = 0u; four < BLOCK_WORDS / 4u; four++) {
            let x = rounded[at + (block * BLOCK_WORDS / 4u + four) % 2u];
            products += four_products(b, group, block, four, x);
        }
        sum += scaled(b, vec4<f32>(products), rounded[at + 2u], block);
    }
    store(0u, params.first_group + group, sum, 0.0);
}

fn products_of(codes: vec4<u32>, x: u32) -> vec4<i32> {
    return vec4<i32>(
        dot4I8Packed(codes.x, x),
        dot4I8Packed(codes.y, x),
        dot4I8Packed(codes.z, x),
        dot4I8Packed(codes.w, x),
    );
}

fn four_products(b: Block, group: u32, block: u32, four: u32, x: vec4<u32>) -> vec4<i32> {
    if (UNIT_WORDS == 1u) {
        let first = four * 4u;
        let unit = block * UNITS + first;
        return products_of(unit_codes(b, unit_at(group, unit), first, 0u), x.x)
            + products_of(unit_codes(b, unit_at(group, unit + 1u), first + 1u, 0u), x.y)
            + products_of(unit_codes(b, unit_at(group, unit + 2u), first + 2u, 0u), x.z)
            + products_of(unit_codes(b, unit_at(group, unit + 3u), first + 3u, 0u), x.w);
    }
    let first = four * 2u;
    let unit0 = unit_at(group, block * UNITS + first);
    let unit1 = unit_at(group, block * UNITS + first + 1u);
    return products_of(unit_codes(b, unit0, first, 0u), x.x)
        + products_of(unit_codes(b, unit0, first, 1u), x.y)
        + products_of(unit_codes(b, unit1, first + 1u, 0u), x.z)
        + products_of(unit_codes(b, unit1, first + 1u, 1u), x.w);
}

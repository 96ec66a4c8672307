// Rows times one token's input, without barriers: one invocation makes a group of 4 rows.

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let group = id.x;
    if (group >= params.n_groups || batch.n_tokens == 0u) {
        return;
    }
    var sum = vec4<f32>();
    var squares = 0.0;
    let n_blocks = params.n_words / (UNITS * UNIT_WORDS);
    for (var block = 0u; block < n_blocks; block++) {
        let b = block_at(group, block);
        var part = vec4<f32>();
        var total = vec4<f32>();
        for (var u = 0u; u < UNITS; u++) {
            let unit = unit_at(group, block * UNITS + u);
            let first = (block * UNITS + u) * UNIT_WORDS;
            for (var i = 0u; i < UNIT_WORDS; i++) {
                var x = input(0u, first + i);
                if (NORMED) {
                    squares += dot(x, x);
                    x *= vectors[params.gain + first + i];
                }
                if (HAS_MINS) {
                    total += x;
                }
                part += x * unit_words(b, unit, u, i);
            }
        }
        if (HAS_SCALES) {
            part *= b.scales;
        }
        if (HAS_MINS) {
            part += dot(total, vec4<f32>(1.0)) * b.mins;
        }
        sum += part;
    }
    store(0u, params.first_group + group, sum, squares);
}

// Rows times the inputs of many tokens, without barriers: one invocation makes a group of 4 rows of 4 tokens, so that each
// weight is unpacked once for four uses.

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let group = id.x;
    let token = id.y * 4u;
    if (group >= params.n_groups || token >= batch.n_tokens) {
        return;
    }
    // Tokens past the last repeat the last; what they make is not stored.
    let last = batch.n_tokens - 1u;
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    var squares = vec4<f32>();
    let n_blocks = params.n_words / (UNITS * UNIT_WORDS);
    for (var block = 0u; block < n_blocks; block++) {
        let b = block_at(group, block);
        var part0 = vec4<f32>();
        var part1 = vec4<f32>();
        var part2 = vec4<f32>();
        var part3 = vec4<f32>();
        var totals = vec4<f32>();
        for (var u = 0u; u < UNITS; u++) {
            let unit = unit_at(group, block * UNITS + u);
            let first = (block * UNITS + u) * UNIT_WORDS;
            for (var i = 0u; i < UNIT_WORDS; i++) {
                var x0 = input(token, first + i);
                var x1 = input(min(token + 1u, last), first + i);
                var x2 = input(min(token + 2u, last), first + i);
                var x3 = input(min(token + 3u, last), first + i);
                if (NORMED) {
                    squares += vec4<f32>(dot(x0, x0), dot(x1, x1), dot(x2, x2), dot(x3, x3));
                    let gain = vectors[params.gain + first + i];
                    x0 *= gain;
                    x1 *= gain;
                    x2 *= gain;
                    x3 *= gain;
                }
                if (HAS_MINS) {
                    let one = vec4<f32>(1.0);
                    totals += vec4<f32>(dot(x0, one), dot(x1, one), dot(x2, one), dot(x3, one));
                }
                let w = unit_words(b, unit, u, i);
                part0 += x0 * w;
                part1 += x1 * w;
                part2 += x2 * w;
                part3 += x3 * w;
            }
        }
        if (HAS_SCALES) {
            part0 *= b.scales;
            part1 *= b.scales;
            part2 *= b.scales;
            part3 *= b.scales;
        }
        if (HAS_MINS) {
            part0 += totals.x * b.mins;
            part1 += totals.y * b.mins;
            part2 += totals.z * b.mins;
            part3 += totals.w * b.mins;
        }
        sum0 += part0;
        sum1 += part1;
        sum2 += part2;
        sum3 += part3;
    }
    let row = params.first_group + group;
    store(token, row, sum0, squares.x);
    if (token + 1u < batch.n_tokens) {
        store(token + 1u, row, sum1, squares.y);
    }
    if (token + 2u < batch.n_tokens) {
        store(token + 2u, row, sum2, squares.z);
    }
    if (token + 3u < batch.n_tokens) {
        store(token + 3u, row, sum3, squares.w);
    }
}

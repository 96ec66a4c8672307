// A matrix times the 8-bit inputs of many tokens, without barriers: one invocation computes 16 rows for 8 tokens. On a
// software adapter a load costs as much as some thirty products, so each loaded value is reused for as many sums as fit
// in variables. Arrays indexed in a loop would turn these variables into memory, and a body unrolled further would no
// longer fit the instruction cache.
#import shared/step
#import shared/int8_products
#import lora/*

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    // Eight neighbouring invocations share the same four tiles; each computes one group of every tile.
    let group = id.x / 8u * 32u + id.x % 8u;
    let token = id.y * 8u;
    if (group >= params.weights.n_groups || token >= batch.n_tokens) {
        return;
    }
    // Tokens past the last one repeat it; their results are not stored.
    let last = batch.n_tokens - 1u;
    let stride = (params.weights.n_words / 8u) * 3u;
    let start0 = min(token + 0u, last) * stride;
    let start1 = min(token + 1u, last) * stride;
    let start2 = min(token + 2u, last) * stride;
    let start3 = min(token + 3u, last) * stride;
    let start4 = min(token + 4u, last) * stride;
    let start5 = min(token + 5u, last) * stride;
    let start6 = min(token + 6u, last) * stride;
    let start7 = min(token + 7u, last) * stride;
    let first = place_at(0u, params.weights.n_words, group, 0u);
    let apart = params.weights.n_words * 32u;
    var sum_a0 = vec4<f32>();
    var sum_a1 = vec4<f32>();
    var sum_a2 = vec4<f32>();
    var sum_a3 = vec4<f32>();
    var sum_a4 = vec4<f32>();
    var sum_a5 = vec4<f32>();
    var sum_a6 = vec4<f32>();
    var sum_a7 = vec4<f32>();
    var sum_b0 = vec4<f32>();
    var sum_b1 = vec4<f32>();
    var sum_b2 = vec4<f32>();
    var sum_b3 = vec4<f32>();
    var sum_b4 = vec4<f32>();
    var sum_b5 = vec4<f32>();
    var sum_b6 = vec4<f32>();
    var sum_b7 = vec4<f32>();
    var sum_c0 = vec4<f32>();
    var sum_c1 = vec4<f32>();
    var sum_c2 = vec4<f32>();
    var sum_c3 = vec4<f32>();
    var sum_c4 = vec4<f32>();
    var sum_c5 = vec4<f32>();
    var sum_c6 = vec4<f32>();
    var sum_c7 = vec4<f32>();
    var sum_d0 = vec4<f32>();
    var sum_d1 = vec4<f32>();
    var sum_d2 = vec4<f32>();
    var sum_d3 = vec4<f32>();
    var sum_d4 = vec4<f32>();
    var sum_d5 = vec4<f32>();
    var sum_d6 = vec4<f32>();
    var sum_d7 = vec4<f32>();
    let n_blocks = params.weights.n_words / BLOCK_WORDS;
    for (var block = 0u; block < n_blocks; block++) {
        // A weight block may be half as long as an input block.
        let at = (block * BLOCK_WORDS / 8u) * 3u;
        var a0 = vec4<f32>();
        var a1 = vec4<f32>();
        var a2 = vec4<f32>();
        var a3 = vec4<f32>();
        var a4 = vec4<f32>();
        var a5 = vec4<f32>();
        var a6 = vec4<f32>();
        var a7 = vec4<f32>();
        var b0 = vec4<f32>();
        var b1 = vec4<f32>();
        var b2 = vec4<f32>();
        var b3 = vec4<f32>();
        var b4 = vec4<f32>();
        var b5 = vec4<f32>();
        var b6 = vec4<f32>();
        var b7 = vec4<f32>();
        var c0 = vec4<f32>();
        var c1 = vec4<f32>();
        var c2 = vec4<f32>();
        var c3 = vec4<f32>();
        var c4 = vec4<f32>();
        var c5 = vec4<f32>();
        var c6 = vec4<f32>();
        var c7 = vec4<f32>();
        var d0 = vec4<f32>();
        var d1 = vec4<f32>();
        var d2 = vec4<f32>();
        var d3 = vec4<f32>();
        var d4 = vec4<f32>();
        var d5 = vec4<f32>();
        var d6 = vec4<f32>();
        var d7 = vec4<f32>();
        for (var idx = 0u; idx < BLOCK_WORDS; idx++) {
            let word = block * BLOCK_WORDS + idx;
            let place = first + word * 32u;
            let four = at + (word / 4u) % 2u;
            let part = word % 4u;
            let codes_a = codes_at(place);
            let codes_b = codes_at(place + apart);
            let codes_c = codes_at(place + 2u * apart);
            let codes_d = codes_at(place + 3u * apart);
            let x0 = input_codes(quantised[start0 + four][part]);
            a0 += x0 * codes_a;
            b0 += x0 * codes_b;
            c0 += x0 * codes_c;
            d0 += x0 * codes_d;
            let x1 = input_codes(quantised[start1 + four][part]);
            a1 += x1 * codes_a;
            b1 += x1 * codes_b;
            c1 += x1 * codes_c;
            d1 += x1 * codes_d;
            let x2 = input_codes(quantised[start2 + four][part]);
            a2 += x2 * codes_a;
            b2 += x2 * codes_b;
            c2 += x2 * codes_c;
            d2 += x2 * codes_d;
            let x3 = input_codes(quantised[start3 + four][part]);
            a3 += x3 * codes_a;
            b3 += x3 * codes_b;
            c3 += x3 * codes_c;
            d3 += x3 * codes_d;
            let x4 = input_codes(quantised[start4 + four][part]);
            a4 += x4 * codes_a;
            b4 += x4 * codes_b;
            c4 += x4 * codes_c;
            d4 += x4 * codes_d;
            let x5 = input_codes(quantised[start5 + four][part]);
            a5 += x5 * codes_a;
            b5 += x5 * codes_b;
            c5 += x5 * codes_c;
            d5 += x5 * codes_d;
            let x6 = input_codes(quantised[start6 + four][part]);
            a6 += x6 * codes_a;
            b6 += x6 * codes_b;
            c6 += x6 * codes_c;
            d6 += x6 * codes_d;
            let x7 = input_codes(quantised[start7 + four][part]);
            a7 += x7 * codes_a;
            b7 += x7 * codes_b;
            c7 += x7 * codes_c;
            d7 += x7 * codes_d;
        }
        let block_a = block_at(group, block);
        let block_b = block_at(group + 8u, block);
        let block_c = block_at(group + 16u, block);
        let block_d = block_at(group + 24u, block);
        let scale0 = quantised[start0 + at + 2u];
        sum_a0 += scaled(block_a, a0, scale0, block);
        sum_b0 += scaled(block_b, b0, scale0, block);
        sum_c0 += scaled(block_c, c0, scale0, block);
        sum_d0 += scaled(block_d, d0, scale0, block);
        let scale1 = quantised[start1 + at + 2u];
        sum_a1 += scaled(block_a, a1, scale1, block);
        sum_b1 += scaled(block_b, b1, scale1, block);
        sum_c1 += scaled(block_c, c1, scale1, block);
        sum_d1 += scaled(block_d, d1, scale1, block);
        let scale2 = quantised[start2 + at + 2u];
        sum_a2 += scaled(block_a, a2, scale2, block);
        sum_b2 += scaled(block_b, b2, scale2, block);
        sum_c2 += scaled(block_c, c2, scale2, block);
        sum_d2 += scaled(block_d, d2, scale2, block);
        let scale3 = quantised[start3 + at + 2u];
        sum_a3 += scaled(block_a, a3, scale3, block);
        sum_b3 += scaled(block_b, b3, scale3, block);
        sum_c3 += scaled(block_c, c3, scale3, block);
        sum_d3 += scaled(block_d, d3, scale3, block);
        let scale4 = quantised[start4 + at + 2u];
        sum_a4 += scaled(block_a, a4, scale4, block);
        sum_b4 += scaled(block_b, b4, scale4, block);
        sum_c4 += scaled(block_c, c4, scale4, block);
        sum_d4 += scaled(block_d, d4, scale4, block);
        let scale5 = quantised[start5 + at + 2u];
        sum_a5 += scaled(block_a, a5, scale5, block);
        sum_b5 += scaled(block_b, b5, scale5, block);
        sum_c5 += scaled(block_c, c5, scale5, block);
        sum_d5 += scaled(block_d, d5, scale5, block);
        let scale6 = quantised[start6 + at + 2u];
        sum_a6 += scaled(block_a, a6, scale6, block);
        sum_b6 += scaled(block_b, b6, scale6, block);
        sum_c6 += scaled(block_c, c6, scale6, block);
        sum_d6 += scaled(block_d, d6, scale6, block);
        let scale7 = quantised[start7 + at + 2u];
        sum_a7 += scaled(block_a, a7, scale7, block);
        sum_b7 += scaled(block_b, b7, scale7, block);
        sum_c7 += scaled(block_c, c7, scale7, block);
        sum_d7 += scaled(block_d, d7, scale7, block);
    }
    store_eight(token, group, sum_a0, sum_a1, sum_a2, sum_a3, sum_a4, sum_a5, sum_a6, sum_a7);
    store_eight(token, group + 8u, sum_b0, sum_b1, sum_b2, sum_b3, sum_b4, sum_b5, sum_b6, sum_b7);
    store_eight(token, group + 16u, sum_c0, sum_c1, sum_c2, sum_c3, sum_c4, sum_c5, sum_c6, sum_c7);
    store_eight(token, group + 24u, sum_d0, sum_d1, sum_d2, sum_d3, sum_d4, sum_d5, sum_d6, sum_d7);
}

fn store_eight(
    token: u32,
    group: u32,
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
    e: vec4<f32>,
    f: vec4<f32>,
    g: vec4<f32>,
    h: vec4<f32>,
) {
    if (group >= params.weights.n_groups) {
        return;
    }
    let row = params.weights.first_group + group;
    store(token, row, a, 0.0);
    if (token + 1u < batch.n_tokens) {
        store(token + 1u, row, b, 0.0);
    }
    if (token + 2u < batch.n_tokens) {
        store(token + 2u, row, c, 0.0);
    }
    if (token + 3u < batch.n_tokens) {
        store(token + 3u, row, d, 0.0);
    }
    if (token + 4u < batch.n_tokens) {
        store(token + 4u, row, e, 0.0);
    }
    if (token + 5u < batch.n_tokens) {
        store(token + 5u, row, f, 0.0);
    }
    if (token + 6u < batch.n_tokens) {
        store(token + 6u, row, g, 0.0);
    }
    if (token + 7u < batch.n_tokens) {
        store(token + 7u, row, h, 0.0);
    }
}

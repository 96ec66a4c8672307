// y[t,n] = (accumulate ? y[t,n] : 0) + sum over c of weights[n,c] * x[t,c], for many tokens.
// With shared/batch.wgsl and one of shared/weights_*.wgsl.
struct Params {
    n_words: u32,     // C/4
    n_rows: u32,      // N of this slice
    x_words: u32,     // vec4s from one row of x to the next
    x_offset: u32,    // first vec4 of a row of x
    y_stride: u32,    // floats from one row of y to the next
    y_offset: u32,    // first float of a row of y
    accumulate: u32,  // 1: add to y; 0: replace it
    padding: u32,
}
@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read> x: array<vec4<f32>>;  // [T, C]
@group(0) @binding(5) var<storage, read_write> y: array<f32>;  // [T, N]

fn store(token: u32, row_group: u32, sum: vec4<f32>) {
    if (token >= batch.n_tokens) {
        return;
    }
    var values = sum;
    for (var r = 0u; r < 4u; r++) {
        let row = row_group * 4u + r;
        if (row < params.n_rows) {
            let at = token * params.y_stride + params.y_offset + row;
            y[at] = select(0.0, y[at], params.accumulate != 0u) + values[r];
        }
    }
}

// One invocation: four rows of four tokens, so that each weight is unpacked once for four uses.
@compute @workgroup_size(16)
fn matmul(@builtin(global_invocation_id) id: vec3<u32>) {
    let row_group = id.x;
    let token = id.y * 4u;
    if (row_group * 4u >= params.n_rows || token >= batch.n_tokens) {
        return;
    }
    // Tokens past the last repeat the last; their sums are not stored.
    let last = batch.n_tokens - 1u;
    let x0 = token * params.x_words + params.x_offset;
    let x1 = min(token + 1u, last) * params.x_words + params.x_offset;
    let x2 = min(token + 2u, last) * params.x_words + params.x_offset;
    let x3 = min(token + 3u, last) * params.x_words + params.x_offset;
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    let n_blocks = params.n_words / WORDS_PER_BLOCK;
    for (var block = 0u; block < n_blocks; block++) {
        var part0 = vec4<f32>();
        var part1 = vec4<f32>();
        var part2 = vec4<f32>();
        var part3 = vec4<f32>();
        for (var i = 0u; i < WORDS_PER_BLOCK; i++) {
            let word = block * WORDS_PER_BLOCK + i;
            let w = weight_words(row_group, word, params.n_words);
            part0 += x[x0 + word] * w;
            part1 += x[x1 + word] * w;
            part2 += x[x2 + word] * w;
            part3 += x[x3 + word] * w;
        }
        let scale = weight_scales(row_group, block, params.n_words);
        sum0 += part0 * scale;
        sum1 += part1 * scale;
        sum2 += part2 * scale;
        sum3 += part3 * scale;
    }
    store(token, row_group, sum0);
    store(token + 1u, row_group, sum1);
    store(token + 2u, row_group, sum2);
    store(token + 3u, row_group, sum3);
}

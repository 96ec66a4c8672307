// y[n] = (accumulate ? y[n] : 0) + sum over c of weights[n,c] * x[c], for one token.
// With one of shared/weights_*.wgsl.
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
@group(0) @binding(4) var<storage, read> x: array<vec4<f32>>;  // [1, C]
@group(0) @binding(5) var<storage, read_write> y: array<f32>;  // [1, N]

// One invocation: four rows.
@compute @workgroup_size(16)
fn matvec(@builtin(global_invocation_id) id: vec3<u32>) {
    let row_group = id.x;
    if (row_group * 4u >= params.n_rows) {
        return;
    }
    var sum = vec4<f32>();
    let n_blocks = params.n_words / WORDS_PER_BLOCK;
    for (var block = 0u; block < n_blocks; block++) {
        var part = vec4<f32>();
        for (var i = 0u; i < WORDS_PER_BLOCK; i++) {
            let word = block * WORDS_PER_BLOCK + i;
            part += x[params.x_offset + word] * weight_words(row_group, word, params.n_words);
        }
        sum += part * weight_scales(row_group, block, params.n_words);
    }
    for (var r = 0u; r < 4u; r++) {
        let row = row_group * 4u + r;
        if (row < params.n_rows) {
            let at = params.y_offset + row;
            y[at] = select(0.0, y[at], params.accumulate != 0u) + sum[r];
        }
    }
}

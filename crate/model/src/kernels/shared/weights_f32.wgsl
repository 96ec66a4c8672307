// Weights as f32. Row groups of 4 rows; 8 groups are interleaved, so that 8 neighbouring invocations read 512
// neighbouring bytes. A word is 4 consecutive weights of a row.
const N_LANES: u32 = 8u;
const WORDS_PER_BLOCK: u32 = 1u;

@group(0) @binding(2) var<storage, read> quants: array<vec4<f32>>;  // [tile, C/4, lane, row of 4]

// Column r: 4 consecutive weights of row 4 * row_group + r.
fn weight_words(row_group: u32, word: u32, n_words: u32) -> mat4x4<f32> {
    let at = (((row_group / N_LANES) * n_words + word) * N_LANES + row_group % N_LANES) * 4u;
    return mat4x4<f32>(quants[at], quants[at + 1u], quants[at + 2u], quants[at + 3u]);
}

fn weight_scales(row_group: u32, block: u32, n_words: u32) -> vec4<f32> {
    return vec4<f32>(1.0);
}

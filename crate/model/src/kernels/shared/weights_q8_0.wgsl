// Weights as i8 with an f16 scale for 32 of them. Row groups of 4 rows; 8 groups are interleaved, so that 8
// neighbouring invocations read 128 neighbouring bytes. A word is 4 consecutive weights of a row.
const N_LANES: u32 = 8u;
const WORDS_PER_BLOCK: u32 = 8u;

@group(0) @binding(2) var<storage, read> quants: array<vec4<u32>>;  // [tile, C/4, lane] of 4 rows
@group(0) @binding(3) var<storage, read> scales: array<vec2<u32>>;  // [tile, C/32, lane] of 4 rows

// Column r: 4 consecutive weights of row 4 * row_group + r, still to be scaled.
fn weight_words(row_group: u32, word: u32, n_words: u32) -> mat4x4<f32> {
    let q = quants[((row_group / N_LANES) * n_words + word) * N_LANES + row_group % N_LANES];
    return mat4x4<f32>(
        vec4<f32>(unpack4xI8(q.x)),
        vec4<f32>(unpack4xI8(q.y)),
        vec4<f32>(unpack4xI8(q.z)),
        vec4<f32>(unpack4xI8(q.w)),
    );
}

fn weight_scales(row_group: u32, block: u32, n_words: u32) -> vec4<f32> {
    let n_blocks = n_words / WORDS_PER_BLOCK;
    let d = scales[((row_group / N_LANES) * n_blocks + block) * N_LANES + row_group % N_LANES];
    return vec4<f32>(unpack2x16float(d.x), unpack2x16float(d.y));
}

// Weights as pairs of f16. Row groups of 4 rows; 8 groups are interleaved, so that 8 neighbouring invocations read
// 256 neighbouring bytes. A word is 4 consecutive weights of a row.
const N_LANES: u32 = 8u;
const WORDS_PER_BLOCK: u32 = 1u;

@group(0) @binding(2) var<storage, read> quants: array<vec4<u32>>;  // [tile, C/4, lane, rows 01 | rows 23]

// Column r: 4 consecutive weights of row 4 * row_group + r.
fn weight_words(row_group: u32, word: u32, n_words: u32) -> mat4x4<f32> {
    let at = (((row_group / N_LANES) * n_words + word) * N_LANES + row_group % N_LANES) * 2u;
    let a = quants[at];
    let b = quants[at + 1u];
    return mat4x4<f32>(
        vec4<f32>(unpack2x16float(a.x), unpack2x16float(a.y)),
        vec4<f32>(unpack2x16float(a.z), unpack2x16float(a.w)),
        vec4<f32>(unpack2x16float(b.x), unpack2x16float(b.y)),
        vec4<f32>(unpack2x16float(b.z), unpack2x16float(b.w)),
    );
}

fn weight_scales(row_group: u32, block: u32, n_words: u32) -> vec4<f32> {
    return vec4<f32>(1.0);
}

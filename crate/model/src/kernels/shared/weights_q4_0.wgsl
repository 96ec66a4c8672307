// Weights as 4 bits less 8, with an f16 scale for 32 of them. Row groups of 4 rows; 8 groups are interleaved, so that
// 8 neighbouring invocations read 128 neighbouring bytes. A word is 4 consecutive weights of a row; as in the file, the
// low halves of a block's 16 bytes are its words 0 to 3, the high halves its words 4 to 7.
const N_LANES: u32 = 8u;
const WORDS_PER_BLOCK: u32 = 8u;

@group(0) @binding(2) var<storage, read> quants: array<vec4<u32>>;  // [tile, C/8, lane] of 4 rows
@group(0) @binding(3) var<storage, read> scales: array<vec2<u32>>;  // [tile, C/32, lane] of 4 rows

fn nibbles(bytes: u32) -> vec4<f32> {
    return vec4<f32>(unpack4xU8(bytes)) - vec4<f32>(8.0);
}

// Column r: 4 consecutive weights of row 4 * row_group + r, still to be scaled.
fn weight_words(row_group: u32, word: u32, n_words: u32) -> mat4x4<f32> {
    let half_word = (word / WORDS_PER_BLOCK) * 4u + (word & 3u);
    let tile = (row_group / N_LANES) * (n_words / 2u);
    let q = quants[(tile + half_word) * N_LANES + row_group % N_LANES];
    let b = (q >> vec4<u32>(word & 4u)) & vec4<u32>(0x0f0f0f0fu);
    return mat4x4<f32>(nibbles(b.x), nibbles(b.y), nibbles(b.z), nibbles(b.w));
}

fn weight_scales(row_group: u32, block: u32, n_words: u32) -> vec4<f32> {
    let n_blocks = n_words / WORDS_PER_BLOCK;
    let d = scales[((row_group / N_LANES) * n_blocks + block) * N_LANES + row_group % N_LANES];
    return vec4<f32>(unpack2x16float(d.x), unpack2x16float(d.y));
}

// An f16 scale and an f16 minimum for a block of each of 4 rows.
fn block_at(group: u32, block: u32) -> Block {
    let n_blocks = params.n_words / (UNITS * UNIT_WORDS);
    let word = weights[params.scales + ((group / 8u) * n_blocks + block) * 8u + group % 8u];
    let d = vec4<f32>(unpack2x16float(word.x), unpack2x16float(word.y));
    let m = vec4<f32>(unpack2x16float(word.z), unpack2x16float(word.w));
    return with_bits(group, block, d, m);
}

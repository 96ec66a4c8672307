// An f16 scale and an f16 minimum for a block of each of 4 rows.
#import shared/step

fn block_at(group: u32, block: u32) -> Block {
    let n_blocks = params.weights.n_words / (UNITS * UNIT_WORDS);
    let word = weights[params.weights.scales + ((group / 8u) * n_blocks + block) * 8u + group % 8u];
    let d = vec4<f32>(unpack2x16float(word.x), unpack2x16float(word.y));
    let m = vec4<f32>(unpack2x16float(word.z), unpack2x16float(word.w));
    return with_bits(group, block, d, m);
}

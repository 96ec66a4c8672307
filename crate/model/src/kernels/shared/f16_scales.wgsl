// One f16 scale for a block of each of 4 rows; two blocks share a word.
#import shared/step

fn scales_at(group: u32, block: u32) -> vec4<f32> {
    let n_pairs = (params.weights.n_words / (UNITS * UNIT_WORDS) + 1u) / 2u;
    let pair = weights[params.weights.scales + ((group / 8u) * n_pairs + block / 2u) * 8u + group % 8u];
    let d = select(pair.xy, pair.zw, (block & 1u) == 1u);
    return vec4<f32>(unpack2x16float(d.x), unpack2x16float(d.y));
}

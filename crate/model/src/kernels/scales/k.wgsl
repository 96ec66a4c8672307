// A 6-bit scale and a 6-bit minimum for a block of each of 4 rows, and an f16 factor for each, per 8 blocks.
#import shared/step

fn block_at(group: u32, block: u32) -> Block {
    let tile = group / 8u;
    let lane = group % 8u;
    let n_supers = params.weights.n_words / 64u;
    let factors = weights[params.weights.super_scales + (tile * n_supers + block / 8u) * 8u + lane];
    let pair = weights[params.weights.scales + (tile * n_supers * 4u + block / 2u) * 8u + lane];
    let bytes = select(pair.xy, pair.zw, (block & 1u) == 1u);
    let d = vec4<f32>(unpack2x16float(factors.x), unpack2x16float(factors.y)) * vec4<f32>(unpack4xU8(bytes.x));
    let m = vec4<f32>(unpack2x16float(factors.z), unpack2x16float(factors.w)) * vec4<f32>(unpack4xU8(bytes.y));
    return with_bits(group, block, d, -m);
}

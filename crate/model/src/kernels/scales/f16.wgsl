// Signed codes: one f16 scale for a block of each of 4 rows.
#import shared/f16_scales

fn block_at(group: u32, block: u32) -> Block {
    return with_bits(group, block, scales_at(group, block), vec4<f32>());
}

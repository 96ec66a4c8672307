// Unsigned codes of values centred on zero: the offset to subtract is passed on as a minimum.
#import shared/f16_scales

fn block_at(group: u32, block: u32) -> Block {
    let d = scales_at(group, block);
    return with_bits(group, block, d, d * -CENTRE);
}

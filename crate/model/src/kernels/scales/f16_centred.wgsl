// Codes that stand for numbers around zero: what is taken away from each is a minimum.
#import shared/f16_scales

fn block_at(group: u32, block: u32) -> Block {
    let d = scales_at(group, block);
    return with_bits(group, block, d, d * -CENTRE);
}

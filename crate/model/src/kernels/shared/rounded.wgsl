// Products of codes of 8 bits, as whole numbers, and what they mean.
const BLOCK_WORDS = UNITS * UNIT_WORDS;

fn products_of(codes: vec4<u32>, x: u32) -> vec4<i32> {
    return vec4<i32>(
        dot4I8Packed(codes.x, x),
        dot4I8Packed(codes.y, x),
        dot4I8Packed(codes.z, x),
        dot4I8Packed(codes.w, x),
    );
}

// The sum of the input's codes that a block meets: all 32, or its half of them.
fn codes_sum(scale: vec4<u32>, block: u32) -> f32 {
    let sums = bitcast<vec2<f32>>(scale.yz);
    if (BLOCK_WORDS == 4u) {
        return sums[block % 2u];
    }
    return sums.x + sums.y;
}

fn scaled(b: Block, products: vec4<i32>, scale: vec4<u32>, block: u32) -> vec4<f32> {
    var part = vec4<f32>(products) * b.scales;
    if (HAS_MINS) {
        part += b.mins * codes_sum(scale, block);
    }
    return part * bitcast<f32>(scale.x);
}

// Products of codes of 8 bits, as numbers, and what they mean.
const BLOCK_WORDS = UNITS * UNIT_WORDS;

// Four words of each of 4 rows.
struct FourWords { a: mat4x4<f32>, b: mat4x4<f32>, c: mat4x4<f32>, d: mat4x4<f32> }

fn four_words(b: Block, group: u32, block: u32, four: u32) -> FourWords {
    if (UNIT_WORDS == 1u) {
        let first = four * 4u;
        let unit = block * UNITS + first;
        return FourWords(
            unit_words(b, unit_at(group, unit), first, 0u),
            unit_words(b, unit_at(group, unit + 1u), first + 1u, 0u),
            unit_words(b, unit_at(group, unit + 2u), first + 2u, 0u),
            unit_words(b, unit_at(group, unit + 3u), first + 3u, 0u),
        );
    }
    let first = four * 2u;
    let unit0 = unit_at(group, block * UNITS + first);
    let unit1 = unit_at(group, block * UNITS + first + 1u);
    return FourWords(
        unit_words(b, unit0, first, 0u),
        unit_words(b, unit0, first, 1u),
        unit_words(b, unit1, first + 1u, 0u),
        unit_words(b, unit1, first + 1u, 1u),
    );
}

fn products_of_four(codes: FourWords, x: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(unpack4xI8(x.x)) * codes.a
        + vec4<f32>(unpack4xI8(x.y)) * codes.b
        + vec4<f32>(unpack4xI8(x.z)) * codes.c
        + vec4<f32>(unpack4xI8(x.w)) * codes.d;
}

// The sum of the input's codes that a block meets: all 32, or its half of them.
fn codes_sum(scale: vec4<u32>, block: u32) -> f32 {
    let sums = bitcast<vec2<f32>>(scale.yz);
    if (BLOCK_WORDS == 4u) {
        return sums[block % 2u];
    }
    return sums.x + sums.y;
}

fn scaled(b: Block, products: vec4<f32>, scale: vec4<u32>, block: u32) -> vec4<f32> {
    var part = products * b.scales;
    if (HAS_MINS) {
        part += b.mins * codes_sum(scale, block);
    }
    return part * bitcast<f32>(scale.x);
}

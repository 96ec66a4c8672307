// Products of 8-bit codes, computed in floats, which hold them exactly, and the values they stand for. `steps/quantise`
// has quantised the input.
#import weights/bytes

const NORMED = false;

@group(0) @binding(4) var<storage, read_write> quantised: array<vec4<u32>>;  // [T, C/32, 3]

// A word of each of 4 rows, not shifted into place: the input undoes the factors of the byte positions, and `scaled`
// the 128 added to codes.
fn codes_at(place: u32) -> mat4x4<f32> {
    let q = four_rows(place);
    return mat4x4<f32>(in_place(q.x), in_place(q.y), in_place(q.z), in_place(q.w));
}

// Four codes of the input, each divided twice by the factor of its byte position: once for itself, once for its weight.
fn input_codes(codes: u32) -> vec4<f32> {
    return in_place(codes) * (PLACES * PLACES) - ADDED * PLACES;
}

// The products of sixteen columns.
fn products_of(x: vec4<u32>, place: u32) -> vec4<f32> {
    return input_codes(x.x) * codes_at(place)
        + input_codes(x.y) * codes_at(place + 32u)
        + input_codes(x.z) * codes_at(place + 64u)
        + input_codes(x.w) * codes_at(place + 96u);
}

// The values of a block's products. `scale` holds the input's scale, the sum of its codes and, for its first and last
// 16, the sum of the codes whose weights were 128 too large.
fn scaled(b: Block, products: vec4<f32>, scale: vec4<u32>, block: u32) -> vec4<f32> {
    let sums = bitcast<vec4<f32>>(scale);
    var surplus = sums.z + sums.w;
    if (BLOCK_WORDS == 4u) {
        surplus = sums[2u + block % 2u];
    }
    var part = (products - vec4<f32>(128.0 * surplus)) * b.scales;
    if (HAS_MINS) {
        part += b.mins * sums.y;
    }
    return part * sums.x;
}

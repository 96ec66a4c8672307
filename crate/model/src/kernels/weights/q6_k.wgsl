// 6-bit weights centred on 32, with an i8 scale per 16 of them and an f16 factor per 256.
#import shared/step
#import shared/weight_streams
#import shared/codes

const HAS_SCALES = true;
const HAS_MINS = true;
const UNITS = 2u;       // units of a block
const UNIT_WORDS = 2u;  // words of a unit

struct Block { scales: vec4<f32>, mins: vec4<f32>, bits: vec4<u32> }
struct Unit { q: vec4<u32> }

fn block_at(group: u32, block: u32) -> Block {
    let tile = group / 8u;
    let lane = group % 8u;
    let n_blocks = params.weights.n_words / 4u;
    let bits = weights[params.weights.high_bits + (tile * n_blocks + block) * 8u + lane];
    let factors = weights[params.weights.super_scales + (tile * (n_blocks / 16u) + block / 16u) * 8u + lane];
    let four = weights[params.weights.scales + (tile * (n_blocks / 4u) + block / 4u) * 8u + lane];
    let d = vec4<f32>(unpack2x16float(factors.x), unpack2x16float(factors.y))
        * vec4<f32>(unpack4xI8(four[block % 4u]));
    return Block(d, d * -32.0, bits);
}

fn unit_at(group: u32, unit: u32) -> Unit {
    return Unit(weights[((group / 8u) * (params.weights.n_words / 2u) + unit) * 8u + group % 8u]);
}

// The codes of `word` (0 or 1) of unit `idx` of a block, a byte each.
fn unit_codes(b: Block, unit: Unit, idx: u32, word: u32) -> vec4<u32> {
    let four = (unit.q >> vec4<u32>(word * 4u)) & vec4<u32>(0x0f0f0f0fu);
    let bits = (b.bits >> vec4<u32>((idx * 2u + word) * 8u)) & vec4<u32>(0xffu);
    // Moves the two bits from 2 i on to bit 8 i.
    let spread = (bits | (bits << vec4<u32>(6u)) | (bits << vec4<u32>(12u)) | (bits << vec4<u32>(18u)))
        & vec4<u32>(0x03030303u);
    return four | (spread << vec4<u32>(4u));
}

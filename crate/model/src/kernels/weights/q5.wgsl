// 5-bit weights: 4 bits as in `q4`, the fifth bits of a block in a separate word.
#import shared/step
#import shared/weight_streams
#import shared/codes
#import scales/*

const HAS_SCALES = true;
const HAS_MINS = true;
const UNITS = 4u;       // units of a block
const UNIT_WORDS = 2u;  // words of a unit
const CENTRE = 16.0;    // the code of 0, for types with centred codes

struct Block { scales: vec4<f32>, mins: vec4<f32>, bits: vec4<u32> }
struct Unit { q: vec4<u32> }

fn with_bits(group: u32, block: u32, scales: vec4<f32>, mins: vec4<f32>) -> Block {
    let n_blocks = params.weights.n_words / 8u;
    let bits = weights[params.weights.high_bits + ((group / 8u) * n_blocks + block) * 8u + group % 8u];
    return Block(scales, mins, bits);
}

fn unit_at(group: u32, unit: u32) -> Unit {
    return Unit(weights[((group / 8u) * (params.weights.n_words / 2u) + unit) * 8u + group % 8u]);
}

// The codes of `word` (0 or 1) of unit `idx` of a block, a byte each.
fn unit_codes(b: Block, unit: Unit, idx: u32, word: u32) -> vec4<u32> {
    let four = (unit.q >> vec4<u32>(word * 4u)) & vec4<u32>(0x0f0f0f0fu);
    let bits = (b.bits >> vec4<u32>((idx * 2u + word) * 4u)) & vec4<u32>(0xfu);
    // Moves bit i, one of four, to bit 8 i.
    let spread = (bits * vec4<u32>(0x00204081u)) & vec4<u32>(0x01010101u);
    return four | (spread << vec4<u32>(4u));
}

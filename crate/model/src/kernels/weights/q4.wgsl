// 4-bit weights: the low nibbles of a unit's bytes are its first word, the high nibbles its second.
#import shared/step
#import shared/weight_streams
#import shared/codes
#import scales/*

const HAS_SCALES = true;
const HAS_MINS = true;
const UNITS = 4u;       // units of a block
const UNIT_WORDS = 2u;  // words of a unit
const CENTRE = 8.0;     // the code of 0, for types with centred codes

struct Block { scales: vec4<f32>, mins: vec4<f32> }
struct Unit { q: vec4<u32> }

fn with_bits(group: u32, block: u32, scales: vec4<f32>, mins: vec4<f32>) -> Block {
    return Block(scales, mins);
}

fn unit_at(group: u32, unit: u32) -> Unit {
    return Unit(weights[((group / 8u) * (params.weights.n_words / 2u) + unit) * 8u + group % 8u]);
}

// The codes of `word` (0 or 1) of unit `idx` of a block, a byte each.
fn unit_codes(b: Block, unit: Unit, idx: u32, word: u32) -> vec4<u32> {
    return (unit.q >> vec4<u32>(word * 4u)) & vec4<u32>(0x0f0f0f0fu);
}

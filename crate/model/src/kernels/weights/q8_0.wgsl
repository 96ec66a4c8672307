// Weights as i8, with an f16 scale per 32 of them.
#import shared/step
#import shared/weight_streams
#import scales/*

const HAS_SCALES = true;
const HAS_MINS = false;
const UNITS = 8u;       // units of a block
const UNIT_WORDS = 1u;  // words of a unit

struct Block { scales: vec4<f32>, mins: vec4<f32> }
struct Unit { q: vec4<u32> }

fn with_bits(group: u32, block: u32, scales: vec4<f32>, mins: vec4<f32>) -> Block {
    return Block(scales, mins);
}

fn unit_at(group: u32, unit: u32) -> Unit {
    return Unit(weights[((group / 8u) * params.weights.n_words + unit) * 8u + group % 8u]);
}

fn unit_words(b: Block, unit: Unit, idx: u32, word: u32) -> mat4x4<f32> {
    let q = unit.q;
    return mat4x4<f32>(
        vec4<f32>(unpack4xI8(q.x)),
        vec4<f32>(unpack4xI8(q.y)),
        vec4<f32>(unpack4xI8(q.z)),
        vec4<f32>(unpack4xI8(q.w)),
    );
}

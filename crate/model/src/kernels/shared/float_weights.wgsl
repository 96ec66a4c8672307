// Weights without scales: a block is one unit, a unit one word of each of 4 rows.
#import shared/step
#import shared/weight_streams

const HAS_SCALES = false;
const HAS_MINS = false;
const UNITS = 1u;       // units of a block
const UNIT_WORDS = 1u;  // words of a unit

struct Block { scales: vec4<f32>, mins: vec4<f32> }
struct Unit { rows: mat4x4<f32> }

fn block_at(group: u32, block: u32) -> Block {
    return Block(vec4<f32>(1.0), vec4<f32>());
}

// Index of the first of the stream's `n` words for a unit.
fn unit_place(group: u32, unit: u32, n: u32) -> u32 {
    return (((group / 8u) * params.weights.n_words + unit) * 8u + group % 8u) * n;
}

fn unit_words(b: Block, unit: Unit, idx: u32, word: u32) -> mat4x4<f32> {
    return unit.rows;
}

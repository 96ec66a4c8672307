// Weights as f32.
const HAS_SCALES = false;
const HAS_MINS = false;
const UNITS = 1u;       // units of a block
const UNIT_WORDS = 1u;  // words of a unit

struct Block { scales: vec4<f32>, mins: vec4<f32> }
struct Unit { rows: mat4x4<f32> }

fn block_at(group: u32, block: u32) -> Block {
    return Block(vec4<f32>(1.0), vec4<f32>());
}

fn unit_at(group: u32, unit: u32) -> Unit {
    let at = (((group / 8u) * params.n_words + unit) * 8u + group % 8u) * 4u;
    return Unit(mat4x4<f32>(
        bitcast<vec4<f32>>(weights[at]),
        bitcast<vec4<f32>>(weights[at + 1u]),
        bitcast<vec4<f32>>(weights[at + 2u]),
        bitcast<vec4<f32>>(weights[at + 3u]),
    ));
}

fn unit_words(b: Block, unit: Unit, idx: u32, word: u32) -> mat4x4<f32> {
    return unit.rows;
}

// Weights as pairs of f16.
const HAS_SCALES = false;
const HAS_MINS = false;
const UNITS = 1u;       // units of a block
const UNIT_WORDS = 1u;  // words of a unit

struct Block { scales: vec4<f32>, mins: vec4<f32> }
struct Unit { rows: mat4x4<f32> }

fn block_at(group: u32, block: u32) -> Block {
    return Block(vec4<f32>(1.0), vec4<f32>());
}

fn halves(word: vec2<u32>) -> vec4<f32> {
    return vec4<f32>(unpack2x16float(word.x), unpack2x16float(word.y));
}

fn unit_at(group: u32, unit: u32) -> Unit {
    let at = (((group / 8u) * params.n_words + unit) * 8u + group % 8u) * 2u;
    let a = weights[at];
    let b = weights[at + 1u];
    return Unit(mat4x4<f32>(halves(a.xy), halves(a.zw), halves(b.xy), halves(b.zw)));
}

fn unit_words(b: Block, unit: Unit, idx: u32, word: u32) -> mat4x4<f32> {
    return unit.rows;
}

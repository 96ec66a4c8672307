// Weights as pairs of bf16: the upper halves of f32.
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
    let bits = vec4<u32>(word.x << 16u, word.x & 0xffff0000u, word.y << 16u, word.y & 0xffff0000u);
    return bitcast<vec4<f32>>(bits);
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

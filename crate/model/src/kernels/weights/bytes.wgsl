// Weights as 8-bit codes, with scales and minimums in f32, as `gpu/matrix/bytes.rs` lays them out. The permutation sets
// `BLOCK_WORDS` and `HAS_MINS`.
#import shared/step

const HAS_SCALES = true;
const UNITS = BLOCK_WORDS;  // units of a block
const UNIT_WORDS = 1u;      // words of a unit

@group(0) @binding(2) var<storage, read> weights: array<u32>;

struct Block { scales: vec4<f32>, mins: vec4<f32> }
struct Unit { q: vec4<u32> }

// Index of the first of the four rows' u32, in a stream with `per_row` of them per row; the others follow 8 apart.
fn place_at(first_word: u32, per_row: u32, group: u32, idx: u32) -> u32 {
    return first_word * 4u + ((group / 8u) * per_row + idx) * 32u + group % 8u;
}

fn four_rows(place: u32) -> vec4<u32> {
    return vec4<u32>(weights[place], weights[place + 8u], weights[place + 16u], weights[place + 24u]);
}

fn block_at(group: u32, block: u32) -> Block {
    let n_blocks = params.weights.n_words / BLOCK_WORDS;
    let scales = bitcast<vec4<f32>>(four_rows(place_at(params.weights.scales, n_blocks, group, block)));
    if (HAS_MINS) {
        return Block(scales, bitcast<vec4<f32>>(four_rows(place_at(params.weights.super_scales, n_blocks, group, block))));
    }
    return Block(scales, vec4<f32>());
}

fn unit_at(group: u32, unit: u32) -> Unit {
    return Unit(four_rows(place_at(0u, params.weights.n_words, group, unit)));
}

// Four codes, left in place in their u32: 128 is added to the first three, and each is multiplied by 256 for every byte
// below it.
fn in_place(codes: u32) -> vec4<f32> {
    return vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(codes) & vec4<u32>(0xffu, 0xff00u, 0xff0000u, 0xff000000u)));
}

// Inverse factors of the byte positions, and the offsets added to their codes.
const PLACES = vec4<f32>(1.0, 0.00390625, 0.0000152587890625, 5.9604644775390625e-8);
const ADDED = vec4<f32>(128.0, 128.0, 128.0, 0.0);

fn unit_words(b: Block, unit: Unit, idx: u32, word: u32) -> mat4x4<f32> {
    return mat4x4<f32>(
        in_place(unit.q.x) * PLACES - ADDED,
        in_place(unit.q.y) * PLACES - ADDED,
        in_place(unit.q.z) * PLACES - ADDED,
        in_place(unit.q.w) * PLACES - ADDED,
    );
}

// Unsigned codes, as floats.
fn unit_words(b: Block, unit: Unit, idx: u32, word: u32) -> mat4x4<f32> {
    let q = unit_codes(b, unit, idx, word);
    return mat4x4<f32>(
        vec4<f32>(unpack4xU8(q.x)),
        vec4<f32>(unpack4xU8(q.y)),
        vec4<f32>(unpack4xU8(q.z)),
        vec4<f32>(unpack4xU8(q.w)),
    );
}

// RoPE: neighbouring pairs are rotated by their angle: `(a, b)` becomes `(a cos - b sin, a sin + b cos)`.
#import shared/step

@group(0) @binding(6) var<storage, read> angles: array<vec4<f32>>;  // [positions, rope_dim/4] of (cos, sin, cos, sin)

fn rotated(value: vec4<f32>, position: u32, word: u32) -> vec4<f32> {
    if (word >= params.attention.rope_words) {
        return value;
    }
    let turn = angles[position * params.attention.rope_words + word];
    return vec4<f32>(
        value.x * turn.x - value.y * turn.y,
        value.x * turn.y + value.y * turn.x,
        value.z * turn.z - value.w * turn.w,
        value.z * turn.w + value.w * turn.z,
    );
}

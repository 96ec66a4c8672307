// Weights as pairs of bf16: the upper 16 bits of f32.
#import shared/float_weights

fn four(pairs: vec2<u32>) -> vec4<f32> {
    let bits = vec4<u32>(pairs.x << 16u, pairs.x & 0xffff0000u, pairs.y << 16u, pairs.y & 0xffff0000u);
    return bitcast<vec4<f32>>(bits);
}

fn unit_at(group: u32, unit: u32) -> Unit {
    let at = unit_place(group, unit, 2u);
    let a = weights[at];
    let b = weights[at + 1u];
    return Unit(mat4x4<f32>(four(a.xy), four(a.zw), four(b.xy), four(b.zw)));
}

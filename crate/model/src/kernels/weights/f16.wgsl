// Weights as pairs of f16.
#import shared/float_weights

fn four(pairs: vec2<u32>) -> vec4<f32> {
    return vec4<f32>(unpack2x16float(pairs.x), unpack2x16float(pairs.y));
}

fn unit_at(group: u32, unit: u32) -> Unit {
    let at = unit_place(group, unit, 2u);
    let a = weights[at];
    let b = weights[at + 1u];
    return Unit(mat4x4<f32>(four(a.xy), four(a.zw), four(b.xy), four(b.zw)));
}

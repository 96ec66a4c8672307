// Weights as f32.
#import shared/float_weights

fn unit_at(group: u32, unit: u32) -> Unit {
    let at = unit_place(group, unit, 4u);
    return Unit(mat4x4<f32>(
        bitcast<vec4<f32>>(weights[at]),
        bitcast<vec4<f32>>(weights[at + 1u]),
        bitcast<vec4<f32>>(weights[at + 2u]),
        bitcast<vec4<f32>>(weights[at + 3u]),
    ));
}

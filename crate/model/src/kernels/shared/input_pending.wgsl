// The stream, and what the last block adds to it, which is normed first: `x + gain * delta / rms(delta)`. One workgroup
// writes the sum to where the stream goes on.
fn input(token: u32, word: u32) -> vec4<f32> {
    let at = token * params.x_stride + word;
    return stream[params.x + at]
        + vectors[params.delta_gain + word] * (stream[params.delta + at] * delta_scale);
}

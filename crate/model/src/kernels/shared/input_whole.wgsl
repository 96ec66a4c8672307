// The stream as it stands.
fn input(token: u32, word: u32) -> vec4<f32> {
    return stream[params.x + (batch.first_row + token) * params.x_stride + word];
}

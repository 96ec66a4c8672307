// y[t,:] = (ADDS ? y[t,:] : 0) + weights * x[t,:] + bias: what a block makes goes to the stream, or beside it where it
// is normed first.
fn store(token: u32, group: u32, rows: vec4<f32>, squares: f32) {
    var value = adapted(token, group, 0u, params.rank, rows, squares);
    if (params.bias > 0u) {
        value += vectors[params.bias + group];
    }
    let at = params.y + token * params.y_stride + group;
    if (ADDS) {
        stream[at] += value;
    } else {
        stream[at] = value;
    }
}

// The inner products that the rows of a tile can feel.
fn inner_range(tile: u32) -> vec2<u32> {
    return vec2<u32>(0u, params.rank);
}

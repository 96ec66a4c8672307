// y[t,:] = weights * x[t,:] + bias, kept below the cap where there is one: logits, and the inner products of adapters.
@group(0) @binding(8) var<storage, read_write> y: array<vec4<f32>>;  // [T, N]

fn store(token: u32, group: u32, rows: vec4<f32>, squares: f32) {
    var value = adapted(token, group, 0u, params.rank, rows, squares);
    if (params.bias > 0u) {
        value += vectors[params.bias + group];
    }
    if (params.cap > 0.0) {
        value = params.cap * tanh(clamp(value / params.cap, vec4<f32>(-10.0), vec4<f32>(10.0)));
    }
    y[params.y + token * params.y_stride + group] = value;
}

// The inner products that the rows of a tile can feel.
fn inner_range(tile: u32) -> vec2<u32> {
    return vec2<u32>(0u, params.rank);
}

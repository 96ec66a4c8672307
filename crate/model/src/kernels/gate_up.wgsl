// y[t,f] = act(gate[f,:] * norm(x[t,:]) + bias) * (up[f,:] * norm(x[t,:]) + bias): rows of gate and up lie by turns, so
// that a group of 4 rows makes 2 values.
@group(0) @binding(5) var<storage, read_write> y: array<vec2<f32>>;  // [T, F]

fn activated(gate: vec2<f32>) -> vec2<f32> {
    if (IS_GELU) {
        // GELU by its tanh approximation. A tanh of large numbers overflows on some devices; it is 1 from 10 on.
        let inner = 0.7978845608 * (gate + 0.044715 * gate * gate * gate);
        return 0.5 * gate * (vec2<f32>(1.0) + tanh(clamp(inner, vec2<f32>(-10.0), vec2<f32>(10.0))));
    }
    return gate / (vec2<f32>(1.0) + exp(-gate));
}

fn store(token: u32, group: u32, rows: vec4<f32>, squares: f32) {
    let n_inner = params.n_pairs * params.rank;
    var value = adapted(token, group, 0u, n_inner, rows, squares);
    if (params.bias > 0u) {
        value += vectors[params.bias + group];
    }
    y[params.y + token * params.y_stride + group] = activated(value.xz) * value.yw;
}

// The inner products that the rows of a tile can feel.
fn inner_range(tile: u32) -> vec2<u32> {
    return vec2<u32>(0u, params.n_pairs * params.rank);
}

// y[t,f] = silu(gate[t,f]) * up[t,f],  silu(g) = g / (1 + exp(-g))
// With shared/batch.wgsl.
struct Params {
    n_words: u32,    // F/4, rounded up
    x_words: u32,    // vec4s from one row of x to the next
    up_offset: u32,  // first vec4 of `up` in a row of x; `gate` starts at 0
    y_words: u32,    // vec4s from one row of y to the next
}
@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;        // [T, F | F]: gate, then up
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;  // [T, F]

// One invocation: four channels of one token.
@compute @workgroup_size(16)
fn swiglu(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.n_words || id.y >= batch.n_tokens) {
        return;
    }
    let gate = x[id.y * params.x_words + id.x];
    let up = x[id.y * params.x_words + params.up_offset + id.x];
    y[id.y * params.y_words + id.x] = gate / (vec4<f32>(1.0) + exp(-gate)) * up;
}

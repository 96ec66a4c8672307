// next[t,:] = x[t,:] + gain * delta[t,:] / rms(delta[t,:]): for families that norm what a block adds, where no later step
// does it on the way.
@group(0) @binding(3) var<storage, read> vectors: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> stream: array<vec4<f32>>;

// One invocation: one word of one token. Each sums the whole row, so that none waits for another.
@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.n_words || id.y >= batch.n_tokens) {
        return;
    }
    let row = id.y * params.x_stride;
    var squares = 0.0;
    for (var i = 0u; i < params.n_words; i++) {
        let value = stream[params.delta + row + i];
        squares += dot(value, value);
    }
    let scale = inverseSqrt(squares / f32(params.n_cols) + params.eps);
    stream[params.next + row + id.x] = stream[params.x + row + id.x]
        + vectors[params.delta_gain + id.x] * (stream[params.delta + row + id.x] * scale);
}

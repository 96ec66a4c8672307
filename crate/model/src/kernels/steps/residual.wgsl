// next[t,:] = x[t,:] + gain * delta[t,:] / rms(delta[t,:]): for families that norm a block's output, if no later step
// does so.
#import shared/step
#import shared/vectors

struct Params {
    n_cols: u32,      // C
    x: u32,           // first word of the stream
    x_stride: u32,    // words from one token to the next; the same for delta and next
    delta: u32,       // first word of the block's output
    delta_gain: u32,  // first word of its norm's gain, in `vectors`
    next: u32,        // first word of the stream after the addition
    eps: f32,
    padding: u32,
}

@group(0) @binding(8) var<storage, read_write> stream: array<vec4<f32>>;

// One invocation: one word of one token. Each sums the whole row, which avoids a barrier.
@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n_words = (params.n_cols + 3u) / 4u;
    if (id.x >= n_words || id.y >= batch.n_tokens) {
        return;
    }
    let row = id.y * params.x_stride;
    var squares = 0.0;
    for (var i = 0u; i < n_words; i++) {
        let value = stream[params.delta + row + i];
        squares += dot(value, value);
    }
    let scale = inverseSqrt(squares / f32(params.n_cols) + params.eps);
    stream[params.next + row + id.x] = stream[params.x + row + id.x]
        + vectors[params.delta_gain + id.x] * (stream[params.delta + row + id.x] * scale);
}

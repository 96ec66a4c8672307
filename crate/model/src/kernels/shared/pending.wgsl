// How much of the last block's output comes to the stream: `1 / rms(delta)`, worked out once for the workgroup.
var<private> delta_scale: f32;
var<workgroup> delta_parts: array<f32, THREADS>;

fn prepare_pending(lane: u32) {
    var squares = 0.0;
    for (var word = lane; word < params.n_words; word += THREADS) {
        let value = stream[params.delta + word];
        squares += dot(value, value);
    }
    delta_parts[lane] = squares;
    workgroupBarrier();
    squares = 0.0;
    for (var i = 0u; i < THREADS; i++) {
        squares += delta_parts[i];
    }
    delta_scale = inverseSqrt(squares / f32(params.n_cols) + params.eps);
}

// y[t,c] = gain[c] * x[first_row + t,c] / sqrt(mean(x[first_row + t,:]^2) + eps)
// With shared/batch.wgsl.
struct Params {
    n_cols: u32,   // C
    stride: u32,   // floats from one row to the next, in x and in y
    eps: f32,
    padding: u32,
}
@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<f32>;        // [rows, C]
@group(0) @binding(3) var<storage, read> gain: array<f32>;     // [C]
@group(0) @binding(4) var<storage, read_write> y: array<f32>;  // [T, C]

const N_LANES: u32 = 16u;

// One workgroup: one token. Each invocation sums the whole row by itself, which costs a software adapter less than one
// barrier would, and writes every 16th channel.
@compute @workgroup_size(16)
fn rms_norm(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    if (workgroup.y >= batch.n_tokens) {
        return;
    }
    let x_start = (batch.first_row + workgroup.y) * params.stride;
    let y_start = workgroup.y * params.stride;
    var sum = 0.0;
    for (var c = 0u; c < params.n_cols; c++) {
        let value = x[x_start + c];
        sum += value * value;
    }
    let scale = inverseSqrt(sum / f32(params.n_cols) + params.eps);
    for (var c = lane; c < params.n_cols; c += N_LANES) {
        y[y_start + c] = gain[c] * (x[x_start + c] * scale);
    }
}

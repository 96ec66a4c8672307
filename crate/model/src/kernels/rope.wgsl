// Adds the bias to q, k and v, rotates neighbouring pairs of q and k by their position, leaves q in place, and writes k
// and v to the cache:  (a, b) -> (a cos - b sin, a sin + b cos) with the angle of (position, pair) from the table.
// With shared/batch.wgsl.
struct Params {
    n_heads: u32,     // H
    n_kv_heads: u32,  // K
    head_size: u32,   // D
    rope_dim: u32,    // values of each head that are rotated
    qkv_stride: u32,  // floats from one row of qkv to the next
    kv_stride: u32,   // floats from one place of the cache to the next
    padding_0: u32,
    padding_1: u32,
}
@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> angles: array<vec2<f32>>;   // [positions, rope_dim/2] of (cos, sin)
@group(0) @binding(3) var<storage, read> bias: array<f32>;           // [(H + 2K) * D]
@group(0) @binding(4) var<storage, read_write> qkv: array<f32>;      // [T, (H + 2K) * D]
@group(0) @binding(5) var<storage, read_write> k_cache: array<f32>;  // [positions, K * D]
@group(0) @binding(6) var<storage, read_write> v_cache: array<f32>;  // [positions, K * D]

// One invocation: one pair of one head of one token.
@compute @workgroup_size(16)
fn rope(@builtin(global_invocation_id) id: vec3<u32>) {
    let n_k = params.n_heads * params.head_size;
    let n_v = n_k + params.n_kv_heads * params.head_size;
    let n_cols = n_v + params.n_kv_heads * params.head_size;
    let col = id.x * 2u;
    if (col >= n_cols || id.y >= batch.n_tokens) {
        return;
    }
    let at = id.y * params.qkv_stride + col;
    let position = batch.position + id.y;
    var pair = vec2<f32>(qkv[at] + bias[col], qkv[at + 1u] + bias[col + 1u]);
    let channel = col % params.head_size;
    if (col < n_v && channel < params.rope_dim) {
        let angle = angles[position * (params.rope_dim / 2u) + channel / 2u];
        pair = vec2<f32>(pair.x * angle.x - pair.y * angle.y, pair.x * angle.y + pair.y * angle.x);
    }
    let place = position * params.kv_stride;
    if (col < n_k) {
        qkv[at] = pair.x;
        qkv[at + 1u] = pair.y;
    } else if (col < n_v) {
        k_cache[place + col - n_k] = pair.x;
        k_cache[place + col - n_k + 1u] = pair.y;
    } else {
        v_cache[place + col - n_v] = pair.x;
        v_cache[place + col - n_v + 1u] = pair.y;
    }
}

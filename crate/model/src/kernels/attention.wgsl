// y[t,h,:] = sum over p <= position + t of softmax(q[t,h,:] . k[p,g,:] / sqrt(D)) * v[p,g,:],  g = h / (H/K)
// With shared/batch.wgsl.
struct Params {
    n_heads: u32,     // H
    n_queries: u32,   // H/K: query heads that share a key head
    qkv_words: u32,   // vec4s from one row of qkv to the next
    kv_words: u32,    // vec4s from one place of the cache to the next
    y_words: u32,     // vec4s from one row of y to the next
    scale: f32,       // 1/sqrt(D)
    padding_0: u32,
    padding_1: u32,
}
@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> qkv: array<vec4<f32>>;      // [T, H * D | ...]
@group(0) @binding(3) var<storage, read> k_cache: array<vec4<f32>>;  // [positions, K * D]
@group(0) @binding(4) var<storage, read> v_cache: array<vec4<f32>>;  // [positions, K * D]
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;  // [T, H * D]

override HEAD_WORDS: u32 = 16u;  // D/4
const MAX_HEAD_WORDS: u32 = 32u;

// One invocation: one head of one token. The softmax is taken as the scores come: what was summed so far shrinks
// whenever a larger score appears, so that no exponential overflows and no score is kept.
@compute @workgroup_size(8)
fn attention(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.x / params.n_heads;
    let head = id.x % params.n_heads;
    if (token >= batch.n_tokens) {
        return;
    }
    var q: array<vec4<f32>, MAX_HEAD_WORDS>;
    var sum: array<vec4<f32>, MAX_HEAD_WORDS>;
    for (var i = 0u; i < HEAD_WORDS; i++) {
        q[i] = qkv[token * params.qkv_words + head * HEAD_WORDS + i] * params.scale;
        sum[i] = vec4<f32>();
    }
    var largest = -3.0e38;
    var weight = 0.0;
    let n_places = batch.position + token + 1u;
    for (var place = 0u; place < n_places; place++) {
        let start = place * params.kv_words + (head / params.n_queries) * HEAD_WORDS;
        var product = vec4<f32>();
        for (var i = 0u; i < HEAD_WORDS; i++) {
            product += q[i] * k_cache[start + i];
        }
        let score = dot(product, vec4<f32>(1.0));
        let new_largest = max(largest, score);
        let shrink = exp(largest - new_largest);
        let share = exp(score - new_largest);
        weight = weight * shrink + share;
        for (var i = 0u; i < HEAD_WORDS; i++) {
            sum[i] = sum[i] * shrink + share * v_cache[start + i];
        }
        largest = new_largest;
    }
    for (var i = 0u; i < HEAD_WORDS; i++) {
        y[token * params.y_words + head * HEAD_WORDS + i] = sum[i] / weight;
    }
}

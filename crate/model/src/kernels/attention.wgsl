// y[t,h,:] = sum over the places p that t sees of softmax(scale * q[t,h,:] . k[p,g,:]) * v[p,g,:],  g = h / (H/K)
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;      // [T, H * D]
@group(0) @binding(5) var<storage, read_write> cache: array<vec2<u32>>;
@group(0) @binding(8) var<storage, read_write> q: array<vec4<f32>>;      // [T, H * D]

const MAX_HEAD_WORDS = 64u;

// One invocation: one head of one token. The softmax is taken as the scores come: what was summed so far shrinks
// whenever a larger score appears, so that no exponential overflows and no score is kept.
@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.y;
    let head = id.x;
    if (head >= params.n_heads || token >= batch.n_tokens) {
        return;
    }
    let kv_head = head / (params.n_heads / params.n_kv_heads);
    var query: array<vec4<f32>, MAX_HEAD_WORDS>;
    var sum: array<vec4<f32>, MAX_HEAD_WORDS>;
    for (var i = 0u; i < params.head_words; i++) {
        query[i] = q[params.x + token * params.x_stride + head * params.head_words + i] * params.scale;
        sum[i] = vec4<f32>();
    }
    var largest = -3.0e38;
    var weight = 0.0;
    let end = batch.position + token + 1u;
    for (var place = end - min(end, params.n_visible); place < end; place++) {
        let key = key_place(kv_head, place, 0u);
        var product = vec4<f32>();
        for (var i = 0u; i < params.head_words; i++) {
            product += query[i] * from_halves(cache[key + i * TILE_PLACES]);
        }
        let score = dot(product, vec4<f32>(1.0));
        let new_largest = max(largest, score);
        let shrink = exp(largest - new_largest);
        let share = exp(score - new_largest);
        weight = weight * shrink + share;
        let value = value_place(kv_head, place, 0u);
        for (var i = 0u; i < params.head_words; i++) {
            sum[i] = sum[i] * shrink + share * from_halves(cache[value + i]);
        }
        largest = new_largest;
    }
    for (var i = 0u; i < params.head_words; i++) {
        y[params.y + token * params.y_stride + head * params.head_words + i] = sum[i] / weight;
    }
}

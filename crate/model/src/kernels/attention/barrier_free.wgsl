// y[t,h,:] = sum over the positions p that t sees of softmax(scale * q[t,h,:] . k[p,g,:]) * v[p,g,:],  g = h / (H/K)
//
// Without barriers, memory reads dominate: an invocation takes four queries that share keys and values, and eight
// positions at a time. Scores are separate variables, because indexing a private array is slow too.
#import shared/step
#import shared/cache
#import shared/attention_step

@group(0) @binding(8) var<storage, read_write> y: array<vec4<f32>>;      // [T, H * D]
@group(0) @binding(4) var<storage, read_write> q: array<vec4<f32>>;      // [T, H * D]

const MAX_HEAD_WORDS = 64u;
const LOWEST = -3.0e38;

// The scores of four queries at one position; `LOWEST` for queries that don't see it.
fn seen(scores: vec4<f32>, place: u32, starts: vec4<u32>, ends: vec4<u32>) -> vec4<f32> {
    let all = vec4<u32>(place);
    return select(vec4<f32>(LOWEST), scores * params.attention.scale, (all >= starts) & (all < ends));
}

// The weight of a score relative to the largest; 0 for a position that is not seen.
fn share_of(scores: vec4<f32>, largest: vec4<f32>) -> vec4<f32> {
    return select(exp(scores - largest), vec4<f32>(), scores == vec4<f32>(LOWEST));
}

// Online softmax: the sums so far are scaled down whenever a larger score appears, so no exponential overflows and no
// score has to be kept.
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    // Queries that share a KV head are numbered token by token, and taken four at a time.
    let n_shared = params.attention.n_heads / params.attention.n_kv_heads;
    let kv_head = id.x % params.attention.n_kv_heads;
    let first = (id.y * n_shared + id.x / params.attention.n_kv_heads) * 4u;
    let n_queries = batch.n_tokens * n_shared;
    if (id.x >= params.attention.n_heads || first >= n_queries) {
        return;
    }
    // Queries past the last one repeat it; their results are not stored.
    let queries = min(vec4<u32>(first) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(n_queries - 1u));
    let tokens = queries / n_shared;
    let heads = kv_head * n_shared + queries % n_shared;
    let at = params.q + tokens * params.q_stride + heads * params.attention.head_words;
    let ends = batch.position + tokens + vec4<u32>(1u);
    let starts = ends - min(ends, vec4<u32>(params.attention.n_visible));
    var sum0: array<vec4<f32>, MAX_HEAD_WORDS>;
    var sum1: array<vec4<f32>, MAX_HEAD_WORDS>;
    var sum2: array<vec4<f32>, MAX_HEAD_WORDS>;
    var sum3: array<vec4<f32>, MAX_HEAD_WORDS>;
    var largest = vec4<f32>(LOWEST);
    var weight = vec4<f32>();
    for (var place = starts.x & ~7u; place < ends.w; place += 8u) {
        // Eight positions that start at a multiple of eight are in one tile of keys.
        let key = key_place(kv_head, place, 0u);
        // Positions past the last visible one repeat it.
        let last = vec4<u32>(ends.w - 1u - place);
        let a = min(vec4<u32>(0u, 1u, 2u, 3u), last);
        let b = min(vec4<u32>(4u, 5u, 6u, 7u), last);
        var s0 = vec4<f32>();
        var s1 = vec4<f32>();
        var s2 = vec4<f32>();
        var s3 = vec4<f32>();
        var s4 = vec4<f32>();
        var s5 = vec4<f32>();
        var s6 = vec4<f32>();
        var s7 = vec4<f32>();
        for (var i = 0u; i < params.attention.head_words; i++) {
            let words = mat4x4<f32>(q[at.x + i], q[at.y + i], q[at.z + i], q[at.w + i]);
            s0 += from_f16(cache[key + i * TILE_PLACES + a.x]) * words;
            s1 += from_f16(cache[key + i * TILE_PLACES + a.y]) * words;
            s2 += from_f16(cache[key + i * TILE_PLACES + a.z]) * words;
            s3 += from_f16(cache[key + i * TILE_PLACES + a.w]) * words;
            s4 += from_f16(cache[key + i * TILE_PLACES + b.x]) * words;
            s5 += from_f16(cache[key + i * TILE_PLACES + b.y]) * words;
            s6 += from_f16(cache[key + i * TILE_PLACES + b.z]) * words;
            s7 += from_f16(cache[key + i * TILE_PLACES + b.w]) * words;
        }
        s0 = seen(s0, place, starts, ends);
        s1 = seen(s1, place + 1u, starts, ends);
        s2 = seen(s2, place + 2u, starts, ends);
        s3 = seen(s3, place + 3u, starts, ends);
        s4 = seen(s4, place + 4u, starts, ends);
        s5 = seen(s5, place + 5u, starts, ends);
        s6 = seen(s6, place + 6u, starts, ends);
        s7 = seen(s7, place + 7u, starts, ends);
        let new_largest = max(largest, max(max(max(s0, s1), max(s2, s3)), max(max(s4, s5), max(s6, s7))));
        let shrink = exp(largest - new_largest);
        largest = new_largest;
        s0 = share_of(s0, largest);
        s1 = share_of(s1, largest);
        s2 = share_of(s2, largest);
        s3 = share_of(s3, largest);
        s4 = share_of(s4, largest);
        s5 = share_of(s5, largest);
        s6 = share_of(s6, largest);
        s7 = share_of(s7, largest);
        weight = weight * shrink + s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
        let value = value_place(kv_head, place, 0u);
        for (var i = 0u; i < params.attention.head_words; i++) {
            let v0 = from_f16(cache[value + a.x * params.attention.head_words + i]);
            let v1 = from_f16(cache[value + a.y * params.attention.head_words + i]);
            let v2 = from_f16(cache[value + a.z * params.attention.head_words + i]);
            let v3 = from_f16(cache[value + a.w * params.attention.head_words + i]);
            let v4 = from_f16(cache[value + b.x * params.attention.head_words + i]);
            let v5 = from_f16(cache[value + b.y * params.attention.head_words + i]);
            let v6 = from_f16(cache[value + b.z * params.attention.head_words + i]);
            let v7 = from_f16(cache[value + b.w * params.attention.head_words + i]);
            sum0[i] = sum0[i] * shrink.x + s0.x * v0 + s1.x * v1 + s2.x * v2
                + s3.x * v3 + s4.x * v4 + s5.x * v5 + s6.x * v6 + s7.x * v7;
            sum1[i] = sum1[i] * shrink.y + s0.y * v0 + s1.y * v1 + s2.y * v2
                + s3.y * v3 + s4.y * v4 + s5.y * v5 + s6.y * v6 + s7.y * v7;
            sum2[i] = sum2[i] * shrink.z + s0.z * v0 + s1.z * v1 + s2.z * v2
                + s3.z * v3 + s4.z * v4 + s5.z * v5 + s6.z * v6 + s7.z * v7;
            sum3[i] = sum3[i] * shrink.w + s0.w * v0 + s1.w * v1 + s2.w * v2
                + s3.w * v3 + s4.w * v4 + s5.w * v5 + s6.w * v6 + s7.w * v7;
        }
    }
    let out = params.y + tokens * params.y_stride + heads * params.attention.head_words;
    let n_stored = min(n_queries - first, 4u);
    for (var i = 0u; i < params.attention.head_words; i++) {
        y[out.x + i] = sum0[i] / weight.x;
        if (n_stored > 1u) {
            y[out.y + i] = sum1[i] / weight.y;
        }
        if (n_stored > 2u) {
            y[out.z + i] = sum2[i] / weight.z;
        }
        if (n_stored > 3u) {
            y[out.w + i] = sum3[i] / weight.w;
        }
    }
}

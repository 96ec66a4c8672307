// As `barrier_free`, for many tokens: 16 of them take 64 positions at a time, so each key and value is read once for 16
// queries.
#import shared/step
#import shared/cache
#import shared/attention_step

@group(0) @binding(8) var<storage, read_write> y: array<vec4<f32>>;      // [T, H * D]
@group(0) @binding(4) var<storage, read_write> q: array<vec4<f32>>;      // [T, H * D]

const QUERIES = 16u;
var<workgroup> shares: array<f32, 1024>;       // [QUERIES, TILE_PLACES]
var<workgroup> quarter: array<f32, 64>;        // [QUERIES, 4]
var<workgroup> largest: array<f32, QUERIES>;
var<workgroup> shrinks: array<f32, QUERIES>;
var<workgroup> weights: array<f32, QUERIES>;

// One workgroup: one head of 16 tokens. In each tile, an invocation handles first one of 64 positions, then a quarter
// of one query's scores, then one output word of several queries.
@compute @workgroup_size(TILE_PLACES)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let head = workgroup.x;
    let first = workgroup.y * QUERIES;
    if (first >= batch.n_tokens) {
        return;
    }
    let n_queries = min(QUERIES, batch.n_tokens - first);
    let kv_head = head / (params.attention.n_heads / params.attention.n_kv_heads);
    let word = lane % params.attention.head_words;
    let query_group = lane / params.attention.head_words;
    let query = params.q + first * params.q_stride + head * params.attention.head_words;
    var sum: array<vec4<f32>, QUERIES_EACH>;
    if (lane < QUERIES) {
        largest[lane] = -3.0e38;
        weights[lane] = 0.0;
    }
    let first_end = batch.position + first + 1u;
    let end = batch.position + first + n_queries;
    let start = (first_end - min(first_end, params.attention.n_visible)) / TILE_PLACES * TILE_PLACES;
    for (var tile = start; tile < end; tile += TILE_PLACES) {
        let place = tile + lane;
        var scores: array<f32, QUERIES>;
        // Positions past the end were never written; they repeat the last one and are masked below.
        let key = key_place(kv_head, min(place, end - 1u), 0u);
        for (var i = 0u; i < params.attention.head_words; i++) {
            let k = from_f16(cache[key + i * TILE_PLACES]);
            for (var j = 0u; j < QUERIES; j++) {
                scores[j] += dot(q[query + min(j, n_queries - 1u) * params.q_stride + i], k);
            }
        }
        for (var j = 0u; j < QUERIES; j++) {
            let query_end = batch.position + first + j + 1u;
            let sees = place < query_end && place + params.attention.n_visible >= query_end;
            shares[j * TILE_PLACES + lane] = select(-3.0e38, scores[j] * params.attention.scale, sees);
        }
        workgroupBarrier();

        let mine = lane / 4u;
        let from_share = mine * TILE_PLACES + (lane % 4u) * 16u;
        var most = -3.0e38;
        for (var i = 0u; i < 16u; i++) {
            most = max(most, shares[from_share + i]);
        }
        quarter[lane] = most;
        workgroupBarrier();
        let old = largest[mine];
        for (var i = 0u; i < 4u; i++) {
            most = max(most, quarter[mine * 4u + i]);
        }
        most = max(most, old);
        workgroupBarrier();
        var total = 0.0;
        for (var i = 0u; i < 16u; i++) {
            let score = shares[from_share + i];
            let share = select(0.0, exp(score - most), score > -1.0e38);
            shares[from_share + i] = share;
            total += share;
        }
        quarter[lane] = total;
        if (lane % 4u == 0u) {
            largest[mine] = most;
            shrinks[mine] = exp(old - most);
        }
        workgroupBarrier();
        if (lane < QUERIES) {
            weights[lane] = weights[lane] * shrinks[lane]
                + quarter[lane * 4u] + quarter[lane * 4u + 1u] + quarter[lane * 4u + 2u] + quarter[lane * 4u + 3u];
        }
        if (query_group < QUERY_GROUPS) {
            for (var j = 0u; j < QUERIES_EACH; j++) {
                sum[j] *= shrinks[query_group * QUERIES_EACH + j];
            }
            for (var i = 0u; i < min(TILE_PLACES, end - tile); i++) {
                let v = from_f16(cache[value_place(kv_head, tile + i, word)]);
                for (var j = 0u; j < QUERIES_EACH; j++) {
                    sum[j] += shares[(query_group * QUERIES_EACH + j) * TILE_PLACES + i] * v;
                }
            }
        }
        workgroupBarrier();
    }
    if (query_group < QUERY_GROUPS) {
        for (var j = 0u; j < QUERIES_EACH; j++) {
            let token = query_group * QUERIES_EACH + j;
            if (token < n_queries) {
                let at = params.y + (first + token) * params.y_stride + head * params.attention.head_words + word;
                y[at] = sum[j] / weights[token];
            }
        }
    }
}

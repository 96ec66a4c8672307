// As `barrier_free`, for one token, with the positions divided into parts that run in parallel: each part of each head
// stores its sums, its largest score and its weight, for the next step to merge.
#import shared/step
#import shared/cache
#import shared/attention_step
#import reduce_max/*
#import entry/*

const THREADS = TILE_PLACES;

@group(0) @binding(8) var<storage, read_write> parts: array<vec4<f32>>;  // [H, splits] of D/4 words and (largest, weight)
@group(0) @binding(4) var<storage, read_write> q: array<vec4<f32>>;      // [H * D]

var<workgroup> shares: array<f32, TILE_PLACES>;
var<workgroup> sums: array<vec4<f32>, TILE_PLACES>;
var<workgroup> weights: array<f32, TILE_PLACES>;

// One workgroup: one part of one head. In each tile, an invocation first computes the score of one of 64 positions,
// then adds to one word of the output over a share of the positions.
fn run(workgroup: vec3<u32>, lane: u32, subgroup_size: u32) {
    if (batch.n_tokens == 0u) {
        return;
    }
    let head = workgroup.x;
    let split = workgroup.y;
    let kv_head = head / (params.attention.n_heads / params.attention.n_kv_heads);
    let end = batch.position + 1u;
    let n_seen = min(end, params.attention.n_visible);
    let start = end - n_seen;
    // Each part gets whole tiles; parts past the last position do nothing.
    let n_active = min(params.attention.n_splits, (n_seen + SPLIT_PLACES - 1u) / SPLIT_PLACES);
    if (split >= n_active) {
        return;
    }
    let n_places = (n_seen + n_active - 1u) / n_active;
    let from_place = start + split * n_places;
    let to_place = min(from_place + n_places, end);

    let n_groups = max(TILE_PLACES / params.attention.head_words, 1u);
    let word = lane % params.attention.head_words;
    let place_group = lane / params.attention.head_words;
    let is_word = place_group < n_groups;
    let query = params.q + head * params.attention.head_words;
    var largest = -3.0e38;
    var weight = 0.0;
    var sum = vec4<f32>();
    for (var tile = from_place; tile < to_place; tile += TILE_PLACES) {
        let place = tile + lane;
        var score = -3.0e38;
        if (place < to_place) {
            let key = key_place(kv_head, place, 0u);
            var product = vec4<f32>();
            for (var i = 0u; i < params.attention.head_words; i++) {
                product += q[query + i] * from_f16(cache[key + i * TILE_PLACES]);
            }
            score = dot(product, vec4<f32>(1.0)) * params.attention.scale;
        }
        let new_largest = max(largest, over_places_max(lane, subgroup_size, score));
        shares[lane] = select(0.0, exp(score - new_largest), place < to_place);
        workgroupBarrier();
        let shrink = exp(largest - new_largest);
        largest = new_largest;
        weight *= shrink;
        sum *= shrink;
        if (is_word) {
            for (var i = place_group; i < min(TILE_PLACES, to_place - tile); i += n_groups) {
                weight += shares[i];
                sum += shares[i] * from_f16(cache[value_place(kv_head, tile + i, word)]);
            }
        }
        workgroupBarrier();
    }
    sums[lane] = sum;
    weights[lane] = weight;
    workgroupBarrier();
    if (lane < params.attention.head_words) {
        for (var i = 1u; i < n_groups; i++) {
            sum += sums[i * params.attention.head_words + lane];
            weight += weights[i * params.attention.head_words + lane];
        }
        let part = params.y + (head * params.attention.n_splits + split) * (params.attention.head_words + 1u);
        parts[part + lane] = sum;
        if (lane == 0u) {
            parts[part + params.attention.head_words] = vec4<f32>(largest, weight, 0.0, 0.0);
        }
    }
}

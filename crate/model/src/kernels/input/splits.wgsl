// The input is one token's attention, in the parts that `attention/split` stored: the largest score, weight and sums of
// each. Each part's share in its head is computed once per workgroup.
#import shared/step
#import shared/vectors

const NORMED = false;
const STORES_INPUT = false;
const MAX_SPLIT_HEADS = 1024u;

@group(0) @binding(4) var<storage, read_write> parts: array<vec4<f32>>;  // [H, splits] of D/4 words and (largest, weight)

var<workgroup> split_weights: array<f32, MAX_SPLIT_HEADS>;

fn n_active_splits() -> u32 {
    let n_seen = min(batch.position + 1u, params.attention.n_visible);
    return min(params.attention.n_splits, (n_seen + SPLIT_PLACES - 1u) / SPLIT_PLACES);
}

fn prepare_input(lane: u32) {
    let n_splits = n_active_splits();
    let part_words = params.attention.head_words + 1u;
    for (var head = lane; head < params.attention.n_heads; head += THREADS) {
        let first = head * params.attention.n_splits;
        var largest = -3.0e38;
        for (var split = 0u; split < n_splits; split++) {
            largest = max(largest, parts[(first + split) * part_words + params.attention.head_words].x);
        }
        var total = 0.0;
        for (var split = 0u; split < n_splits; split++) {
            let part = parts[(first + split) * part_words + params.attention.head_words];
            let share = exp(part.x - largest);
            total += part.y * share;
            split_weights[first + split] = share;
        }
        for (var split = 0u; split < n_splits; split++) {
            split_weights[first + split] /= total;
        }
    }
    workgroupBarrier();
}

fn input(token: u32, word: u32) -> vec4<f32> {
    let head = word / params.attention.head_words;
    let part_words = params.attention.head_words + 1u;
    var sum = vec4<f32>();
    let n_splits = n_active_splits();
    for (var split = 0u; split < n_splits; split++) {
        let part = head * params.attention.n_splits + split;
        sum += split_weights[part] * parts[part * part_words + word % params.attention.head_words];
    }
    return sum;
}

fn store_input(word: u32, x: vec4<f32>) {}

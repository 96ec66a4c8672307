// The input is what the parts of attention gathered: each its largest score, its weight and its sums. What a part counts
// in its head is worked out once for the workgroup.
const NORMED = false;
const MAX_SPLIT_HEADS = 1024u;

@group(0) @binding(3) var<storage, read> vectors: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> stream: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> source: array<vec4<f32>>;

var<workgroup> split_weights: array<f32, MAX_SPLIT_HEADS>;

fn n_active_splits() -> u32 {
    let n_seen = min(batch.position + 1u, params.n_visible);
    return min(params.n_splits, (n_seen + SPLIT_PLACES - 1u) / SPLIT_PLACES);
}

fn prepare_splits(lane: u32) {
    let n_splits = n_active_splits();
    let part_words = params.head_words + 1u;
    for (var head = lane; head < params.n_heads; head += THREADS) {
        var largest = -3.0e38;
        for (var split = 0u; split < n_splits; split++) {
            let at = (head * params.n_splits + split) * part_words + params.head_words;
            largest = max(largest, source[at].x);
        }
        var total = 0.0;
        for (var split = 0u; split < n_splits; split++) {
            let at = (head * params.n_splits + split) * part_words + params.head_words;
            let share = exp(source[at].x - largest);
            total += source[at].y * share;
            split_weights[head * params.n_splits + split] = share;
        }
        for (var split = 0u; split < n_splits; split++) {
            split_weights[head * params.n_splits + split] /= total;
        }
    }
    workgroupBarrier();
}

fn input(token: u32, word: u32) -> vec4<f32> {
    let head = word / params.head_words;
    let part_words = params.head_words + 1u;
    var sum = vec4<f32>();
    let n_splits = n_active_splits();
    for (var split = 0u; split < n_splits; split++) {
        let part = head * params.n_splits + split;
        sum += split_weights[part] * source[part * part_words + word % params.head_words];
    }
    return sum;
}

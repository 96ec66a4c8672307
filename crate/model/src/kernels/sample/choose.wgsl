// Chooses the next token: the likeliest, or a draw among the likely ones by the Gumbel-max trick (the argmax of logit
// plus noise is a draw from the softmax). Then sets the batch to run that token next, or none once the text has ended.
#import shared/batch
#import shared/sampling

@group(0) @binding(0) var<storage, read_write> batch: Batch;
@group(0) @binding(5) var<storage, read_write> head: Batch;  // of the token whose logits are computed

const THREADS = 64u;
var<workgroup> values: array<f32, THREADS>;
var<workgroup> tokens: array<u32, THREADS>;

// Source: O'Neill, "PCG" (2014), the RXS-M-XS permutation.
fn hashed(value: u32) -> u32 {
    let state = value * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

// In (0, 1), both ends excluded: 23 bits plus one half is exact in f32.
fn uniform_of(position: u32, token: u32) -> f32 {
    let bits = hashed(token ^ hashed(position ^ hashed(sampling.seed)));
    return (f32(bits >> 9u) + 0.5) / 8388608.0;
}

fn sum_over_workgroup(lane: u32, value: f32) -> f32 {
    workgroupBarrier();
    values[lane] = value;
    workgroupBarrier();
    var sum = 0.0;
    for (var i = 0u; i < THREADS; i++) {
        sum += values[i];
    }
    return sum;
}

// How many logits reach `least`.
fn count_from(lane: u32, least: f32) -> f32 {
    var count = 0.0;
    for (var i = lane; i < sampling.n_vocab; i += THREADS) {
        count += select(0.0, 1.0, logits[i] >= least);
    }
    return sum_over_workgroup(lane, count);
}

// The total softmax weight of the logits that reach `least`, relative to the largest.
fn weight_from(lane: u32, least: f32, largest: f32) -> f32 {
    var weight = 0.0;
    for (var i = lane; i < sampling.n_vocab; i += THREADS) {
        if (logits[i] >= least) {
            weight += exp((logits[i] - largest) / sampling.temperature);
        }
    }
    return sum_over_workgroup(lane, weight);
}

// The smallest logit that may be drawn. Both bounds are found by bisecting an interval of logits.
fn threshold(lane: u32, largest: f32) -> f32 {
    // A logit 30 temperatures below the largest is drawn once in 10^13.
    let bottom = largest - 30.0 * sampling.temperature;
    var least = bottom;
    if (sampling.top_k > 0u && sampling.top_k < sampling.n_vocab) {
        var low = bottom;
        var high = largest;
        for (var i = 0u; i < 24u; i++) {
            let middle = 0.5 * (low + high);
            if (count_from(lane, middle) > f32(sampling.top_k)) {
                low = middle;
            } else {
                high = middle;
            }
        }
        least = high;
    }
    if (sampling.top_p < 1.0) {
        let enough = sampling.top_p * weight_from(lane, least, largest);
        var low = least;
        var high = largest;
        for (var i = 0u; i < 24u; i++) {
            let middle = 0.5 * (low + high);
            if (weight_from(lane, middle, largest) >= enough) {
                low = middle;
            } else {
                high = middle;
            }
        }
        least = low;
    }
    if (sampling.min_p > 0.0) {
        least = max(least, largest + sampling.temperature * log(sampling.min_p));
    }
    return least;
}

fn is_end(token: u32) -> bool {
    for (var i = 0u; i < min(sampling.n_ends, 16u); i++) {
        if (sampling.ends[i / 4u][i % 4u] == token) {
            return true;
        }
    }
    return false;
}

fn remember(token: u32) {
    let n_remembered = state[1];
    let at = 4u + n_remembered % MEMORY;
    if (n_remembered >= MEMORY) {
        state[SEEN + state[at]] -= 1u;
    }
    state[at] = token;
    state[SEEN + token] += 1u;
    state[1] = n_remembered + 1u;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) lane: u32) {
    var largest = -3.4e38;
    var token = NONE;
    var is_finite = true;
    let n_best = (sampling.n_vocab + 255u) / 256u;
    for (var i = lane; i < n_best; i += THREADS) {
        let found = best[i];
        let logit = bitcast<f32>(found.x);
        if (found.y == NONE) {
            is_finite = false;
        } else if (logit > largest) {
            largest = logit;
            token = found.y;
        }
    }
    values[lane] = select(largest, 3.4e38, !is_finite);
    tokens[lane] = select(token, NONE, !is_finite);
    workgroupBarrier();
    for (var i = 0u; i < THREADS; i++) {
        if (values[i] > largest || (values[i] == largest && tokens[i] < token)) {
            largest = values[i];
            token = tokens[i];
        }
    }
    workgroupBarrier();
    let step = state[0];
    if (sampling.temperature > 0.0) {
        let least = threshold(lane, largest);
        let place = batch.position + batch.n_tokens;  // of the token that is chosen
        var most = -3.4e38;
        var drawn = token;
        for (var i = lane; i < sampling.n_vocab; i += THREADS) {
            if (logits[i] >= least) {
                let noisy = logits[i] / sampling.temperature - log(-log(uniform_of(place, i)));
                if (noisy > most) {
                    most = noisy;
                    drawn = i;
                }
            }
        }
        workgroupBarrier();
        values[lane] = most;
        tokens[lane] = drawn;
        workgroupBarrier();
        if (token != NONE) {
            token = drawn;
            for (var i = 0u; i < THREADS; i++) {
                if (values[i] > most) {
                    most = values[i];
                    token = tokens[i];
                }
            }
        }
    }
    // Steps queued before the end of the text was known run over no tokens.
    if (lane > 0u || batch.n_tokens == 0u) {
        return;
    }
    state[4u + MEMORY + step % N_RESULTS] = token;
    state[0] = step + 1u;
    if (token == NONE || is_end(token)) {
        batch.n_tokens = 0u;
        head.n_tokens = 0u;
        return;
    }
    remember(token);
    batch.position += batch.n_tokens;
    batch.n_tokens = 1u;
    batch.tokens[0].x = token;
    head.n_tokens = 1u;
    head.first_row = 0u;
    head.position = batch.position;
}

// Penalises recent tokens, and finds the likeliest in each run of 256 tokens, the first one on a tie.
#import shared/sampling

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let first = id.x * 256u;
    if (first >= sampling.n_vocab) {
        return;
    }
    var largest = -3.4e38;
    var token = first;
    for (var i = first; i < min(first + 256u, sampling.n_vocab); i++) {
        var logit = logits[i];
        // Tests the bits, since a compiler may assume that there are no infinities or NaNs.
        if ((bitcast<u32>(logit) & 0x7f800000u) == 0x7f800000u) {
            best[id.x] = vec2<u32>(0u, NONE);
            return;
        }
        if (sampling.penalty != 1.0 && state[SEEN + i] > 0u) {
            logit = select(logit * sampling.penalty, logit / sampling.penalty, logit > 0.0);
            logits[i] = logit;
        }
        if (logit > largest) {
            largest = logit;
            token = i;
        }
    }
    best[id.x] = vec2<u32>(bitcast<u32>(largest), token);
}

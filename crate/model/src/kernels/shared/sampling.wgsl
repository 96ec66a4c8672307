// Parameters and state of the two steps that choose a token.
const NONE = 0xffffffffu;        // no token: a logit was not finite
const MEMORY = 64u;              // recent tokens that the penalty covers
const N_RESULTS = 64u;           // slots for chosen tokens, used as a ring
const SEEN = 4u + MEMORY + N_RESULTS;

struct Sampling {
    n_vocab: u32,
    temperature: f32,            // 0: greedy
    top_k: u32,                  // 0: all
    top_p: f32,
    min_p: f32,
    penalty: f32,                // of tokens among the last 64
    seed: u32,
    n_ends: u32,
    ends: array<vec4<u32>, 4>,   // end tokens
}

@group(0) @binding(1) var<uniform> sampling: Sampling;
@group(0) @binding(2) var<storage, read_write> logits: array<f32>;  // [V]
// [tokens chosen so far, tokens remembered, 0, 0], a ring of remembered tokens, a ring of chosen tokens, and for each
// token of the vocabulary how often it is remembered.
@group(0) @binding(3) var<storage, read_write> state: array<u32>;
@group(0) @binding(4) var<storage, read_write> best: array<vec2<u32>>;  // [V / 256] of (bits of the logit, token)

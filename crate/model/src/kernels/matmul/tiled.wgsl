// A matrix times the inputs of many tokens: a workgroup computes 32 rows for 64 tokens, 32 columns at a time, which it
// dequantises into workgroup memory once. Each invocation computes 4 rows for 8 tokens.
#import shared/step
#import shared/vectors
#import input/*
#import weights/*
#import lora/*
#import tile/*

const TILE_TOKENS = 64u;
const TILE_WORDS = 8u;
var<workgroup> tile_weights: array<Word, 256>;  // [TILE_WORDS, 8 groups, 4 rows]
var<workgroup> tile_inputs: array<Word, 512>;   // [TILE_WORDS, TILE_TOKENS]
var<workgroup> square_parts: array<f32, 512>;   // [TILE_TOKENS, TILE_WORDS]

fn to_word(value: vec4<f32>) -> Word {
    return Word(clamp(value, vec4<f32>(-65504.0), vec4<f32>(65504.0)));
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first_token = workgroup.y * TILE_TOKENS;
    if (first_token >= batch.n_tokens) {
        return;
    }
    let last = batch.n_tokens - 1u;
    let tile_group = workgroup.x * 8u + lane % 8u;
    let group = min(tile_group, params.weights.n_groups - 1u);
    var sums: array<vec4<f32>, 8>;
    var squares: array<f32, 8>;
    for (var start = 0u; start < params.weights.n_words; start += TILE_WORDS) {
        // Each invocation loads one word of one group.
        let word = start + lane / 8u;
        var rows = mat4x4<f32>();
        if (word < params.weights.n_words) {
            let b = block_at(group, word / (UNITS * UNIT_WORDS));
            let unit = unit_at(group, word / UNIT_WORDS);
            rows = unit_words(b, unit, word / UNIT_WORDS % UNITS, word % UNIT_WORDS);
            if (HAS_SCALES) {
                for (var r = 0u; r < 4u; r++) {
                    rows[r] = rows[r] * b.scales[r] + vec4<f32>(b.mins[r]);
                }
            }
        }
        for (var r = 0u; r < 4u; r++) {
            tile_weights[lane * 4u + r] = to_word(rows[r]);
        }
        // Each invocation loads the same word of 8 tokens.
        let input_word = start + lane % 8u;
        for (var i = 0u; i < 8u; i++) {
            let tile_token = lane / 8u + i * 8u;
            var x = vec4<f32>();
            if (input_word < params.weights.n_words) {
                x = input(min(first_token + tile_token, last), input_word);
                if (NORMED) {
                    squares[i] += dot(x, x);
                    x *= vectors[params.input.gain + input_word];
                }
            }
            tile_inputs[(lane % 8u) * TILE_TOKENS + tile_token] = to_word(x);
        }
        workgroupBarrier();
        for (var w = 0u; w < TILE_WORDS; w++) {
            let at = (w * 8u + lane % 8u) * 4u;
            let row0 = tile_weights[at];
            let row1 = tile_weights[at + 1u];
            let row2 = tile_weights[at + 2u];
            let row3 = tile_weights[at + 3u];
            for (var i = 0u; i < 8u; i++) {
                let x = tile_inputs[w * TILE_TOKENS + (lane / 8u) * 8u + i];
                sums[i] += vec4<f32>(vec4(dot(row0, x), dot(row1, x), dot(row2, x), dot(row3, x)));
            }
        }
        workgroupBarrier();
    }
    if (NORMED) {
        for (var i = 0u; i < 8u; i++) {
            square_parts[(lane / 8u + i * 8u) * TILE_WORDS + lane % 8u] = squares[i];
        }
        workgroupBarrier();
    }
    if (tile_group >= params.weights.n_groups) {
        return;
    }
    for (var i = 0u; i < 8u; i++) {
        let tile_token = (lane / 8u) * 8u + i;
        if (first_token + tile_token <= last) {
            var total = 0.0;
            if (NORMED) {
                for (var w = 0u; w < TILE_WORDS; w++) {
                    total += square_parts[tile_token * TILE_WORDS + w];
                }
            }
            store(first_token + tile_token, params.weights.first_group + tile_group, sums[i], total);
        }
    }
}

// A group of rows times the inputs of four tokens from `token` on, over every `stride`th block from `first` on: each
// weight is dequantised once for four tokens. Tokens past the last one of the batch repeat it.
#import shared/step
#import shared/vectors
#import input/*
#import weights/*

struct FewSums { rows0: vec4<f32>, rows1: vec4<f32>, rows2: vec4<f32>, rows3: vec4<f32>, squares: vec4<f32> }

fn few_sums(token: u32, group: u32, first: u32, stride: u32) -> FewSums {
    let last = batch.n_tokens - 1u;
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    var squares = vec4<f32>();
    let n_blocks = params.weights.n_words / (UNITS * UNIT_WORDS);
    for (var block = first; block < n_blocks; block += stride) {
        let b = block_at(group, block);
        var part0 = vec4<f32>();
        var part1 = vec4<f32>();
        var part2 = vec4<f32>();
        var part3 = vec4<f32>();
        var totals = vec4<f32>();
        for (var u = 0u; u < UNITS; u++) {
            let unit = unit_at(group, block * UNITS + u);
            let first_word = (block * UNITS + u) * UNIT_WORDS;
            for (var i = 0u; i < UNIT_WORDS; i++) {
                var x0 = input(token, first_word + i);
                var x1 = input(min(token + 1u, last), first_word + i);
                var x2 = input(min(token + 2u, last), first_word + i);
                var x3 = input(min(token + 3u, last), first_word + i);
                if (NORMED) {
                    squares += vec4<f32>(dot(x0, x0), dot(x1, x1), dot(x2, x2), dot(x3, x3));
                    let gain = vectors[params.input.gain + first_word + i];
                    x0 *= gain;
                    x1 *= gain;
                    x2 *= gain;
                    x3 *= gain;
                }
                if (HAS_MINS) {
                    let one = vec4<f32>(1.0);
                    totals += vec4<f32>(dot(x0, one), dot(x1, one), dot(x2, one), dot(x3, one));
                }
                let w = unit_words(b, unit, u, i);
                part0 += x0 * w;
                part1 += x1 * w;
                part2 += x2 * w;
                part3 += x3 * w;
            }
        }
        if (HAS_SCALES) {
            part0 *= b.scales;
            part1 *= b.scales;
            part2 *= b.scales;
            part3 *= b.scales;
        }
        if (HAS_MINS) {
            part0 += totals.x * b.mins;
            part1 += totals.y * b.mins;
            part2 += totals.z * b.mins;
            part3 += totals.w * b.mins;
        }
        sum0 += part0;
        sum1 += part1;
        sum2 += part2;
        sum3 += part3;
    }
    return FewSums(sum0, sum1, sum2, sum3, squares);
}

// Stores the sums of those of the four tokens that are in the batch.
fn store_few(token: u32, row: u32, sums: FewSums) {
    store(token, row, sums.rows0, sums.squares.x);
    if (token + 1u < batch.n_tokens) {
        store(token + 1u, row, sums.rows1, sums.squares.y);
    }
    if (token + 2u < batch.n_tokens) {
        store(token + 2u, row, sums.rows2, sums.squares.z);
    }
    if (token + 3u < batch.n_tokens) {
        store(token + 3u, row, sums.rows3, sums.squares.w);
    }
}

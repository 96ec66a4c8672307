// A group of rows times one token's input, over every `stride`th block from `first` on; `stores` is true if the input
// is also to be stored.
#import shared/step
#import shared/sum
#import shared/vectors
#import input/*
#import weights/*

fn vec_sum(group: u32, first: u32, stride: u32, stores: bool) -> Sum {
    var sum = vec4<f32>();
    var squares = 0.0;
    let n_blocks = params.weights.n_words / (UNITS * UNIT_WORDS);
    for (var block = first; block < n_blocks; block += stride) {
        let b = block_at(group, block);
        var part = vec4<f32>();
        var total = vec4<f32>();
        for (var u = 0u; u < UNITS; u++) {
            let unit = unit_at(group, block * UNITS + u);
            let first_word = (block * UNITS + u) * UNIT_WORDS;
            for (var i = 0u; i < UNIT_WORDS; i++) {
                var x = input(0u, first_word + i);
                if (STORES_INPUT && stores) {
                    store_input(first_word + i, x);
                }
                if (NORMED) {
                    squares += dot(x, x);
                    x *= vectors[params.input.gain + first_word + i];
                }
                if (HAS_MINS) {
                    total += x;
                }
                part += x * unit_words(b, unit, u, i);
            }
        }
        if (HAS_SCALES) {
            part *= b.scales;
        }
        if (HAS_MINS) {
            part += dot(total, vec4<f32>(1.0)) * b.mins;
        }
        sum += part;
    }
    return Sum(sum, squares);
}

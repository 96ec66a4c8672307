// An adapter's change to a group of rows. Every workgroup computes the inner products itself, which saves a step. The
// input already has the gain; the root mean square is applied to the finished sum.
#import shared/step
#import shared/norm
#import shared/vectors

@group(0) @binding(7) var<storage, read> lora: array<vec4<f32>>;

const MAX_INNER = 512u;
var<workgroup> inners: array<f32, MAX_INNER>;
var<workgroup> inner_parts: array<f32, THREADS>;

// Fills the part of `inners` that a tile of rows uses: 16 products at a time, each by a 16th of the workgroup, which
// strides over the words.
fn prepare_lora(lane: u32, tile: u32) {
    let range = inner_range(tile);
    let end = range.y;
    let n_inner = params.lora.n_pairs * params.lora.rank;
    for (var start = range.x; start < end; start += 16u) {
        let idx = start + lane % 16u;
        var part = 0.0;
        if (idx < end) {
            for (var word = lane / 16u; word < params.weights.n_words; word += THREADS / 16u) {
                var x = input(0u, word);
                if (NORMED) {
                    x *= vectors[params.input.gain + word];
                }
                part += dot(x, lora[word * n_inner + idx]);
            }
        }
        inner_parts[lane] = part;
        workgroupBarrier();
        if (lane < 16u && idx < end) {
            var sum = 0.0;
            for (var i = lane; i < THREADS; i += 16u) {
                sum += inner_parts[i];
            }
            inners[idx] = sum;
        }
        workgroupBarrier();
    }
}

// The finished sum of a group of rows, with `count` inner products from `first` on.
fn adapted(token: u32, group: u32, first: u32, count: u32, rows: vec4<f32>, squares: f32) -> vec4<f32> {
    var sum = rows;
    for (var i = 0u; i < count; i++) {
        sum += inners[first + i] * lora[params.lora.b + group * count + i];
    }
    return finish(sum, squares);
}

// Rows times the inputs of a few tokens: a workgroup makes a tile of 32 rows of 4 tokens, as `products_one_workgroup` does
// of one, so that weights are read once for four uses.

const SLICES = THREADS / 8u;
var<workgroup> sums: array<vec4<f32>, THREADS>;
var<workgroup> square_sums: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    SUBGROUP_BUILTINS
) {
    let token = workgroup.y * 4u;
    // The same for all invocations, so the barriers behind it are met by all or none.
    if (token >= batch.n_tokens) {
        return;
    }
    let tile_group = workgroup.x * 8u + lane % 8u;
    let group = min(tile_group, params.n_groups - 1u);
    // Tokens past the last repeat the last; what they make is not stored.
    let last = batch.n_tokens - 1u;
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    var squares = vec4<f32>();
    let n_blocks = params.n_words / (UNITS * UNIT_WORDS);
    for (var block = lane / 8u; block < n_blocks; block += SLICES) {
        let b = block_at(group, block);
        var part0 = vec4<f32>();
        var part1 = vec4<f32>();
        var part2 = vec4<f32>();
        var part3 = vec4<f32>();
        var totals = vec4<f32>();
        for (var u = 0u; u < UNITS; u++) {
            let unit = unit_at(group, block * UNITS + u);
            let first = (block * UNITS + u) * UNIT_WORDS;
            for (var i = 0u; i < UNIT_WORDS; i++) {
                var x0 = input(token, first + i);
                var x1 = input(min(token + 1u, last), first + i);
                var x2 = input(min(token + 2u, last), first + i);
                var x3 = input(min(token + 3u, last), first + i);
                if (NORMED) {
                    squares += vec4<f32>(dot(x0, x0), dot(x1, x1), dot(x2, x2), dot(x3, x3));
                    let gain = vectors[params.gain + first + i];
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
    let whole0 = over_slices(lane, SUBGROUP_SIZE, sum0, squares.x);
    workgroupBarrier();
    let whole1 = over_slices(lane, SUBGROUP_SIZE, sum1, squares.y);
    workgroupBarrier();
    let whole2 = over_slices(lane, SUBGROUP_SIZE, sum2, squares.z);
    workgroupBarrier();
    let whole3 = over_slices(lane, SUBGROUP_SIZE, sum3, squares.w);
    if (lane >= 8u || tile_group >= params.n_groups) {
        return;
    }
    let row = params.first_group + tile_group;
    store(token, row, whole0.sum, whole0.squares);
    if (token + 1u < batch.n_tokens) {
        store(token + 1u, row, whole1.sum, whole1.squares);
    }
    if (token + 2u < batch.n_tokens) {
        store(token + 2u, row, whole2.sum, whole2.squares);
    }
    if (token + 3u < batch.n_tokens) {
        store(token + 3u, row, whole3.sum, whole3.squares);
    }
}

// Rows times one token's input: a workgroup makes a tile of 32 rows. Lane l of 8 makes the rows 4 l to 4 l + 3 of it, and
// the workgroup's slices share the blocks of a row out among themselves.

const SLICES = THREADS / 8u;
var<workgroup> sums: array<vec4<f32>, THREADS>;
var<workgroup> square_sums: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    SUBGROUP_BUILTINS
) {
    // The same for all invocations, so the barriers behind it are met by all or none.
    if (batch.n_tokens == 0u) {
        return;
    }
    prepare(lane, workgroup.x);
    let tile_group = workgroup.x * 8u + lane % 8u;
    let group = min(tile_group, params.n_groups - 1u);
    let slice = lane / 8u;
    var sum = vec4<f32>();
    var squares = 0.0;
    let n_blocks = params.n_words / (UNITS * UNIT_WORDS);
    for (var block = slice; block < n_blocks; block += SLICES) {
        let b = block_at(group, block);
        var part = vec4<f32>();
        var total = vec4<f32>();
        for (var u = 0u; u < UNITS; u++) {
            let unit = unit_at(group, block * UNITS + u);
            let first = (block * UNITS + u) * UNIT_WORDS;
            for (var i = 0u; i < UNIT_WORDS; i++) {
                var x = input(0u, first + i);
                if (PENDING && workgroup.x == 0u && lane % 8u == 0u) {
                    stream[params.next + first + i] = x;
                }
                if (NORMED) {
                    squares += dot(x, x);
                    x *= vectors[params.gain + first + i];
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
    let whole = over_slices(lane, SUBGROUP_SIZE, vec4<f32>(sum), squares);
    if (lane < 8u && tile_group < params.n_groups) {
        store(0u, params.first_group + tile_group, whole.sum, whole.squares);
    }
}

// Adds up the partial sums of a workgroup's slices, 8 invocations each: within each subgroup by shuffles, so only one
// sum per subgroup goes through memory. The first slice gets the totals.
#import shared/sum

const SLICES = THREADS / 8u;

var<workgroup> sums: array<vec4<f32>, THREADS>;
var<workgroup> square_sums: array<f32, THREADS>;

fn over_slices(lane: u32, subgroup_size: u32, part: Sum) -> Sum {
    var whole = part;
    // Slices are 8 invocations apart. A subgroup of 8 or fewer holds at most one slice and adds nothing here.
    for (var apart = 8u; apart < subgroup_size; apart *= 2u) {
        whole.rows += subgroupShuffleXor(whole.rows, apart);
        whole.squares += subgroupShuffleXor(whole.squares, apart);
    }
    sums[lane] = whole.rows;
    square_sums[lane] = whole.squares;
    workgroupBarrier();
    whole = Sum(vec4<f32>(), 0.0);
    if (lane < 8u) {
        for (var i = lane; i < THREADS; i += max(8u, subgroup_size)) {
            whole.rows += sums[i];
            whole.squares += square_sums[i];
        }
    }
    return whole;
}

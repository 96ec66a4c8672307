// Adds up the partial sums of a workgroup's slices, 8 invocations each; the first slice gets the totals.
#import shared/sum

const SLICES = THREADS / 8u;

var<workgroup> sums: array<vec4<f32>, THREADS>;
var<workgroup> square_sums: array<f32, THREADS>;

fn over_slices(lane: u32, subgroup_size: u32, part: Sum) -> Sum {
    sums[lane] = part.rows;
    square_sums[lane] = part.squares;
    workgroupBarrier();
    var whole = Sum(vec4<f32>(), 0.0);
    if (lane < 8u) {
        for (var i = lane; i < THREADS; i += 8u) {
            whole.rows += sums[i];
            whole.squares += square_sums[i];
        }
    }
    return whole;
}

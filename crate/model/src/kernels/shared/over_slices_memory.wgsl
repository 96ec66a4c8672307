// Adds up what the slices of a workgroup made; the first slice's invocations get the sums.
struct Whole { sum: vec4<f32>, squares: f32 }

fn over_slices(lane: u32, subgroup_size: u32, sum: vec4<f32>, squares: f32) -> Whole {
    sums[lane] = sum;
    square_sums[lane] = squares;
    workgroupBarrier();
    var whole = Whole(vec4<f32>(), 0.0);
    if (lane < 8u) {
        for (var i = lane; i < THREADS; i += 8u) {
            whole.sum += sums[i];
            whole.squares += square_sums[i];
        }
    }
    return whole;
}

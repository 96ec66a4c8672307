// Adds up what the slices of a workgroup made: within each subgroup by shuffling, so that memory carries one sum for each
// subgroup. The first slice's invocations get the sums.
struct Whole { sum: vec4<f32>, squares: f32 }

fn over_slices(lane: u32, subgroup_size: u32, sum: vec4<f32>, squares: f32) -> Whole {
    var whole = Whole(sum, squares);
    // Slices lie 8 invocations apart. A subgroup of 8 or fewer holds one slice at most, and adds nothing here.
    for (var apart = 8u; apart < subgroup_size; apart *= 2u) {
        whole.sum += subgroupShuffleXor(whole.sum, apart);
        whole.squares += subgroupShuffleXor(whole.squares, apart);
    }
    sums[lane] = whole.sum;
    square_sums[lane] = whole.squares;
    workgroupBarrier();
    whole = Whole(vec4<f32>(), 0.0);
    if (lane < 8u) {
        for (var i = lane; i < THREADS; i += max(8u, subgroup_size)) {
            whole.sum += sums[i];
            whole.squares += square_sums[i];
        }
    }
    return whole;
}

// A matrix times the inputs of a few tokens: a workgroup computes a tile of 32 rows for 4 tokens, as `vec_workgroup`
// does for one.
#import shared/step
#import shared/sum
#import shared/few_sums
#import lora/*
#import reduce/*
#import entry/*

fn run(workgroup: vec3<u32>, lane: u32, subgroup_size: u32) {
    let token = workgroup.y * 4u;
    // Uniform across the workgroup, so either all invocations reach the barriers below or none does.
    if (token >= batch.n_tokens) {
        return;
    }
    let tile_group = workgroup.x * 8u + lane % 8u;
    let group = min(tile_group, params.weights.n_groups - 1u);
    let parts = few_sums(token, group, lane / 8u, SLICES);
    let sum0 = over_slices(lane, subgroup_size, Sum(parts.rows0, parts.squares.x));
    workgroupBarrier();
    let sum1 = over_slices(lane, subgroup_size, Sum(parts.rows1, parts.squares.y));
    workgroupBarrier();
    let sum2 = over_slices(lane, subgroup_size, Sum(parts.rows2, parts.squares.z));
    workgroupBarrier();
    let sum3 = over_slices(lane, subgroup_size, Sum(parts.rows3, parts.squares.w));
    if (lane >= 8u || tile_group >= params.weights.n_groups) {
        return;
    }
    let squares = vec4<f32>(sum0.squares, sum1.squares, sum2.squares, sum3.squares);
    let sums = FewSums(sum0.rows, sum1.rows, sum2.rows, sum3.rows, squares);
    store_few(token, params.weights.first_group + tile_group, sums);
}

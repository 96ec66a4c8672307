// A matrix times one token's input: a workgroup computes a tile of 32 rows. Lane l of 8 computes rows 4 l to 4 l + 3,
// and the workgroup's slices share out the blocks of a row.
#import shared/step
#import shared/vec_sum
#import lora/*
#import reduce/*
#import entry/*

fn run(workgroup: vec3<u32>, lane: u32, subgroup_size: u32) {
    // Uniform across the workgroup, so either all invocations reach the barriers below or none does.
    if (batch.n_tokens == 0u) {
        return;
    }
    prepare_input(lane);
    prepare_lora(lane, workgroup.x);
    let tile_group = workgroup.x * 8u + lane % 8u;
    let group = min(tile_group, params.weights.n_groups - 1u);
    let stores = workgroup.x == 0u && lane % 8u == 0u;
    let sum = over_slices(lane, subgroup_size, vec_sum(group, lane / 8u, SLICES, stores));
    if (lane < 8u && tile_group < params.weights.n_groups) {
        store(0u, params.weights.first_group + tile_group, sum.rows, sum.squares);
    }
}

// A matrix times one token's input, without barriers: one invocation computes a group of 4 rows.
#import shared/step
#import shared/vec_sum
#import lora/*

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let group = id.x;
    if (group >= params.weights.n_groups || batch.n_tokens == 0u) {
        return;
    }
    let sum = vec_sum(group, 0u, 1u, false);
    store(0u, params.weights.first_group + group, sum.rows, sum.squares);
}

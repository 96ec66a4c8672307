// A matrix times the inputs of many tokens, without barriers: one invocation computes a group of 4 rows for 4 tokens.
#import shared/step
#import shared/few_sums
#import lora/*

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let group = id.x;
    let token = id.y * 4u;
    if (group >= params.weights.n_groups || token >= batch.n_tokens) {
        return;
    }
    store_few(token, params.weights.first_group + group, few_sums(token, group, 0u, 1u));
}

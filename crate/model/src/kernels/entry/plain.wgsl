// Entry point of a kernel with barriers, for devices without subgroups.
@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    run(workgroup, lane, 0u);
}

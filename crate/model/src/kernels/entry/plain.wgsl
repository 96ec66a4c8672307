// Starts a kernel whose invocations meet at barriers, where there are no subgroups.
@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    run(workgroup, lane, 0u);
}

// Entry point of a kernel with barriers, for devices with subgroups.
enable subgroups;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(subgroup_size) subgroup_size: u32,
) {
    run(workgroup, lane, subgroup_size);
}

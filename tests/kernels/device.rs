//! Shows what becomes of work on a device that is lost, full, or given a wrong shader.

use anchorite_model::gpu::{GpuError, Grid, Kernel};
use harness::gpu::gpu;

#[test]
fn reports_a_lost_device() {
    let Some(gpu) = gpu() else { return };
    let rows = gpu.rows_of("rows", &[1.0; 8], 8).expect("rows");
    gpu.destroy();
    let error = pollster::block_on(gpu.read_rows(&rows)).expect_err("the device is gone");
    assert!(matches!(error, GpuError::Lost { .. }), "lost, not: {error}");
    assert!(
        error.to_string().contains("was lost: destroyed"),
        "says why: {error}"
    );
    let again = pollster::block_on(gpu.scoped("trying again", || Ok(())));
    assert!(
        matches!(again, Err(GpuError::Lost { .. })),
        "a lost device stays lost"
    );
}

#[test]
fn reports_a_buffer_that_no_binding_can_hold() {
    let Some(gpu) = gpu() else { return };
    let n_rows = usize::try_from(gpu.max_binding_bytes()).expect("a limit");
    let error = gpu
        .rows("too large", n_rows, 1)
        .expect_err("four bytes for each");
    assert!(
        matches!(error, GpuError::BindingTooLarge { .. }),
        "too large, not: {error}"
    );
}

#[test]
fn reports_a_shader_that_the_device_refuses() {
    let Some(gpu) = gpu() else { return };
    let broken = Kernel {
        name: "broken",
        variant: "",
        sources: &["fn broken( {"],
    };
    let refused = pollster::block_on(gpu.scoped("compiling kernels", || {
        Ok(gpu.dispatch(&broken, &[], &[], Grid::Tokens { x: 1, tokens: 1 }))
    }));
    match refused {
        Err(GpuError::Refused { act, reason, .. }) => {
            assert_eq!(act, "compiling kernels", "says during what");
            assert!(reason.contains("broken"), "names the kernel: {reason}");
        }
        other => panic!("refused, not: {other:?}"),
    }
    assert!(gpu.check("going on").is_ok(), "the device itself is sound");
}

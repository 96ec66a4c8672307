//! Shows how work fails on a device that is lost, out of memory, or given a faulty shader.

use anchorite_model::gguf::TensorType;
use anchorite_model::gpu::{Bindings, GpuError, Precision, Reduction, Variant};
use harness::gpu::{gpu, matrix, on_device};

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
    let broken = || {
        let wgsl = || "fn broken( {".to_owned();
        Ok(gpu.pipeline("broken", Bindings::Step, wgsl))
    };
    let refused = pollster::block_on(gpu.scoped("compiling kernels", broken));
    match refused {
        Err(GpuError::Refused { act, reason, .. }) => {
            assert_eq!(act, "compiling kernels", "says during what");
            assert!(reason.contains("broken"), "names the kernel: {reason}");
        }
        other => panic!("refused, not: {other:?}"),
    }
    assert!(gpu.check("going on").is_ok(), "the device itself is sound");
}

#[test]
fn refuses_a_form_that_the_adapter_lacks() {
    let Some(mut gpu) = gpu() else { return };
    let missing = Variant {
        reduction: Reduction::BarrierFree,
        precision: Precision::F16,
    };
    let error = gpu.set_variant(missing).expect_err("there is no such form");
    assert!(
        error.to_string().contains("barrier-free, f16"),
        "names it: {error}"
    );
    assert_ne!(gpu.variant(), missing, "and stays with what it had");
}

#[test]
fn splits_a_matrix_that_passes_a_binding() {
    let Some(mut gpu) = gpu() else { return };
    // Three tiles of 32 rows, with 2 bytes of scale for 32 weights, or 4 if weights are stored as bytes.
    gpu.limit_binding_bytes(3 * 32 * (64 + 8));
    let whole = matrix(TensorType::Q8_0, 257, 64);
    assert_eq!(
        on_device(&gpu, &whole).n_slices(),
        3,
        "257 rows in slices of 96"
    );
}

#[test]
fn refuses_rows_of_another_length() {
    let Some(gpu) = gpu() else { return };
    for (kind, n_cols) in [
        (TensorType::Q8_0, 31),
        (TensorType::Q4K, 256),
        (TensorType::F32, 8),
    ] {
        let refused = gpu.matrix("weights", kind, n_cols, &[&[0; 17]]);
        assert!(refused.is_err(), "{kind}: 17 bytes are no row of {n_cols}");
    }
}

//! Turns operands on the device into recorded dispatches: one file for each step of the forward pass, and beside it its
//! shader of the same name.
//!
//! Every kernel has a plain twin in [`crate::reference`]; `tests/kernels` compares them and states the bound. All
//! shaders are core WGSL and free of barriers, which is what software adapters want and every device can run.

pub mod batch;
pub mod embed;
pub mod rms_norm;
pub mod matmul;
pub mod rope;
pub mod attention;
pub mod swiglu;
pub mod lora;

#[cfg(test)]
mod wgsl_tests;

use crate::gpu::{Gpu, GpuError, Grid, Kernel, Layout};

/// The part of a kernel's source that reads weights of this layout.
const fn weights_wgsl(layout: Layout) -> &'static str {
    match layout {
        Layout::F32 => include_str!("shared/weights_f32.wgsl"),
        Layout::F16 => include_str!("shared/weights_f16.wgsl"),
        Layout::Q8_0 => include_str!("shared/weights_q8_0.wgsl"),
        Layout::Q4_0 => include_str!("shared/weights_q4_0.wgsl"),
    }
}

const BATCH_WGSL: &str = include_str!("shared/batch.wgsl");

/// A size as a kernel's parameter. Sizes come from tensors that fit a binding, so the cap is never reached.
fn param(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// Workgroups of 16 invocations that cover `n` of them.
fn groups(n: usize) -> u32 {
    param(n.div_ceil(16))
}

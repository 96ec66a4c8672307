//! Root-mean-square normalisation: scales each token's activations to unit power, then by a learned gain.
//!
//! | buffer | shape       | type | access     |
//! |--------|-------------|------|------------|
//! | `x`    | `[rows, C]` | f32  | read       |
//! | `gain` | `[C]`       | f32  | read       |
//! | `y`    | `[T, C]`    | f32  | read_write |
//!
//! `y[t,c] = gain[c] * x[first_row + t,c] / sqrt(mean(x[first_row + t,:]^2) + eps)`. One workgroup per token; any
//! `C >= 1`. Twin: [`crate::reference::rms_norm`]. Bound: NMSE 1e-7.

use super::batch::BatchBuffer;
use super::{BATCH_WGSL, Gpu, GpuError, Grid, Kernel, param};
use crate::gpu::{Dispatch, Rows};

/// WGSL: `Params` in `rms_norm.wgsl`.
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Params {
    /// `C`
    pub n_cols: u32,
    /// Floats from one row to the next.
    pub stride: u32,
    /// `ModelConfig::norm_eps`
    pub eps: f32,
    /// Fills 16 bytes.
    pub padding: u32,
}

/// The shader.
pub const KERNEL: Kernel = Kernel {
    name: "rms_norm",
    variant: "",
    sources: &[BATCH_WGSL, include_str!("rms_norm.wgsl")],
};

/// Plans the normalisation of a batch's rows of `x` into `y`, which is another buffer.
///
/// # Errors
/// [`GpuError::Shape`] if `gain` or `y` does not have one value for each channel of `x`.
pub fn rms_norm(
    gpu: &Gpu,
    batch: &BatchBuffer,
    x: &Rows,
    gain: &Rows,
    eps: f32,
    y: &Rows,
) -> Result<Dispatch, GpuError> {
    Gpu::check_shape("rms_norm", "gain", x.n_cols, gain.n_cols)?;
    Gpu::check_shape("rms_norm", "y", x.n_cols, y.n_cols)?;
    let params = Params {
        n_cols: param(x.n_cols),
        stride: param(x.stride),
        eps,
        padding: 0,
    };
    let params = gpu.params_of("rms_norm", &params)?;
    let buffers = [
        (0, batch.binding()),
        (1, params.as_entire_buffer_binding()),
        (2, x.binding()),
        (3, gain.binding()),
        (4, y.binding()),
    ];
    Ok(gpu.dispatch(&KERNEL, &[], &buffers, Grid::Tokens { x: 1, tokens: 1 }))
}

//! Gated activation of the feed-forward block: the gate, through SiLU, times the up projection.
//!
//! | buffer | shape        | type | access     |
//! |--------|--------------|------|------------|
//! | `x`    | `[T, F + F]` | f32  | read; gate, then up from the next multiple of four |
//! | `y`    | `[T, F]`     | f32  | read_write |
//!
//! `y[t,f] = silu(gate[t,f]) * up[t,f]`, `silu(g) = g / (1 + exp(-g))`. Twin: [`crate::reference::swiglu`]. Bound: NMSE
//! 1e-7.

use super::batch::BatchBuffer;
use super::{BATCH_WGSL, Gpu, GpuError, Grid, Kernel, groups, param};
use crate::gpu::{Dispatch, Rows};

/// WGSL: `Params` in `swiglu.wgsl`.
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Params {
    /// `F / 4`, rounded up.
    pub n_words: u32,
    /// vec4s from one row of `x` to the next.
    pub x_words: u32,
    /// First vec4 of `up` in a row of `x`.
    pub up_offset: u32,
    /// vec4s from one row of `y` to the next.
    pub y_words: u32,
}

/// The shader.
pub const KERNEL: Kernel = Kernel {
    name: "swiglu",
    variant: "",
    sources: &[BATCH_WGSL, include_str!("swiglu.wgsl")],
};

/// The first column of `up` in `x`, for `n_ff` gates.
pub fn up_offset(n_ff: usize) -> usize {
    n_ff.next_multiple_of(4)
}

/// Plans the gating of a batch.
///
/// # Errors
/// [`GpuError::Shape`] if `x` does not hold a gate and an up value for each column of `y`.
pub fn swiglu(gpu: &Gpu, batch: &BatchBuffer, x: &Rows, y: &Rows) -> Result<Dispatch, GpuError> {
    Gpu::check_shape("swiglu", "x", up_offset(y.n_cols) + y.n_cols, x.n_cols)?;
    let params = Params {
        n_words: param(y.stride / 4),
        x_words: param(x.stride / 4),
        up_offset: param(up_offset(y.n_cols) / 4),
        y_words: param(y.stride / 4),
    };
    let n_x = groups(y.stride / 4);
    let params = gpu.params_of("swiglu", &params)?;
    let buffers = [
        (0, batch.binding()),
        (1, params.as_entire_buffer_binding()),
        (2, x.binding()),
        (3, y.binding()),
    ];
    Ok(gpu.dispatch(&KERNEL, &[], &buffers, Grid::Tokens { x: n_x, tokens: 1 }))
}

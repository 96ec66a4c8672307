//! Looks up each token's row of the embedding matrix.
//!
//! | buffer    | shape    | type   | access     |
//! |-----------|----------|--------|------------|
//! | `weights` | `[V, C]` | packed | read       |
//! | `tokens`  | `[T]`    | u32    | read       |
//! | `y`       | `[T, C]` | f32    | read_write |
//!
//! One dispatch for each slice of the matrix. Twin: [`crate::reference::embed`]. Exact.

use super::batch::BatchBuffer;
use super::{BATCH_WGSL, Gpu, GpuError, Grid, Kernel, Layout, groups, param, weights_wgsl};
use crate::gpu::{Op, PackedMatrix, Rows};

/// WGSL: `Params` in `embed.wgsl`.
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Params {
    /// `C / 4`
    pub n_words: u32,
    /// vec4s from one row of `y` to the next.
    pub y_words: u32,
    /// Row of the matrix that is this slice's first.
    pub first_row: u32,
    /// Rows in this slice.
    pub n_rows: u32,
}

/// The shader for one layout of the matrix.
pub fn kernel(layout: Layout) -> Kernel {
    const SOURCE: &str = include_str!("embed.wgsl");
    let (variant, sources): (_, &[&str]) = match layout {
        Layout::F32 => (
            "f32",
            const { &[BATCH_WGSL, weights_wgsl(Layout::F32), SOURCE] },
        ),
        Layout::F16 => (
            "f16",
            const { &[BATCH_WGSL, weights_wgsl(Layout::F16), SOURCE] },
        ),
        Layout::Q8_0 => (
            "q8_0",
            const { &[BATCH_WGSL, weights_wgsl(Layout::Q8_0), SOURCE] },
        ),
        Layout::Q4_0 => (
            "q4_0",
            const { &[BATCH_WGSL, weights_wgsl(Layout::Q4_0), SOURCE] },
        ),
    };
    Kernel {
        name: "embed",
        variant,
        sources,
    }
}

/// Plans the lookup of a batch's tokens in `weights` into `y`.
///
/// # Errors
/// [`GpuError::Shape`] if a row of `y` is not a row of the matrix.
pub fn embed(
    gpu: &Gpu,
    batch: &BatchBuffer,
    weights: &PackedMatrix,
    y: &Rows,
) -> Result<Vec<Op>, GpuError> {
    Gpu::check_shape("embed", "y", weights.n_cols, y.n_cols)?;
    let mut ops = Vec::new();
    for slice in &weights.slices {
        let params = Params {
            n_words: param(weights.n_words),
            y_words: param(y.stride / 4),
            first_row: param(slice.first_row),
            n_rows: param(slice.n_rows),
        };
        let params = gpu.params_of("embed", &params)?;
        let mut buffers = vec![
            (0, batch.binding()),
            (1, params.as_entire_buffer_binding()),
            (2, slice.quants.as_entire_buffer_binding()),
        ];
        buffers.extend(
            slice
                .scales
                .as_ref()
                .map(|scales| (3, scales.as_entire_buffer_binding())),
        );
        buffers.extend([(4, batch.tokens()), (5, y.binding())]);
        let grid = Grid::Tokens {
            x: groups(weights.n_words),
            tokens: 1,
        };
        ops.push(
            gpu.dispatch(&kernel(weights.layout), &[], &buffers, grid)
                .into(),
        );
    }
    Ok(ops)
}

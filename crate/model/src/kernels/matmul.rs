//! Multiplies activations by a matrix of weights: `matvec` for one token, `matmul` for many.
//!
//! | buffer    | shape    | type   | access     |
//! |-----------|----------|--------|------------|
//! | `weights` | `[N, C]` | packed | read       |
//! | `x`       | `[T, C]` | f32    | read       |
//! | `y`       | `[T, N]` | f32    | read_write |
//!
//! `y[t,n] = sum over c of weights[n,c] * x[t,c]`, added to `y` or replacing it. One invocation makes 4 rows, of 4
//! tokens in `matmul`. One dispatch for each slice of the matrix. Twin: [`crate::reference::matmul`]. Bound: NMSE 1e-7
//! for F32 and F16, 5e-4 for Q8_0 and Q4_0, whose weights are exactly those of the twin.

use super::batch::BatchBuffer;
use super::{BATCH_WGSL, Gpu, GpuError, Grid, Kernel, Layout, groups, param, weights_wgsl};
use crate::gpu::{Op, PackedMatrix, View};

/// WGSL: `Params` in `matvec.wgsl` and in `matmul.wgsl`.
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Params {
    /// `C / 4`
    pub n_words: u32,
    /// `N` of this slice.
    pub n_rows: u32,
    /// vec4s from one row of `x` to the next.
    pub x_words: u32,
    /// First vec4 of a row of `x`.
    pub x_offset: u32,
    /// Floats from one row of `y` to the next.
    pub y_stride: u32,
    /// First float of a row of `y`.
    pub y_offset: u32,
    /// 1: add to `y`; 0: replace it.
    pub accumulate: u32,
    /// Fills 32 bytes.
    pub padding: u32,
}

/// What becomes of the values that are in `y` before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Into {
    /// They are replaced.
    Replace,
    /// The product is added to them.
    Add,
}

/// The shader for one token.
pub fn matvec_kernel(layout: Layout) -> Kernel {
    const SOURCE: &str = include_str!("matvec.wgsl");
    let (variant, sources): (_, &[&str]) = match layout {
        Layout::F32 => ("f32", const { &[weights_wgsl(Layout::F32), SOURCE] }),
        Layout::F16 => ("f16", const { &[weights_wgsl(Layout::F16), SOURCE] }),
        Layout::Q8_0 => ("q8_0", const { &[weights_wgsl(Layout::Q8_0), SOURCE] }),
        Layout::Q4_0 => ("q4_0", const { &[weights_wgsl(Layout::Q4_0), SOURCE] }),
    };
    Kernel {
        name: "matvec",
        variant,
        sources,
    }
}

/// The shader for many tokens.
pub fn matmul_kernel(layout: Layout) -> Kernel {
    const SOURCE: &str = include_str!("matmul.wgsl");
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
        name: "matmul",
        variant,
        sources,
    }
}

/// Plans `weights * x` into `y`, another buffer than `x`.
///
/// # Errors
/// [`GpuError::Shape`] if `x` has not one column for each column of the matrix, or `y` not one for each row, or a
/// view does not start at a multiple of four.
pub fn matmul(
    gpu: &Gpu,
    batch: &BatchBuffer,
    weights: &PackedMatrix,
    x: View<'_>,
    y: View<'_>,
    into: Into,
) -> Result<Vec<Op>, GpuError> {
    Gpu::check_shape("matmul", "x", weights.n_cols, x.n_cols)?;
    Gpu::check_shape("matmul", "y", weights.n_rows, y.n_cols)?;
    Gpu::check_shape("matmul", "x offset", x.offset.next_multiple_of(4), x.offset)?;
    let mut ops = Vec::new();
    for slice in &weights.slices {
        let params = Params {
            n_words: param(weights.n_words),
            n_rows: param(slice.n_rows),
            x_words: param(x.rows.stride / 4),
            x_offset: param(x.offset / 4),
            y_stride: param(y.rows.stride),
            y_offset: param(y.offset + slice.first_row),
            accumulate: u32::from(into == Into::Add),
            padding: 0,
        };
        let params = gpu.params_of("matmul", &params)?;
        let mut buffers = vec![
            (1, params.as_entire_buffer_binding()),
            (2, slice.quants.as_entire_buffer_binding()),
        ];
        buffers.extend(
            slice
                .scales
                .as_ref()
                .map(|scales| (3, scales.as_entire_buffer_binding())),
        );
        buffers.extend([(4, x.rows.binding()), (5, y.rows.binding())]);
        let n_x = groups(slice.n_rows.div_ceil(4));
        let one = Grid::Tokens { x: n_x, tokens: 1 };
        let one = gpu.dispatch(&matvec_kernel(weights.layout), &[], &buffers, one);
        buffers.push((0, batch.binding()));
        let many = Grid::Tokens { x: n_x, tokens: 4 };
        let many = gpu.dispatch(&matmul_kernel(weights.layout), &[], &buffers, many);
        ops.push(Op {
            one,
            many: Some(many),
        });
    }
    Ok(ops)
}

//! Adds a low-rank change to a projection that was computed from the same input: `y += B (A x)`.
//!
//! | buffer | shape    | type   | access     |
//! |--------|----------|--------|------------|
//! | `x`    | `[T, C]` | f32    | read       |
//! | `a`    | `[R, C]` | packed | read       |
//! | `b`    | `[N, R]` | packed | read; already times the adapter's scale |
//! | `ax`   | `[T, R]` | f32    | read_write |
//! | `y`    | `[T, N]` | f32    | read_write |
//!
//! Both products run on [`super::matmul`]; the base weights are never touched, so an adapter goes on and off between two
//! tokens. Twin: [`crate::reference::lora`]. Bound: NMSE 1e-7.

use super::batch::BatchBuffer;
use super::matmul::{Into, matmul};
use super::{Gpu, GpuError};
use crate::adapter::LoraPair;
use crate::gpu::{Op, PackedMatrix, Rows, View};

/// The pair of matrices of one projection on the device.
#[derive(Debug, Clone)]
pub struct PackedPair {
    a: PackedMatrix,
    b: PackedMatrix,
    ax: Rows,
}

impl PackedPair {
    /// Puts a pair on the device, with room for the inner products of `n_tokens` tokens.
    ///
    /// # Errors
    /// [`GpuError::Shape`] if the pair's lengths do not fit its rank; [`GpuError::BindingTooLarge`].
    pub fn new(gpu: &Gpu, name: &str, pair: &LoraPair, n_tokens: usize) -> Result<Self, GpuError> {
        let (rank, scale) = (pair.rank.max(1), pair.scale);
        let scaled = pair.b.iter().map(|value| value * scale).collect::<Vec<_>>();
        Ok(Self {
            a: gpu.matrix_of(
                &format!("{name} lora_a"),
                rank,
                pair.a.len() / rank,
                &pair.a,
            )?,
            b: gpu.matrix_of(
                &format!("{name} lora_b"),
                pair.b.len() / rank,
                rank,
                &scaled,
            )?,
            ax: gpu.rows(&format!("{name} ax"), n_tokens, rank)?,
        })
    }
}

/// Plans `y += B (A x)`, to run after the projection that fills `y`.
///
/// # Errors
/// [`GpuError::Shape`] if the pair belongs to a projection of other sizes.
pub fn lora(
    gpu: &Gpu,
    batch: &BatchBuffer,
    pair: &PackedPair,
    x: View<'_>,
    y: View<'_>,
) -> Result<Vec<Op>, GpuError> {
    let mut ops = matmul(gpu, batch, &pair.a, x, pair.ax.view(), Into::Replace)?;
    ops.extend(matmul(gpu, batch, &pair.b, pair.ax.view(), y, Into::Add)?);
    Ok(ops)
}

//! Turns an adapter's pairs into the buffer that matrix products read their change from.

use super::params::{LoraParams, param};
use crate::adapter::LoraPair;
use crate::gpu::{Gpu, GpuError, PackedMatrix, Reduction};

/// The most inner products a workgroup has room for. WGSL: `MAX_INNER` in `lora/inline.wgsl`.
const MAX_INLINE_INNER: usize = 512;

/// An adapter's pairs on the device, for the matrices that are multiplied in one step.
///
/// One buffer holds the inner matrices, word by word, for workgroups that compute the inner products themselves; the
/// outer matrices, times the adapter's scale; and room for inner products that another step computes.
#[derive(Debug)]
pub struct PackedPairs {
    pub(super) buffer: wgpu::Buffer,
    /// The inner matrices once more, for that other step.
    pub(super) inner: PackedMatrix,
    /// `R`, the largest rank of the pairs.
    rank: usize,
    n_pairs: usize,
    place_b: u32,
    place_x: u32,
}

impl PackedPairs {
    /// Uploads pairs that share an input of `n_cols` values, with room for `n_tokens` tokens.
    ///
    /// For each row of the joint output, in the device's order, `rows` gives the pair that changes it and the row
    /// within that pair. `is_mixed` must be set if a group has rows of several pairs: each group then uses all inner
    /// products.
    ///
    /// # Errors
    /// [`GpuError::Shape`] if a pair's sizes don't match; [`GpuError::BindingTooLarge`].
    pub fn new(
        gpu: &Gpu,
        label: &str,
        pairs: &[Option<&LoraPair>],
        n_cols: usize,
        rows: &[(usize, usize)],
        is_mixed: bool,
        n_tokens: usize,
    ) -> Result<Self, GpuError> {
        let rank = pairs
            .iter()
            .flatten()
            .map(|pair| pair.rank)
            .max()
            .unwrap_or(1);
        let n_inner = rank * pairs.len();
        let n_words = n_cols.div_ceil(4);
        let mut inner = vec![0.0; n_inner * n_cols];
        for (idx, pair) in pairs.iter().enumerate() {
            let start = idx * rank * n_cols;
            if let Some(pair) = pair {
                Gpu::check_shape("lora", "a", pair.rank * n_cols, pair.a.len())?;
                inner[start..start + pair.a.len()].copy_from_slice(&pair.a);
            }
        }
        let mut values = vec![0.0; 4 * n_words * n_inner];
        for (idx, row) in inner.chunks_exact(n_cols).enumerate() {
            for (col, &value) in row.iter().enumerate() {
                values[4 * ((col / 4) * n_inner + idx) + col % 4] = value;
            }
        }
        let place_b = param(values.len() / 4);
        let count = if is_mixed { n_inner } else { rank };
        let n_groups = rows.len().div_ceil(4);
        let start = values.len();
        values.resize(start + 4 * n_groups * count, 0.0);
        for (row_idx, &(pair_idx, row)) in rows.iter().enumerate() {
            let Some(pair) = pairs[pair_idx] else {
                continue;
            };
            let first = if is_mixed { pair_idx * rank } else { 0 };
            let Some(outer) = pair.b.get(row * pair.rank..(row + 1) * pair.rank) else {
                return Err(GpuError::Shape {
                    kernel: "lora",
                    operand: "b",
                    expected: (row + 1) * pair.rank,
                    found: pair.b.len(),
                });
            };
            for (idx, value) in outer.iter().enumerate() {
                let word = row_idx / 4 * count + first + idx;
                values[start + 4 * word + row_idx % 4] = value * pair.scale;
            }
        }
        let place_x = param(values.len() / 4);
        values.resize(values.len() + n_tokens * n_inner.next_multiple_of(4), 0.0);
        Ok(Self {
            buffer: gpu.storage_of(label, &values)?,
            inner: gpu.matrix_of(label, n_cols, &inner)?,
            rank,
            n_pairs: pairs.len(),
            place_b,
            place_x,
        })
    }

    /// The pairs' sizes and offsets.
    pub(super) fn params(&self) -> LoraParams {
        LoraParams {
            rank: param(self.rank),
            n_pairs: param(self.n_pairs),
            b: self.place_b,
            x: self.place_x,
        }
    }

    /// True if each workgroup computes the inner products itself, without an additional step.
    pub(super) fn is_inline(&self, gpu: &Gpu) -> bool {
        gpu.variant().reduction != Reduction::BarrierFree
            && self.rank * self.n_pairs <= MAX_INLINE_INNER
    }
}

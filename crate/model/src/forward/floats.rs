//! Turns f32 and f16 matrices into panels of sixteen rows that multiply several tokens at once.
//!
//! A panel is transposed, `[n_cols, 16]`, so that a vector register holds a column, all of it multiplied with the same
//! activation; no sum runs across a register. f16 stays f16 in memory, and each panel is unpacked once for all tokens.

use super::attention::add_products;
use super::threads::{SharedColumns, Threads};
use crate::gguf::TensorType;
use crate::quant::float16;
use crate::weights::Matrix;

/// Rows of a panel.
const ROWS: usize = 16;

/// A matrix of floats, in panels.
#[derive(Debug, Clone)]
pub(super) struct FloatMatrix {
    n_rows: usize,
    n_cols: usize,
    /// `[ceil(n_rows / 16), n_cols, 16]`; rows past the last are zeros.
    panels: Panels,
}

#[derive(Debug, Clone)]
enum Panels {
    F32(Vec<f32>),
    F16(Vec<u16>),
    BF16(Vec<u16>),
}

impl FloatMatrix {
    /// Packs a matrix; `None` for quantised types. The loader has checked that all values are finite.
    pub(super) fn new(matrix: &Matrix) -> Option<Self> {
        let (n_rows, n_cols) = (matrix.n_rows, matrix.n_cols);
        let halves = || {
            let numbers = matrix.bytes.as_chunks::<2>().0.iter();
            transposed(numbers.map(|b| u16::from_le_bytes(*b)), n_rows, n_cols)
        };
        let panels = match matrix.kind {
            TensorType::F32 => {
                let numbers = matrix.bytes.as_chunks::<4>().0.iter();
                Panels::F32(transposed(
                    numbers.map(|b| f32::from_le_bytes(*b)),
                    n_rows,
                    n_cols,
                ))
            }
            TensorType::F16 => Panels::F16(halves()),
            TensorType::BF16 => Panels::BF16(halves()),
            _ => return None,
        };
        Some(Self {
            n_rows,
            n_cols,
            panels,
        })
    }

    /// Unpacks one row into `y`, `[n_cols]`.
    pub(super) fn row(&self, row_idx: usize, y: &mut [f32]) {
        let start = row_idx / ROWS * self.n_cols * ROWS + row_idx % ROWS;
        match &self.panels {
            Panels::F32(numbers) => {
                for (y, x) in y.iter_mut().zip(numbers[start..].iter().step_by(ROWS)) {
                    *y = *x;
                }
            }
            Panels::F16(numbers) => {
                for (y, x) in y.iter_mut().zip(numbers[start..].iter().step_by(ROWS)) {
                    float16::to_f32(&[*x], std::slice::from_mut(y));
                }
            }
            Panels::BF16(numbers) => {
                for (y, x) in y.iter_mut().zip(numbers[start..].iter().step_by(ROWS)) {
                    *y = f32::from_bits(u32::from(*x) << 16);
                }
            }
        }
    }

    /// `y[t,:] = W x[t,:]`; `x` is `[T, n_cols]`, `y` is `[T, n_rows]` and overwritten.
    pub(super) fn matmul(&self, threads: Threads, x: &[f32], y: &mut [f32]) {
        let n_tokens = x.len() / self.n_cols;
        let len = self.n_cols * ROWS;
        let y = SharedColumns::new(y, self.n_rows);
        let scratch = || (Vec::new(), Vec::new());
        let panel = |(unpacked, sums): &mut (Vec<f32>, Vec<f32>), idx: usize| {
            let range = idx * len..(idx + 1) * len;
            let panel = match &self.panels {
                Panels::F32(numbers) => &numbers[range],
                Panels::F16(numbers) => {
                    unpacked.resize(len, 0.0);
                    float16::to_f32(&numbers[range], unpacked);
                    unpacked
                }
                Panels::BF16(numbers) => {
                    unpacked.clear();
                    let numbers = numbers[range].iter();
                    unpacked.extend(numbers.map(|x| f32::from_bits(u32::from(*x) << 16)));
                    unpacked
                }
            };
            sums.clear();
            sums.resize(n_tokens * ROWS, 0.0);
            add_products(x, panel, self.n_cols, ROWS, sums);
            let first_row = idx * ROWS;
            let n = ROWS.min(self.n_rows - first_row);
            for (t, sums) in sums.chunks_exact(ROWS).enumerate() {
                // SAFETY: no other panel writes these columns.
                unsafe { y.write(t, first_row, &sums[..n]) };
            }
        };
        threads.for_each(self.n_rows.div_ceil(ROWS), n_tokens * len, scratch, panel);
    }
}

/// Rows rearranged into panels of sixteen columns.
fn transposed<X: Copy + Default>(
    numbers: impl Iterator<Item = X>,
    n_rows: usize,
    n_cols: usize,
) -> Vec<X> {
    let mut panels = vec![X::default(); n_rows.div_ceil(ROWS) * ROWS * n_cols];
    for (idx, number) in numbers.enumerate() {
        let (row, column) = (idx / n_cols, idx % n_cols);
        panels[(row / ROWS * n_cols + column) * ROWS + row % ROWS] = number;
    }
    panels
}

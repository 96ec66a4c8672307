//! Turns stored matrices into ones that multiply fast on the CPU.
//!
//! | stored       | kept as          | product                                              |
//! |--------------|------------------|------------------------------------------------------|
//! | Q8_0, Q4_0   | groups of 4 rows | [`int8`], activations quantised by block             |
//! | F32          | floats           | plain loop, four rows at a time in vector registers  |
//! | F16, BF16    | as stored        | each row unpacked once for all tokens, then as F32   |

use super::{int8, vector};
use crate::adapter::LoraPair;
use crate::gguf::TensorType;
use crate::quant;
use crate::weights::Matrix;

/// A matrix of `n_rows` outputs by `n_cols` inputs, ready to multiply, with the change an adapter makes to it.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    pub(crate) n_rows: usize,
    pub(crate) n_cols: usize,
    values: Values,
    pub(crate) lora: Option<LoraPair>,
}

#[derive(Debug, Clone)]
enum Values {
    F32(Vec<f32>),
    Half(TensorType, Vec<u8>),
    Blocks(int8::PackedMatrix),
}

impl Linear {
    /// Takes the matrix over; its bytes are freed.
    pub(crate) fn new(matrix: Matrix) -> Self {
        let (n_rows, n_cols) = (matrix.n_rows, matrix.n_cols);
        let values = match (int8::PackedMatrix::new(&matrix), matrix.kind) {
            (Some(packed), _) => Values::Blocks(packed),
            (None, TensorType::F16 | TensorType::BF16) => Values::Half(matrix.kind, matrix.bytes),
            // The loader lets only supported types through.
            (None, _) => Values::F32(matrix.to_f32()),
        };
        Self {
            n_rows,
            n_cols,
            values,
            lora: None,
        }
    }

    /// Unpacks one row, as [`Matrix::row`].
    pub(crate) fn row(&self, row_idx: usize, y: &mut [f32]) {
        let start = row_idx * self.n_cols;
        match &self.values {
            Values::F32(values) => y.copy_from_slice(&values[start..start + self.n_cols]),
            Values::Half(kind, bytes) => {
                quant::dequantize(*kind, &bytes[2 * start..2 * (start + self.n_cols)], y);
            }
            Values::Blocks(packed) => packed.row(row_idx, y),
        }
    }

    /// `y[t,:] = W x[t,:] + scale * B (A x[t,:])`; `x` is `[T, n_cols]`, `y` is resized to `[T, n_rows]`.
    pub(crate) fn apply(&self, x: &[f32], y: &mut Vec<f32>) {
        let n_tokens = x.len() / self.n_cols;
        y.clear();
        y.resize(n_tokens * self.n_rows, 0.0);
        match &self.values {
            Values::Blocks(packed) => {
                let x = int8::Activations::quantize(x, self.n_cols);
                packed.matmul(int8::Kernel::best(), &x, y);
            }
            Values::F32(_) | Values::Half(..) => self.apply_floats(x, y),
        }
        if let Some(pair) = &self.lora {
            apply_lora(pair, x, y);
        }
    }

    /// Rows outside, tokens inside, so that each row is read, or unpacked, once.
    fn apply_floats(&self, x: &[f32], y: &mut [f32]) {
        let mut unpacked = vec![0.0; self.n_cols];
        for row_idx in 0..self.n_rows {
            let row = match &self.values {
                Values::F32(values) => &values[row_idx * self.n_cols..(row_idx + 1) * self.n_cols],
                _ => {
                    self.row(row_idx, &mut unpacked);
                    &unpacked
                }
            };
            for (x, y) in x
                .chunks_exact(self.n_cols)
                .zip(y.chunks_exact_mut(self.n_rows))
            {
                y[row_idx] = vector::dot(row, x);
            }
        }
    }
}

/// As [`crate::reference::lora`].
fn apply_lora(pair: &LoraPair, x: &[f32], y: &mut [f32]) {
    let (n_cols, n_rows) = (pair.a.len() / pair.rank, pair.b.len() / pair.rank);
    let mut inner = vec![0.0; pair.rank];
    for (x, y) in x.chunks_exact(n_cols).zip(y.chunks_exact_mut(n_rows)) {
        for (inner, row) in inner.iter_mut().zip(pair.a.chunks_exact(n_cols)) {
            *inner = pair.scale * vector::dot(row, x);
        }
        for (y, row) in y.iter_mut().zip(pair.b.chunks_exact(pair.rank)) {
            *y += vector::dot(row, &inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::test_values as values;
    use crate::reference;

    #[test]
    fn agrees_with_the_twin() {
        use TensorType::{BF16, F16, F32, Q4_0, Q8_0};
        // Quantised activations cost what Q8_0 costs; plain ones only the order of their sums.
        for (kind, bound) in [
            (F32, 1e-11),
            (F16, 1e-11),
            (BF16, 1e-11),
            (Q8_0, 5e-5),
            (Q4_0, 5e-5),
        ] {
            for (n_tokens, n_cols, n_rows) in [(1, 32, 1), (3, 64, 63), (17, 288, 131)] {
                let bytes = quant::quantize(kind, &values(n_rows * n_cols, 1));
                let matrix = Matrix {
                    kind,
                    n_rows,
                    n_cols,
                    bytes,
                };
                let x = values(n_tokens * n_cols, 2);
                let mut expected = vec![0.0; n_tokens * n_rows];
                reference::matmul::matmul(&matrix, &x, &mut expected);
                let mut linear = Linear::new(matrix.clone());
                let mut found = Vec::new();
                linear.apply(&x, &mut found);
                check(kind, "matmul", bound, &found, &expected);

                let rank = 4;
                let (a, b) = (values(rank * n_cols, 3), values(n_rows * rank, 4));
                let pair = LoraPair {
                    rank,
                    scale: 0.25,
                    a,
                    b,
                };
                reference::lora::lora(&pair, &x, &mut expected);
                linear.lora = Some(pair);
                linear.apply(&x, &mut found);
                check(kind, "with lora", bound, &found, &expected);

                let (mut row, mut same) = (vec![0.0; n_cols], vec![0.0; n_cols]);
                linear.row(n_rows - 1, &mut row);
                matrix.row(n_rows - 1, &mut same);
                assert_eq!(row, same, "{kind}: the last row");
            }
        }
    }

    #[track_caller]
    fn check(kind: TensorType, what: &str, bound: f64, found: &[f32], expected: &[f32]) {
        let error: f64 = found
            .iter()
            .zip(expected)
            .map(|(a, b)| f64::from(a - b).powi(2))
            .sum();
        let power: f64 = expected.iter().map(|b| f64::from(*b).powi(2)).sum();
        let got = error / power;
        println!(
            "{kind} {what}, {} values: bound {bound:e}, got {got:e}",
            found.len()
        );
        assert!(got <= bound, "{kind} {what}: bound {bound:e}, got {got:e}");
    }
}

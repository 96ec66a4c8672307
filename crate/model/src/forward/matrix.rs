//! Turns stored matrices into ones that multiply fast on the CPU.
//!
//! | stored       | kept as          | product                                              |
//! |--------------|------------------|------------------------------------------------------|
//! | blocks       | panels of 16 rows | [`int8`], activations quantised by block            |
//! | F32          | floats           | plain loop, vector registers along a row             |
//! | F16, BF16    | as stored        | each row unpacked once for all tokens, then as F32   |
//!
//! The two matrices of an adapter's pair are kept as Q8_0 where the weights are blocks, and as floats where they are
//! floats.

use std::cell::OnceCell;

use super::{int8, vector};
use crate::adapter::LoraPair;
use crate::gguf::TensorType;
use crate::quant::{self, QK};
use crate::weights::Matrix;

/// A matrix of `n_rows` outputs by `n_cols` inputs, ready to multiply, with the change an adapter makes to it.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    pub(crate) n_rows: usize,
    pub(crate) n_cols: usize,
    values: Values,
    lora: Option<Lora>,
}

#[derive(Debug, Clone)]
enum Values {
    F32(Vec<f32>),
    Half(TensorType, Vec<u8>),
    Blocks(int8::PackedMatrix),
}

#[derive(Debug, Clone)]
enum Lora {
    Floats(LoraPair),
    /// `A`, `[R, n_cols]`, and `scale * B`, `[n_rows, R]` with zeros up to whole blocks.
    Blocks(int8::PackedMatrix, int8::PackedMatrix),
}

/// The inputs of some tokens, `[T, n_cols]`, quantised at most once for all matrices that share them.
pub(crate) struct Inputs<'x> {
    x: &'x [f32],
    n_cols: usize,
    quantized: OnceCell<int8::Activations>,
}

impl<'x> Inputs<'x> {
    pub(crate) fn new(x: &'x [f32], n_cols: usize) -> Self {
        Self {
            x,
            n_cols,
            quantized: OnceCell::new(),
        }
    }

    fn quantized(&self) -> &int8::Activations {
        self.quantized
            .get_or_init(|| int8::Activations::quantized(int8::Kernel::best(), self.x, self.n_cols))
    }
}

impl Linear {
    /// Takes ownership of the matrix; its bytes are freed.
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

    /// Unpacks codes of fewer than 8 bits to a byte each, once for all products.
    pub(crate) fn unpacked(mut self) -> Self {
        self.values = match self.values {
            Values::Blocks(packed) => Values::Blocks(packed.spread()),
            other => other,
        };
        self
    }

    /// Sets or removes an adapter's change. The pair must fit the matrix.
    pub(crate) fn set_lora(&mut self, pair: Option<LoraPair>) {
        self.lora = pair.map(|pair| match &self.values {
            Values::Blocks(_) => Lora::quantized(&pair, self.n_rows, self.n_cols),
            Values::F32(_) | Values::Half(..) => Lora::Floats(pair),
        });
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

    /// `y[t,:] = W x[t,:] + scale * B (A x[t,:])`; `y` is resized to `[T, n_rows]`.
    pub(crate) fn apply(&self, x: &Inputs<'_>, y: &mut Vec<f32>) {
        debug_assert_eq!(x.n_cols, self.n_cols, "as many inputs as columns");
        y.clear();
        y.resize(x.x.len() / self.n_cols * self.n_rows, 0.0);
        match &self.values {
            Values::Blocks(packed) => packed.matmul(int8::Kernel::best(), x.quantized(), y),
            Values::F32(_) | Values::Half(..) => self.apply_floats(x.x, y),
        }
        match &self.lora {
            None => {}
            Some(Lora::Floats(pair)) => apply_lora(pair, x.x, y),
            Some(Lora::Blocks(a, b)) => apply_quantized_lora(a, b, x.quantized(), y),
        }
    }

    /// Rows in the outer loop, tokens in the inner one, so that each row is read, or unpacked, once.
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

impl Lora {
    fn quantized(pair: &LoraPair, n_rows: usize, n_cols: usize) -> Self {
        let pack = |n_rows: usize, n_cols: usize, values: &[f32]| {
            let kind = TensorType::Q8_0;
            let bytes = quant::quantize(kind, values);
            let matrix = Matrix {
                kind,
                n_rows,
                n_cols,
                bytes,
            };
            int8::PackedMatrix::new(&matrix)
        };
        let width = pair.rank.next_multiple_of(QK);
        let mut b = vec![0.0; n_rows * width];
        for (padded, row) in b
            .chunks_exact_mut(width)
            .zip(pair.b.chunks_exact(pair.rank))
        {
            for (padded, b) in padded.iter_mut().zip(row) {
                *padded = pair.scale * b;
            }
        }
        match (pack(pair.rank, n_cols, &pair.a), pack(n_rows, width, &b)) {
            (Some(a), Some(b)) => Self::Blocks(a, b),
            // Q8_0 always packs.
            _ => Self::Floats(pair.clone()),
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

/// As [`crate::reference::lora`], on the kernels of the matrix it changes.
fn apply_quantized_lora(
    a: &int8::PackedMatrix,
    b: &int8::PackedMatrix,
    x: &int8::Activations,
    y: &mut [f32],
) {
    let kernel = int8::Kernel::best();
    let (rank, width) = (a.n_rows(), b.n_cols());
    let mut inner = vec![0.0; y.len() / b.n_rows() * rank];
    a.matmul(kernel, x, &mut inner);
    let mut padded = vec![0.0; y.len() / b.n_rows() * width];
    for (padded, inner) in padded.chunks_exact_mut(width).zip(inner.chunks_exact(rank)) {
        padded[..rank].copy_from_slice(inner);
    }
    let inner = int8::Activations::quantized(kernel, &padded, width);
    let mut delta = vec![0.0; y.len()];
    b.matmul(kernel, &inner, &mut delta);
    vector::add_scaled(1.0, &delta, y);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::{test_nmse, test_values as values};
    use crate::reference;

    #[test]
    fn agrees_with_the_twin() {
        use TensorType::{BF16, F16, F32, Q4_0, Q8_0};
        // Quantised activations add the error of Q8_0; float ones only reorder the sums.
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
                let inputs = Inputs::new(&x, n_cols);
                linear.apply(&inputs, &mut found);
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
                linear.set_lora(Some(pair));
                linear.apply(&inputs, &mut found);
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
        let got = test_nmse(found, expected);
        println!(
            "{kind} {what}, {} values: bound {bound:e}, got {got:e}",
            found.len()
        );
        assert!(got <= bound, "{kind} {what}: bound {bound:e}, got {got:e}");
    }
}

//! Turns stored matrices into layouts that multiply fast on the CPU.
//!
//! | stored       | kept as          | product                                              |
//! |--------------|------------------|------------------------------------------------------|
//! | blocks       | panels of 16 rows | [`int8`], activations quantised by block            |
//! | F32          | panels of 16 rows | [`floats`](super::floats)                           |
//! | F16, BF16    | the same, of halves | the same, each panel unpacked once for all tokens   |
//!
//! An adapter's pair is kept as Q8_0 next to block weights, and as floats next to floats.

use std::cell::OnceCell;
use std::sync::Arc;

use super::floats::FloatMatrix;
use super::int8;
use super::threads::Threads;
use super::vector;
use crate::adapter::LoraPair;
use crate::gguf::TensorType;
use crate::quant::{self, QK};
use crate::weights::Matrix;

/// A matrix of `n_rows` outputs by `n_cols` inputs, ready to multiply, with an adapter's change if one is set. Clones
/// share the values, and each has its own change.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    pub(crate) n_rows: usize,
    pub(crate) n_cols: usize,
    values: Arc<Values>,
    lora: Option<Lora>,
}

#[derive(Debug, Clone)]
enum Values {
    Floats(FloatMatrix),
    Blocks(int8::PackedMatrix),
}

#[derive(Debug, Clone)]
enum Lora {
    Floats(LoraPair),
    /// `A`, `[R, n_cols]`, and `scale * B`, `[n_rows, R]`, zero-padded to whole blocks.
    Blocks(int8::PackedMatrix, int8::PackedMatrix),
}

/// A matrix to multiply, the bias to add, `[n_rows]`, and the result, `[T, n_rows]`.
pub(crate) type Product<'a> = (&'a Linear, Option<&'a [f32]>, &'a mut Vec<f32>);

/// The inputs of some tokens, `[T, n_cols]`, quantised at most once for all matrices that share them.
pub(crate) struct Inputs<'x> {
    threads: Threads,
    x: &'x [f32],
    n_cols: usize,
    quantized: OnceCell<int8::Activations>,
}

impl<'x> Inputs<'x> {
    pub(crate) fn new(threads: Threads, x: &'x [f32], n_cols: usize) -> Self {
        Self {
            threads,
            x,
            n_cols,
            quantized: OnceCell::new(),
        }
    }

    fn quantized(&self) -> &int8::Activations {
        self.quantized.get_or_init(|| {
            int8::Activations::quantized(int8::Kernel::best(), self.threads, self.x, self.n_cols)
        })
    }
}

impl Linear {
    /// Takes ownership of the matrix; its bytes are freed.
    pub(crate) fn new(matrix: Matrix) -> Self {
        let (n_rows, n_cols) = (matrix.n_rows, matrix.n_cols);
        let values = match (int8::PackedMatrix::new(&matrix), FloatMatrix::new(&matrix)) {
            (Some(packed), _) => Values::Blocks(packed),
            (None, Some(floats)) => Values::Floats(floats),
            (None, None) => {
                unreachable!("a type that is neither blocks nor floats: {}", matrix.kind)
            }
        };
        Self {
            n_rows,
            n_cols,
            values: Arc::new(values),
            lora: None,
        }
    }

    /// Unpacks codes of fewer than 8 bits to a byte each, once for all products.
    pub(crate) fn unpacked(mut self) -> Self {
        self.values = match Arc::unwrap_or_clone(self.values) {
            Values::Blocks(packed) => Arc::new(Values::Blocks(packed.spread())),
            other => Arc::new(other),
        };
        self
    }

    /// Sets or removes an adapter's change. The pair must fit the matrix.
    pub(crate) fn set_lora(&mut self, pair: Option<LoraPair>) {
        self.lora = pair.map(|pair| match &*self.values {
            Values::Blocks(_) => Lora::quantized(&pair, self.n_rows, self.n_cols),
            Values::Floats(_) => Lora::Floats(pair),
        });
    }

    /// Unpacks one row, as [`Matrix::row`].
    pub(crate) fn row(&self, row_idx: usize, y: &mut [f32]) {
        match &*self.values {
            Values::Floats(floats) => floats.row(row_idx, y),
            Values::Blocks(packed) => packed.row(row_idx, y),
        }
    }

    /// `y[t,:] = W x[t,:] + bias + scale * B (A x[t,:])` for several matrices with the same inputs, which threads share
    /// as if they were one matrix. Each `y` is resized.
    pub(crate) fn apply_all<const N: usize>(x: &Inputs<'_>, mut products: [Product<'_>; N]) {
        for (linear, bias, y) in &mut products {
            debug_assert_eq!(x.n_cols, linear.n_cols, "as many inputs as columns");
            // Every value is overwritten, so there is no need to clear old ones.
            y.resize(x.x.len() / linear.n_cols * linear.n_rows, 0.0);
            if let Values::Floats(floats) = &*linear.values {
                floats.matmul(x.threads, x.x, y);
                if let Some(bias) = bias {
                    vector::add_bias(bias, y);
                }
            }
        }
        let mut blocks = products
            .iter_mut()
            .filter_map(|(linear, bias, y)| match &*linear.values {
                Values::Blocks(matrix) => Some(int8::Product {
                    matrix,
                    bias: *bias,
                    y,
                }),
                Values::Floats(_) => None,
            })
            .peekable();
        if blocks.peek().is_some() {
            int8::matmul(int8::Kernel::best(), x.threads, x.quantized(), blocks);
        }
        for (linear, _, y) in products {
            match &linear.lora {
                None => {}
                Some(Lora::Floats(pair)) => apply_lora(pair, x.x, y),
                Some(Lora::Blocks(a, b)) => apply_quantized_lora(a, b, x, y),
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

/// As [`crate::reference::lora`], with the kernels of the matrix it changes.
fn apply_quantized_lora(
    a: &int8::PackedMatrix,
    b: &int8::PackedMatrix,
    x: &Inputs<'_>,
    y: &mut [f32],
) {
    let kernel = int8::Kernel::best();
    let (rank, width) = (a.n_rows(), b.n_cols());
    let mut inner = vec![0.0; y.len() / b.n_rows() * rank];
    let product = int8::Product {
        matrix: a,
        bias: None,
        y: &mut inner,
    };
    int8::matmul(kernel, x.threads, x.quantized(), [product]);
    let mut padded = vec![0.0; y.len() / b.n_rows() * width];
    for (padded, inner) in padded.chunks_exact_mut(width).zip(inner.chunks_exact(rank)) {
        padded[..rank].copy_from_slice(inner);
    }
    let inner = int8::Activations::quantized(kernel, x.threads, &padded, width);
    let mut delta = vec![0.0; y.len()];
    let product = int8::Product {
        matrix: b,
        bias: None,
        y: &mut delta,
    };
    int8::matmul(kernel, x.threads, &inner, [product]);
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
        // Quantised activations add the error of Q8_0; floats only reorder the sums.
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
                let inputs = Inputs::new(Threads::One, &x, n_cols);
                Linear::apply_all(&inputs, [(&linear, None, &mut found)]);
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
                Linear::apply_all(&inputs, [(&linear, None, &mut found)]);
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

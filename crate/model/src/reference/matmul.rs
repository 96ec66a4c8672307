//! Matrix times activations, with dequantised weights.

use super::round;
use crate::weights::Matrix;

/// `y[t,n] = sum over c of matrix[n,c] * x[t,c]`; `matrix` is `[N, C]`, `x` is `[T, C]`, `y` is `[T, N]`.
///
/// Activations are not quantised: kernels that do so differ from this by their rounding.
pub fn matmul(matrix: &Matrix, x: &[f32], y: &mut [f32]) {
    let (n, c) = (matrix.n_rows, matrix.n_cols);
    assert_eq!(
        (x.len() % c, y.len()),
        (0, x.len() / c * n),
        "rows of {c} to rows of {n}"
    );
    let mut row = vec![0.0; c];
    for row_idx in 0..n {
        matrix.row(row_idx, &mut row);
        for (x, y) in x.chunks_exact(c).zip(y.chunks_exact_mut(n)) {
            y[row_idx] = dot(&row, x);
        }
    }
}

/// `sum of a[i] * b[i]`.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len(), "two vectors of one length");
    round(
        a.iter()
            .zip(b)
            .map(|(&a, &b)| f64::from(a) * f64::from(b))
            .sum(),
    )
}

//! An unmerged adapter: adds the low-rank change of a matrix to its result.

use super::matmul::dot;
use crate::adapter::LoraPair;

/// `y[t,:] += scale * B (A x[t,:])`; `x` is `[T, C]`, `y` is `[T, N]`.
pub fn lora(pair: &LoraPair, x: &[f32], y: &mut [f32]) {
    let (c, n) = (pair.a.len() / pair.rank, pair.b.len() / pair.rank);
    assert_eq!(
        (x.len() % c, y.len()),
        (0, x.len() / c * n),
        "rows of {c} to rows of {n}"
    );
    for (x, y) in x.chunks_exact(c).zip(y.chunks_exact_mut(n)) {
        let inner: Vec<f32> = pair.a.chunks_exact(c).map(|row| dot(row, x)).collect();
        for (y, row) in y.iter_mut().zip(pair.b.chunks_exact(pair.rank)) {
            *y += pair.scale * dot(row, &inner);
        }
    }
}

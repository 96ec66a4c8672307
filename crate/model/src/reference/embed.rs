//! Turns tokens into their rows of the embedding matrix.

use crate::token::TokenId;
use crate::weights::Matrix;

/// `y[t,:] = matrix[tokens[t],:]`; `matrix` is `[V, C]`, `y` is `[T, C]`.
///
/// # Panics
/// If a token has no row.
pub fn embed(matrix: &Matrix, tokens: &[TokenId], y: &mut [f32]) {
    assert_eq!(
        y.len(),
        tokens.len() * matrix.n_cols,
        "one row for each token"
    );
    for (token, y) in tokens.iter().zip(y.chunks_exact_mut(matrix.n_cols)) {
        matrix.row(token.idx(), y);
    }
}

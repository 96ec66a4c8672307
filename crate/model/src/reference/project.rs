//! What ends a block: a projection that goes to the stream, or beside it where it is normed first.

use super::rows::rows;
use crate::adapter::LoraPair;
use crate::weights::Matrix;

/// `y[t,:] += W x[t,:] + bias`, or `=`, with an adapter's change.
pub fn project(
    matrix: &Matrix,
    pair: Option<&LoraPair>,
    bias: Option<&[f32]>,
    adds: bool,
    x: &[f32],
    y: &mut [f32],
) {
    let mut made = vec![0.0; y.len()];
    rows(matrix, pair, bias, None, x, &mut made);
    for (y, made) in y.iter_mut().zip(made) {
        *y = if adds { *y + made } else { made };
    }
}

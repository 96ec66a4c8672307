//! Turns a block's last values into its output: a projection, added to the stream or stored next to it to be normed.

use super::linear::linear;
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
    linear(matrix, pair, bias, None, x, &mut made);
    for (y, made) in y.iter_mut().zip(made) {
        *y = if adds { *y + made } else { made };
    }
}

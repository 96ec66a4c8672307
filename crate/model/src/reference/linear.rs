//! A projection with an adapter's change and a bias, soft-capped: logits.

use super::lora::lora;
use super::matmul::matmul;
use crate::adapter::LoraPair;
use crate::weights::Matrix;

/// `y[t,:] = cap * tanh((W x[t,:] + scale * B (A x[t,:]) + bias) / cap)`, without the terms of an absent pair, bias or
/// cap.
pub fn linear(
    matrix: &Matrix,
    pair: Option<&LoraPair>,
    bias: Option<&[f32]>,
    cap: Option<f32>,
    x: &[f32],
    y: &mut [f32],
) {
    matmul(matrix, x, y);
    if let Some(pair) = pair {
        lora(pair, x, y);
    }
    if let Some(bias) = bias {
        for row in y.chunks_exact_mut(bias.len()) {
            row.iter_mut().zip(bias).for_each(|(y, bias)| *y += bias);
        }
    }
    if let Some(cap) = cap {
        for y in y {
            *y = cap * (*y / cap).tanh();
        }
    }
}

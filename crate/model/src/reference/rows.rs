//! A projection with an adapter's change to it, kept below a cap: logits.

use super::lora::lora;
use super::matmul::matmul;
use crate::adapter::LoraPair;
use crate::weights::Matrix;

/// `y[t,:] = cap * tanh((W x[t,:] + scale * B (A x[t,:])) / cap)`, without a pair or a cap what they leave.
pub fn rows(matrix: &Matrix, pair: Option<&LoraPair>, cap: Option<f32>, x: &[f32], y: &mut [f32]) {
    matmul(matrix, x, y);
    if let Some(pair) = pair {
        lora(pair, x, y);
    }
    if let Some(cap) = cap {
        for y in y {
            *y = cap * (*y / cap).tanh();
        }
    }
}

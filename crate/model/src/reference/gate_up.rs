//! The first half of a feed-forward block: norm, gate and up, bias, activation.

use super::geglu::geglu;
use super::rms_norm::rms_norm;
use super::rows::rows;
use super::swiglu::swiglu;
use crate::adapter::LoraPair;
use crate::config::Activation;
use crate::weights::Matrix;

/// `y[t,:] = activation(gate norm(x[t,:]) + bias, up norm(x[t,:]) + bias)`; `x` is `[T, C]`, `y` is `[T, F]`.
pub fn gate_up(
    [gate, up]: [&Matrix; 2],
    pairs: [Option<&LoraPair>; 2],
    biases: [Option<&[f32]>; 2],
    activation: Activation,
    gain: &[f32],
    eps: f32,
    x: &[f32],
    y: &mut [f32],
) {
    let mut normed = vec![0.0; x.len()];
    rms_norm(x, gain, eps, &mut normed);
    let [gates, ups] = [(gate, 0), (up, 1)].map(|(matrix, idx)| {
        let mut made = vec![0.0; y.len()];
        rows(matrix, pairs[idx], biases[idx], None, &normed, &mut made);
        made
    });
    match activation {
        Activation::Silu => swiglu(&gates, &ups, y),
        Activation::GeluTanh => geglu(&gates, &ups, y),
    }
}

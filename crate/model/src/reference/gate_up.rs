//! The first half of a feed-forward block: norm, gate and up, bias, activation.

use super::geglu::geglu;
use super::linear::linear;
use super::rms_norm::rms_norm;
use super::swiglu::swiglu;
use crate::adapter::LoraPair;
use crate::config::Activation;
use crate::weights::Matrix;

/// A matrix, an adapter's change to it, if any, and a bias, if any.
pub type Changed<'m> = (&'m Matrix, Option<&'m LoraPair>, Option<&'m [f32]>);

/// `y[t,:] = activation(gate norm(x[t,:]) + bias, up norm(x[t,:]) + bias)`; `x` is `[T, C]`, `y` is `[T, F]`.
pub fn gate_up(
    gate_and_up: [Changed<'_>; 2],
    activation: Activation,
    gain: &[f32],
    eps: f32,
    x: &[f32],
    y: &mut [f32],
) {
    let mut normed = vec![0.0; x.len()];
    rms_norm(x, gain, eps, &mut normed);
    let [gates, ups] = gate_and_up.map(|(matrix, pair, bias)| {
        let mut made = vec![0.0; y.len()];
        linear(matrix, pair, bias, None, &normed, &mut made);
        made
    });
    match activation {
        Activation::Silu => swiglu(&gates, &ups, y),
        Activation::GeluTanh => geglu(&gates, &ups, y),
    }
}

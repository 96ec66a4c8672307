//! Layer normalisation: each token to mean 0 and variance 1, then a learned gain and bias.

use super::round;

/// `x[t,c] = gain[c] * (x[t,c] - mean) / sqrt(variance + eps) + bias[c]`, in place; `x` is `[T, C]`.
pub fn layer_norm(x: &mut [f32], gain: &[f32], bias: &[f32], eps: f32) {
    let c = gain.len();
    assert_eq!((x.len() % c, bias.len()), (0, c), "whole rows of {c}");
    for x in x.chunks_exact_mut(c) {
        let mean = x.iter().map(|&v| f64::from(v)).sum::<f64>() / c as f64;
        let variance = x
            .iter()
            .map(|&v| (f64::from(v) - mean).powi(2))
            .sum::<f64>()
            / c as f64;
        let scale = 1.0 / (variance + f64::from(eps)).sqrt();
        for ((x, &gain), &bias) in x.iter_mut().zip(gain).zip(bias) {
            *x = round(f64::from(gain) * (f64::from(*x) - mean) * scale + f64::from(bias));
        }
    }
}

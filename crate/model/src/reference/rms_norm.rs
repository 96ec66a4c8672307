//! Root-mean-square normalisation: scales each token to unit power, then by a learned gain.

use super::round;

/// `y[t,c] = gain[c] * x[t,c] / sqrt(mean(x[t,:]^2) + eps)`; `x` and `y` are `[T, C]`.
pub fn rms_norm(x: &[f32], gain: &[f32], eps: f32, y: &mut [f32]) {
    let c = gain.len();
    assert_eq!((x.len() % c, y.len()), (0, x.len()), "whole rows of {c}");
    for (x, y) in x.chunks_exact(c).zip(y.chunks_exact_mut(c)) {
        let mean = x.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>() / c as f64;
        let scale = 1.0 / (mean + f64::from(eps)).sqrt();
        for ((y, &x), &gain) in y.iter_mut().zip(x).zip(gain) {
            *y = round(f64::from(gain) * f64::from(x) * scale);
        }
    }
}

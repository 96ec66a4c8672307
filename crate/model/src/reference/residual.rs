//! Norms a block's output and adds it to the stream.

use super::rms_norm::rms_norm;

/// `x[t,:] + norm(delta[t,:])`.
pub fn residual(gain: &[f32], eps: f32, delta: &[f32], x: &[f32]) -> Vec<f32> {
    let mut normed = vec![0.0; delta.len()];
    rms_norm(delta, gain, eps, &mut normed);
    x.iter().zip(normed).map(|(x, delta)| x + delta).collect()
}

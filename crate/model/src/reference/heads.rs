//! Norms each head and rotates it by its position, in families that norm heads.

use super::rms_norm::rms_norm;
use super::rope::rope;
use crate::config::ModelConfig;

/// Norms and rotates every head of `x`, `[T, heads, D]`, whose first token is at `position`.
pub fn heads(config: &ModelConfig, n_heads: usize, gain: &[f32], position: usize, x: &mut [f32]) {
    let from = x.to_vec();
    rms_norm(&from, gain, config.norm_eps, x);
    rope(config, &config.rope, None, n_heads, position, x);
}

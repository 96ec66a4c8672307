//! The first step of attention: norm, queries, keys and values, bias, RoPE.

use super::linear::linear;
use super::rms_norm::rms_norm;
use super::rope::rope;
use crate::adapter::LoraPair;
use crate::config::ModelConfig;
use crate::weights::Matrix;

/// Queries `[T, H * D]`, keys and values `[T, K * D]` of the tokens in `x`, the first at `position`.
pub fn qkv(
    config: &ModelConfig,
    matrices: [&Matrix; 3],
    pairs: [Option<&LoraPair>; 3],
    bias: [&[f32]; 3],
    gain: &[f32],
    position: usize,
    x: &[f32],
) -> [Vec<f32>; 3] {
    let mut normed = vec![0.0; x.len()];
    rms_norm(x, gain, config.norm_eps, &mut normed);
    let n_tokens = x.len() / gain.len();
    let mut made = [0, 1, 2].map(|idx| {
        let mut y = vec![0.0; n_tokens * matrices[idx].n_rows];
        let bias = Some(bias[idx]);
        linear(matrices[idx], pairs[idx], bias, None, &normed, &mut y);
        y
    });
    rope(
        config,
        &config.rope,
        None,
        config.n_heads,
        position,
        &mut made[0],
    );
    rope(
        config,
        &config.rope,
        None,
        config.n_kv_heads,
        position,
        &mut made[1],
    );
    made
}

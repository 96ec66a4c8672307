//! Rotary positions: turns neighbouring pairs of each head by an angle that grows with the position.
//!
//! This is llama.cpp's `NORM` order, which its converter permutes Hugging Face weights into.

use super::round;
use crate::config::ModelConfig;

/// The angle of `pair` at `position` in radians, brought into one turn so that far positions lose no digits.
///
/// `position * rope_scale * rope_base ^ (-2 pair / rope_dim) / factors[pair]`
pub fn angle(config: &ModelConfig, factors: Option<&[f32]>, position: usize, pair: usize) -> f32 {
    let exponent = -2.0 * pair as f64 / config.rope_dim as f64;
    let factor = factors.map_or(1.0, |factors| f64::from(factors[pair]));
    let frequency = f64::from(config.rope_base).powf(exponent) / factor;
    round((position as f64 * f64::from(config.rope_scale) * frequency) % std::f64::consts::TAU)
}

/// Rotates every head of every token in place; `x` is `[T, heads, D]`, its first token stands at `position`.
///
/// `(x[2i], x[2i+1])` becomes `(x[2i] cos - x[2i+1] sin, x[2i] sin + x[2i+1] cos)` for the first `rope_dim` values.
pub fn rope(
    config: &ModelConfig,
    factors: Option<&[f32]>,
    n_heads: usize,
    position: usize,
    x: &mut [f32],
) {
    let width = n_heads * config.head_size;
    assert_eq!(x.len() % width, 0, "whole rows of {width}");
    for (t, token) in x.chunks_exact_mut(width).enumerate() {
        for pair in 0..config.rope_dim / 2 {
            let (sin, cos) = f64::from(angle(config, factors, position + t, pair)).sin_cos();
            for head in token.chunks_exact_mut(config.head_size) {
                let (a, b) = (f64::from(head[2 * pair]), f64::from(head[2 * pair + 1]));
                head[2 * pair] = round(a * cos - b * sin);
                head[2 * pair + 1] = round(a * sin + b * cos);
            }
        }
    }
}

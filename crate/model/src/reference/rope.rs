//! Rotary positions: turns the pairs of each head by an angle that grows with the position.
//!
//! llama.cpp's converter permutes llama's weights so that neighbours are pairs; other families keep theirs half a head apart.

use super::round;
use crate::config::{ModelConfig, Rope, RopeOrder};

/// The angle of `pair` at `position` in radians, brought into one turn so that far positions lose no digits.
///
/// `position * scale * base ^ (-2 pair / dim) / factors[pair]`
pub fn angle(rope: &Rope, factors: Option<&[f32]>, position: usize, pair: usize) -> f32 {
    let exponent = -2.0 * pair as f64 / rope.dim as f64;
    let factor = factors.map_or(1.0, |factors| f64::from(factors[pair]));
    let frequency = f64::from(rope.base).powf(exponent) / factor;
    round((position as f64 * f64::from(rope.scale) * frequency) % std::f64::consts::TAU)
}

/// Rotates every head of every token in place; `x` is `[T, heads, D]`, its first token stands at `position`.
///
/// A pair `(a, b)` becomes `(a cos - b sin, a sin + b cos)` for the first `rope.dim` values; which two are a pair says
/// [`RopeOrder`].
pub fn rope(
    config: &ModelConfig,
    rope: &Rope,
    factors: Option<&[f32]>,
    n_heads: usize,
    position: usize,
    x: &mut [f32],
) {
    let width = n_heads * config.head_size;
    assert_eq!(x.len() % width, 0, "whole rows of {width}");
    for (t, token) in x.chunks_exact_mut(width).enumerate() {
        for pair in 0..rope.dim / 2 {
            let (i, j) = match config.traits.rope_order {
                RopeOrder::Neighbours => (2 * pair, 2 * pair + 1),
                RopeOrder::Halves => (pair, pair + rope.dim / 2),
            };
            let (sin, cos) = f64::from(angle(rope, factors, position + t, pair)).sin_cos();
            for head in token.chunks_exact_mut(config.head_size) {
                let (a, b) = (f64::from(head[i]), f64::from(head[j]));
                head[i] = round(a * cos - b * sin);
                head[j] = round(a * sin + b * cos);
            }
        }
    }
}

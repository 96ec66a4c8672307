//! RoPE: rotates the pairs of each head by an angle that grows with the position.
//!
//! llama.cpp's converter permutes llama's weights so that neighbours are pairs; other families keep theirs half a head apart.

use super::round;
use crate::config::{ModelConfig, Rope, RopeOrder};

/// The rotation of `pair` at `position`: its frequency is `base ^ (-2 pair / dim) / factors[pair]`, times
/// [`Rope::scale`] as far as [`Rope::yarn`]'s ramp has risen at that pair. Deliberately independent of the production
/// code.
pub fn angle(rope: &Rope, factors: Option<&[f32]>, position: usize, pair: usize) -> f64 {
    let wavelength = (f64::from(rope.base).ln() * 2.0 * pair as f64 / rope.dim as f64).exp();
    let factor = factors.map_or(1.0, |factors| f64::from(factors[pair]));
    let ramp = match rope.yarn {
        None => 1.0,
        Some(yarn) => {
            let width = (f64::from(yarn.to) - f64::from(yarn.from)).max(0.001);
            ((pair as f64 - f64::from(yarn.from)) / width).clamp(0.0, 1.0)
        }
    };
    let scale = 1.0 - ramp * (1.0 - f64::from(rope.scale));
    position as f64 * scale / (wavelength * factor)
}

/// The cosine and sine of that angle, times the RoPE's magnitude.
pub fn turn(rope: &Rope, factors: Option<&[f32]>, position: usize, pair: usize) -> [f32; 2] {
    let (sin, cos) = angle(rope, factors, position, pair).sin_cos();
    let magnitude = f64::from(rope.magnitude);
    [round(magnitude * cos), round(magnitude * sin)]
}

/// Rotates every head of every token in place; `x` is `[T, heads, D]`, the first token at `position`.
///
/// A pair `(a, b)` becomes `(a cos - b sin, a sin + b cos)` times the magnitude for the first `rope.dim` values;
/// [`RopeOrder`] says which two are a pair.
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
    let magnitude = f64::from(rope.magnitude);
    for (t, token) in x.chunks_exact_mut(width).enumerate() {
        for pair in 0..rope.dim / 2 {
            let (i, j) = match config.traits.rope_order {
                RopeOrder::Neighbours => (2 * pair, 2 * pair + 1),
                RopeOrder::Halves => (pair, pair + rope.dim / 2),
            };
            let (sin, cos) = angle(rope, factors, position + t, pair).sin_cos();
            for head in token.chunks_exact_mut(config.head_size) {
                let (a, b) = (f64::from(head[i]), f64::from(head[j]));
                head[i] = round(magnitude * (a * cos - b * sin));
                head[j] = round(magnitude * (a * sin + b * cos));
            }
        }
    }
}

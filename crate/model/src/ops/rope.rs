//! Turns a position into the angles by which it rotates the pairs of a head.

use crate::config::Rope;

/// The angle of `pair` at `position`, in radians, reduced to one full turn so that large positions lose no precision.
///
/// `position * stretched * base ^ (-2 pair / dim) / factors[pair]`, where `stretched` is `scale` or, for pairs before
/// the end of [`Rope::yarn`]'s ramp, between `scale` and 1.
pub(crate) fn angle(rope: &Rope, factors: Option<&[f32]>, position: usize, pair: usize) -> f32 {
    let exponent = -2.0 * pair as f64 / rope.dim as f64;
    let factor = factors.map_or(1.0, |factors| f64::from(factors[pair]));
    let frequency = f64::from(rope.base).powf(exponent) / factor;
    let scale = f64::from(rope.scale);
    let stretched = match rope.yarn {
        None => scale,
        Some(yarn) => {
            let (from, to) = (f64::from(yarn.from), f64::from(yarn.to));
            let done = ((pair as f64 - from) / (to - from).max(0.001)).clamp(0.0, 1.0);
            scale * done + (1.0 - done)
        }
    };
    let angle = (position as f64 * stretched * frequency) % std::f64::consts::TAU;
    #[expect(clippy::cast_possible_truncation, reason = "within one turn")]
    let angle = angle as f32;
    angle
}

/// The cosine and sine of that angle, times the RoPE's magnitude.
pub(crate) fn turn(
    rope: &Rope,
    factors: Option<&[f32]>,
    position: usize,
    pair: usize,
) -> (f32, f32) {
    let angle = angle(rope, factors, position, pair);
    (rope.magnitude * angle.cos(), rope.magnitude * angle.sin())
}

//! The gated activation of gemma's feed-forward block.

use super::round;

/// `y[i] = gate[i] / 2 * (1 + tanh(sqrt(2 / pi) * (gate[i] + 0.044715 gate[i]^3))) * up[i]`; all three of one length.
pub fn geglu(gate: &[f32], up: &[f32], y: &mut [f32]) {
    assert_eq!(
        (gate.len(), up.len()),
        (y.len(), y.len()),
        "three vectors of one length"
    );
    for ((y, &gate), &up) in y.iter_mut().zip(gate).zip(up) {
        let gate = f64::from(gate);
        let inner = (2.0 / std::f64::consts::PI).sqrt() * (gate + 0.044_715 * gate.powi(3));
        *y = round(gate / 2.0 * (1.0 + inner.tanh()) * f64::from(up));
    }
}

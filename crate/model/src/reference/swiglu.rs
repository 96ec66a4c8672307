//! The gated activation of llama's feed-forward block.

use super::round;

/// `y[i] = gate[i] / (1 + exp(-gate[i])) * up[i]`; all three of one length.
pub fn swiglu(gate: &[f32], up: &[f32], y: &mut [f32]) {
    assert_eq!(
        (gate.len(), up.len()),
        (y.len(), y.len()),
        "three vectors of one length"
    );
    for ((y, &gate), &up) in y.iter_mut().zip(gate).zip(up) {
        let gate = f64::from(gate);
        *y = round(gate / (1.0 + (-gate).exp()) * f64::from(up));
    }
}

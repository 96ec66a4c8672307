//! The residual connection.

/// `y[i] += x[i]`.
pub fn add(x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len(), "two vectors of one length");
    for (y, x) in y.iter_mut().zip(x) {
        *y += x;
    }
}

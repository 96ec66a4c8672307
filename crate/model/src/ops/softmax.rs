//! Turns scores into weights that sum to one.

/// `x[i] = exp(x[i] - max) / sum`, in place. Subtracting the maximum keeps large scores finite.
pub(crate) fn softmax(x: &mut [f32]) {
    let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exps: Vec<f64> = x
        .iter()
        .map(|&x| (f64::from(x) - f64::from(max)).exp())
        .collect();
    let sum: f64 = exps.iter().sum();
    for (x, exp) in x.iter_mut().zip(exps) {
        #[expect(clippy::cast_possible_truncation, reason = "a share, rounded")]
        let share = (exp / sum) as f32;
        *x = share;
    }
}

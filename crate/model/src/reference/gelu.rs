//! The activation of bert's feed-forward block, by the error function, as in the original.

use super::round;

/// `x[i] = x[i] / 2 * (1 + erf(x[i] / sqrt(2)))`, in place.
pub fn gelu(x: &mut [f32]) {
    for x in x {
        let wide = f64::from(*x);
        *x = round(wide / 2.0 * (1.0 + erf(wide / std::f64::consts::SQRT_2)));
    }
}

/// The error function by its Taylor series, which converges everywhere; beyond 6 it is 1 in double precision.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-18 * sum.abs() {
        n += 1.0;
        term *= -x * x / n;
        sum += term / (2.0 * n + 1.0);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}

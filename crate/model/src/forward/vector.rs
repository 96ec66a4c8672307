//! The loops between the matrix products, written for compilers to vectorise: AVX-512, AVX2 or SSE depending on the
//! processor, NEON, and SIMD128 in wasm.
//!
//! Each is compared below with its twin in [`crate::reference`].

use super::multiversion::multiversion;

/// Lanes of a sum, four registers of four: a single chain of additions would be latency-bound.
const LANES: usize = 16;

multiversion! {
    /// `sum of a[i] * b[i]`.
    pub(crate) fn dot<const FMA: bool>(a: &[f32], b: &[f32]) -> f32 {
        sum_of_products::<FMA>(a, b)
    }

    /// `y[i] += scale * x[i]`.
    pub(crate) fn add_scaled<const FMA: bool>(scale: f32, x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = mul_add::<FMA>(scale, *x, *y);
        }
    }

    /// `y[t,:] += bias`, for every row.
    pub(crate) fn add_bias<const FMA: bool>(bias: &[f32], y: &mut [f32]) {
        for y in y.chunks_exact_mut(bias.len()) {
            for (y, bias) in y.iter_mut().zip(bias) {
                *y += bias;
            }
        }
    }

    /// As [`crate::reference::rms_norm`].
    pub(crate) fn rms_norm<const FMA: bool>(x: &[f32], gain: &[f32], eps: f32, y: &mut [f32]) {
        let c = gain.len();
        for (x, y) in x.chunks_exact(c).zip(y.chunks_exact_mut(c)) {
            let scale = 1.0 / (sum_of_products::<FMA>(x, x) / len(c) + eps).sqrt();
            for ((y, x), gain) in y.iter_mut().zip(x).zip(gain) {
                *y = gain * x * scale;
            }
        }
    }

    /// As [`crate::reference::layer_norm`].
    pub(crate) fn layer_norm<const FMA: bool>(x: &mut [f32], gain: &[f32], bias: &[f32], eps: f32) {
        let c = gain.len();
        for x in x.chunks_exact_mut(c) {
            let mean = sum(x) / len(c);
            for x in &mut *x {
                *x -= mean;
            }
            let scale = 1.0 / (sum_of_products::<FMA>(x, x) / len(c) + eps).sqrt();
            for ((x, gain), bias) in x.iter_mut().zip(gain).zip(bias) {
                *x = mul_add::<FMA>(gain * *x, scale, *bias);
            }
        }
    }

    /// One step of an online softmax, [`crate::ops::softmax`] without the division: `x` becomes exponentials relative
    /// to the largest score so far, and `total` their running sum. Returns the factor that rescales earlier steps,
    /// since `largest` may have grown.
    pub(crate) fn softmax_onto<const FMA: bool>(x: &mut [f32], largest: &mut f32, total: &mut f32) -> f32 {
        let max = max(x).max(*largest);
        let scale = if *largest == max {
            1.0
        } else {
            exp::<FMA>(*largest - max)
        };
        for x in &mut *x {
            *x = exp::<FMA>(*x - max);
        }
        *largest = max;
        *total = scale * *total + sum(x);
        scale
    }

    /// As [`crate::reference::swiglu`], into `gate`.
    pub(crate) fn swiglu<const FMA: bool>(gate: &mut [f32], up: &[f32]) {
        for (gate, up) in gate.iter_mut().zip(up) {
            *gate = *gate / (1.0 + exp::<FMA>(-*gate)) * up;
        }
    }

    /// As [`crate::reference::geglu`], into `gate`.
    pub(crate) fn geglu<const FMA: bool>(gate: &mut [f32], up: &[f32]) {
        for (gate, up) in gate.iter_mut().zip(up) {
            let inner = GEGLU_SCALE * *gate * (1.0 + 0.044_715 * *gate * *gate);
            *gate = *gate / (1.0 + exp::<FMA>(-inner)) * up;
        }
    }

    /// As [`crate::reference::gelu`].
    pub(crate) fn gelu<const FMA: bool>(x: &mut [f32]) {
        for x in x {
            *x = 0.5 * *x * (1.0 + erf::<FMA>(*x * std::f32::consts::FRAC_1_SQRT_2));
        }
    }
}

/// `2 * sqrt(2 / pi)`: `(1 + tanh(z)) / 2` is `1 / (1 + e^(-2 z))`.
const GEGLU_SCALE: f32 = 1.595_769;

/// `a * b + c`, fused if `FMA`; elsewhere `f32::mul_add` would be a call.
#[inline(always)]
pub(super) fn mul_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn sum_of_products<const FMA: bool>(a: &[f32], b: &[f32]) -> f32 {
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] = mul_add::<FMA>(a[lane], b[lane], sums[lane]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[inline(always)]
fn max(x: &[f32]) -> f32 {
    let larger = |max: f32, x: f32| if x > max { x } else { max };
    let (blocks, rest) = x.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for block in blocks {
        for lane in 0..LANES {
            lanes[lane] = larger(lanes[lane], block[lane]);
        }
    }
    lanes
        .iter()
        .chain(rest)
        .copied()
        .fold(f32::NEG_INFINITY, larger)
}

#[inline(always)]
fn sum(x: &[f32]) -> f32 {
    let (blocks, rest) = x.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for block in blocks {
        for lane in 0..LANES {
            sums[lane] += block[lane];
        }
    }
    sums.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "widths are far below 2^24")]
fn len(n: usize) -> f32 {
    n as f32
}

/// `e ^ x` with a relative error of about 1e-7, without a branch or a call: `2^n * e^r` with `|r| <= ln(2) / 2`.
///
/// Source: Cephes, `expf.c`.
#[inline(always)]
fn exp<const FMA: bool>(x: f32) -> f32 {
    /// Adding 1.5 * 2^23 rounds to an integer, left in the low bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = mul_add::<FMA>(n, 2.121_944_4e-4, mul_add::<FMA>(n, -0.693_359_4, x));
    let mut p = 1.987_569_1e-4;
    p = mul_add::<FMA>(p, r, 1.398_199_9e-3);
    p = mul_add::<FMA>(p, r, 8.333_452e-3);
    p = mul_add::<FMA>(p, r, 4.166_579_6e-2);
    p = mul_add::<FMA>(p, r, 1.666_666_5e-1);
    p = mul_add::<FMA>(p, r, 5e-1);
    p = mul_add::<FMA>(p * r, r, r) + 1.0;
    // The clamp keeps the exponent within 1 to 254; the bits above it are shifted out.
    p * f32::from_bits((rounded.to_bits().wrapping_add(127)) << 23)
}

/// The error function to 2e-7. Source: Abramowitz and Stegun, 7.1.26.
#[inline(always)]
fn erf<const FMA: bool>(x: f32) -> f32 {
    let size = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let mut p = 1.061_405_4;
    p = mul_add::<FMA>(p, t, -1.453_152);
    p = mul_add::<FMA>(p, t, 1.421_413_8);
    p = mul_add::<FMA>(p, t, -0.284_496_74);
    p = mul_add::<FMA>(p, t, 0.254_829_6);
    mul_add::<FMA>(-p * t, exp::<FMA>(-size * size), 1.0).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::multiversion::Level;
    use crate::forward::multiversion::tests::on_every_level;
    use crate::forward::{test_nmse, test_values as values};
    use crate::reference;

    /// Odd lengths, to exercise the remainder after the lanes.
    const LENGTHS: [usize; 3] = [1, 63, 1757];

    #[track_caller]
    fn nmse(what: &str, found: &[f32], expected: &[f32]) {
        const BOUND: f64 = 1e-11;
        let level = Level::best();
        let got = test_nmse(found, expected);
        println!(
            "{what} on {level:?}, {} values: bound {BOUND:e}, got {got:e}",
            found.len()
        );
        assert!(
            got <= BOUND,
            "{what} on {level:?}: bound {BOUND:e}, got {got:e}"
        );
    }

    #[test]
    fn agrees_with_the_twins() {
        on_every_level(|_| LENGTHS.into_iter().for_each(agrees_at_length));
    }

    fn agrees_at_length(n: usize) {
        let (a, b, bias) = (values(n, 1), values(n, 2), values(n, 3));
        nmse("dot", &[dot(&a, &b)], &[reference::matmul::dot(&a, &b)]);

        let (mut found, mut expected) = (vec![0.0; n], vec![0.0; n]);
        rms_norm(&a, &b, 1e-5, &mut found);
        reference::rms_norm::rms_norm(&a, &b, 1e-5, &mut expected);
        nmse("rms_norm", &found, &expected);

        let (mut found, mut expected) = (a.clone(), a.clone());
        layer_norm(&mut found, &b, &bias, 1e-5);
        reference::layer_norm::layer_norm(&mut expected, &b, &bias, 1e-5);
        nmse("layer_norm", &found, &expected);

        let (mut found, mut expected) = (a.clone(), a.clone());
        let (mut largest, mut total) = (f32::NEG_INFINITY, 0.0);
        let (first, last) = found.split_at_mut(n / 2);
        if !first.is_empty() {
            softmax_onto(first, &mut largest, &mut total);
        }
        let scale = softmax_onto(last, &mut largest, &mut total);
        first.iter_mut().for_each(|x| *x *= scale);
        found.iter_mut().for_each(|x| *x /= total);
        crate::ops::softmax::softmax(&mut expected);
        nmse("softmax", &found, &expected);

        let (mut found, mut expected) = (a.clone(), vec![0.0; n]);
        swiglu(&mut found, &b);
        reference::swiglu::swiglu(&a, &b, &mut expected);
        nmse("swiglu", &found, &expected);

        let (mut found, mut expected) = (a.clone(), vec![0.0; n]);
        geglu(&mut found, &b);
        reference::geglu::geglu(&a, &b, &mut expected);
        nmse("geglu", &found, &expected);

        let (mut found, mut expected) = (a.clone(), a.clone());
        gelu(&mut found);
        reference::gelu::gelu(&mut expected);
        nmse("gelu", &found, &expected);
    }

    #[test]
    fn stays_finite_far_out() {
        on_every_level(|_| ends());
    }

    fn ends() {
        let exponentials = |mut x: [f32; 2]| {
            softmax_onto(&mut x, &mut 0.0, &mut 0.0);
            x
        };
        assert_eq!(
            exponentials([-1e9, 0.0]),
            exponentials([-87.0, 0.0]),
            "never below the smallest"
        );
        let mut far = [-1e4, 1e4];
        swiglu(&mut far, &[1.0, 1.0]);
        assert!(
            far[0].abs() < 1e-30 && far[1] == 1e4,
            "the ends of silu: {far:?}"
        );
        let mut far = [-1e4, 1e4];
        geglu(&mut far, &[1.0, 1.0]);
        assert!(
            far[0].abs() < 1e-30 && far[1] == 1e4,
            "the ends of geglu: {far:?}"
        );
        let mut far = [-40.0, 40.0];
        gelu(&mut far);
        assert_eq!(far, [0.0, 40.0], "the ends of gelu");
    }
}

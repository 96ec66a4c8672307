//! Turns the residuals of vectors from their shards' means into axes, and each vector into its code along them.
//!
//! The axes are principal components. Bits go where they remove most of the squared error (reverse water-filling; Cover
//! and Thomas, *Elements of Information Theory*, 10.3.3).

use super::codes::{Codes, MAX_AXES, MAX_BITS, n_bytes};
use super::each::each;
use super::principal::principal;
use crate::vector::int8_vectors::{Int8Vectors, length};

/// Code bits per component of a vector: fewer miss more of the nearest, more cost more download
/// (`docs/decisions/codes-of-two-bits.md`).
const BITS_PER_COMPONENT: usize = 2;
/// Optimal quantiser step for each number of bits and a normal distribution, in standard deviations (Max, 1960, table
/// II).
const STEPS: [f32; MAX_BITS as usize + 1] = [0.0, 1.596, 0.9957, 0.5860, 0.3352, 0.1881];
/// Share of the squared error that remains with each number of bits (the same table).
const ERRORS: [f64; MAX_BITS as usize + 1] = [1.0, 0.3634, 0.1188, 0.037_44, 0.011_54, 0.003_495];
/// Maximum vectors from which the axes are computed.
const N_SAMPLES: usize = 16_384;

/// Vectors and the means of their shards, from which residuals are taken.
pub(super) struct ShardResiduals<'r> {
    pub(super) rows: &'r Int8Vectors,
    pub(super) means: &'r Int8Vectors,
    pub(super) lengths: &'r [f32],
    pub(super) groups: &'r [Vec<u32>],
}

impl ShardResiduals<'_> {
    /// The members of all shards, each with its shard.
    fn members(&self) -> Vec<(usize, u32)> {
        let members = |(shard, group): (usize, &Vec<u32>)| {
            let members: Vec<(usize, u32)> = group.iter().map(|&row| (shard, row)).collect();
            members
        };
        self.groups.iter().enumerate().flat_map(members).collect()
    }

    fn n_components(&self) -> usize {
        self.rows.dimension().min(MAX_AXES)
    }

    /// The first components of one member minus its shard's mean.
    fn residual(&self, (shard, row): (usize, u32)) -> Vec<f32> {
        let scale = self.rows.scale(row as usize);
        let mean_scale = self.means.scale(shard) * self.lengths[shard];
        let components = self.rows.row(row as usize).iter();
        components
            .zip(self.means.row(shard))
            .take(self.n_components())
            .map(|(&x, &mean)| f32::from(x) * scale - f32::from(mean) * mean_scale)
            .collect()
    }
}

/// Codes of all members, in the order of the shards. The result is the same for any number of threads: one thread
/// computes the axes, and each vector is coded independently.
pub(super) fn coded(residuals: &ShardResiduals<'_>) -> Codes {
    let members = residuals.members();
    let n_components = residuals.n_components();
    let (axes, bits, deviations) = chosen(residuals, &members);
    let coded = each(&members, |&member| {
        let residual = residuals.residual(member);
        let along = |axis: &Vec<f32>| axis.iter().zip(&residual).map(|(a, x)| a * x).sum();
        let along: Vec<f32> = axes.iter().map(along).collect();
        code(&along, &residual, &bits, &deviations)
    });
    let largest_factor = coded
        .iter()
        .fold(0.0, |most: f32, code| most.max(code.factor));
    let mut rows = Int8Vectors::new(residuals.rows.dimension());
    for axis in &axes {
        let mut axis = axis.clone();
        axis.resize(residuals.rows.dimension(), 0.0);
        rows.push(&axis);
    }
    let (error, squares) = coded.iter().fold((0.0, 0.0), |(error, squares), code| {
        let factor = f64::from(code.factor);
        (error + code.error, squares + factor * factor)
    });
    let noise = (error / squares.max(f64::MIN_POSITIVE) / n_components.max(1) as f64).sqrt();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of 255, and an error of vectors of length 1"
    )]
    let (factors, noise) = (
        coded
            .iter()
            .map(|code| (code.factor / largest_factor * 255.0).round() as u8)
            .collect(),
        noise as f32,
    );
    Codes {
        axes: rows,
        steps: steps(&bits, &deviations).collect(),
        noise,
        largest_factor,
        factors,
        codes: coded.into_iter().flat_map(|code| code.bytes).collect(),
        bits,
    }
}

fn steps(bits: &[u8], deviations: &[f32]) -> impl Iterator<Item = f32> {
    let both = bits.iter().zip(deviations);
    both.map(|(&bits, deviation)| STEPS[usize::from(bits)] * deviation)
}

/// One vector's code.
struct Code {
    bytes: Vec<u8>,
    factor: f32,
    /// Squared error of the code.
    error: f64,
}

/// Quantises a residual, whose components along the axes are `along`: these are scaled to the length of `deviations`
/// and rounded to the nearest codes. The factor makes the code's dot product with its own vector exact.
fn code(along: &[f32], residual: &[f32], bits: &[u8], deviations: &[f32]) -> Code {
    let size = length(along) / length(deviations).max(f32::MIN_POSITIVE);
    let mut code = Code {
        bytes: vec![0; n_bytes(bits)],
        factor: 0.0,
        error: 0.0,
    };
    let (mut product, mut square) = (0.0, 0.0);
    let mut place = 0;
    for ((x, step), &n_bits) in along.iter().zip(steps(bits, deviations)).zip(bits) {
        let half = f32::from(1_u8 << (n_bits - 1));
        // For a residual of 0, any code will do.
        let level = (x / (step * size)).floor().max(-half).min(half - 1.0);
        let value = (level + 0.5) * step;
        product += value * x;
        square += value * value;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to 31"
        )]
        let number = (level + half) as u8;
        for bit in 0..usize::from(n_bits) {
            code.bytes[(place + bit) / 8] |= (number >> bit & 1) << ((place + bit) % 8);
        }
        place += usize::from(n_bits);
    }
    let whole = length(residual);
    let factor = length(along) * length(along) / product;
    if factor.is_finite() && product > 0.0 {
        code.factor = factor;
        let missed = whole * whole - factor * (2.0 * product - factor * square);
        code.error = f64::from(missed.max(0.0));
    }
    code
}

/// The axes that get bits, the bits of each, and the spread of vectors along each.
fn chosen(
    residuals: &ShardResiduals<'_>,
    members: &[(usize, u32)],
) -> (Vec<Vec<f32>>, Vec<u8>, Vec<f32>) {
    let n_components = residuals.n_components();
    let step = members.len().div_ceil(N_SAMPLES).max(1);
    let mut covariance = vec![vec![0.0_f64; n_components]; n_components];
    let mut n_samples = 0.0;
    for &member in members.iter().step_by(step) {
        let residual = residuals.residual(member);
        for (sums, &x) in covariance.iter_mut().zip(&residual) {
            for (sum, &y) in sums.iter_mut().zip(&residual) {
                *sum += f64::from(x * y);
            }
        }
        n_samples += 1.0;
    }
    for sum in covariance.iter_mut().flatten() {
        *sum /= n_samples;
    }
    let (axes, variances) = principal(covariance);
    let bits = allotted(&variances, n_components * BITS_PER_COMPONENT);
    let with_bits = |n: &usize| bits[*n] > 0;
    let kept: Vec<usize> = (0..axes.len()).filter(with_bits).collect();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "components of vectors of length 1"
    )]
    let axis = |&n: &usize| axes[n].iter().map(|&x| x as f32).collect();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "components of vectors of length 1"
    )]
    let deviation = |&n: &usize| variances[n].sqrt() as f32;
    (
        kept.iter().map(axis).collect(),
        kept.iter().map(|&n| bits[n]).collect(),
        kept.iter().map(deviation).collect(),
    )
}

/// Allots bits to the axes, `n_bits` in total at most: each goes where it removes most error.
fn allotted(variances: &[f64], n_bits: usize) -> Vec<u8> {
    let mut bits = vec![0_u8; variances.len()];
    let gain = |axis: usize, bits: u8| {
        let (now, next) = (usize::from(bits), usize::from(bits) + 1);
        let next = ERRORS.get(next).copied().unwrap_or(ERRORS[now]);
        variances[axis] * (ERRORS[now] - next)
    };
    for _ in 0..n_bits {
        let gains = (0..bits.len()).map(|axis| (axis, gain(axis, bits[axis])));
        let best = gains.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        match best {
            Some((axis, gain)) if gain > 0.0 => bits[axis] += 1,
            _ => break,
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_go_where_vectors_differ() {
        assert_eq!(allotted(&[1.0, 1.0], 4), [2, 2]);
        // A second bit removes 0.2446 of the first axis's variance, a first bit 0.6366 of the others'.
        assert_eq!(allotted(&[1.0, 0.3, 0.1], 3), [2, 1, 0]);
        assert_eq!(
            allotted(&[1.0, 0.0], 100),
            [MAX_BITS, 0],
            "no more than help"
        );
        assert_eq!(allotted(&[], 8), [0; 0]);
    }

    #[test]
    fn a_code_is_right_about_its_own_vector() {
        let deviations = [0.4, 0.2, 0.1];
        let bits = [3, 2, 1];
        let along = [0.5, -0.1, 0.08];
        let code = code(&along, &along, &bits, &deviations);
        assert_eq!(code.bytes.len(), 1, "six bits");
        let mut place = 0;
        let mut product = 0.0;
        for ((x, step), n_bits) in along.iter().zip(steps(&bits, &deviations)).zip(bits) {
            let number = code.bytes[0] >> place & ((1 << n_bits) - 1);
            let half = f32::from(1_u8 << (n_bits - 1));
            product += x * code.factor * step * (f32::from(number) + 0.5 - half);
            place += n_bits;
        }
        let expected = length(&along) * length(&along);
        assert!(
            (product - expected).abs() < 1e-5,
            "{product}, expected {expected}"
        );
        assert!(code.error < 0.02, "what is missed: {}", code.error);
    }

    #[test]
    fn a_vector_like_its_mean_has_a_code_of_nothing() {
        let code = code(&[0.0; 3], &[0.0; 3], &[3, 2, 1], &[0.4, 0.2, 0.1]);
        assert_eq!((code.factor, code.error), (0.0, 0.0));
    }
}

//! Estimates how near vectors are from codes of a few bits, with one table look-up per byte.
//!
//! A vector is coded by its residual from its shard's mean, along axes: the directions in which vectors differ most,
//! found by principal components. Each axis has its own number of bits and a step; a code `c` of `b` bits stands for
//! `(c + 1/2 - 2^(b-1)) * step * factor`, with one factor for each vector. Axes along which vectors hardly differ have
//! no code. Since each bit adds its own share to a sum, a query needs one table of 256 sums for each byte of the codes,
//! and codes may cross bytes.
//!
//! Sums are integers, so they are the same on every processor.

use crate::vector::int8_vectors::{Int8Vectors, Query};

/// Maximum number of axes; longer embeddings are coded by their first components only.
pub(super) const MAX_AXES: usize = 1024;
/// Maximum bits along one axis.
pub(super) const MAX_BITS: u8 = 5;
/// The largest weight of a lowest bit. The codes along all axes stay within 31 bits: 1024 * 2^5 * 32,767.
const MAX_WEIGHT: f32 = 32_767.0;

/// The codes of all vectors.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Codes {
    /// Directions of the axes.
    pub(super) axes: Int8Vectors,
    /// Bits of the codes along each axis, 1 to [`MAX_BITS`].
    pub(super) bits: Vec<u8>,
    /// Distance between two neighbouring codes along each axis, for a factor of 1.
    pub(super) steps: Vec<f32>,
    /// Standard deviation of an estimate's error, for a factor of 1.
    pub(super) noise: f32,
    /// The factor that a stored 255 stands for.
    pub(super) largest_factor: f32,
    /// Each vector's factor, as 255ths of the largest.
    pub(super) factors: Vec<u8>,
    /// [`n_bytes`](Self::n_bytes) for each vector. Bits are packed from the first axis on, lowest first.
    pub(super) codes: Vec<u8>,
}

/// One query's look-up tables, from which the estimates of vectors are summed.
pub(super) struct Tables {
    /// For each byte of a code, the sum that each of its values stands for.
    sums: Vec<[i32; 256]>,
    /// The sum if all codes are 0.
    lowest: i32,
    /// The cosine that a sum of 1 stands for, for a factor of 1.
    unit: f32,
}

impl Codes {
    /// Bytes of each vector's code.
    pub(super) fn n_bytes(&self) -> usize {
        n_bytes(&self.bits)
    }

    fn factor(&self, row: usize) -> f32 {
        f32::from(self.factors[row]) / 255.0 * self.largest_factor
    }

    /// The standard deviation of an estimate's error.
    pub(super) fn error(&self, row: usize) -> f32 {
        self.noise * self.factor(row)
    }

    /// Weight of each bit of a code for a query.
    fn weights(&self, query: &Query) -> (Vec<i32>, f32) {
        let along = self.axes.similarities(query).zip(&self.steps);
        let along: Vec<f32> = along.map(|(along, step)| along * step).collect();
        let largest = along.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let unit = largest / MAX_WEIGHT;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the quotient is within -32767 and 32767, or no number and then 0"
        )]
        let weights = along.iter().map(|x| (x / unit).round() as i32).collect();
        (weights, unit)
    }

    pub(super) fn tables(&self, query: &Query) -> Tables {
        let (weights, unit) = self.weights(query);
        let mut lowest = 0_i32;
        // Doubled, so that the halves in codes become integers.
        let mut of_bits: Vec<i32> = Vec::with_capacity(self.n_bytes() * 8);
        for (&weight, &n_bits) in weights.iter().zip(&self.bits) {
            lowest = lowest.wrapping_add(weight.wrapping_mul(1 - (1 << n_bits)));
            of_bits.extend((0..n_bits).map(|bit| weight.wrapping_mul(2 << bit)));
        }
        let sums = of_bits.chunks(8).map(|of_bits| {
            let mut sums = [0_i32; 256];
            for (bit, &weight) in of_bits.iter().enumerate() {
                let (known, next) = sums.split_at_mut(1 << bit);
                for (sum, known) in next.iter_mut().zip(known) {
                    *sum = known.wrapping_add(weight);
                }
            }
            sums
        });
        Tables {
            sums: sums.collect(),
            lowest,
            unit: unit / 2.0,
        }
    }

    /// The estimated dot product of the query and a vector's residual; added to its product with the shard's mean, it gives the cosine.
    pub(super) fn estimate(&self, row: usize, tables: &Tables) -> f32 {
        let n_bytes = tables.sums.len();
        let code = &self.codes[row * n_bytes..][..n_bytes];
        let sum = code.iter().zip(&tables.sums);
        let sum = sum.fold(tables.lowest, |sum, (&byte, sums)| {
            sum.wrapping_add(sums[usize::from(byte)])
        });
        sum as f32 * (tables.unit * self.factor(row))
    }
}

/// Bytes of a vector's code with these bits along each axis.
pub(super) fn n_bytes(bits: &[u8]) -> usize {
    let n_bits: usize = bits.iter().map(|&n_bits| usize::from(n_bits)).sum();
    n_bits.div_ceil(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three vectors of 70 components, coded with 1 to 5 bits along 40 axes by a pattern.
    fn codes() -> Codes {
        let mut axes = Int8Vectors::new(70);
        for axis in 0..40 {
            let component = |n: usize| ((axis * 70 + n) as f32 * 1.7).sin();
            axes.push(&(0..70).map(component).collect::<Vec<f32>>());
        }
        let bits: Vec<u8> = (0..40_u8).map(|axis| axis % MAX_BITS + 1).collect();
        let n_bytes = n_bytes(&bits);
        let number = |n: usize| (n * 97 % 256).to_le_bytes()[0];
        Codes {
            axes,
            steps: (0..40).map(|axis| 0.01 + axis as f32 * 0.002).collect(),
            bits,
            noise: 0.01,
            largest_factor: 1.5,
            factors: vec![255, 17, 0],
            codes: (0..3 * n_bytes).map(number).collect(),
        }
    }

    /// Reference for the tables: decodes each code into its vector and multiplies it out.
    fn plain(codes: &Codes, row: usize, query: &Query) -> f32 {
        let code = &codes.codes[row * codes.n_bytes()..][..codes.n_bytes()];
        let mut place = 0;
        let mut sum = 0.0;
        let along = codes.axes.similarities(query);
        for ((along, step), &n_bits) in along.zip(&codes.steps).zip(&codes.bits) {
            let bit = |bit: usize| code[(place + bit) / 8] >> ((place + bit) % 8) & 1;
            let number = (0..usize::from(n_bits)).map(|n| f32::from(bit(n)) * f32::from(1_u8 << n));
            let half = f32::from(1_u8 << (n_bits - 1));
            sum += along * step * (number.sum::<f32>() + 0.5 - half);
            place += usize::from(n_bits);
        }
        sum * codes.factor(row)
    }

    #[test]
    fn tables_sum_what_codes_stand_for() {
        let codes = codes();
        for shift in [0.0, 0.4, 2.0] {
            let embedding: Vec<f32> = (0..70).map(|n| (n as f32 + shift).cos()).collect();
            let query = Query::new(&embedding).expect("it has a direction");
            let tables = codes.tables(&query);
            for row in 0..3 {
                let (expected, found) = (plain(&codes, row, &query), codes.estimate(row, &tables));
                assert!(
                    (found - expected).abs() < 1e-4,
                    "row {row}, shift {shift}: expected {expected}, found {found}"
                );
            }
        }
    }

    #[test]
    fn a_query_along_no_axis_estimates_nothing() {
        let mut codes = codes();
        codes.steps = vec![0.0; 40];
        let query = Query::new(&[1.0; 70]).expect("it has a direction");
        let tables = codes.tables(&query);
        assert_eq!(codes.estimate(0, &tables), 0.0);
    }
}

//! Turns embeddings into rows of 8-bit components, and computes a query's cosine with each row.
//!
//! A row is `component = value * scale` with `scale = largest magnitude / 127`; its length is 1 before rounding. A
//! query has 16 bits if its dimension leaves room, so that its rounding adds no loss to that of the rows. Products are
//! integers: the same on every processor, whatever the order of the sum.

use crate::error::Contradiction;

/// Consecutive rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Int8Vectors {
    dimension: usize,
    scales: Vec<f32>,
    values: Vec<i8>,
}

/// A query's components, in the form that rows are multiplied with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    values: Vec<i16>,
    scale: f32,
}

impl Query {
    /// Rounds an embedding scaled to unit length; `None` if it has no direction.
    pub(super) fn new(embedding: &[f32]) -> Option<Self> {
        let norm = length(embedding);
        if !(norm > 0.0 && norm.is_finite()) {
            return None;
        }
        // No sum may exceed 32 bits: every product is at most 127 * most.
        let most = (i32::MAX as f32 / 128.0 / embedding.len().max(1) as f32).min(32_767.0);
        let largest = largest(embedding);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the quotient is within -32767 and 32767"
        )]
        let values = embedding
            .iter()
            .map(|x| (x / largest * most.floor()).round() as i16)
            .collect();
        Some(Self {
            values,
            scale: largest / norm / most.floor(),
        })
    }
}

impl Int8Vectors {
    pub(super) fn new(dimension: usize) -> Self {
        Self {
            dimension,
            ..Self::default()
        }
    }

    /// Appends an embedding, scaled to unit length and rounded; a zero embedding stays zero.
    pub(super) fn push(&mut self, embedding: &[f32]) {
        let norm = length(embedding);
        let largest = largest(embedding);
        if !(norm > 0.0 && norm.is_finite()) {
            self.scales.push(0.0);
            self.values.resize(self.values.len() + self.dimension, 0);
            return;
        }
        self.scales.push(largest / norm / 127.0);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the quotient is within -127 and 127"
        )]
        let values = embedding
            .iter()
            .map(|x| (x / largest * 127.0).round() as i8);
        self.values.extend(values);
    }

    /// Appends a row of `other` unchanged.
    #[cfg(feature = "build")]
    pub(super) fn push_row(&mut self, other: &Self, row: usize) {
        self.scales.push(other.scales[row]);
        self.values.extend_from_slice(other.row(row));
    }

    pub(super) fn len(&self) -> usize {
        self.scales.len()
    }

    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    pub(super) fn row(&self, row: usize) -> &[i8] {
        &self.values[row * self.dimension..][..self.dimension]
    }

    pub(super) fn scale(&self, row: usize) -> f32 {
        self.scales[row]
    }

    /// A row as a query, exactly.
    #[cfg(feature = "build")]
    pub(super) fn query(&self, row: usize) -> Query {
        Query {
            values: self.row(row).iter().map(|&value| value.into()).collect(),
            scale: self.scales[row],
        }
    }

    /// The cosine of `query` with each row, in their order.
    pub(super) fn similarities(&self, query: &Query) -> impl Iterator<Item = f32> {
        let rows = self.values.chunks_exact(self.dimension.max(1));
        rows.zip(&self.scales)
            .map(|(row, scale)| similarity(row, *scale, query))
    }

    /// Scales as 32-bit floats, then all values.
    #[cfg(feature = "build")]
    pub(crate) fn push_bytes(&self, bytes: &mut Vec<u8>) {
        let scales = self.scales.iter().flat_map(|scale| scale.to_le_bytes());
        bytes.extend(scales);
        bytes.extend(self.values.iter().map(|value| value.to_le_bytes()[0]));
    }

    /// Reads the output of `push_bytes` for `n_rows` rows: all of `bytes`.
    pub(super) fn from_bytes(
        bytes: &[u8],
        dimension: usize,
        n_rows: usize,
    ) -> Result<Self, Contradiction> {
        let expected = n_rows.checked_mul(dimension + 4);
        let (scales, values) = expected
            .filter(|&expected| expected == bytes.len())
            .map(|_| bytes.split_at(n_rows * 4))
            .ok_or_else(|| Contradiction {
                place: "bytes of vectors",
                expected: format!("{n_rows} of {dimension} components"),
                found: bytes.len().to_string(),
            })?;
        let (scales, _) = scales.as_chunks::<4>();
        let scales: Vec<f32> = scales
            .iter()
            .map(|&scale| f32::from_le_bytes(scale))
            .collect();
        scales.iter().try_for_each(|&scale| check_scale(scale))?;
        let values = values.iter().map(|&byte| i8::from_le_bytes([byte]));
        Ok(Self {
            dimension,
            scales,
            values: values.collect(),
        })
    }
}

/// The cosine of one row with a query of the same length.
pub(super) fn similarity(row: &[i8], scale: f32, query: &Query) -> f32 {
    dot(row, &query.values) as f32 * (scale * query.scale)
}

/// The integer dot product of `a` and `b`. No sum exceeds 32 bits; checked additions would not become vector instructions.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
fn dot(a: &[i8], b: &[i16]) -> i32 {
    let products = a.iter().zip(b);
    products.fold(0_i32, |sum, (&a, &b)| {
        sum.wrapping_add(i32::from(a).wrapping_mul(i32::from(b)))
    })
}

/// The same with eight products per instruction, which compilers do not find by themselves.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
fn dot(a: &[i8], b: &[i16]) -> i32 {
    use std::arch::wasm32::{
        i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_add, i32x4_dot_i16x8,
        i32x4_extract_lane, i32x4_splat, v128, v128_load,
    };
    const STEP: usize = 16;
    let (a_steps, b_steps) = (a.chunks_exact(STEP), b.chunks_exact(STEP));
    let rest = a_steps.remainder().iter().zip(b_steps.remainder());
    let rest: i32 = rest.map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
    let (mut even, mut odd) = (i32x4_splat(0), i32x4_splat(0));
    for (a, b) in a_steps.zip(b_steps) {
        // SAFETY: each load reads 16 bytes within its slice of 16 bytes or 16 pairs of bytes; wasm requires no alignment.
        let (a, low, high) = unsafe {
            let b = b.as_ptr().cast::<v128>();
            (
                v128_load(a.as_ptr().cast()),
                v128_load(b),
                v128_load(b.add(1)),
            )
        };
        even = i32x4_add(even, i32x4_dot_i16x8(i16x8_extend_low_i8x16(a), low));
        odd = i32x4_add(odd, i32x4_dot_i16x8(i16x8_extend_high_i8x16(a), high));
    }
    let sum = i32x4_add(even, odd);
    let lanes = i32x4_extract_lane::<0>(sum) + i32x4_extract_lane::<1>(sum);
    lanes + i32x4_extract_lane::<2>(sum) + i32x4_extract_lane::<3>(sum) + rest
}

pub(super) fn check_scale(scale: f32) -> Result<(), Contradiction> {
    if scale.is_finite() && (0.0..=1.0).contains(&scale) {
        return Ok(());
    }
    Err(Contradiction {
        place: "scale of a vector",
        expected: "0 to 1".to_owned(),
        found: scale.to_string(),
    })
}

pub(super) fn length(embedding: &[f32]) -> f32 {
    embedding.iter().map(|x| x * x).sum::<f32>().sqrt()
}

fn largest(embedding: &[f32]) -> f32 {
    embedding
        .iter()
        .fold(0.0_f32, |largest, x| largest.max(x.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_is_that_of_the_embeddings() {
        for dimension in [1, 15, 16, 17, 384, 8192] {
            let wave = |shift: f32| -> Vec<f32> {
                (0..dimension)
                    .map(|idx| (idx as f32 * 0.7 + shift).sin() + 0.1)
                    .collect()
            };
            let (a, b) = (wave(0.3), wave(1.1));
            let mut rows = Int8Vectors::new(dimension);
            rows.push(&a);
            let query = Query::new(&b).expect("it has a direction");
            let found = rows.similarities(&query).next().expect("one row");
            let dot: f32 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            let expected = dot / length(&a) / length(&b);
            assert!(
                (found - expected).abs() < 2e-3,
                "{dimension} components: expected {expected}, found {found}"
            );
        }
    }

    #[test]
    fn the_largest_sums_stay_within_32_bits() {
        let dimension = 8192;
        let mut rows = Int8Vectors::new(dimension);
        rows.push(&vec![1.0; dimension]);
        let query = Query::new(&vec![1.0; dimension]).expect("it has a direction");
        let found = rows.similarities(&query).next().expect("one row");
        assert!((found - 1.0).abs() < 1e-3, "cosine with itself: {found}");
    }
}

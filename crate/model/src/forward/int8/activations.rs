//! Turns floats into signed bytes, block by block, with the scale and sums of each block that the products need.

use std::cell::OnceCell;

use super::{STEP, Tokens};
use crate::quant::QK;

/// Quantised activations: whole groups of [`super::Kernel::n_tokens`] tokens, then the remaining tokens one by one. A
/// group's tokens are interleaved, four columns of each at a time, so that a kernel reads all it needs for a step from
/// contiguous memory.
#[derive(Debug)]
pub(in crate::forward) struct Activations {
    n_cols: usize,
    n_tokens: usize,
    /// Tokens in a group.
    n_group: usize,
    /// `[groups, n_cols / 4, tokens, 4]`
    quants: Vec<i8>,
    /// The same numbers as i16, computed when a kernel first asks for them.
    wide: OnceCell<Vec<i16>>,
    /// `[groups, n_cols / 32, tokens]`
    scales: Vec<f32>,
    /// `[groups, n_cols / 32, tokens]`: the sums of a block's first half, and of the whole block.
    sums: Vec<[i32; 2]>,
}

impl Activations {
    /// Quantises `x`, `[T, n_cols]`: the largest of a block becomes 127.
    pub(in crate::forward) fn quantized(kernel: super::Kernel, x: &[f32], n_cols: usize) -> Self {
        let n_blocks = n_cols / QK;
        let mut activations = Self {
            n_cols,
            n_tokens: x.len() / n_cols,
            n_group: kernel.n_tokens(),
            quants: vec![0; x.len()],
            wide: OnceCell::new(),
            scales: vec![0.0; x.len() / QK],
            sums: vec![[0; 2]; x.len() / QK],
        };
        for (token_idx, x) in x.chunks_exact(n_cols).enumerate() {
            let (first, n) = activations.group(token_idx);
            let lane = token_idx - first;
            for (block_idx, block) in x.as_chunks::<QK>().0.iter().enumerate() {
                let (scale, bytes, sums) = quantize_block(block);
                let place = first * n_blocks + block_idx * n + lane;
                activations.scales[place] = scale;
                activations.sums[place] = [sums[0], sums[0] + sums[1]];
                let start = first * n_cols + block_idx * QK * n + lane * STEP;
                spread(&bytes, n, &mut activations.quants[start..]);
            }
        }
        activations
    }

    /// The first token of a token's group, and the size of the group.
    fn group(&self, token_idx: usize) -> (usize, usize) {
        let first = token_idx / self.n_group * self.n_group;
        if first + self.n_group <= self.n_tokens {
            (first, self.n_group)
        } else {
            (token_idx, 1)
        }
    }

    pub(super) fn n_cols(&self) -> usize {
        self.n_cols
    }

    pub(super) fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    /// All groups, each with the index of its first token; also as i16 where `is_wide`.
    pub(super) fn groups(&self, is_wide: bool) -> impl Iterator<Item = (usize, Tokens<'_>)> {
        let widened = || self.quants.iter().map(|&quant| i16::from(quant)).collect();
        let wide: &[i16] = match is_wide {
            true => self.wide.get_or_init(widened),
            false => &[],
        };
        let mut next = 0;
        std::iter::from_fn(move || {
            if next == self.n_tokens {
                return None;
            }
            let (first, n) = self.group(next);
            next += n;
            let n_blocks = self.n_cols / QK;
            let columns = first * self.n_cols..(first + n) * self.n_cols;
            let blocks = first * n_blocks..(first + n) * n_blocks;
            let tokens = Tokens {
                n,
                quants: &self.quants[columns.clone()],
                wide: wide.get(columns).unwrap_or_default(),
                scales: &self.scales[blocks.clone()],
                sums: &self.sums[blocks],
            };
            Some((first, tokens))
        })
    }
}

/// Writes a block's steps into the slots of one of `n` interleaved tokens, beginning at the start of `places`.
fn spread(block: &[i8; QK], n: usize, places: &mut [i8]) {
    let steps = block.as_chunks::<STEP>().0;
    for (step, place) in steps
        .iter()
        .zip(places.as_chunks_mut::<STEP>().0.iter_mut().step_by(n))
    {
        *place = *step;
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use super::wasm::quantize_block;

/// The block's scale, its numbers divided by the scale and rounded to even, and the sum of each half of them.
///
/// Loops, not calls of `map`: compilers vectorise these.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
fn quantize_block(block: &[f32; QK]) -> (f32, [i8; QK], [i32; 2]) {
    /// Adding 1.5 * 2^23 rounds to an integer, which is then in the low bits of the sum. A conversion that saturates
    /// would not be vectorised.
    const ROUND: f32 = 12_582_912.0;
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut lanes = [0.0f32; 8];
    for part in block.as_chunks::<8>().0 {
        for (lane, x) in lanes.iter_mut().zip(part) {
            *lane = larger(*lane, x.abs());
        }
    }
    // Pairwise, to keep the chain of dependent operations short.
    let four: [f32; 4] = std::array::from_fn(|i| larger(lanes[i], lanes[i + 4]));
    let largest = larger(larger(four[0], four[2]), larger(four[1], four[3]));
    let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
    let mut numbers = [0; QK];
    for (number, x) in numbers.iter_mut().zip(block) {
        *number = (x * inverse + ROUND).to_bits().cast_signed() - ROUND.to_bits().cast_signed();
    }
    let mut bytes = [0; QK];
    for (byte, number) in bytes.iter_mut().zip(numbers) {
        #[expect(clippy::cast_possible_truncation, reason = "within 127 by the scale")]
        let narrow = number as i8;
        *byte = narrow;
    }
    // Summed from the bytes, which stay small whatever the floats were.
    let (low, high) = bytes.split_at(QK / 2);
    let sum = |half: &[i8]| half.iter().map(|byte| i32::from(*byte)).sum();
    (largest / 127.0, bytes, [sum(low), sum(high)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::int8::Kernel;

    #[test]
    fn takes_what_is_no_number_without_a_panic() {
        for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let found = Activations::quantized(Kernel::Plain, &[x; 32], 32);
            assert_eq!(found.groups(false).count(), 1, "one token of {x}");
        }
    }

    #[test]
    fn rounds_to_the_nearest_and_keeps_the_sums() {
        let mut x = [0.0f32; 64];
        x[..5].copy_from_slice(&[127.0, -126.6, 0.5, 1.5, -0.4]);
        x[16] = 3.0;
        let found = Activations::quantized(Kernel::Plain, &x, 64);
        let (_, token) = found.groups(false).next().expect("one token");
        assert_eq!(
            token.quants[..6],
            [127, -127, 0, 2, 0, 0],
            "to even at a half"
        );
        assert_eq!(token.sums, [[2, 5], [0, 0]], "half a block, and all of it");
        assert_eq!(token.scales, [1.0, 0.0], "a block of zeros has no scale");
    }
}

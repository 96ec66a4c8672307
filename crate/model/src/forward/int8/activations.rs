//! Turns floats into signed bytes, block by block, with the scale and sums of each block that the products need.

use std::sync::OnceLock;

use super::super::threads::Threads;
use super::{Kernel, STEP, Tokens};
use crate::quant::QK;

/// Quantised activations: whole groups of [`super::Kernel::n_tokens`] tokens, then the remaining tokens one by one. A
/// group's tokens are interleaved, four columns of each at a time, so a kernel reads everything for a step from
/// contiguous memory.
#[derive(Debug)]
pub(in crate::forward) struct Activations {
    n_cols: usize,
    n_tokens: usize,
    /// Tokens in a group.
    n_group: usize,
    /// `[groups, n_cols / 4, tokens, 4]`
    quants: Vec<i8>,
    /// The same values as i16, computed when a kernel first asks for them.
    wide: OnceLock<Vec<i16>>,
    /// `[groups, n_cols / 32, tokens]`
    scales: Vec<f32>,
    /// `[groups, n_cols / 32, tokens]`: the sums of a block's first half, and of the whole block.
    sums: Vec<[i32; 2]>,
}

impl Activations {
    /// Quantises `x`, `[T, n_cols]`: the value of largest magnitude in a block becomes ±127.
    pub(in crate::forward) fn quantized(
        kernel: Kernel,
        threads: Threads,
        x: &[f32],
        n_cols: usize,
    ) -> Self {
        let n_blocks = n_cols / QK;
        let n_group = kernel.n_tokens();
        let mut quants = vec![0; x.len()];
        let mut scales = vec![0.0; x.len() / QK];
        let mut sums = vec![[0; 2]; x.len() / QK];
        // Whole groups, then tokens one by one.
        let n_whole = x.len() / n_cols / n_group * n_group;
        let (x_whole, x_rest) = x.split_at(n_whole * n_cols);
        let (quants_whole, quants_rest) = quants.split_at_mut(n_whole * n_cols);
        let (scales_whole, scales_rest) = scales.split_at_mut(n_whole * n_blocks);
        let (sums_whole, sums_rest) = sums.split_at_mut(n_whole * n_blocks);
        for (n, x, quants, scales, sums) in [
            (n_group, x_whole, quants_whole, scales_whole, sums_whole),
            (1, x_rest, quants_rest, scales_rest, sums_rest),
        ] {
            let groups = x
                .chunks_exact(n * n_cols)
                .zip(quants.chunks_exact_mut(n * n_cols))
                .zip(scales.chunks_exact_mut(n * n_blocks))
                .zip(sums.chunks_exact_mut(n * n_blocks));
            /// Cost per value, in multiply-adds of bytes.
            const OPERATIONS: usize = 8;
            threads.for_items(
                groups,
                OPERATIONS * n * n_cols,
                |(((x, quants), scales), sums)| {
                    quantize_group(kernel, n_cols, x, quants, scales, sums);
                },
            );
        }
        Self {
            n_cols,
            n_tokens: x.len() / n_cols,
            n_group,
            quants,
            wide: OnceLock::new(),
            scales,
            sums,
        }
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

    /// All groups, each with the index of its first token; also as i16 if `is_wide`.
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

/// Quantises the tokens of a group, `x`, `[n, n_cols]`; the rest is as in [`Activations`].
fn quantize_group(
    kernel: Kernel,
    n_cols: usize,
    x: &[f32],
    quants: &mut [i8],
    scales: &mut [f32],
    sums: &mut [[i32; 2]],
) {
    let n = x.len() / n_cols;
    for (lane, x) in x.chunks_exact(n_cols).enumerate() {
        for (block_idx, block) in x.as_chunks::<QK>().0.iter().enumerate() {
            let (scale, bytes, [low, high]) = kernel.quantize_block(block);
            scales[block_idx * n + lane] = scale;
            sums[block_idx * n + lane] = [low, low + high];
            spread(&bytes, n, &mut quants[block_idx * QK * n + lane * STEP..]);
        }
    }
}

/// Scatters a block's steps into the slots of one of `n` interleaved tokens, from the start of `places`.
#[inline(always)]
fn spread(block: &[i8; QK], n: usize, places: &mut [i8]) {
    let steps = block.as_chunks::<STEP>().0;
    for (step, place) in steps
        .iter()
        .zip(places.as_chunks_mut::<STEP>().0.iter_mut().step_by(n))
    {
        *place = *step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_is_no_number_without_a_panic() {
        for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let found = Activations::quantized(Kernel::Plain, Threads::One, &[x; 32], 32);
            assert_eq!(found.groups(false).count(), 1, "one token of {x}");
        }
    }

    #[test]
    fn rounds_to_the_nearest_and_keeps_the_sums() {
        let mut x = [0.0f32; 64];
        x[..5].copy_from_slice(&[127.0, -126.6, 0.5, 1.5, -0.4]);
        x[16] = 3.0;
        let found = Activations::quantized(Kernel::Plain, Threads::One, &x, 64);
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

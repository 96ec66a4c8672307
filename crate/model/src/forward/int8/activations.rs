//! Turns floats into signed bytes, block by block, with what the products need to know of each block.

use super::Token;
use crate::quant::QK;

/// Quantised activations, `[T, n_cols]`.
#[derive(Debug)]
pub(in crate::forward) struct Activations {
    n_cols: usize,
    quants: Vec<i8>,
    /// The same numbers in 16 bits, for kernels that multiply these; else empty.
    wide: Vec<i16>,
    /// `[T, n_cols / 32]`
    scales: Vec<f32>,
    /// `[T, n_cols / 32]`: the sum of each half of a block.
    sums: Vec<[i32; 2]>,
}

impl Activations {
    /// Quantises `x`, `[T, n_cols]`: the largest of a block becomes 127.
    pub(in crate::forward) fn quantized(kernel: super::Kernel, x: &[f32], n_cols: usize) -> Self {
        let mut quants = Vec::with_capacity(x.len());
        let mut wide = Vec::with_capacity(if kernel.is_wide() { x.len() } else { 0 });
        let mut scales = Vec::with_capacity(x.len() / QK);
        let mut sums = Vec::with_capacity(x.len() / QK);
        let (blocks, _) = x.as_chunks::<QK>();
        for block in blocks {
            let (scale, numbers) = quantize_block(block);
            #[expect(clippy::cast_possible_truncation, reason = "within 127 by the scale")]
            quants.extend(numbers.map(|number| number as i8));
            if kernel.is_wide() {
                wide.extend_from_slice(&numbers);
            }
            let (low, high) = numbers.split_at(QK / 2);
            sums.push([low, high].map(|half| half.iter().map(|number| i32::from(*number)).sum()));
            scales.push(scale);
        }
        Self {
            n_cols,
            quants,
            wide,
            scales,
            sums,
        }
    }

    pub(super) fn n_cols(&self) -> usize {
        self.n_cols
    }

    pub(super) fn n_tokens(&self) -> usize {
        self.quants.len() / self.n_cols
    }

    pub(super) fn token(&self, token_idx: usize) -> Token<'_> {
        let n_blocks = self.n_cols / QK;
        let columns = token_idx * self.n_cols..(token_idx + 1) * self.n_cols;
        let blocks = token_idx * n_blocks..(token_idx + 1) * n_blocks;
        Token {
            quants: &self.quants[columns.clone()],
            wide: self.wide.get(columns).unwrap_or_default(),
            scales: &self.scales[blocks.clone()],
            sums: &self.sums[blocks],
        }
    }
}

/// The block's scale, and its numbers over it, rounded to even.
fn quantize_block(block: &[f32; QK]) -> (f32, [i16; QK]) {
    /// Adding 1.5 * 2^23 rounds to a whole number, which then is the sum's lower bits. Compilers vectorise this; they don't
    /// vectorise a conversion that saturates.
    const ROUND: f32 = 12_582_912.0;
    let mut lanes = [0.0f32; 8];
    for part in block.chunks_exact(8) {
        for (lane, x) in lanes.iter_mut().zip(part) {
            let size = x.abs();
            *lane = if size > *lane { size } else { *lane };
        }
    }
    let largest = lanes.into_iter().fold(0.0, f32::max);
    let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the lower half is the number"
    )]
    let quants = block.map(|x| (x * inverse + ROUND).to_bits() as i16);
    (largest / 127.0, quants)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::int8::Kernel;

    #[test]
    fn rounds_to_the_nearest_and_keeps_the_sums() {
        let mut x = [0.0f32; 64];
        x[..5].copy_from_slice(&[127.0, -126.6, 0.5, 1.5, -0.4]);
        x[16] = 3.0;
        let found = Activations::quantized(Kernel::Plain, &x, 64);
        let token = found.token(0);
        assert_eq!(
            token.quants[..6],
            [127, -127, 0, 2, 0, 0],
            "to even at a half"
        );
        assert_eq!(token.sums, [[2, 3], [0, 0]], "by halves of blocks");
        assert_eq!(token.scales, [1.0, 0.0], "a block of zeros has no scale");
    }
}

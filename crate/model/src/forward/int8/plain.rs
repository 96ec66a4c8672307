//! Turns a group of rows and some tokens into their products, one after the other: the twin of the fast kernels.

use super::{Q8_0, ROWS, Rows, Tile, Token};
use crate::quant::QK;

/// `sums[t][j] = sum over blocks of scale * scale * (quants . quants)`, for blocks of `BYTES` bytes.
pub(in crate::forward) fn tile<const BYTES: usize, const T: usize>(
    rows: &Rows<'_>,
    tokens: [Token<'_>; T],
) -> Tile<T> {
    let mut sums = [[0.0; ROWS]; T];
    let (blocks, _) = rows.quants.as_chunks::<BYTES>();
    let (scales, _) = rows.scales.as_chunks::<ROWS>();
    for (block_idx, (group, scales)) in blocks.chunks_exact(ROWS).zip(scales).enumerate() {
        for (token, sums) in tokens.iter().zip(&mut sums) {
            let x = &token.quants[block_idx * QK..(block_idx + 1) * QK];
            for ((block, scale), sum) in group.iter().zip(scales).zip(sums) {
                let dot: i32 = unpack(block)
                    .iter()
                    .zip(x)
                    .map(|(w, x)| i32::from(*w) * i32::from(*x))
                    .sum();
                #[expect(clippy::cast_precision_loss, reason = "at most 32 * 2^14, exact")]
                let dot = dot as f32;
                *sum += dot * (scale * token.scales[block_idx]);
            }
        }
    }
    sums
}

/// The numbers of one block of Q8_0 or Q4_0, by its length in bytes.
pub(in crate::forward) fn unpack(block: &[u8]) -> [i8; QK] {
    std::array::from_fn(|i| {
        if block.len() == Q8_0 {
            return block[i].cast_signed();
        }
        let (byte, shift) = if i < QK / 2 {
            (block[i], 0)
        } else {
            (block[i - QK / 2], 4)
        };
        (byte >> shift & 0xf).cast_signed() - 8
    })
}

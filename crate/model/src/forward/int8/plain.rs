//! Turns a group of rows and some tokens into their products, one after the other: the twin of the fast kernels.

use super::{ROWS, Rows, Tile, Token};
use crate::quant::{QK, blocks};

/// `sums[t][j] = sum over blocks of scale * scale * (quants . quants)`, for blocks of `BYTES` bytes with `SCALES` scales.
pub(in crate::forward) fn tile<const BYTES: usize, const SCALES: usize, const T: usize>(
    rows: &Rows<'_>,
    tokens: [Token<'_>; T],
) -> Tile<T> {
    let mut sums = [[0.0; ROWS]; T];
    let (w_blocks, _) = rows.quants.as_chunks::<BYTES>();
    let (scales, _) = rows.scales.as_chunks::<SCALES>();
    let groups = w_blocks.chunks_exact(ROWS).zip(scales.chunks_exact(ROWS));
    for (block_idx, (group, scales)) in groups.enumerate() {
        for (token, sums) in tokens.iter().zip(&mut sums) {
            let x = &token.quants[block_idx * QK..(block_idx + 1) * QK];
            for ((block, scales), sum) in group.iter().zip(scales).zip(sums) {
                let w = unpack(block);
                let parts = w.chunks_exact(QK / SCALES).zip(x.chunks_exact(QK / SCALES));
                for ((w, x), scale) in parts.zip(scales) {
                    let dot: i32 = w
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
    }
    sums
}

/// The numbers of one block, of 8 or of 4 bits by its length in bytes.
pub(in crate::forward) fn unpack(block: &[u8]) -> [i8; QK] {
    if block.len() == QK {
        return blocks::signed(block);
    }
    blocks::nibbles(block, -8)
}

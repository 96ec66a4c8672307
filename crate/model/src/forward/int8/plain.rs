//! Turns a group of rows and some tokens into their products, one after the other: the twin of the fast kernels.

use super::{GROUP, ROWS, Rows, Tile, Token};
use crate::quant::QK;

/// `sums[t][j] = sum over blocks of scale * scale * (quants . quants)`.
pub(in crate::forward) fn tile<const T: usize>(rows: &Rows<'_>, tokens: [Token<'_>; T]) -> Tile<T> {
    let mut sums = [[0.0; ROWS]; T];
    let (groups, _) = rows.quants.as_chunks::<GROUP>();
    let (scales, _) = rows.scales.as_chunks::<ROWS>();
    for (block_idx, (group, scales)) in groups.iter().zip(scales).enumerate() {
        for (token, sums) in tokens.iter().zip(&mut sums) {
            let x = &token.quants[block_idx * QK..(block_idx + 1) * QK];
            for ((row, scale), sum) in group.chunks_exact(QK).zip(scales).zip(sums) {
                let dot: i32 = row
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

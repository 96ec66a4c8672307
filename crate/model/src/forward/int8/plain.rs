//! Turns a panel and some tokens into their products, one at a time: the twin of the fast kernels.

use super::{Panel, Quantized, ROWS, SMALLEST, STEP, STEPS, Tokens, block_bytes, pack};
use crate::quant::QK;

/// `sums[t][n] += sum over blocks of sx * (sw * (code . qx - offset * sum(qx)) + min * sum(qx))`; with two scales, the
/// first applies to the first half of a block.
pub(super) fn tile(
    bits: usize,
    n_scales: usize,
    panel: &Panel<'_>,
    tokens: &Tokens<'_>,
    sums: &mut [[f32; ROWS]],
) {
    for (t, sums) in sums.iter_mut().enumerate() {
        let blocks = panel.codes.chunks_exact(block_bytes(bits));
        for (block_idx, block) in blocks.enumerate() {
            let place = block_idx * tokens.n + t;
            for (row, sum) in sums.iter_mut().enumerate() {
                let mut scaled = 0.0;
                for scale_idx in 0..n_scales {
                    let mut dot = 0i32;
                    for step in scale_idx * STEPS / n_scales..(scale_idx + 1) * STEPS / n_scales {
                        let start = ((block_idx * STEPS + step) * tokens.n + t) * STEP;
                        for (i, x) in tokens.quants[start..start + STEP].iter().enumerate() {
                            let code = pack::code(bits, block, step, row * STEP + i);
                            dot += (i32::from(code) - panel.offset) * i32::from(*x);
                        }
                    }
                    let scale = panel.scales[(block_idx * n_scales + scale_idx) * ROWS + row];
                    scaled += scale * float(dot);
                }
                if let Some(min) = panel.mins.get(block_idx * ROWS + row) {
                    scaled += min * float(tokens.sums[place][1]);
                }
                *sum += tokens.scales[place] * scaled;
            }
        }
    }
}

/// The block's scale, its values divided by the scale and rounded, ties to even, and the sum of each half.
pub(super) fn quantize_block(block: &[f32; QK]) -> Quantized {
    let largest = block.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
    let inverse = if largest > SMALLEST {
        127.0 / largest
    } else {
        0.0
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within 127 by the scale, and a cast saturates"
    )]
    let bytes = block.map(|x| (x * inverse).round_ties_even() as i8);
    let (low, high) = bytes.split_at(QK / 2);
    let sum = |half: &[i8]| half.iter().map(|byte| i32::from(*byte)).sum();
    (largest / 127.0, bytes, [sum(low), sum(high)])
}

#[expect(clippy::cast_precision_loss, reason = "at most 32 * 2^15, exact")]
fn float(n: i32) -> f32 {
    n as f32
}

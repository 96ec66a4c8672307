//! Turns a panel and some tokens into their products, one after the other: the twin of the fast kernels.

use super::{Panel, ROWS, STEP, STEPS, Tokens, block_bytes, pack};

/// `sums[t][n] = sum over blocks of sx * (sw * (code . qx - offset * sum(qx)) + min * sum(qx))`; with two scales, the first
/// half of a block has the first one.
pub(super) fn tile(
    bits: usize,
    n_scales: usize,
    panel: &Panel<'_>,
    tokens: &Tokens<'_>,
    sums: &mut [[f32; ROWS]],
) {
    for (t, sums) in sums.iter_mut().enumerate() {
        *sums = [0.0; ROWS];
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

#[expect(clippy::cast_precision_loss, reason = "at most 32 * 2^15, exact")]
fn float(n: i32) -> f32 {
    n as f32
}

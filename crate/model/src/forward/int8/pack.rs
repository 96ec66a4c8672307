//! Turns a stored matrix into panels of sixteen rows: unsigned codes, scales and minimums as floats.
//!
//! A panel is a sequence of blocks of 32 columns; a plane of a block is 64 bytes, `[16 rows, 4 columns]`. Step `s` is
//! columns `4 s .. 4 s + 4`.
//!
//! | bits | planes |
//! |------|--------|
//! | 8 | one for each of 8 steps |
//! | 4 | four: plane `p` holds step `p` in the low nibbles of its bytes, step `p + 4` in the high nibbles |
//! | 5 | as 4, and one whose bit `s` is the fifth bit of step `s` |
//! | 6 | as 4, and two: bits `2 i` and `2 i + 1` of plane `q` are the upper bits of step `4 q + i` |

use super::{EIGHT, FIVE, FOUR, Panel, ROWS, SIX, SPREAD, STEP, STEPS, block_bytes};
use crate::gguf::TensorType;
use crate::quant::{QK, blocks};
use crate::weights::Matrix;

/// Bytes of a plane.
pub(super) const PLANE: usize = ROWS * STEP;

/// A matrix of quantised blocks, in panels of sixteen rows.
#[derive(Debug, Clone)]
pub(in crate::forward) struct PackedMatrix {
    n_rows: usize,
    n_cols: usize,
    bits: usize,
    /// Scales per block of a row: 1, or one for each half.
    n_scales: usize,
    /// The code of zero.
    offset: i32,
    /// `[ceil(n_rows / 16), n_cols / 32, block_bytes]`; rows past the last have a scale of zero.
    codes: Vec<u8>,
    /// `[ceil(n_rows / 16), n_cols / 32, n_scales, 16]`
    scales: Vec<f32>,
    /// `[ceil(n_rows / 16), n_cols / 32, 16]`; empty if the type has none.
    mins: Vec<f32>,
}

impl PackedMatrix {
    /// Packs a matrix; `None` for unquantised types. The loader has checked that its rows are whole blocks.
    pub(in crate::forward) fn new(matrix: &Matrix) -> Option<PackedMatrix> {
        use TensorType::{BF16, F16, F32, Q4_0, Q4_1, Q4K, Q5_0, Q5_1, Q5K, Q6K, Q8_0};
        let (bits, offset, n_scales, has_min) = match matrix.kind {
            Q4_0 => (FOUR, 8, 1, false),
            Q4_1 | Q4K => (FOUR, 0, 1, true),
            Q5_0 => (FIVE, 16, 1, false),
            Q5_1 | Q5K => (FIVE, 0, 1, true),
            Q6K => (SIX, 32, 2, false),
            Q8_0 => (EIGHT, 128, 1, false),
            F32 | F16 | BF16 => return None,
        };
        let n_blocks = matrix.n_cols / QK;
        let n_places = matrix.n_rows.div_ceil(ROWS) * n_blocks;
        let mut packed = PackedMatrix {
            n_rows: matrix.n_rows,
            n_cols: matrix.n_cols,
            bits,
            n_scales,
            offset,
            codes: vec![0; n_places * block_bytes(bits)],
            scales: vec![0.0; n_places * n_scales * ROWS],
            mins: vec![0.0; if has_min { n_places * ROWS } else { 0 }],
        };
        let mut idx = 0;
        blocks::unpack(matrix.kind, &matrix.bytes, |block| {
            let (row_idx, block_idx) = (idx / n_blocks, idx % n_blocks);
            idx += 1;
            let (place, row) = (row_idx / ROWS * n_blocks + block_idx, row_idx % ROWS);
            for (scale_idx, scale) in block.scales[..n_scales].iter().enumerate() {
                packed.scales[(place * n_scales + scale_idx) * ROWS + row] = *scale;
            }
            if has_min {
                packed.mins[place * ROWS + row] = block.min;
            }
            let bytes = &mut packed.codes[place * block_bytes(bits)..][..block_bytes(bits)];
            // Some kernels can't multiply the absolute value of -128. Quantising never yields it, but a file may hold
            // it.
            let code = |quant: i8| (i32::from(quant.max(-127)) + offset).to_le_bytes()[0];
            write_row(bits, row, &block.quants.map(code), bytes);
        });
        Some(packed)
    }

    /// The same codes in a byte each: takes more memory, but saves unpacking in every product.
    pub(in crate::forward) fn spread(mut self) -> Self {
        if self.bits < SPREAD {
            let mut codes = Vec::new();
            spread(self.bits, &self.codes, &mut codes);
            (self.codes, self.bits) = (codes, SPREAD);
        }
        self
    }

    pub(in crate::forward) fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub(in crate::forward) fn n_cols(&self) -> usize {
        self.n_cols
    }

    pub(super) fn bits(&self) -> usize {
        self.bits
    }

    pub(super) fn n_scales(&self) -> usize {
        self.n_scales
    }

    /// Sixteen rows, fewer at the end.
    pub(super) fn panel(&self, group_idx: usize) -> Panel<'_> {
        let n_blocks = self.n_cols / QK;
        let take = |len: usize| group_idx * n_blocks * len..(group_idx + 1) * n_blocks * len;
        Panel {
            codes: &self.codes[take(block_bytes(self.bits))],
            scales: &self.scales[take(self.n_scales * ROWS)],
            mins: self.mins.get(take(ROWS)).unwrap_or_default(),
            n_blocks,
            offset: self.offset,
        }
    }

    /// Unpacks one row into `y`, `[n_cols]`.
    pub(in crate::forward) fn row(&self, row_idx: usize, y: &mut [f32]) {
        let panel = self.panel(row_idx / ROWS);
        let row = row_idx % ROWS;
        let (blocks, _) = y.as_chunks_mut::<QK>();
        let codes = panel.codes.chunks_exact(block_bytes(self.bits));
        for (block_idx, (y, codes)) in blocks.iter_mut().zip(codes).enumerate() {
            let min = panel.mins.get(block_idx * ROWS + row);
            let min = min.copied().unwrap_or(0.0);
            let codes = read_row(self.bits, row, codes);
            for (i, (y, code)) in y.iter_mut().zip(codes).enumerate() {
                let scale_idx = block_idx * self.n_scales + i * self.n_scales / QK;
                #[expect(clippy::cast_precision_loss, reason = "at most 255")]
                let number = (i32::from(code) - self.offset) as f32;
                *y = panel.scales[scale_idx * ROWS + row] * number + min;
            }
        }
    }
}

/// Writes four codes at a time, one to a byte of a word, with the bits of the table above.
fn write_row(bits: usize, row: usize, codes: &[u8; QK], bytes: &mut [u8]) {
    const LOW: u32 = 0x0f0f_0f0f;
    let (words, _) = codes.as_chunks::<STEP>();
    let word = |step: usize| u32::from_le_bytes(words[step]);
    let mut write = |plane: usize, word: u32| {
        bytes[plane * PLANE + row * STEP..][..STEP].copy_from_slice(&word.to_le_bytes());
    };
    if bits == EIGHT {
        (0..STEPS).for_each(|step| write(step, word(step)));
        return;
    }
    for p in 0..4 {
        write(p, word(p) & LOW | (word(p + 4) & LOW) << 4);
    }
    if bits == FIVE {
        let bit = |step: usize| (word(step) >> 4 & 0x0101_0101) << step;
        write(4, (0..STEPS).fold(0, |plane, step| plane | bit(step)));
    }
    if bits == SIX {
        for q in 0..2 {
            let two = |i: usize| (word(4 * q + i) >> 4 & 0x0303_0303) << (2 * i);
            write(4 + q, (0..4).fold(0, |plane, i| plane | two(i)));
        }
    }
}

/// Reads back the codes of a row written by [`write_row`].
fn read_row(bits: usize, row: usize, bytes: &[u8]) -> [u8; QK] {
    std::array::from_fn(|column| code(bits, bytes, column / STEP, row * STEP + column % STEP))
}

/// The code of step `step` at index `i` of its plane.
#[inline(always)]
pub(super) fn code(bits: usize, block: &[u8], step: usize, i: usize) -> u8 {
    if bits >= SPREAD {
        return block[step * PLANE + i];
    }
    let low = block[step % 4 * PLANE + i] >> (step / 4 * 4) & 0xf;
    let high = match bits {
        FIVE => block[4 * PLANE + i] >> step & 1,
        SIX => block[(4 + step / 4) * PLANE + i] >> (step % 4 * 2) & 3,
        _ => 0,
    };
    low | high << 4
}

/// Unpacks a panel's codes to one byte each.
pub(super) fn spread(bits: usize, codes: &[u8], spread: &mut Vec<u8>) {
    spread.resize(codes.len() / block_bytes(bits) * block_bytes(EIGHT), 0);
    let blocks = codes.chunks_exact(block_bytes(bits));
    for (block, bytes) in blocks.zip(spread.chunks_exact_mut(block_bytes(EIGHT))) {
        match bits {
            FOUR => spread_block::<FOUR>(block, bytes),
            FIVE => spread_block::<FIVE>(block, bytes),
            _ => spread_block::<SIX>(block, bytes),
        }
    }
}

fn spread_block<const BITS: usize>(block: &[u8], bytes: &mut [u8]) {
    let block = &block[..block_bytes(BITS)];
    for (step, plane) in bytes.chunks_exact_mut(PLANE).take(STEPS).enumerate() {
        for (i, byte) in plane.iter_mut().enumerate() {
            *byte = code(BITS, block, step, i);
        }
    }
}

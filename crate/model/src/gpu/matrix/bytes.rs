//! Turns rows of blocks into 8-bit codes with f32 scales and minimums, the layout that software adapters read.
//!
//! A software adapter runs several invocations in the lanes of one vector. Where the other layout keeps the 4 rows of a
//! group together, this one keeps the same row of 8 groups together, so that neighbouring invocations read contiguous
//! memory. The adapter emulates shifts lane by lane unless the amount is a literal constant; so three of the four codes
//! in a u32 are unsigned, and each is converted in place, by one `and` and one conversion.

use super::TILE_ROWS;
use crate::gguf::TensorType;
use crate::quant::blocks;

/// Words of 4 codes that share a scale, and whether they have a minimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteBlocks {
    pub(crate) n_words: u32,
    pub(crate) has_mins: bool,
}

impl ByteBlocks {
    /// The layout for a block type.
    pub(crate) fn of(kind: TensorType) -> Self {
        use TensorType::{Q4_1, Q4K, Q5_1, Q5K, Q6K};
        Self {
            n_words: if kind == Q6K { 4 } else { 8 },
            has_mins: matches!(kind, Q4_1 | Q5_1 | Q4K | Q5K),
        }
    }

    /// Scales per row.
    pub(super) fn per_row(self, n_words: usize) -> usize {
        n_words / self.n_words as usize
    }
}

/// All streams of `rows` in order: codes, scales, minimums. A tile has 32 u32, one per row, for each index within a
/// row.
pub(super) fn pack(kind: TensorType, n_words: usize, rows: &[&[u8]]) -> Vec<u32> {
    let blocks = ByteBlocks::of(kind);
    let n_tiles = rows.len().div_ceil(TILE_ROWS);
    let n_scales = blocks.per_row(n_words);
    let n_mins = if blocks.has_mins { n_scales } else { 0 };
    let mut packed = vec![0; n_tiles * TILE_ROWS * (n_words + n_scales + n_mins)];
    let (codes, rest) = packed.split_at_mut(n_tiles * TILE_ROWS * n_words);
    let (scales, mins) = rest.split_at_mut(n_tiles * TILE_ROWS * n_scales);
    for (row_idx, row) in rows.iter().enumerate() {
        let mut idx = 0;
        blocks::unpack(kind, row, |block| {
            for (word, four) in block.quants.as_chunks::<4>().0.iter().enumerate() {
                codes[place(row_idx, n_words, idx * 8 + word)] = code_word(*four);
            }
            if blocks.n_words == 8 {
                scales[place(row_idx, n_scales, idx)] = block.scales[0].to_bits();
            } else {
                for (half, scale) in block.scales.iter().enumerate() {
                    scales[place(row_idx, n_scales, idx * 2 + half)] = scale.to_bits();
                }
            }
            if blocks.has_mins {
                mins[place(row_idx, n_scales, idx)] = block.min.to_bits();
            }
            idx += 1;
        });
    }
    packed
}

/// Index of a row's u32 `idx` in a stream that has `per_row` of them per row.
fn place(row_idx: usize, per_row: usize, idx: usize) -> usize {
    let (tile, row) = (row_idx / TILE_ROWS, row_idx % TILE_ROWS);
    (tile * per_row + idx) * TILE_ROWS + row % 4 * 8 + row / 4
}

/// Four codes: 128 is added to the first three, the last is signed.
fn code_word(codes: [i8; 4]) -> u32 {
    u32::from_le_bytes(codes.map(i8::cast_unsigned)) ^ 0x0080_8080
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant;

    #[test]
    fn puts_the_same_row_of_eight_groups_side_by_side() {
        let rows: Vec<Vec<u8>> = (0..40u8)
            .map(|row| quant::quantize(TensorType::Q8_0, &[f32::from(row) - 1.0; 32]))
            .collect();
        let rows: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
        let packed = pack(TensorType::Q8_0, 8, &rows);
        assert_eq!(
            packed.len(),
            2 * 32 * (8 + 1),
            "two tiles of codes and scales"
        );
        assert_eq!(packed[0], 0x8101_0101, "row 0: -127 in each place");
        assert_eq!(packed[8], 0x0080_8080, "row 1: zeros");
        assert_eq!(packed[1], 0x7fff_ffff, "row 4: 127");
        assert_eq!(packed[32 + 1], 0x7fff_ffff, "row 4: its next word");
        let scales = &packed[2 * 32 * 8..];
        assert_eq!(
            scales[1],
            (3.0_f32 / 127.0).to_bits() & 0xffff_e000,
            "row 4, as an f16 holds it"
        );
    }

    #[test]
    fn keeps_what_every_type_means() {
        use TensorType::{Q4_0, Q4_1, Q4K, Q5_0, Q5_1, Q5K, Q6K, Q8_0};
        for kind in [Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4K, Q5K, Q6K] {
            let mut row = vec![0; kind.n_bytes(512).unwrap()];
            for (idx, byte) in row.iter_mut().enumerate() {
                *byte = (idx * 37 % 251).to_le_bytes()[0];
            }
            for block in row.chunks_mut(kind.block_bytes()) {
                for &at in blocks::half_places(kind) {
                    block[at..at + 2].copy_from_slice(&0x2e66_u16.to_le_bytes()); // A tenth.
                }
            }
            let mut expected = vec![0.0; 512];
            quant::dequantize(kind, &row, &mut expected);
            let packed = pack(kind, 128, &[&row]);
            let blocks = ByteBlocks::of(kind);
            let n_scales = blocks.per_row(128);
            for (col, expected) in expected.iter().enumerate() {
                let code = packed[32 * (col / 4)] ^ 0x0080_8080;
                let code = f32::from(code.to_le_bytes()[col % 4].cast_signed());
                let block = col / 4 / blocks.n_words as usize;
                let scale = f32::from_bits(packed[32 * (128 + block)]);
                let min = match blocks.has_mins {
                    true => f32::from_bits(packed[32 * (128 + n_scales + block)]),
                    false => 0.0,
                };
                let found = scale * code + min;
                assert!(
                    (found - expected).abs() <= 1e-6 * expected.abs().max(1.0),
                    "{kind}, column {col}: {found}, not {expected}"
                );
            }
        }
    }
}

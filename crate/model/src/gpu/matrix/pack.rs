//! Turns rows as stored in a file into the streams that [`super`] describes.

use super::{TILE_ROWS, TileWords};
use crate::gguf::TensorType;
use crate::quant::blocks;

/// All streams of `rows` in order.
pub(super) fn pack(kind: TensorType, n_words: usize, rows: &[&[u8]]) -> Vec<u32> {
    let tile = TileWords::of_streams(kind, n_words);
    let n_tiles = rows.len().div_ceil(TILE_ROWS);
    let mut words = vec![0; 4 * n_tiles * tile.sum()];
    let (codes, rest) = words.split_at_mut(4 * n_tiles * tile.codes);
    let (high_bits, rest) = rest.split_at_mut(4 * n_tiles * tile.high_bits);
    let (scales, super_scales) = rest.split_at_mut(4 * n_tiles * tile.scales);
    let stream = |words, per_tile| Stream { words, per_tile };
    let mut streams = Streams {
        codes: stream(codes, tile.codes),
        high_bits: stream(high_bits, tile.high_bits),
        scales: stream(scales, tile.scales),
        super_scales: stream(super_scales, tile.super_scales),
    };
    for (row_idx, row) in rows.iter().enumerate() {
        streams.put(kind, row_idx, row);
    }
    words
}

/// One stream: a word of four u32 for each tile of rows, each `place` within a row and each of 8 groups.
struct Stream<'w> {
    words: &'w mut [u32],
    per_tile: usize,
}

impl Stream<'_> {
    /// The word of row `row_idx`'s group, at `place` within the row.
    fn word(&mut self, row_idx: usize, place: usize) -> &mut [u32] {
        let (tile, group) = (row_idx / TILE_ROWS, row_idx % TILE_ROWS / 4);
        let word = tile * self.per_tile + place * 8 + group;
        &mut self.words[4 * word..4 * word + 4]
    }

    /// The row's own u32, in streams that hold one per row.
    fn of_row(&mut self, row_idx: usize, place: usize) -> &mut u32 {
        &mut self.word(row_idx, place)[row_idx % 4]
    }

    /// Sets byte `row` of u32 `half` at `place`.
    fn set_byte(&mut self, row_idx: usize, place: usize, half: usize, byte: u8) {
        self.word(row_idx, place)[half] |= u32::from(byte) << (8 * (row_idx % 4));
    }

    /// Sets the row's f16 in the two u32 from `half` on.
    fn set_half(&mut self, row_idx: usize, place: usize, half: usize, bytes: &[u8]) {
        let row = row_idx % 4;
        self.word(row_idx, place)[half + row / 2] |= word(&bytes[..2]) << (16 * (row % 2));
    }
}

struct Streams<'w> {
    codes: Stream<'w>,
    high_bits: Stream<'w>,
    scales: Stream<'w>,
    super_scales: Stream<'w>,
}

impl Streams<'_> {
    fn put(&mut self, kind: TensorType, row_idx: usize, row: &[u8]) {
        match kind {
            TensorType::F32 => {
                for (idx, value) in row.chunks(4).enumerate() {
                    // Each word of this stream holds a single row, so a group takes four.
                    let place = idx / 4 * 4 + row_idx % 4;
                    self.wide(row_idx, place, 4)[idx % 4] = word(value);
                }
            }
            TensorType::F16 | TensorType::BF16 => {
                for (idx, pair) in row.chunks(4).enumerate() {
                    let place = idx / 2 * 2 + row_idx % 4 / 2;
                    self.wide(row_idx, place, 2)[row_idx % 2 * 2 + idx % 2] = word(pair);
                }
            }
            _ => {
                self.put_codes(kind, row_idx, row);
                for (idx, stored) in row.chunks_exact(kind.block_bytes()).enumerate() {
                    self.put_scales(kind, row_idx, idx, stored);
                }
            }
        }
    }

    /// Word `place % n` of the `n` that a group stores consecutively at each `place` within a row.
    fn wide(&mut self, row_idx: usize, place: usize, n: usize) -> &mut [u32] {
        let (tile, group) = (row_idx / TILE_ROWS, row_idx % TILE_ROWS / 4);
        let word = tile * self.codes.per_tile + (place / n * 8 + group) * n + place % n;
        &mut self.codes.words[4 * word..4 * word + 4]
    }

    fn put_codes(&mut self, kind: TensorType, row_idx: usize, row: &[u8]) {
        let centre = centre(kind);
        let mut block_idx = 0;
        blocks::unpack(kind, row, |block| {
            let codes = block
                .quants
                .map(|quant| quant.wrapping_add(centre).cast_unsigned());
            let (words, _) = codes.as_chunks::<4>();
            for (idx, four) in words.iter().enumerate() {
                let place = block_idx * 8 + idx;
                if kind == TensorType::Q8_0 {
                    *self.codes.of_row(row_idx, place) = u32::from_le_bytes(*four);
                    continue;
                }
                let low = u32::from_le_bytes(four.map(|code| code & 15));
                *self.codes.of_row(row_idx, place / 2) |= low << (place % 2 * 4);
                match kind {
                    TensorType::Q5_0 | TensorType::Q5_1 | TensorType::Q5K => {
                        let bits = four
                            .iter()
                            .rev()
                            .fold(0, |bits, code| bits << 1 | code >> 4);
                        *self.high_bits.of_row(row_idx, place / 8) |=
                            u32::from(bits) << (place % 8 * 4);
                    }
                    TensorType::Q6K => {
                        let bits = four
                            .iter()
                            .rev()
                            .fold(0, |bits, code| bits << 2 | code >> 4);
                        *self.high_bits.of_row(row_idx, place / 4) |=
                            u32::from(bits) << (place % 4 * 8);
                    }
                    _ => {}
                }
            }
            block_idx += 1;
        });
    }

    /// Stores the scales of the row's block `idx`.
    fn put_scales(&mut self, kind: TensorType, row_idx: usize, idx: usize, stored: &[u8]) {
        match kind {
            TensorType::Q8_0 | TensorType::Q4_0 | TensorType::Q5_0 => {
                self.scales.set_half(row_idx, idx / 2, idx % 2 * 2, stored);
            }
            TensorType::Q4_1 | TensorType::Q5_1 => {
                self.scales.set_half(row_idx, idx, 0, stored);
                self.scales.set_half(row_idx, idx, 2, &stored[2..]);
            }
            TensorType::Q4K | TensorType::Q5K => {
                self.super_scales.set_half(row_idx, idx, 0, stored);
                self.super_scales.set_half(row_idx, idx, 2, &stored[2..]);
                for block in 0..8 {
                    let (scale, min) = blocks::scale_and_min(block, &stored[4..16]);
                    let (place, half) = (idx * 4 + block / 2, block % 2 * 2);
                    self.scales.set_byte(row_idx, place, half, scale);
                    self.scales.set_byte(row_idx, place, half + 1, min);
                }
            }
            TensorType::Q6K => {
                self.super_scales.set_half(row_idx, idx, 0, &stored[208..]);
                for (block, &scale) in stored[192..208].iter().enumerate() {
                    self.scales
                        .set_byte(row_idx, idx * 4 + block / 4, block % 4, scale);
                }
            }
            TensorType::F32 | TensorType::F16 | TensorType::BF16 => {}
        }
    }
}

/// Added to a quantised value to get its unsigned code.
fn centre(kind: TensorType) -> i8 {
    match kind {
        TensorType::Q4_0 => 8,
        TensorType::Q5_0 => 16,
        TensorType::Q6K => 32,
        _ => 0,
    }
}

/// Up to four little-endian bytes as a u32; missing ones are 0.
fn word(bytes: &[u8]) -> u32 {
    let mut padded = [0; 4];
    padded[..bytes.len()].copy_from_slice(bytes);
    u32::from_le_bytes(padded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant;

    #[test]
    fn interleaves_groups_of_four_rows() {
        let rows: Vec<Vec<u8>> = (0..40u8)
            .map(|row| quant::quantize(TensorType::Q8_0, &[f32::from(row); 32]))
            .collect();
        let rows: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
        let words = pack(TensorType::Q8_0, 8, &rows);
        assert_eq!(
            words[..5],
            [0, 0x7f7f_7f7f, 0x7f7f_7f7f, 0x7f7f_7f7f, 0x7f7f_7f7f],
            "rows 0 to 4"
        );
        assert_eq!(words[32], 0, "row 0 again: its next word");
        assert_eq!(words[8 * 32], 0x7f7f_7f7f, "row 32: the next tile");
        assert_eq!(
            words.len(),
            2 * (8 + 1) * 32,
            "two whole tiles of codes and scales"
        );
    }

    #[test]
    fn keeps_the_bits_of_halves_in_odd_rows() {
        // Three f16 columns: two words, the second with a single value.
        let bytes: Vec<u8> = (1..=6).collect();
        let words = pack(TensorType::F16, 1, &[&bytes, &bytes]);
        assert_eq!(
            words[..4],
            [0x0403_0201, 0x0605, 0x0403_0201, 0x0605],
            "two rows to a word"
        );
        assert_eq!(words.len(), 16 * 4, "rows are padded to a tile");
    }

    #[test]
    fn takes_blocks_of_four_bits_apart() {
        let mut block = vec![0xcd, 0xab];
        block.extend((1u8..).take(16));
        let words = pack(TensorType::Q4_0, 8, &[&block]);
        // Codes 1, 2, 3, 4 are the first word, 5, 6, 7, 8 the second.
        assert_eq!(words[0], 0x8473_6251, "two words of one row");
        assert_eq!(words[4 * 4 * 8], 0xabcd, "its scale behind all codes");
    }
}

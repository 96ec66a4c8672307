//! Turns a matrix as it lies in the file into aligned streams on the device, in slices that each fit one binding.
//!
//! Rows go in groups of 4 (one invocation's work) and 8 groups are interleaved word by word, so that 8 neighbouring
//! invocations read one contiguous piece of memory. Rows are padded to whole tiles of 32 with zeros. Quants and their
//! f16 scales are separate streams; neither is rounded again.

use super::{Gpu, GpuError};
use crate::error::LoadError;
use crate::gguf::{Gguf, TensorType};

/// Rows in a tile: 8 groups of 4.
const TILE_ROWS: usize = 32;
/// Rows that one invocation handles.
const GROUP_ROWS: usize = 4;

/// How weights lie on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// f32; for F32 and BF16.
    F32,
    /// Pairs of f16.
    F16,
    /// i8 with an f16 scale for 32.
    Q8_0,
    /// 4 bits with an f16 scale for 32.
    Q4_0,
}

impl Layout {
    /// The layout that holds values of this type exactly, if there is one.
    pub fn of(kind: TensorType) -> Option<Self> {
        match kind {
            TensorType::F32 | TensorType::BF16 => Some(Self::F32),
            TensorType::F16 => Some(Self::F16),
            TensorType::Q8_0 => Some(Self::Q8_0),
            TensorType::Q4_0 => Some(Self::Q4_0),
            _ => None,
        }
    }

    /// The types of [`Layout::of`], as an error message names them.
    const TYPES: &str = "F32, F16, BF16, Q8_0 or Q4_0 on a graphics device";

    /// Device bytes of one tile, for each column: the larger of the two streams.
    fn tile_bytes(self, n_words: usize) -> u64 {
        let per_word = match self {
            Self::F32 => 16,
            Self::F16 => 8,
            Self::Q8_0 => 4,
            Self::Q4_0 => 2,
        };
        (TILE_ROWS * per_word) as u64 * n_words as u64
    }
}

/// Refuses a file with a type that no layout holds, before anything long is done with it.
///
/// # Errors
/// [`LoadError::UnsupportedTensorType`].
pub(crate) fn check_types(gguf: &Gguf) -> Result<(), LoadError> {
    for (name, entry) in &gguf.tensors {
        if Layout::of(entry.kind).is_none() {
            return Err(LoadError::UnsupportedTensorType {
                name: name.clone(),
                expected: Layout::TYPES,
                found: entry.kind,
            });
        }
    }
    Ok(())
}

/// A matrix of weights on the device, `[N, C]`.
#[derive(Debug, Clone)]
pub struct PackedMatrix {
    /// How the weights lie.
    pub layout: Layout,
    /// `N`
    pub n_rows: usize,
    /// `C`
    pub n_cols: usize,
    /// Words of 4 weights in a row, the last one padded with zeros.
    pub n_words: usize,
    pub(crate) slices: Vec<Slice>,
}

/// Consecutive rows of a matrix, small enough for one binding.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    pub(crate) first_row: usize,
    pub(crate) n_rows: usize,
    pub(crate) quants: wgpu::Buffer,
    /// `None` for layouts without blocks.
    pub(crate) scales: Option<wgpu::Buffer>,
}

impl PackedMatrix {
    /// Slices that the matrix was split into.
    pub fn n_slices(&self) -> usize {
        self.slices.len()
    }
}

impl Gpu {
    /// Puts a matrix of `n_rows` rows, stored as `kind` in `bytes`, on the device.
    ///
    /// # Errors
    /// [`GpuError::Shape`] if the bytes are not that many rows, or the type has no layout;
    /// [`GpuError::BindingTooLarge`] if 32 rows already pass what the device can bind.
    pub fn matrix(
        &self,
        label: &str,
        kind: TensorType,
        n_rows: usize,
        n_cols: usize,
        bytes: &[u8],
    ) -> Result<PackedMatrix, GpuError> {
        let row_bytes = kind.n_bytes(n_cols).unwrap_or(0);
        let found = bytes.len();
        let layout = match Layout::of(kind) {
            Some(layout) if row_bytes > 0 && Some(found) == row_bytes.checked_mul(n_rows) => layout,
            _ => {
                let expected = row_bytes.saturating_mul(n_rows);
                return Err(GpuError::Shape {
                    kernel: "matmul",
                    operand: "weights",
                    expected,
                    found,
                });
            }
        };
        let n_words = n_cols.div_ceil(4);
        let tile_bytes = layout.tile_bytes(n_words);
        let tiles = self.max_binding_bytes() / tile_bytes;
        if tiles == 0 {
            return Err(GpuError::BindingTooLarge {
                name: label.to_owned(),
                expected: tile_bytes,
                found: self.max_binding_bytes(),
            });
        }
        let slice_rows = usize::try_from(tiles)
            .unwrap_or(usize::MAX)
            .saturating_mul(TILE_ROWS);
        let mut slices = Vec::new();
        for (slice_idx, bytes) in bytes
            .chunks(row_bytes.saturating_mul(slice_rows))
            .enumerate()
        {
            let packed = pack(kind, n_words, row_bytes, bytes);
            let scales = match packed.scales.is_empty() {
                true => None,
                false => Some(self.storage_of(&format!("{label} scales"), &packed.scales)?),
            };
            slices.push(Slice {
                first_row: slice_idx * slice_rows,
                n_rows: bytes.len() / row_bytes,
                quants: self.storage_of(label, &packed.quants)?,
                scales,
            });
        }
        Ok(PackedMatrix {
            layout,
            n_rows,
            n_cols,
            n_words,
            slices,
        })
    }

    /// Puts plain numbers on the device as a matrix, `[n_rows, n_cols]`.
    ///
    /// # Errors
    /// As [`Gpu::matrix`].
    pub fn matrix_of(
        &self,
        label: &str,
        n_rows: usize,
        n_cols: usize,
        values: &[f32],
    ) -> Result<PackedMatrix, GpuError> {
        // Every target of WebGPU is little-endian, as the file format is.
        let bytes = bytemuck::cast_slice(values);
        self.matrix(label, TensorType::F32, n_rows, n_cols, bytes)
    }
}

struct Packed {
    quants: Vec<u32>,
    scales: Vec<u32>,
}

/// Where row `row_idx` has its word `word_idx`, counted in words of its stream, of which a row has `n_words`.
fn word_at(row_idx: usize, word_idx: usize, n_words: usize) -> usize {
    let (tile, in_tile) = (row_idx / TILE_ROWS, row_idx % TILE_ROWS);
    let (lane, row) = (in_tile / GROUP_ROWS, in_tile % GROUP_ROWS);
    (tile * n_words + word_idx) * TILE_ROWS + lane * GROUP_ROWS + row
}

fn pack(kind: TensorType, n_words: usize, row_bytes: usize, bytes: &[u8]) -> Packed {
    let n_padded = (bytes.len() / row_bytes).next_multiple_of(TILE_ROWS);
    let rows = bytes.chunks_exact(row_bytes).enumerate();
    let (mut quants, mut scales) = (Vec::new(), Vec::<u16>::new());
    match kind {
        TensorType::F32 => {
            quants.resize(n_padded * n_words * 4, 0);
            for (row_idx, row) in rows {
                for (col, value) in row.chunks_exact(4).enumerate() {
                    quants[word_at(row_idx, col / 4, n_words) * 4 + col % 4] = word(value);
                }
            }
        }
        TensorType::BF16 => {
            quants.resize(n_padded * n_words * 4, 0);
            for (row_idx, row) in rows {
                for (col, value) in row.chunks_exact(2).enumerate() {
                    quants[word_at(row_idx, col / 4, n_words) * 4 + col % 4] = word(value) << 16;
                }
            }
        }
        TensorType::F16 => {
            quants.resize(n_padded * n_words * 2, 0);
            for (row_idx, row) in rows {
                for (pair, values) in row.chunks(4).enumerate() {
                    quants[word_at(row_idx, pair / 2, n_words) * 2 + pair % 2] = word(values);
                }
            }
        }
        TensorType::Q8_0 | TensorType::Q4_0 => {
            let block_bytes = kind.block_bytes();
            let (n_blocks, block_words) = (row_bytes / block_bytes, (block_bytes - 2) / 4);
            quants.resize(n_padded * n_blocks * block_words, 0);
            scales.resize(n_padded * n_blocks, 0);
            for (row_idx, row) in rows {
                for (block_idx, block) in row.chunks_exact(block_bytes).enumerate() {
                    let (scale, values) = block.split_at(2);
                    scales[word_at(row_idx, block_idx, n_blocks)] =
                        u16::from_le_bytes([scale[0], scale[1]]);
                    for (i, value) in values.chunks_exact(4).enumerate() {
                        let word_idx = block_idx * block_words + i;
                        quants[word_at(row_idx, word_idx, n_blocks * block_words)] = word(value);
                    }
                }
            }
        }
        // `Layout::of` has refused the others.
        _ => {}
    }
    let pairs = scales.chunks_exact(2);
    Packed {
        quants,
        scales: pairs
            .map(|pair| u32::from(pair[0]) | u32::from(pair[1]) << 16)
            .collect(),
    }
}

/// Up to four little-endian bytes as a number; missing ones are 0.
fn word(bytes: &[u8]) -> u32 {
    let mut padded = [0; 4];
    padded[..bytes.len()].copy_from_slice(bytes);
    u32::from_le_bytes(padded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant::QK;

    #[test]
    fn interleaves_groups_of_four_rows() {
        assert_eq!(word_at(0, 0, 10), 0, "first row, first word");
        assert_eq!(
            word_at(3, 0, 10),
            3,
            "the four rows of a group are neighbours"
        );
        assert_eq!(
            word_at(4, 0, 10),
            4,
            "then come the other groups of the tile"
        );
        assert_eq!(word_at(0, 1, 10), TILE_ROWS, "then the next word");
        assert_eq!(word_at(32, 0, 10), 10 * TILE_ROWS, "then the next tile");
    }

    #[test]
    fn keeps_the_bits_of_halves_in_odd_rows() {
        // Three f16 columns: two words of which the second holds one value.
        let bytes: Vec<u8> = (1..=6).collect();
        let packed = pack(TensorType::F16, 1, 6, &bytes);
        assert_eq!(
            packed.quants[..2],
            [0x0403_0201, 0x0605],
            "two pairs, the last padded"
        );
        assert_eq!(
            packed.quants.len(),
            TILE_ROWS * 2,
            "rows are padded to a tile"
        );
    }

    #[test]
    fn splits_blocks_into_quants_and_scales() {
        let mut block = vec![0xcd, 0xab];
        block.extend((1u8..).take(QK / 2));
        let packed = pack(TensorType::Q4_0, 8, 18, &block);
        assert_eq!(packed.scales[0], 0xabcd, "scale of row 0, beside row 1's");
        assert_eq!(packed.quants[0], 0x0403_0201, "first four bytes");
        assert_eq!(
            packed.quants[TILE_ROWS], 0x0807_0605,
            "next word of the row"
        );
    }
}

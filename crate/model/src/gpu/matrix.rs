//! Turns a matrix as stored in the file into aligned streams on the device, in slices that each fit in one binding.
//!
//! Rows form groups of 4 (one invocation's share), and 8 groups are interleaved word by word, so that 8 neighbouring
//! invocations read contiguous memory. Rows are zero-padded to whole tiles of 32. A slice is one buffer of words of
//! four u32: first all codes, then the upper bits, scales and scales of scales that the type has. Nothing is rounded:
//! codes and scales are those of the file.
//!
//! | type | codes | upper bits | scales | scales of scales |
//! |------|-------|------------|--------|------------------|
//! | F32 | 32 bits | | | |
//! | F16, BF16 | 16 bits | | | |
//! | Q8_0 | 8 bits | | f16 for 32 | |
//! | Q4_0 | 4 bits | | f16 for 32 | |
//! | Q4_1 | 4 bits | | f16 and f16 minimum for 32 | |
//! | Q5_0 | 4 bits | 1 bit | f16 for 32 | |
//! | Q5_1 | 4 bits | 1 bit | f16 and f16 minimum for 32 | |
//! | Q4_K | 4 bits | | 6 bits and 6 bits of minimum for 32, a byte each | f16 and f16 for 256 |
//! | Q5_K | 4 bits | 1 bit | as Q4_K | as Q4_K |
//! | Q6_K | 4 bits | 2 bits | i8 for 16 | f16 for 256 |
//!
//! If inputs are quantised to 8 bits, all block types are laid out as in [`bytes`] instead.

mod bytes;
mod pack;

pub(crate) use bytes::ByteBlocks;

use super::{Gpu, GpuError, Precision};
use crate::gguf::TensorType;
use crate::weights::Matrix;

/// Rows in a tile: 8 groups of 4.
pub(crate) const TILE_ROWS: usize = 32;

/// The layout of weights on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// As the streams of their type.
    Streams(TensorType),
    /// As 8-bit codes.
    Bytes(ByteBlocks),
}

impl Layout {
    /// The layout that the device's kernels expect for a type.
    pub(crate) fn of(gpu: &Gpu, kind: TensorType) -> Self {
        match gpu.variant().precision {
            Precision::Int8 if kind.block_len() > 1 => Self::Bytes(ByteBlocks::of(kind)),
            _ => Self::Streams(kind),
        }
    }

    /// True if the weights are multiplied with inputs quantised to 8 bits.
    pub(crate) fn is_bytes(self) -> bool {
        matches!(self, Self::Bytes(_))
    }
}

/// The length of each stream of one tile, in words of four u32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TileWords {
    codes: usize,
    high_bits: usize,
    scales: usize,
    super_scales: usize,
}

impl TileWords {
    /// For rows of `n_words` words of 4 weights.
    fn of(layout: Layout, n_words: usize) -> Self {
        match layout {
            Layout::Streams(kind) => Self::of_streams(kind, n_words),
            Layout::Bytes(blocks) => {
                let scales = 8 * blocks.per_row(n_words);
                Self {
                    codes: 8 * n_words,
                    high_bits: 0,
                    scales,
                    super_scales: if blocks.has_mins { scales } else { 0 },
                }
            }
        }
    }

    fn of_streams(kind: TensorType, n_words: usize) -> Self {
        use TensorType::{BF16, F16, F32, Q4_0, Q4_1, Q4K, Q5_0, Q5_1, Q5K, Q6K, Q8_0};
        let (blocks, halves) = (n_words / 8, n_words.div_ceil(2));
        let pairs = blocks.div_ceil(2);
        let super_scales = n_words / 64;
        // Per group; a tile has 8.
        let (codes, high_bits, scales, super_scales) = match kind {
            F32 => (4 * n_words, 0, 0, 0),
            F16 | BF16 => (2 * n_words, 0, 0, 0),
            Q8_0 => (n_words, 0, pairs, 0),
            Q4_0 => (halves, 0, pairs, 0),
            Q4_1 => (halves, 0, blocks, 0),
            Q5_0 => (halves, blocks, pairs, 0),
            Q5_1 => (halves, blocks, blocks, 0),
            Q4K => (halves, 0, pairs, super_scales),
            Q5K => (halves, blocks, pairs, super_scales),
            Q6K => (halves, 2 * blocks, pairs, super_scales),
        };
        Self {
            codes: 8 * codes,
            high_bits: 8 * high_bits,
            scales: 8 * scales,
            super_scales: 8 * super_scales,
        }
    }

    fn sum(self) -> usize {
        self.codes + self.high_bits + self.scales + self.super_scales
    }
}

/// A matrix of weights on the device, `[N, C]`.
#[derive(Debug, Clone)]
pub struct PackedMatrix {
    /// How the weights were stored.
    pub kind: TensorType,
    /// `N`
    pub n_rows: usize,
    /// `C`
    pub n_cols: usize,
    /// Words of 4 weights in a row, the last one zero-padded.
    pub n_words: usize,
    pub(crate) layout: Layout,
    pub(crate) slices: Vec<Slice>,
}

/// Consecutive rows of a matrix, small enough for one binding.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    /// A multiple of 32.
    pub(crate) first_row: usize,
    pub(crate) n_rows: usize,
    pub(crate) buffer: wgpu::Buffer,
    /// First words of the streams after the codes; `super_scales` are the minimums of 8-bit codes.
    pub(crate) high_bits: usize,
    pub(crate) scales: usize,
    pub(crate) super_scales: usize,
}

impl PackedMatrix {
    /// Slices that the matrix was split into.
    pub fn n_slices(&self) -> usize {
        self.slices.len()
    }

    /// Bytes read by one pass over the matrix.
    pub fn n_bytes(&self) -> u64 {
        self.slices.iter().map(|slice| slice.buffer.size()).sum()
    }
}

impl Gpu {
    /// Uploads a matrix: `rows` of `n_cols` weights each, stored as `kind`, in the order the device keeps them.
    ///
    /// # Errors
    /// [`GpuError::Shape`] if a row has a different number of weights; [`GpuError::BindingTooLarge`] if 32 rows alone
    /// exceed the device's binding limit.
    pub fn matrix(
        &self,
        label: &str,
        kind: TensorType,
        n_cols: usize,
        rows: &[&[u8]],
    ) -> Result<PackedMatrix, GpuError> {
        let row_bytes = kind.n_bytes(n_cols).unwrap_or(0);
        let wrong = rows
            .iter()
            .find(|row| row.len() != row_bytes || row.is_empty());
        if let Some(found) = wrong.map(|row| row.len()).or(rows.is_empty().then_some(0)) {
            return Err(GpuError::Shape {
                kernel: "matrix",
                operand: "row",
                expected: row_bytes,
                found,
            });
        }
        let n_words = n_cols.div_ceil(4);
        let layout = Layout::of(self, kind);
        let tile = TileWords::of(layout, n_words);
        let tile_bytes = 16 * tile.sum() as u64;
        let n_tiles = self.max_binding_bytes() / tile_bytes;
        if n_tiles == 0 {
            return Err(GpuError::BindingTooLarge {
                name: label.to_owned(),
                expected: tile_bytes,
                found: self.max_binding_bytes(),
            });
        }
        let slice_rows = usize::try_from(n_tiles)
            .unwrap_or(usize::MAX)
            .saturating_mul(TILE_ROWS);
        let slices = rows.chunks(slice_rows).enumerate().map(|(idx, rows)| {
            let n_tiles = rows.len().div_ceil(TILE_ROWS);
            let high_bits = n_tiles * tile.codes;
            let scales = high_bits + n_tiles * tile.high_bits;
            let super_scales = scales + n_tiles * tile.scales;
            let packed = match layout {
                Layout::Streams(kind) => pack::pack(kind, n_words, rows),
                Layout::Bytes(_) => bytes::pack(kind, n_words, rows),
            };
            Ok(Slice {
                first_row: idx * slice_rows,
                n_rows: rows.len(),
                buffer: self.storage_of(label, &packed)?,
                high_bits,
                scales,
                super_scales,
            })
        });
        Ok(PackedMatrix {
            kind,
            n_rows: rows.len(),
            n_cols,
            n_words,
            layout,
            slices: slices.collect::<Result<_, GpuError>>()?,
        })
    }

    /// Uploads floats as a matrix, `[n_rows, n_cols]`.
    ///
    /// # Errors
    /// As [`Gpu::matrix`].
    pub fn matrix_of(
        &self,
        label: &str,
        n_cols: usize,
        values: &[f32],
    ) -> Result<PackedMatrix, GpuError> {
        // WebGPU is little-endian everywhere, as is the file format.
        let bytes: &[u8] = bytemuck::cast_slice(values);
        let rows: Vec<&[u8]> = bytes.chunks(4 * n_cols.max(1)).collect();
        self.matrix(label, TensorType::F32, n_cols, &rows)
    }
}

impl Matrix {
    /// The rows as stored.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let n_bytes = self.kind.n_bytes(self.n_cols).unwrap_or(0).max(1);
        self.bytes.chunks(n_bytes)
    }
}

//! Turns quantised weights and floats into products of whole numbers:
//! `y[t,n] = sum over blocks of sw * sx * (qw . qx) + min * sx * sum(qx)`.
//!
//! Types of up to 4 bits lie as 16 bytes of two numbers a block, the others as 32 signed bytes; their scales become floats
//! once, at load, and four rows lie together, so that a kernel reads the activations once for four sums. Q6_K has a scale
//! for each half of a block. Minimums are few: they are multiplied apart, in floats. Activations are quantised by block, anew
//! for each call. Error: that of the activations' quantisation, `NMSE <= 5e-5` against floats; kernels agree among themselves to the order
//! of their float sums.
//!
//! | kernel | where | step |
//! |---|---|---|
//! | [`plain`] | everywhere; the twin of the others | a loop |
//! | [`avx2`] | x86-64, asked at run time | `maddubs` of `abs(w)` and `sign(x, w)` |
//! | [`simd128`] | wasm | `i32x4.dot_i16x8` of widened bytes |

pub(super) mod plain;

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) mod simd128;

use super::vector;
use crate::gguf::TensorType;
use crate::quant::{QK, blocks};
use crate::weights::Matrix;

/// Rows that lie together.
pub(super) const ROWS: usize = 4;
/// Tokens that a kernel takes at once.
pub(super) const TOKENS: usize = 2;
/// Tokens whose activations stay in the cache while the rows pass.
const TILE: usize = 32;

/// A quantised activation: wide where the kernel would widen it for every row anew.
#[cfg(target_arch = "wasm32")]
pub(super) type Activation = i16;
/// A quantised activation.
#[cfg(not(target_arch = "wasm32"))]
pub(super) type Activation = i8;

/// Bytes of a block of signed bytes.
const WIDE: usize = QK;
/// Bytes of a block of 4 bits: number `i` is the low half of byte `i`, number `16 + i` the high one, both less 8.
const NARROW: usize = QK / 2;

/// A matrix of quantised blocks, in groups of four rows.
#[derive(Debug, Clone)]
pub(super) struct PackedMatrix {
    n_rows: usize,
    n_cols: usize,
    /// Bytes of a block's numbers: [`WIDE`] or [`NARROW`].
    block_bytes: usize,
    /// Scales of a block: 1, or one for each half.
    n_scales: usize,
    /// `[ceil(n_rows / 4), n_cols / 32, 4, block_bytes]`; rows behind the last have a scale of zero.
    quants: Vec<u8>,
    /// `[ceil(n_rows / 4), n_cols / 32, 4, n_scales]`
    scales: Vec<f32>,
    /// `[n_rows, n_cols / 32]`; empty where the type has none.
    mins: Vec<f32>,
}

/// Quantised activations, `[T, n_cols]`.
pub(super) struct Activations {
    quants: Vec<Activation>,
    /// `[T, n_cols / 32]`
    scales: Vec<f32>,
    /// `[T, n_cols / 32]`: the sum of each block.
    sums: Vec<f32>,
    n_cols: usize,
}

/// One group of rows, as kernels take it.
pub(super) struct Rows<'m> {
    /// `[n_cols / 32, 4, block_bytes]`
    pub(super) quants: &'m [u8],
    /// `[n_cols / 32, 4, n_scales]`
    pub(super) scales: &'m [f32],
}

/// One token's activations, as kernels take them.
#[derive(Clone, Copy)]
pub(super) struct Token<'x> {
    /// `[n_cols]`
    pub(super) quants: &'x [Activation],
    /// `[n_cols / 32]`
    pub(super) scales: &'x [f32],
}

/// The products of a group of rows with some tokens, `[T, 4]`.
pub(super) type Tile<const T: usize> = [[f32; ROWS]; T];

/// A way to compute a [`Tile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    #[cfg_attr(
        all(target_arch = "wasm32", target_feature = "simd128"),
        expect(dead_code, reason = "the twin, where SIMD128 is sure to be there")
    )]
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128,
}

impl Kernel {
    /// The fastest one that this processor runs.
    pub(super) fn best() -> Kernel {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
        {
            return Kernel::Avx2;
        }
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        return Kernel::Simd128;
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        Kernel::Plain
    }

    /// The instruction set's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kernel::Plain => "plain",
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => "AVX2",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Kernel::Simd128 => "SIMD128",
        }
    }

    fn tile<const BYTES: usize, const SCALES: usize, const T: usize>(
        self,
        rows: &Rows<'_>,
        tokens: [Token<'_>; T],
    ) -> Tile<T> {
        match self {
            Kernel::Plain => plain::tile::<BYTES, SCALES, T>(rows, tokens),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `best` is the only maker of this value, and asks the processor first.
            Kernel::Avx2 => unsafe { avx2::tile::<BYTES, SCALES, T>(rows, tokens) },
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Kernel::Simd128 => simd128::tile::<BYTES, SCALES, T>(rows, tokens),
        }
    }
}

impl PackedMatrix {
    /// Packs a matrix; `None` for plain numbers. The loader has checked that its rows are whole blocks.
    pub(super) fn new(matrix: &Matrix) -> Option<PackedMatrix> {
        use TensorType::{BF16, F16, F32, Q4_0, Q4_1, Q4K, Q5_0, Q5_1, Q5K, Q6K, Q8_0};
        let (block_bytes, n_scales, has_min) = match matrix.kind {
            Q4_0 => (NARROW, 1, false),
            Q4_1 | Q4K => (NARROW, 1, true),
            Q8_0 | Q5_0 => (WIDE, 1, false),
            Q5_1 | Q5K => (WIDE, 1, true),
            Q6K => (WIDE, 2, false),
            F32 | F16 | BF16 => return None,
        };
        // Four bits without a sign fit once they are moved as those of Q4_0 are; the minimum takes the difference.
        let offset: i8 = if block_bytes == NARROW && has_min {
            -8
        } else {
            0
        };
        let (n_rows, n_cols) = (matrix.n_rows, matrix.n_cols);
        let n_blocks = n_cols / QK;
        let n_groups = n_rows.div_ceil(ROWS);
        let mut packed = PackedMatrix {
            n_rows,
            n_cols,
            block_bytes,
            n_scales,
            quants: vec![0; n_groups * n_blocks * ROWS * block_bytes],
            scales: vec![0.0; n_groups * n_blocks * ROWS * n_scales],
            mins: Vec::with_capacity(if has_min { n_rows * n_blocks } else { 0 }),
        };
        let mut idx = 0;
        blocks::unpack(matrix.kind, &matrix.bytes, |block| {
            let place = packed.place(idx / n_blocks, idx % n_blocks);
            idx += 1;
            packed.scales[place * n_scales..][..n_scales]
                .copy_from_slice(&block.scales[..n_scales]);
            if has_min {
                packed
                    .mins
                    .push(block.min - block.scales[0] * f32::from(offset));
            }
            let bytes = &mut packed.quants[place * block_bytes..][..block_bytes];
            if block_bytes == WIDE {
                bytes.copy_from_slice(bytemuck::cast_slice(&block.quants));
                return;
            }
            let nibble = |quant: i8| (quant + offset + 8).cast_unsigned();
            let (low, high) = block.quants.split_at(NARROW);
            for ((byte, low), high) in bytes.iter_mut().zip(low).zip(high) {
                *byte = nibble(*low) | nibble(*high) << 4;
            }
        });
        Some(packed)
    }

    /// Which block, in the order of [`PackedMatrix::quants`].
    fn place(&self, row_idx: usize, block_idx: usize) -> usize {
        (row_idx / ROWS * (self.n_cols / QK) + block_idx) * ROWS + row_idx % ROWS
    }

    /// Unpacks one row into `y`, `[n_cols]`.
    pub(super) fn row(&self, row_idx: usize, y: &mut [f32]) {
        for (block_idx, y) in y.chunks_exact_mut(QK).enumerate() {
            let place = self.place(row_idx, block_idx);
            let scales = &self.scales[place * self.n_scales..][..self.n_scales];
            let min = self.mins.get(row_idx * (self.n_cols / QK) + block_idx);
            let min = min.copied().unwrap_or(0.0);
            let block = &self.quants[place * self.block_bytes..][..self.block_bytes];
            for (i, (y, quant)) in y.iter_mut().zip(plain::unpack(block)).enumerate() {
                *y = scales[i * self.n_scales / QK] * f32::from(quant) + min;
            }
        }
    }

    /// `y[t,:] = W x[t,:]`; `x` is `[T, n_cols]`, `y` is `[T, n_rows]` and overwritten.
    pub(super) fn matmul(&self, kernel: Kernel, x: &Activations, y: &mut [f32]) {
        debug_assert_eq!(x.n_cols, self.n_cols, "as many inputs as columns");
        let n_tokens = x.scales.len() / (self.n_cols / QK);
        for start in (0..n_tokens).step_by(TILE) {
            let end = n_tokens.min(start + TILE);
            for group_idx in 0..self.n_rows.div_ceil(ROWS) {
                let tokens = start..end;
                match (self.block_bytes, self.n_scales) {
                    (NARROW, _) => self.group::<NARROW, 1>(kernel, group_idx, x, tokens, y),
                    (_, 1) => self.group::<WIDE, 1>(kernel, group_idx, x, tokens, y),
                    _ => self.group::<WIDE, 2>(kernel, group_idx, x, tokens, y),
                }
            }
        }
    }

    /// The products of one group of rows with a range of tokens.
    fn group<const BYTES: usize, const SCALES: usize>(
        &self,
        kernel: Kernel,
        group_idx: usize,
        x: &Activations,
        tokens: std::ops::Range<usize>,
        y: &mut [f32],
    ) {
        let n_blocks = self.n_cols / QK;
        let rows = Rows {
            quants: &self.quants[group_idx * n_blocks * ROWS * BYTES..][..n_blocks * ROWS * BYTES],
            scales: &self.scales[group_idx * n_blocks * ROWS * SCALES..]
                [..n_blocks * ROWS * SCALES],
        };
        let first_row = group_idx * ROWS;
        let n_rows = ROWS.min(self.n_rows - first_row);
        let mut store = |token_idx: usize, sums: &[f32; ROWS]| {
            let start = token_idx * self.n_rows + first_row;
            y[start..start + n_rows].copy_from_slice(&sums[..n_rows]);
            if !self.mins.is_empty() {
                let sums = &x.sums[token_idx * n_blocks..][..n_blocks];
                let mins = self.mins[first_row * n_blocks..].chunks_exact(n_blocks);
                for (y, mins) in y[start..start + n_rows].iter_mut().zip(mins) {
                    *y += vector::dot(mins, sums);
                }
            }
        };
        let mut token_idx = tokens.start;
        while token_idx + TOKENS <= tokens.end {
            let pair: [Token<'_>; TOKENS] = std::array::from_fn(|idx| x.token(token_idx + idx));
            for (idx, sums) in kernel
                .tile::<BYTES, SCALES, TOKENS>(&rows, pair)
                .iter()
                .enumerate()
            {
                store(token_idx + idx, sums);
            }
            token_idx += TOKENS;
        }
        for token_idx in token_idx..tokens.end {
            let [sums] = kernel.tile::<BYTES, SCALES, 1>(&rows, [x.token(token_idx)]);
            store(token_idx, &sums);
        }
    }
}

impl Activations {
    /// Quantises `x`, `[T, n_cols]`, block by block: the largest of a block becomes 127.
    pub(super) fn quantize(x: &[f32], n_cols: usize) -> Activations {
        let mut quants = Vec::with_capacity(x.len());
        let mut scales = Vec::with_capacity(x.len() / QK);
        let mut sums = Vec::with_capacity(x.len() / QK);
        let (blocks, _) = x.as_chunks::<QK>();
        for block in blocks {
            let largest = block.iter().fold(0.0f32, |max, x| max.max(x.abs()));
            let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
            let scale = largest / 127.0;
            let start = quants.len();
            #[expect(clippy::cast_possible_truncation, reason = "within 127 by the scale")]
            quants.extend(
                block
                    .iter()
                    .map(|x| (x * inverse).round_ties_even() as Activation),
            );
            // The sum of what is multiplied, not of what was given: both parts of a product then see the same numbers.
            let sum: i32 = quants[start..].iter().map(|quant| i32::from(*quant)).sum();
            #[expect(clippy::cast_precision_loss, reason = "at most 32 * 127, exact")]
            sums.push(scale * sum as f32);
            scales.push(scale);
        }
        Activations {
            quants,
            scales,
            sums,
            n_cols,
        }
    }

    fn token(&self, token_idx: usize) -> Token<'_> {
        let n_blocks = self.n_cols / QK;
        Token {
            quants: &self.quants[token_idx * self.n_cols..][..self.n_cols],
            scales: &self.scales[token_idx * n_blocks..][..n_blocks],
        }
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;
    use crate::forward::test_values as values;

    /// Blocks of any bytes, whose f16s are made tame: all types are reached, and all their numbers.
    fn stored(kind: TensorType, n_values: usize) -> Vec<u8> {
        let n_bytes = kind.n_bytes(n_values).expect("whole blocks");
        let mut bytes: Vec<u8> = (0..n_bytes)
            .map(|i| (i * 7919 % 251).to_le_bytes()[0])
            .collect();
        let halves: &[usize] = match kind {
            TensorType::Q6K => &[208],
            TensorType::Q8_0 | TensorType::Q4_0 | TensorType::Q5_0 => &[0],
            _ => &[0, 2],
        };
        for (idx, block) in bytes.chunks_exact_mut(kind.block_bytes()).enumerate() {
            for start in halves {
                let half = f16::from_f32(0.01 + (idx + start) as f32 % 7.0 / 100.0);
                block[*start..start + 2].copy_from_slice(&half.to_le_bytes());
            }
        }
        bytes
    }

    fn packed(kind: TensorType, n_rows: usize, n_cols: usize) -> (Matrix, PackedMatrix) {
        let matrix = Matrix {
            kind,
            n_rows,
            n_cols,
            bytes: stored(kind, n_rows * n_cols),
        };
        let packed = PackedMatrix::new(&matrix).expect("a type with a kernel");
        (matrix, packed)
    }

    const KINDS: [TensorType; 8] = [
        TensorType::Q8_0,
        TensorType::Q4_0,
        TensorType::Q4_1,
        TensorType::Q5_0,
        TensorType::Q5_1,
        TensorType::Q4K,
        TensorType::Q5K,
        TensorType::Q6K,
    ];

    /// The fast kernel against its twin: only the order of the float sums differs.
    #[test]
    fn the_best_kernel_agrees_with_the_plain_one() {
        const BOUND: f64 = 1e-12;
        let sizes = [(1, 256, 1), (2, 256, 5), (3, 512, 63), (67, 768, 131)];
        let cases = KINDS
            .into_iter()
            .flat_map(|kind| sizes.map(|size| (kind, size)));
        for (kind, (n_tokens, n_cols, n_rows)) in cases {
            let (_, packed) = packed(kind, n_rows, n_cols);
            let x = Activations::quantize(&values(n_tokens * n_cols, 2), n_cols);
            // A value that no product has: every place must be written, and none beyond.
            let mut expected = vec![f32::NAN; n_tokens * n_rows];
            packed.matmul(Kernel::Plain, &x, &mut expected);
            let mut found = vec![f32::NAN; n_tokens * n_rows];
            packed.matmul(Kernel::best(), &x, &mut found);
            let power: f64 = expected.iter().map(|y| f64::from(*y).powi(2)).sum();
            let error: f64 = found
                .iter()
                .zip(&expected)
                .map(|(a, b)| f64::from(a - b).powi(2))
                .sum();
            let got = error / power;
            assert!(
                got <= BOUND,
                "{kind} on {:?}, {n_tokens} x {n_cols} x {n_rows}: NMSE bound {BOUND:e}, got {got:e}",
                Kernel::best()
            );
        }
    }

    #[test]
    fn the_smallest_byte_does_not_overflow() {
        // -128 is no value that quantising gives, but a file may hold it.
        let mut matrix = packed(TensorType::Q8_0, 4, 64).0;
        for byte in matrix
            .bytes
            .chunks_exact_mut(34)
            .flat_map(|block| &mut block[2..])
        {
            *byte = 0x80;
        }
        let packed = PackedMatrix::new(&matrix).expect("a type with a kernel");
        let x = Activations::quantize(&[-1.0; 64], 64);
        let (mut expected, mut found) = ([0.0; 4], [0.0; 4]);
        packed.matmul(Kernel::Plain, &x, &mut expected);
        packed.matmul(Kernel::best(), &x, &mut found);
        assert!(expected[0] > 0.0, "minus times minus: {expected:?}");
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= 1e-5 * expected.abs(),
                "found {found}, expected {expected}"
            );
        }
    }

    #[test]
    fn unpacks_a_row_as_it_was_stored() {
        for (kind, row_idx) in KINDS
            .into_iter()
            .flat_map(|kind| (0..7).map(move |row| (kind, row)))
        {
            let (matrix, packed) = packed(kind, 7, 512);
            let (mut found, mut expected) = (vec![0.0; 512], vec![0.0; 512]);
            packed.row(row_idx, &mut found);
            matrix.row(row_idx, &mut expected);
            for (found, expected) in found.iter().zip(&expected) {
                // Moving four bits by 8 and the minimum back costs a rounding.
                let bound = 4.0 * f32::EPSILON * expected.abs().max(1.0);
                assert!(
                    (found - expected).abs() <= bound,
                    "{kind}, row {row_idx}: found {found}, expected {expected}"
                );
            }
        }
    }

    #[test]
    fn zeros_stay_zero() {
        let x = Activations::quantize(&[0.0; 32], 32);
        assert_eq!((x.scales[0], x.quants[0]), (0.0, 0));
    }
}

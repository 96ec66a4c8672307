//! Turns quantised weights and floats into integer products: `y[t,n] = sum over blocks of sx * (sw * (code . qx -
//! offset * sum(qx)) + min * sum(qx))`.
//!
//! Weights are unsigned codes of 4, 5, 6 or 8 bits; 16 rows are interleaved, 4 columns of each at a time, so that one
//! vector instruction multiplies several rows with the same activations and no sum runs across a vector ([`pack`]).
//! Activations are quantised to signed bytes by block, on every call ([`activations`]). The only error is that of
//! quantising activations, `NMSE <= 5e-5` against floats; kernels agree with each other up to the order of their float
//! sums.
//!
//! | kernel | where | four products of bytes, added |
//! |---|---|---|
//! | [`plain`] | everywhere; the twin of the others | a loop |
//! | AVX2 | x86-64, detected at run time | `vpmaddubsw`, `vpmaddwd`, `vpaddd` |
//! | AVX-VNNI, AVX-512 VNNI | x86-64, detected at run time | `vpdpbusd` |
//! | NEON | 64-bit ARM | `smull`, `addp`, `sadalp` |
//! | NEON, dot product | 64-bit ARM, detected at run time | `sdot` |
//! | SIMD128 | wasm | two `i32x4.dot_i16x8_s` of widened bytes |
//! | relaxed SIMD, dots | wasm, in the module built for it, where it is a single instruction of the processor | `i32x4.relaxed_dot_i8x16_i7x16_add_s` |
//! | relaxed SIMD, pairs | the same module on other processors | `i16x8.relaxed_dot_i8x16_i7x16_s`, four steps added in 16 bits; 8 bits as SIMD128 |
//!
//! As the second operand of a relaxed product, which is defined for 7 bits, codes of up to 6 bits give the same result
//! on every processor; their pairs, at most `63 * 127 * 2`, neither saturate nor wrap.

mod activations;
#[cfg(target_arch = "aarch64")]
mod arm;
mod pack;
pub(super) mod plain;
#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    all(target_arch = "wasm32", target_feature = "simd128")
))]
mod tile;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(super) use activations::Activations;
pub(super) use pack::PackedMatrix;

use super::threads::{SharedColumns, Threads};
use crate::quant::QK;

/// Rows that are interleaved.
const ROWS: usize = 16;
/// Neighbouring columns of a row that are stored together.
const STEP: usize = 4;
/// Steps in a block.
const STEPS: usize = QK / STEP;

/// Bits of a code. Bytes unpacked from fewer bits have a width of their own, `SPREAD`: some kernels need the top bit
/// clear.
const FOUR: usize = 4;
const FIVE: usize = 5;
const SIX: usize = 6;
const SPREAD: usize = 7;
const EIGHT: usize = 8;

/// Bytes of a block of 16 rows.
const fn block_bytes(bits: usize) -> usize {
    match bits {
        SPREAD => ROWS * QK,
        _ => ROWS * QK * bits / 8,
    }
}

/// Sixteen rows in the kernels' layout.
#[derive(Clone, Copy)]
struct Panel<'m> {
    /// `[n_blocks, block_bytes]`
    codes: &'m [u8],
    /// `[n_blocks, n_scales, 16]`
    scales: &'m [f32],
    /// `[n_blocks, 16]`, or empty.
    mins: &'m [f32],
    /// SharedColumns over 32.
    n_blocks: usize,
    /// The code of zero.
    offset: i32,
}

/// The activations of `T` tokens, 1 or [`Kernel::n_tokens`], in the kernels' layout.
#[derive(Clone, Copy)]
struct Tokens<'x> {
    /// `T`
    n: usize,
    /// `[n_cols / 4, T, 4]`
    quants: &'x [i8],
    /// `[n_cols / 4, T, 4]`, or empty if the kernel takes bytes.
    wide: &'x [i16],
    /// `[n_blocks, T]`
    scales: &'x [f32],
    /// `[n_blocks, T]`: the sums of a block's first half, and of the whole block.
    sums: &'x [[i32; 2]],
}

/// A block of activations: its scale, its signed bytes, and the sum of each half.
type Quantized = (f32, [i8; QK], [i32; 2]);

/// Blocks with no magnitude above this count as zeros: the inverse scale would be infinite.
const SMALLEST: f32 = 1e-36;

/// A way to multiply panels with tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    #[cfg_attr(
        all(target_arch = "wasm32", target_feature = "simd128"),
        expect(dead_code, reason = "the twin, where SIMD128 is sure to be there")
    )]
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(target_arch = "aarch64")]
    NeonDot,
    #[cfg(all(
        target_arch = "wasm32",
        target_feature = "simd128",
        not(target_feature = "relaxed-simd")
    ))]
    Simd128,
    /// The second operand's top bit counts as 128.
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    RelaxedUnsigned,
    /// The second operand's top bit is a sign.
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    RelaxedSigned,
    /// The second operand has 7 bits, so 8-bit codes take another path.
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    RelaxedPairs,
}

impl Kernel {
    /// The fastest kernel on this processor.
    pub(super) fn best() -> Kernel {
        #[cfg(target_arch = "x86_64")]
        return x86::best().unwrap_or(Kernel::Plain);
        #[cfg(target_arch = "aarch64")]
        return arm::best();
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        return wasm::best();
        #[cfg(not(any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            all(target_arch = "wasm32", target_feature = "simd128")
        )))]
        Kernel::Plain
    }

    /// The instruction set's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kernel::Plain => "plain",
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Kernel::AvxVnni => "AVX-VNNI",
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512Vnni => "AVX-512 VNNI",
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon => "NEON",
            #[cfg(target_arch = "aarch64")]
            Kernel::NeonDot => "NEON, dot product",
            #[cfg(all(
                target_arch = "wasm32",
                target_feature = "simd128",
                not(target_feature = "relaxed-simd")
            ))]
            Kernel::Simd128 => "SIMD128",
            #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
            Kernel::RelaxedUnsigned | Kernel::RelaxedSigned => "relaxed SIMD, dots",
            #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
            Kernel::RelaxedPairs => "relaxed SIMD, pairs",
        }
    }

    /// Tokens in a group; the kernel takes a group or a single token at a time.
    fn n_tokens(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512Vnni => x86::AVX512_TOKENS,
            _ => 4,
        }
    }

    /// The code size, in bits, from which the kernel multiplies as i16.
    fn wide_from(self) -> usize {
        match self {
            #[cfg(all(
                target_arch = "wasm32",
                target_feature = "simd128",
                not(target_feature = "relaxed-simd")
            ))]
            Kernel::Simd128 => 0,
            #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
            Kernel::RelaxedPairs => EIGHT,
            _ => usize::MAX,
        }
    }

    /// As [`plain::quantize_block`].
    fn quantize_block(self, block: &[f32; QK]) -> Quantized {
        match self {
            Kernel::Plain => plain::quantize_block(block),
            #[cfg(target_arch = "x86_64")]
            _ => x86::quantize_block(block),
            #[cfg(target_arch = "aarch64")]
            _ => arm::quantize_block(block),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            _ => wasm::quantize_block(block),
        }
    }

    /// Adds to `sums[t][n]` the products of a panel's rows with the tokens.
    fn tile(
        self,
        bits: usize,
        n_scales: usize,
        panel: &Panel<'_>,
        tokens: &Tokens<'_>,
        sums: &mut [[f32; ROWS]],
    ) {
        match self {
            Kernel::Plain => plain::tile(bits, n_scales, panel, tokens, sums),
            #[cfg(target_arch = "x86_64")]
            _ => x86::tile(self, bits, n_scales, panel, tokens, sums),
            #[cfg(target_arch = "aarch64")]
            _ => arm::tile(self, bits, n_scales, panel, tokens, sums),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            _ => wasm::tile(self, bits, n_scales, panel, tokens, sums),
        }
    }
}

/// One of several matrices that are multiplied with the same inputs, and where its result goes.
#[derive(Debug)]
pub(super) struct Product<'a> {
    pub(super) matrix: &'a PackedMatrix,
    /// `[n_rows]`, added to each token's result.
    pub(super) bias: Option<&'a [f32]>,
    /// `[T, n_rows]`, overwritten.
    pub(super) y: &'a mut [f32],
}

/// `y[t,:] = W x[t,:] + bias` for each product; the threads share the panels of all of them. `x` is `[T, n_cols]`.
pub(super) fn matmul<'m>(
    kernel: Kernel,
    threads: Threads,
    x: &Activations,
    products: impl IntoIterator<Item = Product<'m>>,
) {
    let mut n_panels = 0;
    let products: Vec<_> = products
        .into_iter()
        .map(|Product { matrix, bias, y }| {
            debug_assert_eq!(x.n_cols(), matrix.n_cols(), "as many inputs as columns");
            let first = n_panels;
            n_panels += matrix.n_rows().div_ceil(ROWS);
            (first, matrix, bias, SharedColumns::new(y, matrix.n_rows()))
        })
        .collect();
    let operations = ROWS * x.n_cols() * x.n_tokens();
    threads.for_each(n_panels, operations, Vec::new, |spread, panel_idx| {
        let product = products.iter().rfind(|(first, ..)| *first <= panel_idx);
        if let Some((first, matrix, bias, y)) = product {
            matrix.multiply_panel(kernel, x, panel_idx - first, *bias, spread, y);
        }
    });
}

impl PackedMatrix {
    /// Multiplies one panel; `spread` is scratch memory. Only one thread may multiply a panel.
    fn multiply_panel(
        &self,
        kernel: Kernel,
        x: &Activations,
        panel_idx: usize,
        bias: Option<&[f32]>,
        spread: &mut Vec<u8>,
        y: &SharedColumns<'_>,
    ) {
        let mut panel = self.panel(panel_idx);
        let mut bits = self.bits();
        // Unpacking pays off once several tokens share it.
        if bits < SPREAD && x.n_tokens() >= kernel.n_tokens() {
            pack::spread(bits, panel.codes, spread);
            panel.codes = spread;
            bits = SPREAD;
        }
        let first_row = panel_idx * ROWS;
        let n_rows = ROWS.min(self.n_rows() - first_row);
        let mut start = [0.0; ROWS];
        if let Some(bias) = bias {
            start[..n_rows].copy_from_slice(&bias[first_row..first_row + n_rows]);
        }
        let mut sums = [[0.0; ROWS]; MAX_TOKENS];
        for (token_idx, tokens) in x.groups(bits >= kernel.wide_from()) {
            let sums = &mut sums[..tokens.n];
            sums.fill(start);
            kernel.tile(bits, self.n_scales(), &panel, &tokens, sums);
            for (idx, sums) in sums.iter().enumerate() {
                // SAFETY: no other panel writes these columns.
                unsafe {
                    match n_rows {
                        ROWS => y.write_array(token_idx + idx, first_row, sums),
                        _ => y.write(token_idx + idx, first_row, &sums[..n_rows]),
                    }
                }
            }
        }
    }
}

/// The largest [`Kernel::n_tokens`].
const MAX_TOKENS: usize = 8;

#[cfg(test)]
mod tests;

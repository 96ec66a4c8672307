//! Turns quantised weights and floats into integer products:
//! `y[t,n] = sum over blocks of sx * (sw * (code . qx - offset * sum(qx)) + min * sum(qx))`.
//!
//! Weights are unsigned codes of 4, 5, 6 or 8 bits; 16 rows are interleaved, 4 columns of each at a time, so that one
//! vector instruction multiplies several rows with the same activations and no sum runs across a vector ([`pack`]).
//! Activations are quantised to signed bytes by block, anew for each call ([`activations`]). Error: that of the
//! activations' quantisation, `NMSE <= 5e-5` against floats; kernels agree with each other up to the order of their
//! float sums.
//!
//! | kernel | where | four products of bytes, added |
//! |---|---|---|
//! | [`plain`] | everywhere; the twin of the others | a loop |
//! | AVX2 | x86-64, detected at run time | `vpmaddubsw`, `vpmaddwd`, `vpaddd` |
//! | AVX-VNNI, AVX-512 VNNI | x86-64, detected at run time | `vpdpbusd` |
//! | SIMD128 | wasm | two `i32x4.dot_i16x8_s` of widened bytes |
//! | relaxed SIMD, dots | wasm, in the module built for it, where the processor does it in one | `i32x4.relaxed_dot_i8x16_i7x16_add_s` |
//! | relaxed SIMD, pairs | the same module on other processors | `i16x8.relaxed_dot_i8x16_i7x16_s`, four steps added in 16 bits; 8 bits as SIMD128 |
//!
//! Codes of up to 6 bits give the same result on every processor as the second operand of a relaxed product, which is
//! defined for 7, and their pairs, `63 * 127 * 2` at most, neither saturate nor wrap.

mod activations;
mod pack;
pub(super) mod plain;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
))]
mod tile;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(super) use activations::Activations;
pub(super) use pack::PackedMatrix;

use crate::quant::QK;

/// Rows that are interleaved.
const ROWS: usize = 16;
/// Neighbouring columns of a row that stay together.
const STEP: usize = 4;
/// Steps in a block.
const STEPS: usize = QK / STEP;

/// Bits of a code. Bytes unpacked from fewer bits are kept apart as `SPREAD`: some kernels need the top bit for
/// themselves.
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

/// Sixteen rows, as kernels take them.
#[derive(Clone, Copy)]
struct Panel<'m> {
    /// `[n_blocks, block_bytes]`
    codes: &'m [u8],
    /// `[n_blocks, n_scales, 16]`
    scales: &'m [f32],
    /// `[n_blocks, 16]`, or empty.
    mins: &'m [f32],
    /// Columns over 32.
    n_blocks: usize,
    /// The code of zero.
    offset: i32,
}

/// The activations of one token or of [`Kernel::n_tokens`], `T`, as kernels take them.
#[derive(Clone, Copy)]
struct Tokens<'x> {
    /// `T`
    n: usize,
    /// `[n_cols / 4, T, 4]`
    quants: &'x [i8],
    /// `[n_cols / 4, T, 4]`, or empty where the kernel takes bytes.
    wide: &'x [i16],
    /// `[n_blocks, T]`
    scales: &'x [f32],
    /// `[n_blocks, T]`: the sums of a block's first half, and of the whole block.
    sums: &'x [[i32; 2]],
}

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
    #[cfg(all(
        target_arch = "wasm32",
        target_feature = "simd128",
        not(target_feature = "relaxed-simd")
    ))]
    Simd128,
    /// The second operand's upper bit counts as 128.
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    RelaxedUnsigned,
    /// The second operand's upper bit is a sign.
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    RelaxedSigned,
    /// The second operand has 7 bits, so codes of 8 bits go another way.
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    RelaxedPairs,
}

impl Kernel {
    /// The fastest one that this processor runs.
    pub(super) fn best() -> Kernel {
        #[cfg(target_arch = "x86_64")]
        return x86::best().unwrap_or(Kernel::Plain);
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        return wasm::best();
        #[cfg(not(any(
            target_arch = "x86_64",
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

    /// Tokens that the kernel takes at once when not taking a single one.
    fn n_tokens(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512Vnni => x86::AVX512_TOKENS,
            _ => 4,
        }
    }

    /// The code size, in bits, from which the kernel multiplies i16.
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

    /// `sums[t][n]`, the products of a panel's rows with the tokens.
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
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            _ => wasm::tile(self, bits, n_scales, panel, tokens, sums),
        }
    }
}

impl PackedMatrix {
    /// `y[t,:] = W x[t,:]`; `x` is `[T, n_cols]`, `y` is `[T, n_rows]` and overwritten.
    pub(super) fn matmul(&self, kernel: Kernel, x: &Activations, y: &mut [f32]) {
        debug_assert_eq!(x.n_cols(), self.n_cols(), "as many inputs as columns");
        let n_rows = self.n_rows();
        // Unpacking pays once several tokens share it.
        let spreads = self.bits() < SPREAD && x.n_tokens() >= kernel.n_tokens();
        let mut spread = Vec::new();
        let mut sums = [[0.0; ROWS]; MAX_TOKENS];
        for group_idx in 0..n_rows.div_ceil(ROWS) {
            let mut panel = self.panel(group_idx);
            let mut bits = self.bits();
            if spreads {
                pack::spread(bits, panel.codes, &mut spread);
                panel.codes = &spread;
                bits = SPREAD;
            }
            let first_row = group_idx * ROWS;
            let n_group = ROWS.min(n_rows - first_row);
            for (token_idx, tokens) in x.groups(bits >= kernel.wide_from()) {
                let sums = &mut sums[..tokens.n];
                kernel.tile(bits, self.n_scales(), &panel, &tokens, sums);
                for (idx, sums) in sums.iter().enumerate() {
                    let start = (token_idx + idx) * n_rows + first_row;
                    y[start..start + n_group].copy_from_slice(&sums[..n_group]);
                }
            }
        }
    }
}

/// The largest [`Kernel::n_tokens`].
const MAX_TOKENS: usize = 8;

#[cfg(test)]
mod tests;

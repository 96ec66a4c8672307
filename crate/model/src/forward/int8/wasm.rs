//! The steps of a product in wasm's vector instructions: SIMD128, and relaxed SIMD in the module built for it.

#![expect(
    unsafe_op_in_unsafe_fn,
    reason = "`Lanes` says what its callers promise, once for all of these"
)]

use std::arch::wasm32::{
    f32x4_abs, f32x4_add, f32x4_convert_i32x4, f32x4_extract_lane, f32x4_mul, f32x4_nearest,
    f32x4_pmax, f32x4_splat, i8x16_narrow_i16x8, i16x8_add, i16x8_narrow_i32x4, i32x4, i32x4_add,
    i32x4_dot_i16x8, i32x4_extadd_pairwise_i16x8, i32x4_extract_lane, i32x4_shuffle,
    i32x4_trunc_sat_f32x4, u8x16_splat, u16x8_extend_high_u8x16, u16x8_extend_low_u8x16, u16x8_shl,
    u16x8_shr, v128, v128_and, v128_load, v128_load64_splat, v128_or, v128_store,
};
#[cfg(target_feature = "relaxed-simd")]
use std::arch::wasm32::{
    f32x4_relaxed_madd, i8x16_splat, i16x8_relaxed_dot_i8x16_i7x16,
    i32x4_relaxed_dot_i8x16_i7x16_add, i32x4_splat, v128_load32_splat, v128_xor,
};

use super::tile::{Fours, Lanes, run};
use super::{Kernel, Panel, Quantized, ROWS, SMALLEST, Tokens};
use crate::quant::QK;

/// The fastest kernel of this module on this processor.
#[cfg(not(target_feature = "relaxed-simd"))]
pub(super) fn best() -> Kernel {
    Kernel::Simd128
}

/// The fastest kernel on this processor.
///
/// The processor decides how the relaxed product reads an operand whose top bit is set: x86-64 with VNNI takes the bit
/// as 128, ARM with its dot product as a sign, and x86-64 without VNNI adds pairs that saturate. Without VNNI the
/// product takes several instructions, so pairs are added up first.
#[cfg(target_feature = "relaxed-simd")]
pub(super) fn best() -> Kernel {
    use std::hint::black_box;
    let (largest, all_bits) = (black_box(i8x16_splat(127)), black_box(u8x16_splat(255)));
    let dots = i32x4_relaxed_dot_i8x16_i7x16_add(largest, all_bits, black_box(i32x4_splat(0)));
    match i32x4_extract_lane::<0>(dots) {
        UNSIGNED => Kernel::RelaxedUnsigned,
        SIGNED => Kernel::RelaxedSigned,
        _ => Kernel::RelaxedPairs,
    }
}

#[cfg(target_feature = "relaxed-simd")]
const UNSIGNED: i32 = 4 * 127 * 255;
#[cfg(target_feature = "relaxed-simd")]
const SIGNED: i32 = -(4 * 127);

/// As [`super::plain::tile`].
pub(super) fn tile(
    kernel: Kernel,
    bits: usize,
    n_scales: usize,
    panel: &Panel<'_>,
    tokens: &Tokens<'_>,
    sums: &mut [[f32; ROWS]],
) {
    // SAFETY: an engine that lacks these instructions can't load the module.
    unsafe {
        match kernel {
            #[cfg(target_feature = "relaxed-simd")]
            Kernel::RelaxedUnsigned => {
                run::<Relaxed<false>, 4, 2, 4>(bits, n_scales, panel, tokens, sums);
            }
            #[cfg(target_feature = "relaxed-simd")]
            Kernel::RelaxedSigned => {
                run::<Relaxed<true>, 4, 2, 4>(bits, n_scales, panel, tokens, sums);
            }
            #[cfg(target_feature = "relaxed-simd")]
            Kernel::RelaxedPairs if bits < super::EIGHT => {
                run::<RelaxedPairs, 4, 2, 4>(bits, n_scales, panel, tokens, sums);
            }
            _ => run::<Simd128, 4, 1, 4>(bits, n_scales, panel, tokens, sums),
        }
    }
}

/// As [`super::plain::quantize_block`].
pub(super) fn quantize_block(block: &[f32; QK]) -> Quantized {
    let pointer: *const v128 = block.as_ptr().cast();
    // SAFETY: the reference covers exactly the 128 bytes that are read, and no alignment is required.
    let x: [v128; 8] = std::array::from_fn(|i| unsafe { v128_load(pointer.add(i)) });
    let larger = |a: v128, b: v128| f32x4_pmax(a, b);
    let sizes = x.map(|x| f32x4_abs(x));
    let pairs = [
        larger(sizes[0], sizes[1]),
        larger(sizes[2], sizes[3]),
        larger(sizes[4], sizes[5]),
        larger(sizes[6], sizes[7]),
    ];
    let four = larger(larger(pairs[0], pairs[1]), larger(pairs[2], pairs[3]));
    let two = larger(four, i32x4_shuffle::<2, 3, 0, 1>(four, four));
    let one = larger(two, i32x4_shuffle::<1, 0, 3, 2>(two, two));
    let largest = f32x4_extract_lane::<0>(one);
    let inverse = f32x4_splat(if largest > SMALLEST {
        127.0 / largest
    } else {
        0.0
    });
    let numbers = x.map(|x| i32x4_trunc_sat_f32x4(f32x4_nearest(f32x4_mul(x, inverse))));
    let halves = [0, 4].map(|i| {
        let low = i16x8_narrow_i32x4(numbers[i], numbers[i + 1]);
        let high = i16x8_narrow_i32x4(numbers[i + 2], numbers[i + 3]);
        let sums = i32x4_extadd_pairwise_i16x8(i16x8_add(low, high));
        let sums = i32x4_add(sums, i32x4_shuffle::<2, 3, 0, 1>(sums, sums));
        let sum = i32x4_extract_lane::<0>(sums) + i32x4_extract_lane::<1>(sums);
        (i8x16_narrow_i16x8(low, high), sum)
    });
    let mut bytes = [0; QK];
    let to: *mut v128 = bytes.as_mut_ptr().cast();
    // SAFETY: the array is exactly the 32 bytes that are written, and no alignment is required.
    unsafe {
        v128_store(to, halves[0].0);
        v128_store(to.add(1), halves[1].0);
    }
    (largest / 127.0, bytes, [halves[0].1, halves[1].1])
}

/// Operations that SIMD128 and relaxed SIMD share, four rows in a vector.
macro_rules! lanes_of_128_bits {
    () => {
        const N: usize = 4;
        type Codes = v128;
        type Inputs = v128;
        type Floats = v128;

        #[inline(always)]
        unsafe fn codes(bytes: *const u8) -> v128 {
            v128_load(bytes.cast())
        }
        #[inline(always)]
        unsafe fn no_codes() -> v128 {
            u8x16_splat(0)
        }
        #[inline(always)]
        unsafe fn nibbles(codes: v128, half: usize) -> v128 {
            let moved = if half == 0 {
                codes
            } else {
                u16x8_shr(codes, 4)
            };
            v128_and(moved, u8x16_splat(0xf))
        }
        #[inline(always)]
        unsafe fn add_upper(codes: v128, plane: v128, shift: usize, mask: u8) -> v128 {
            // Moves the wanted bits to bit 4 and up.
            let moved = match shift {
                0 => u16x8_shl(plane, 4),
                1 => u16x8_shl(plane, 3),
                2 => u16x8_shl(plane, 2),
                3 => u16x8_shl(plane, 1),
                4 => plane,
                5 => u16x8_shr(plane, 1),
                6 => u16x8_shr(plane, 2),
                _ => u16x8_shr(plane, 3),
            };
            v128_or(codes, v128_and(moved, u8x16_splat(mask << 4)))
        }
        #[inline(always)]
        unsafe fn load(floats: *const f32) -> v128 {
            v128_load(floats.cast())
        }
        #[inline(always)]
        unsafe fn store(floats: v128, to: *mut f32) {
            v128_store(to.cast(), floats);
        }
        #[inline(always)]
        unsafe fn splat(float: f32) -> v128 {
            f32x4_splat(float)
        }
        #[inline(always)]
        unsafe fn mul(a: v128, b: v128) -> v128 {
            f32x4_mul(a, b)
        }
    };
}

struct Simd128;

/// Bytes are widened to 16 bits, so the sum of two products always fits. A vector of four rows becomes two vectors of
/// two rows, with two sums for each row.
impl Lanes for Simd128 {
    lanes_of_128_bits!();
    const IS_WIDE: bool = true;
    type Dots = [v128; 2];

    #[inline(always)]
    unsafe fn inputs(tokens: &Tokens<'_>, idx: usize, n: usize) -> v128 {
        let fours: *const Fours<i16> = tokens.wide.as_ptr().add(idx).cast();
        v128_load64_splat((&raw const (*fours)[n]).cast())
    }
    #[inline(always)]
    unsafe fn start(_: usize, offset: i32, sum: i32) -> [v128; 2] {
        let start = -offset * sum;
        [i32x4(start, 0, start, 0); 2]
    }
    #[inline(always)]
    unsafe fn dot(_: usize, dots: [v128; 2], codes: v128, inputs: v128) -> [v128; 2] {
        let [first, last] = dots;
        [
            i32x4_add(
                first,
                i32x4_dot_i16x8(u16x8_extend_low_u8x16(codes), inputs),
            ),
            i32x4_add(
                last,
                i32x4_dot_i16x8(u16x8_extend_high_u8x16(codes), inputs),
            ),
        ]
    }
    #[inline(always)]
    unsafe fn floats(dots: [v128; 2]) -> v128 {
        let even = i32x4_shuffle::<0, 2, 4, 6>(dots[0], dots[1]);
        let odd = i32x4_shuffle::<1, 3, 5, 7>(dots[0], dots[1]);
        f32x4_convert_i32x4(i32x4_add(even, odd))
    }
    #[inline(always)]
    unsafe fn mul_add(a: v128, b: v128, c: v128) -> v128 {
        f32x4_add(f32x4_mul(a, b), c)
    }
}

/// The operations that both relaxed sets share.
#[cfg(target_feature = "relaxed-simd")]
macro_rules! relaxed_lanes {
    () => {
        lanes_of_128_bits!();
        type Dots = v128;

        #[inline(always)]
        unsafe fn inputs(tokens: &Tokens<'_>, idx: usize, n: usize) -> v128 {
            let fours: *const Fours<i8> = tokens.quants.as_ptr().add(idx).cast();
            v128_load32_splat((&raw const (*fours)[n]).cast())
        }
        #[inline(always)]
        unsafe fn floats(dots: v128) -> v128 {
            f32x4_convert_i32x4(dots)
        }
        #[inline(always)]
        unsafe fn mul_add(a: v128, b: v128, c: v128) -> v128 {
            f32x4_relaxed_madd(a, b, c)
        }
    };
}

/// Codes of up to 7 bits give the same result on every processor; for 8-bit codes the result depends on how the
/// processor reads the top bit.
#[cfg(target_feature = "relaxed-simd")]
struct Relaxed<const IS_SIGNED: bool>;

#[cfg(target_feature = "relaxed-simd")]
impl<const IS_SIGNED: bool> Lanes for Relaxed<IS_SIGNED> {
    relaxed_lanes!();

    #[inline(always)]
    unsafe fn start(bits: usize, offset: i32, sum: i32) -> v128 {
        let is_number = IS_SIGNED && bits == super::EIGHT;
        i32x4_splat(if is_number { 0 } else { -offset * sum })
    }
    #[inline(always)]
    unsafe fn dot(bits: usize, dots: v128, codes: v128, inputs: v128) -> v128 {
        let codes = if IS_SIGNED && bits == super::EIGHT {
            v128_xor(codes, u8x16_splat(0x80))
        } else {
            codes
        };
        i32x4_relaxed_dot_i8x16_i7x16_add(inputs, codes, dots)
    }
}

/// Codes of fewer than 8 bits, on processors that add products in pairs.
#[cfg(target_feature = "relaxed-simd")]
struct RelaxedPairs;

#[cfg(target_feature = "relaxed-simd")]
impl Lanes for RelaxedPairs {
    relaxed_lanes!();
    const JOINS_STEPS: bool = true;

    /// The inputs of four tokens are loaded as one vector, which takes a single register until they are used.
    #[inline(always)]
    unsafe fn inputs_of_step<const T: usize>(
        tokens: &Tokens<'_>,
        idx: usize,
        n: usize,
    ) -> [v128; T] {
        if T != 4 {
            return std::array::from_fn(|t| Self::inputs(tokens, idx, n * T + t));
        }
        let fours: *const Fours<i8> = tokens.quants.as_ptr().add(idx).cast();
        let fours = v128_load((&raw const (*fours)[n * T]).cast());
        std::array::from_fn(|t| match t {
            0 => i32x4_shuffle::<0, 0, 0, 0>(fours, fours),
            1 => i32x4_shuffle::<1, 1, 1, 1>(fours, fours),
            2 => i32x4_shuffle::<2, 2, 2, 2>(fours, fours),
            _ => i32x4_shuffle::<3, 3, 3, 3>(fours, fours),
        })
    }
    #[inline(always)]
    unsafe fn start(_: usize, offset: i32, sum: i32) -> v128 {
        i32x4_splat(-offset * sum)
    }
    #[inline(always)]
    unsafe fn dot(_: usize, dots: v128, codes: v128, inputs: v128) -> v128 {
        i32x4_relaxed_dot_i8x16_i7x16_add(inputs, codes, dots)
    }
    #[inline(always)]
    unsafe fn pairs(codes: v128, inputs: v128) -> v128 {
        i16x8_relaxed_dot_i8x16_i7x16(inputs, codes)
    }
    #[inline(always)]
    unsafe fn add_pairs(pairs: v128, codes: v128, inputs: v128) -> v128 {
        i16x8_add(pairs, i16x8_relaxed_dot_i8x16_i7x16(inputs, codes))
    }
    #[inline(always)]
    unsafe fn widen(dots: v128, pairs: v128) -> v128 {
        i32x4_add(dots, i32x4_extadd_pairwise_i16x8(pairs))
    }
}

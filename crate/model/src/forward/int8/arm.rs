//! The steps of a product in the vector instructions of 64-bit ARM: NEON, and its dot product.
//!
//! A Raspberry Pi 3 or 4 (Cortex-A53, A72) has NEON alone; the dot product came with Armv8.2: Raspberry Pi 5
//! (Cortex-A76), every Apple M1 and later, and most phones since 2018.

#![expect(
    unsafe_op_in_unsafe_fn,
    reason = "`Lanes` says what its callers promise, once for all of these"
)]

use std::arch::aarch64::{
    float32x4_t, int8x16_t, int32x4_t, uint8x16_t, vabsq_f32, vaddlvq_s8, vandq_u8, vcombine_s8,
    vcombine_s16, vcvtnq_s32_f32, vcvtq_f32_s32, vdupq_n_f32, vdupq_n_s32, vdupq_n_u8, veorq_u8,
    vfmaq_f32, vget_low_s8, vld1q_f32, vld1q_u8, vmaxq_f32, vmaxvq_f32, vmull_high_s8, vmull_s8,
    vmulq_f32, vorrq_u8, vpadalq_s16, vpaddq_s16, vqmovn_s16, vqmovn_s32, vreinterpretq_s8_s32,
    vreinterpretq_s8_u8, vreinterpretq_u8_u16, vreinterpretq_u16_u8, vshlq_n_u16, vshrq_n_u16,
    vst1q_f32, vst1q_s8,
};
use std::arch::is_aarch64_feature_detected;

use super::tile::{Lanes, run};
use super::{EIGHT, Kernel, Panel, Quantized, ROWS, SMALLEST, STEP, Tokens};
use crate::quant::QK;

/// The fastest of these kernels on this processor.
pub(super) fn best() -> Kernel {
    if is_aarch64_feature_detected!("dotprod") {
        Kernel::NeonDot
    } else {
        Kernel::Neon
    }
}

/// Every kernel that this processor runs.
#[cfg(test)]
pub(super) fn all() -> Vec<Kernel> {
    match best() {
        Kernel::NeonDot => vec![Kernel::Neon, Kernel::NeonDot],
        other => vec![other],
    }
}

/// As [`super::plain::tile`].
pub(super) fn tile(
    kernel: Kernel,
    bits: usize,
    n_scales: usize,
    panel: &Panel<'_>,
    tokens: &Tokens<'_>,
    sums: &mut [[f32; ROWS]],
) {
    // SAFETY: every 64-bit ARM has NEON; `best` is the only source of the other, and checks the processor first.
    unsafe {
        match kernel {
            Kernel::NeonDot => dot(bits, n_scales, panel, tokens, sums),
            _ => run::<Neon, 4, 2, 4>(bits, n_scales, panel, tokens, sums),
        }
    }
}

#[target_feature(enable = "dotprod")]
fn dot(
    bits: usize,
    n_scales: usize,
    panel: &Panel<'_>,
    tokens: &Tokens<'_>,
    sums: &mut [[f32; ROWS]],
) {
    // SAFETY: this function enables the set.
    unsafe { run::<NeonDot, 4, 4, 4>(bits, n_scales, panel, tokens, sums) }
}

/// As [`super::plain::quantize_block`].
pub(super) fn quantize_block(block: &[f32; QK]) -> Quantized {
    let (parts, _) = block.as_chunks::<4>();
    // SAFETY: each part is the four floats that are read, the array exactly the 32 bytes that are written, and every
    // 64-bit ARM has NEON.
    unsafe {
        let x: [float32x4_t; 8] = std::array::from_fn(|i| vld1q_f32(parts[i].as_ptr()));
        let sizes = x.map(|x| vabsq_f32(x));
        let larger = |a, b| vmaxq_f32(a, b);
        let four = [0, 2, 4, 6].map(|i| larger(sizes[i], sizes[i + 1]));
        let largest = vmaxvq_f32(larger(larger(four[0], four[1]), larger(four[2], four[3])));
        let inverse = if largest > SMALLEST {
            127.0 / largest
        } else {
            0.0
        };
        let inverse = vdupq_n_f32(inverse);
        let numbers = x.map(|x| vcvtnq_s32_f32(vmulq_f32(x, inverse)));
        let halves: [int8x16_t; 2] = [0, 4].map(|i| {
            let low = vcombine_s16(vqmovn_s32(numbers[i]), vqmovn_s32(numbers[i + 1]));
            let high = vcombine_s16(vqmovn_s32(numbers[i + 2]), vqmovn_s32(numbers[i + 3]));
            vcombine_s8(vqmovn_s16(low), vqmovn_s16(high))
        });
        let mut bytes = [0; QK];
        vst1q_s8(bytes.as_mut_ptr(), halves[0]);
        vst1q_s8(bytes.as_mut_ptr().add(16), halves[1]);
        let sums = halves.map(|half| i32::from(vaddlvq_s8(half)));
        (largest / 127.0, bytes, sums)
    }
}

struct Neon;
struct NeonDot;

/// Operations that both sets share: all but the products. 8-bit codes become signed bytes by subtracting 128, so their
/// sums need no correction.
macro_rules! lanes_of_neon {
    () => {
        const N: usize = 4;
        type Codes = uint8x16_t;
        type Inputs = int8x16_t;
        type Dots = int32x4_t;
        type Floats = float32x4_t;

        #[inline(always)]
        unsafe fn codes(bytes: *const u8) -> uint8x16_t {
            vld1q_u8(bytes)
        }
        #[inline(always)]
        unsafe fn no_codes() -> uint8x16_t {
            vdupq_n_u8(0)
        }
        #[inline(always)]
        unsafe fn nibbles(codes: uint8x16_t, half: usize) -> uint8x16_t {
            let moved = if half == 0 {
                codes
            } else {
                vreinterpretq_u8_u16(vshrq_n_u16::<4>(vreinterpretq_u16_u8(codes)))
            };
            vandq_u8(moved, vdupq_n_u8(0xf))
        }
        #[inline(always)]
        unsafe fn add_upper(
            codes: uint8x16_t,
            plane: uint8x16_t,
            shift: usize,
            mask: u8,
        ) -> uint8x16_t {
            let plane = vreinterpretq_u16_u8(plane);
            // Moves the wanted bits to bit 4 and up.
            let moved = match shift {
                0 => vshlq_n_u16::<4>(plane),
                1 => vshlq_n_u16::<3>(plane),
                2 => vshlq_n_u16::<2>(plane),
                3 => vshlq_n_u16::<1>(plane),
                4 => plane,
                5 => vshrq_n_u16::<1>(plane),
                6 => vshrq_n_u16::<2>(plane),
                _ => vshrq_n_u16::<3>(plane),
            };
            let moved = vreinterpretq_u8_u16(moved);
            vorrq_u8(codes, vandq_u8(moved, vdupq_n_u8(mask << 4)))
        }
        #[inline(always)]
        unsafe fn inputs(tokens: &Tokens<'_>, idx: usize, n: usize) -> int8x16_t {
            let four = tokens.quants.as_ptr().add(idx + n * STEP).cast::<i32>();
            vreinterpretq_s8_s32(vdupq_n_s32(four.read_unaligned()))
        }
        #[inline(always)]
        unsafe fn start(bits: usize, offset: i32, sum: i32) -> int32x4_t {
            vdupq_n_s32(if bits == EIGHT { 0 } else { -offset * sum })
        }
        #[inline(always)]
        unsafe fn floats(dots: int32x4_t) -> float32x4_t {
            vcvtq_f32_s32(dots)
        }
        #[inline(always)]
        unsafe fn load(floats: *const f32) -> float32x4_t {
            vld1q_f32(floats)
        }
        #[inline(always)]
        unsafe fn store(floats: float32x4_t, to: *mut f32) {
            vst1q_f32(to, floats);
        }
        #[inline(always)]
        unsafe fn splat(float: f32) -> float32x4_t {
            vdupq_n_f32(float)
        }
        #[inline(always)]
        unsafe fn mul(a: float32x4_t, b: float32x4_t) -> float32x4_t {
            vmulq_f32(a, b)
        }
        #[inline(always)]
        unsafe fn mul_add(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
            vfmaq_f32(c, a, b)
        }
    };
}

/// Codes as signed bytes.
#[inline(always)]
unsafe fn signed(bits: usize, codes: uint8x16_t) -> int8x16_t {
    vreinterpretq_s8_u8(if bits == EIGHT {
        veorq_u8(codes, vdupq_n_u8(0x80))
    } else {
        codes
    })
}

/// A product of bytes takes 16 bits, where the sum of two also fits: `2 * 127 * 127`.
impl Lanes for Neon {
    lanes_of_neon!();

    #[inline(always)]
    unsafe fn dot(bits: usize, dots: int32x4_t, codes: uint8x16_t, inputs: int8x16_t) -> int32x4_t {
        let codes = signed(bits, codes);
        let low = vmull_s8(vget_low_s8(codes), vget_low_s8(inputs));
        let high = vmull_high_s8(codes, inputs);
        vpadalq_s16(dots, vpaddq_s16(low, high))
    }
}

impl Lanes for NeonDot {
    lanes_of_neon!();

    /// Rust has no stable name for the instruction yet.
    #[inline(always)]
    unsafe fn dot(bits: usize, dots: int32x4_t, codes: uint8x16_t, inputs: int8x16_t) -> int32x4_t {
        let mut dots = dots;
        std::arch::asm!(
            "sdot {dots:v}.4s, {codes:v}.16b, {inputs:v}.16b",
            dots = inout(vreg) dots,
            codes = in(vreg) signed(bits, codes),
            inputs = in(vreg) inputs,
            options(pure, nomem, nostack, preserves_flags),
        );
        dots
    }
}

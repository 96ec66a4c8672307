//! The steps of a product in the vector instructions of x86-64: AVX2, AVX-VNNI, AVX-512 VNNI.

#![expect(
    unsafe_op_in_unsafe_fn,
    reason = "`Lanes` says what its callers promise, once for all of these"
)]

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::{
    __m128i, __m256, __m256i, __m512, __m512i, _mm_add_epi32, _mm_cvtsi128_si32, _mm_cvtss_f32,
    _mm_max_ps, _mm_max_ss, _mm_movehl_ps, _mm_shuffle_epi32, _mm_shuffle_ps, _mm256_abs_epi8,
    _mm256_add_epi16, _mm256_add_epi32, _mm256_and_si256, _mm256_andnot_ps, _mm256_castps256_ps128,
    _mm256_castsi256_si128, _mm256_cvtepi32_ps, _mm256_cvtps_epi32, _mm256_dpbusd_avx_epi32,
    _mm256_extractf128_ps, _mm256_extracti128_si256, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_max_ps, _mm256_mul_ps,
    _mm256_or_si256, _mm256_packs_epi16, _mm256_packs_epi32, _mm256_permutevar8x32_epi32,
    _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setr_epi32,
    _mm256_sign_epi8, _mm256_slli_epi16, _mm256_srli_epi16, _mm256_storeu_ps, _mm256_storeu_si256,
    _mm256_xor_si256, _mm512_and_si512, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mul_ps, _mm512_or_si512, _mm512_set1_epi8,
    _mm512_set1_epi32, _mm512_set1_ps, _mm512_slli_epi16, _mm512_srli_epi16, _mm512_storeu_ps,
};

use super::tile::{Lanes, run};
use super::{EIGHT, Kernel, Panel, Quantized, ROWS, SMALLEST, STEP, Tokens};
use crate::quant::QK;

/// Tokens that the 512-bit kernel takes at once.
pub(super) const AVX512_TOKENS: usize = 8;

/// The fastest of these kernels on this processor.
pub(super) fn best() -> Option<Kernel> {
    let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    if has_avx2 && is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vnni") {
        return Some(Kernel::Avx512Vnni);
    }
    if has_avx2 && is_x86_feature_detected!("avxvnni") {
        return Some(Kernel::AvxVnni);
    }
    has_avx2.then_some(Kernel::Avx2)
}

/// Every kernel that this processor runs.
#[cfg(test)]
pub(super) fn all() -> Vec<Kernel> {
    let found = [Kernel::Avx2, Kernel::AvxVnni, Kernel::Avx512Vnni].into_iter();
    let has = [
        is_x86_feature_detected!("avx2"),
        is_x86_feature_detected!("avxvnni"),
        is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vnni"),
    ];
    found
        .zip(has)
        .filter_map(|(kernel, has)| has.then_some(kernel))
        .collect()
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
    // SAFETY: `best` is the only source of these values, and checks the processor first.
    unsafe {
        match kernel {
            Kernel::Avx512Vnni => avx512(bits, n_scales, panel, tokens, sums),
            Kernel::AvxVnni => avx_vnni(bits, n_scales, panel, tokens, sums),
            _ => avx2(bits, n_scales, panel, tokens, sums),
        }
    }
}

/// As [`super::plain::quantize_block`], for every kernel but the plain one.
#[inline(always)]
pub(super) fn quantize_block(block: &[f32; QK]) -> Quantized {
    // SAFETY: every set of this module includes AVX2, and `best` has checked the processor.
    unsafe { quantize_block_avx2(block) }
}

#[target_feature(enable = "avx2")]
fn quantize_block_avx2(block: &[f32; QK]) -> Quantized {
    let (parts, _) = block.as_chunks::<8>();
    // SAFETY: each part is the eight floats that are read.
    let load = |i: usize| unsafe { _mm256_loadu_ps(parts[i].as_ptr()) };
    let x = [load(0), load(1), load(2), load(3)];
    let sign = _mm256_set1_ps(-0.0);
    let sizes = x.map(|x| _mm256_andnot_ps(sign, x));
    let eight = _mm256_max_ps(
        _mm256_max_ps(sizes[0], sizes[1]),
        _mm256_max_ps(sizes[2], sizes[3]),
    );
    let four = _mm_max_ps(
        _mm256_castps256_ps128(eight),
        _mm256_extractf128_ps::<1>(eight),
    );
    let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    let largest = _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps::<1>(two, two)));
    let inverse = _mm256_set1_ps(if largest > SMALLEST {
        127.0 / largest
    } else {
        0.0
    });
    let numbers = x.map(|x| _mm256_cvtps_epi32(_mm256_mul_ps(x, inverse)));
    // Packing works within 128-bit lanes, so groups of four bytes come out in the order 0 2 4 6 1 3 5 7.
    let packed = _mm256_packs_epi16(
        _mm256_packs_epi32(numbers[0], numbers[1]),
        _mm256_packs_epi32(numbers[2], numbers[3]),
    );
    let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    let quants = _mm256_permutevar8x32_epi32(packed, order);
    let pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), quants);
    let fours = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
    let sum = |fours: __m128i| {
        let two = _mm_add_epi32(fours, _mm_shuffle_epi32::<0b0100_1110>(fours));
        _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<1>(two)))
    };
    let sums = [
        sum(_mm256_castsi256_si128(fours)),
        sum(_mm256_extracti128_si256::<1>(fours)),
    ];
    let mut bytes = [0; QK];
    // SAFETY: the array is exactly the 32 bytes that are written.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), quants) };
    (largest / 127.0, bytes, sums)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx2,fma")]
fn avx512(
    bits: usize,
    n_scales: usize,
    panel: &Panel<'_>,
    tokens: &Tokens<'_>,
    sums: &mut [[f32; ROWS]],
) {
    // SAFETY: this function enables the set.
    unsafe { run::<Avx512Vnni, 1, 1, AVX512_TOKENS>(bits, n_scales, panel, tokens, sums) }
}

#[target_feature(enable = "avxvnni,avx2,fma")]
fn avx_vnni(
    bits: usize,
    n_scales: usize,
    panel: &Panel<'_>,
    tokens: &Tokens<'_>,
    sums: &mut [[f32; ROWS]],
) {
    // SAFETY: this function enables the set.
    unsafe { run::<AvxVnni, 2, 2, 4>(bits, n_scales, panel, tokens, sums) }
}

#[target_feature(enable = "avx2,fma")]
fn avx2(
    bits: usize,
    n_scales: usize,
    panel: &Panel<'_>,
    tokens: &Tokens<'_>,
    sums: &mut [[f32; ROWS]],
) {
    // SAFETY: this function enables the set.
    unsafe { run::<Avx2, 2, 2, 4>(bits, n_scales, panel, tokens, sums) }
}

struct Avx2;
struct AvxVnni;
struct Avx512Vnni;

/// Operations that AVX2 and AVX-VNNI share: all but the products.
macro_rules! lanes_of_256_bits {
    () => {
        const N: usize = 8;
        type Codes = __m256i;
        type Inputs = __m256i;
        type Dots = __m256i;
        type Floats = __m256;

        #[inline(always)]
        unsafe fn codes(bytes: *const u8) -> __m256i {
            _mm256_loadu_si256(bytes.cast())
        }
        #[inline(always)]
        unsafe fn no_codes() -> __m256i {
            _mm256_set1_epi8(0)
        }
        #[inline(always)]
        unsafe fn nibbles(codes: __m256i, half: usize) -> __m256i {
            let moved = if half == 0 {
                codes
            } else {
                _mm256_srli_epi16::<4>(codes)
            };
            _mm256_and_si256(moved, _mm256_set1_epi8(0xf))
        }
        #[inline(always)]
        unsafe fn add_upper(codes: __m256i, plane: __m256i, shift: usize, mask: u8) -> __m256i {
            // Moves the wanted bits to bit 4 and up.
            let moved = match shift {
                0 => _mm256_slli_epi16::<4>(plane),
                1 => _mm256_slli_epi16::<3>(plane),
                2 => _mm256_slli_epi16::<2>(plane),
                3 => _mm256_slli_epi16::<1>(plane),
                4 => plane,
                5 => _mm256_srli_epi16::<1>(plane),
                6 => _mm256_srli_epi16::<2>(plane),
                _ => _mm256_srli_epi16::<3>(plane),
            };
            let mask = _mm256_set1_epi8((mask << 4).cast_signed());
            _mm256_or_si256(codes, _mm256_and_si256(moved, mask))
        }
        #[inline(always)]
        unsafe fn inputs(tokens: &Tokens<'_>, idx: usize, n: usize) -> __m256i {
            let four = tokens.quants.as_ptr().add(idx + n * STEP).cast::<i32>();
            _mm256_set1_epi32(four.read_unaligned())
        }
        #[inline(always)]
        unsafe fn floats(dots: __m256i) -> __m256 {
            _mm256_cvtepi32_ps(dots)
        }
        #[inline(always)]
        unsafe fn load(floats: *const f32) -> __m256 {
            _mm256_loadu_ps(floats)
        }
        #[inline(always)]
        unsafe fn store(floats: __m256, to: *mut f32) {
            _mm256_storeu_ps(to, floats)
        }
        #[inline(always)]
        unsafe fn splat(float: f32) -> __m256 {
            _mm256_set1_ps(float)
        }
        #[inline(always)]
        unsafe fn mul(a: __m256, b: __m256) -> __m256 {
            _mm256_mul_ps(a, b)
        }
        #[inline(always)]
        unsafe fn mul_add(a: __m256, b: __m256, c: __m256) -> __m256 {
            _mm256_fmadd_ps(a, b, c)
        }
    };
}

impl Lanes for AvxVnni {
    lanes_of_256_bits!();

    #[inline(always)]
    unsafe fn start(_: usize, offset: i32, sum: i32) -> __m256i {
        _mm256_set1_epi32(-offset * sum)
    }
    #[inline(always)]
    unsafe fn dot(_: usize, dots: __m256i, codes: __m256i, inputs: __m256i) -> __m256i {
        _mm256_dpbusd_avx_epi32(dots, codes, inputs)
    }
}

/// `maddubs` adds two products in 16 bits: codes of up to 7 bits fit as they are. 8-bit codes are converted to signed
/// values first; their absolute values are multiplied with activations that take their signs.
impl Lanes for Avx2 {
    lanes_of_256_bits!();
    const JOINS_STEPS: bool = true;

    #[inline(always)]
    unsafe fn start(bits: usize, offset: i32, sum: i32) -> __m256i {
        let start = if bits == EIGHT { 0 } else { -offset * sum };
        _mm256_set1_epi32(start)
    }
    #[inline(always)]
    unsafe fn dot(bits: usize, dots: __m256i, codes: __m256i, inputs: __m256i) -> __m256i {
        let (sizes, inputs) = if bits == EIGHT {
            let numbers = _mm256_xor_si256(codes, _mm256_set1_epi8(-128));
            (_mm256_abs_epi8(numbers), _mm256_sign_epi8(inputs, numbers))
        } else {
            (codes, inputs)
        };
        Self::widen(dots, _mm256_maddubs_epi16(sizes, inputs))
    }
    #[inline(always)]
    unsafe fn pairs(codes: __m256i, inputs: __m256i) -> __m256i {
        _mm256_maddubs_epi16(codes, inputs)
    }
    #[inline(always)]
    unsafe fn add_pairs(pairs: __m256i, codes: __m256i, inputs: __m256i) -> __m256i {
        _mm256_add_epi16(pairs, _mm256_maddubs_epi16(codes, inputs))
    }
    #[inline(always)]
    unsafe fn widen(dots: __m256i, pairs: __m256i) -> __m256i {
        let fours = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
        _mm256_add_epi32(dots, fours)
    }
}

impl Lanes for Avx512Vnni {
    const N: usize = 16;
    type Codes = __m512i;
    type Inputs = __m512i;
    type Dots = __m512i;
    type Floats = __m512;

    #[inline(always)]
    unsafe fn codes(bytes: *const u8) -> __m512i {
        _mm512_loadu_si512(bytes.cast())
    }
    #[inline(always)]
    unsafe fn no_codes() -> __m512i {
        _mm512_set1_epi8(0)
    }
    #[inline(always)]
    unsafe fn nibbles(codes: __m512i, half: usize) -> __m512i {
        let moved = if half == 0 {
            codes
        } else {
            _mm512_srli_epi16::<4>(codes)
        };
        _mm512_and_si512(moved, _mm512_set1_epi8(0xf))
    }
    #[inline(always)]
    unsafe fn add_upper(codes: __m512i, plane: __m512i, shift: usize, mask: u8) -> __m512i {
        let moved = match shift {
            0 => _mm512_slli_epi16::<4>(plane),
            1 => _mm512_slli_epi16::<3>(plane),
            2 => _mm512_slli_epi16::<2>(plane),
            3 => _mm512_slli_epi16::<1>(plane),
            4 => plane,
            5 => _mm512_srli_epi16::<1>(plane),
            6 => _mm512_srli_epi16::<2>(plane),
            _ => _mm512_srli_epi16::<3>(plane),
        };
        let mask = _mm512_set1_epi8((mask << 4).cast_signed());
        _mm512_or_si512(codes, _mm512_and_si512(moved, mask))
    }
    #[inline(always)]
    unsafe fn inputs(tokens: &Tokens<'_>, idx: usize, n: usize) -> __m512i {
        let four = tokens.quants.as_ptr().add(idx + n * STEP).cast::<i32>();
        _mm512_set1_epi32(four.read_unaligned())
    }
    #[inline(always)]
    unsafe fn start(_: usize, offset: i32, sum: i32) -> __m512i {
        _mm512_set1_epi32(-offset * sum)
    }
    #[inline(always)]
    unsafe fn dot(_: usize, dots: __m512i, codes: __m512i, inputs: __m512i) -> __m512i {
        _mm512_dpbusd_epi32(dots, codes, inputs)
    }
    #[inline(always)]
    unsafe fn floats(dots: __m512i) -> __m512 {
        _mm512_cvtepi32_ps(dots)
    }
    #[inline(always)]
    unsafe fn load(floats: *const f32) -> __m512 {
        _mm512_loadu_ps(floats)
    }
    #[inline(always)]
    unsafe fn store(floats: __m512, to: *mut f32) {
        _mm512_storeu_ps(to, floats)
    }
    #[inline(always)]
    unsafe fn splat(float: f32) -> __m512 {
        _mm512_set1_ps(float)
    }
    #[inline(always)]
    unsafe fn mul(a: __m512, b: __m512) -> __m512 {
        _mm512_mul_ps(a, b)
    }
    #[inline(always)]
    unsafe fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 {
        _mm512_fmadd_ps(a, b, c)
    }
}

//! Turns a group of rows and some tokens into their products with AVX2: 32 products of bytes a step.

use std::arch::x86_64::{
    __m256, __m256i, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_loadu_si128, _mm_movehdup_ps,
    _mm_movehl_ps, _mm_set1_ps, _mm_srli_epi16, _mm256_abs_epi8, _mm256_and_si256,
    _mm256_castps256_ps128, _mm256_cvtepi32_ps, _mm256_extractf128_ps, _mm256_fmadd_ps,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_set_m128, _mm256_set_m128i,
    _mm256_set1_epi8, _mm256_set1_epi16, _mm256_setzero_ps, _mm256_sign_epi8, _mm256_sub_epi8,
};

use super::{NARROW, ROWS, Rows, Tile, Token, WIDE};
use crate::quant::QK;

/// As [`super::plain::tile`].
///
/// `maddubs` wants one operand without a sign: the weight's size, with its sign moved to the activation. Its sums of two
/// stay below 2^15, because an activation is at most 127 and a weight at most 128.
#[target_feature(enable = "avx2,fma")]
pub(in crate::forward) fn tile<const BYTES: usize, const SCALES: usize, const T: usize>(
    rows: &Rows<'_>,
    tokens: [Token<'_>; T],
) -> Tile<T> {
    let ones = _mm256_set1_epi16(1);
    let mut sums = [[_mm256_setzero_ps(); ROWS]; T];
    let (w_blocks, _) = rows.quants.as_chunks::<BYTES>();
    let (groups, _) = w_blocks.as_chunks::<ROWS>();
    let (scales, _) = rows.scales.as_chunks::<SCALES>();
    let (scales, _) = scales.as_chunks::<ROWS>();
    let blocks = tokens.map(|token| token.quants.as_chunks::<QK>().0);
    for (block_idx, (group, scales)) in groups.iter().zip(scales).enumerate() {
        let x: [__m256i; T] = std::array::from_fn(|t| load(&blocks[t][block_idx]));
        for j in 0..ROWS {
            let w = unpack(&group[j]);
            let size = _mm256_abs_epi8(w);
            for t in 0..T {
                let signed = _mm256_sign_epi8(x[t], w);
                let pairs = _mm256_maddubs_epi16(size, signed);
                let dots = _mm256_cvtepi32_ps(_mm256_madd_epi16(pairs, ones));
                let x_scale = tokens[t].scales[block_idx];
                // Lanes 0 to 3 hold the sums of the block's first half; both halves are the same where there is one scale.
                let first = _mm_set1_ps(scales[j][0] * x_scale);
                let last = _mm_set1_ps(scales[j][SCALES - 1] * x_scale);
                let scale = _mm256_set_m128(last, first);
                sums[t][j] = _mm256_fmadd_ps(dots, scale, sums[t][j]);
            }
        }
    }
    sums.map(|sums| sums.map(|sum| add_lanes(sum)))
}

/// As [`super::plain::unpack`].
#[target_feature(enable = "avx2")]
fn unpack<const BYTES: usize>(block: &[u8; BYTES]) -> __m256i {
    if BYTES == WIDE {
        // SAFETY: the reference covers exactly the 32 bytes that are read, and no alignment is asked.
        return unsafe { _mm256_loadu_si256(block.as_ptr().cast()) };
    }
    const {
        assert!(
            BYTES == WIDE || BYTES == NARROW,
            "a block of 8 or of 4 bits"
        )
    };
    // SAFETY: the reference covers exactly the 16 bytes that are read, and no alignment is asked.
    let bytes = unsafe { _mm_loadu_si128(block.as_ptr().cast()) };
    let halves = _mm256_set_m128i(_mm_srli_epi16::<4>(bytes), bytes);
    let numbers = _mm256_and_si256(halves, _mm256_set1_epi8(0xf));
    _mm256_sub_epi8(numbers, _mm256_set1_epi8(8))
}

#[target_feature(enable = "avx2")]
fn load(bytes: &[i8; QK]) -> __m256i {
    // SAFETY: the reference covers exactly the 32 bytes that are read, and no alignment is asked.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn add_lanes(x: __m256) -> f32 {
    let x = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
    let x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)))
}

//! Turns a group of rows and some tokens into their products with wasm's SIMD128: eight products of 16 bits a step.

use std::arch::wasm32::{
    f32x4_add, f32x4_convert_i32x4, f32x4_extract_lane, f32x4_mul, f32x4_splat, i8x16_splat,
    i8x16_sub, i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_add, i32x4_dot_i16x8,
    u8x16_shr, u8x16_splat, v128, v128_and, v128_load,
};

use super::{NARROW, ROWS, Rows, Tile, Token, WIDE};
use crate::quant::QK;

/// As [`super::plain::tile`]. Weights are widened once for all tokens; activations come wide.
pub(in crate::forward) fn tile<const BYTES: usize, const SCALES: usize, const T: usize>(
    rows: &Rows<'_>,
    tokens: [Token<'_>; T],
) -> Tile<T> {
    let mut sums = [[f32x4_splat(0.0); ROWS]; T];
    let (w_blocks, _) = rows.quants.as_chunks::<BYTES>();
    let (groups, _) = w_blocks.as_chunks::<ROWS>();
    let (scales, _) = rows.scales.as_chunks::<SCALES>();
    let (scales, _) = scales.as_chunks::<ROWS>();
    let blocks = tokens.map(|token| token.quants.as_chunks::<QK>().0);
    for (block_idx, (group, scales)) in groups.iter().zip(scales).enumerate() {
        for j in 0..ROWS {
            let w = widen(&group[j]);
            for t in 0..T {
                let [first, last] = dot(&w, &blocks[t][block_idx]);
                let x_scale = tokens[t].scales[block_idx];
                let scaled = |dots: v128, scale: f32| {
                    f32x4_mul(f32x4_convert_i32x4(dots), f32x4_splat(scale * x_scale))
                };
                let both = if SCALES == 1 {
                    scaled(i32x4_add(first, last), scales[j][0])
                } else {
                    f32x4_add(
                        scaled(first, scales[j][0]),
                        scaled(last, scales[j][SCALES - 1]),
                    )
                };
                sums[t][j] = f32x4_add(sums[t][j], both);
            }
        }
    }
    sums.map(|sums| sums.map(add_lanes))
}

/// As [`super::plain::unpack`], to 16 bits.
fn widen<const BYTES: usize>(block: &[u8; BYTES]) -> [v128; 4] {
    const {
        assert!(
            BYTES == WIDE || BYTES == NARROW,
            "a block of 8 or of 4 bits"
        )
    };
    let pointer: *const v128 = block.as_ptr().cast();
    let (low, high) = if BYTES == WIDE {
        // SAFETY: the reference covers exactly the 32 bytes that are read, and no alignment is asked.
        unsafe { (v128_load(pointer), v128_load(pointer.add(1))) }
    } else {
        // SAFETY: the reference covers exactly the 16 bytes that are read, and no alignment is asked.
        let bytes = unsafe { v128_load(pointer) };
        let eight = i8x16_splat(8);
        (
            i8x16_sub(v128_and(bytes, u8x16_splat(0xf)), eight),
            i8x16_sub(u8x16_shr(bytes, 4), eight),
        )
    };
    [
        i16x8_extend_low_i8x16(low),
        i16x8_extend_high_i8x16(low),
        i16x8_extend_low_i8x16(high),
        i16x8_extend_high_i8x16(high),
    ]
}

/// The sums of the block's first and last half.
fn dot(w: &[v128; 4], x: &[i16; QK]) -> [v128; 2] {
    let pointer: *const v128 = x.as_ptr().cast();
    // SAFETY: the reference covers exactly the 64 bytes that are read, and no alignment is asked.
    let x = unsafe { [0, 1, 2, 3].map(|idx| v128_load(pointer.add(idx))) };
    [
        i32x4_add(i32x4_dot_i16x8(w[0], x[0]), i32x4_dot_i16x8(w[1], x[1])),
        i32x4_add(i32x4_dot_i16x8(w[2], x[2]), i32x4_dot_i16x8(w[3], x[3])),
    ]
}

fn add_lanes(x: v128) -> f32 {
    (f32x4_extract_lane::<0>(x) + f32x4_extract_lane::<1>(x))
        + (f32x4_extract_lane::<2>(x) + f32x4_extract_lane::<3>(x))
}

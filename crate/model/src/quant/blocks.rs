//! Turns the stored blocks of every quantised type into one form: 32 integers, a scale for each half, and a minimum.
//!
//! Source: `ggml-quants.c` and `ggml-common.h` of ggml. 4-bit codes are stored in nibbles: the low nibbles hold the
//! first half of a run, the high nibbles the second.
//!
//! | type | block | value |
//! |------|-------|-------|
//! | Q8_0 | `d`, 32 x i8 | `d * q` |
//! | Q4_0 | `d`, 16 x u8 | `d * (q - 8)` |
//! | Q4_1 | `d`, `m`, 16 x u8 | `d * q + m` |
//! | Q5_0 | `d`, 32 fifth bits, 16 x u8 | `d * (q - 16)` |
//! | Q5_1 | `d`, `m`, 32 fifth bits, 16 x u8 | `d * q + m` |
//! | Q4_K | `d`, `dmin`, 8 x 2 x 6 bits, 128 x u8 | `d * s * q - dmin * m` for each 32 of 256 |
//! | Q5_K | `d`, `dmin`, 8 x 2 x 6 bits, 256 fifth bits, 128 x u8 | the same |
//! | Q6_K | 128 x u8, 256 x 2 bits, 16 x i8, `d` | `d * s * (q - 32)` for each 16 of 256 |

use half::f16;

use super::QK;
use crate::gguf::TensorType;

/// 32 consecutive values of a row: value `i` is `scales[i / 16] * quants[i] + min`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Block {
    pub(crate) quants: [i8; QK],
    pub(crate) scales: [f32; 2],
    pub(crate) min: f32,
}

/// Byte offsets of a block's f16s: scales and minimums.
pub(crate) fn half_places(kind: TensorType) -> &'static [usize] {
    match kind {
        TensorType::Q4_1 | TensorType::Q5_1 | TensorType::Q4K | TensorType::Q5K => &[0, 2],
        TensorType::Q6K => &[208],
        _ => &[0],
    }
}

/// Calls `each` for every 32 values in `bytes`, in order.
///
/// # Panics
/// For a type that is not quantised.
pub(crate) fn unpack(kind: TensorType, bytes: &[u8], mut each: impl FnMut(&Block)) {
    for stored in bytes.chunks_exact(kind.block_bytes()) {
        match kind {
            TensorType::Q8_0 => each(&Block::new(signed(&stored[2..]), half(stored, 0), 0.0)),
            TensorType::Q4_0 => each(&Block::new(nibbles(&stored[2..], -8), half(stored, 0), 0.0)),
            TensorType::Q4_1 => {
                each(&Block::new(
                    nibbles(&stored[4..], 0),
                    half(stored, 0),
                    half(stored, 2),
                ));
            }
            TensorType::Q5_0 => {
                let mut quants = nibbles(&stored[6..], -16);
                add_bits(&mut quants, word(&stored[2..6]));
                each(&Block::new(quants, half(stored, 0), 0.0));
            }
            TensorType::Q5_1 => {
                let mut quants = nibbles(&stored[8..], 0);
                add_bits(&mut quants, word(&stored[4..8]));
                each(&Block::new(quants, half(stored, 0), half(stored, 2)));
            }
            TensorType::Q4K => k_blocks(stored, &stored[16..], None, &mut each),
            TensorType::Q5K => k_blocks(stored, &stored[48..], Some(&stored[16..48]), &mut each),
            TensorType::Q6K => q6_blocks(stored, &mut each),
            TensorType::F32 | TensorType::F16 | TensorType::BF16 => {
                panic!("{kind} has no blocks")
            }
        }
    }
}

impl Block {
    fn new(quants: [i8; QK], scale: f32, min: f32) -> Block {
        Block {
            quants,
            scales: [scale; 2],
            min,
        }
    }
}

/// The f16 at byte `start`.
fn half(stored: &[u8], start: usize) -> f32 {
    f16::from_le_bytes([stored[start], stored[start + 1]]).to_f32()
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The bytes reinterpreted as signed.
pub(crate) fn signed(bytes: &[u8]) -> [i8; QK] {
    std::array::from_fn(|i| bytes[i].cast_signed())
}

/// The low nibbles of 16 bytes, then the high ones, shifted by `offset`.
pub(crate) fn nibbles(bytes: &[u8], offset: i8) -> [i8; QK] {
    std::array::from_fn(|i| {
        let (byte, shift) = if i < QK / 2 {
            (bytes[i], 0)
        } else {
            (bytes[i - QK / 2], 4)
        };
        (byte >> shift & 0xf).cast_signed() + offset
    })
}

/// Adds 16 where the bit is set.
fn add_bits(quants: &mut [i8; QK], bits: u32) {
    for (i, quant) in quants.iter_mut().enumerate() {
        if bits >> i & 1 == 1 {
            *quant += 16;
        }
    }
}

/// Q4_K and Q5_K: eight blocks, two of them in the nibbles of the same 32 bytes.
fn k_blocks(stored: &[u8], quants: &[u8], fifth: Option<&[u8]>, each: &mut impl FnMut(&Block)) {
    let (d, d_min) = (half(stored, 0), half(stored, 2));
    for idx in 0..8 {
        let bytes = &quants[idx / 2 * QK..(idx / 2 + 1) * QK];
        let quants = std::array::from_fn(|i| {
            let four = bytes[i] >> (idx % 2 * 4) & 0xf;
            let bit = fifth.map_or(0, |fifth| fifth[i] >> idx & 1);
            (four | bit << 4).cast_signed()
        });
        let (scale, min) = scale_and_min(idx, &stored[4..16]);
        each(&Block::new(
            quants,
            d * f32::from(scale),
            -d_min * f32::from(min),
        ));
    }
}

/// The 6-bit scale and minimum of block `idx` in 12 bytes: the upper bits for the last four blocks are packed above the
/// 6-bit values of the first four.
pub(crate) fn scale_and_min(idx: usize, packed: &[u8]) -> (u8, u8) {
    if idx < 4 {
        return (packed[idx] & 63, packed[idx + 4] & 63);
    }
    (
        packed[idx + 4] & 0xf | packed[idx - 4] >> 6 << 4,
        packed[idx + 4] >> 4 | packed[idx] >> 6 << 4,
    )
}

/// Q6_K: eight blocks, four of them in the same 64 bytes of low bits and 32 bytes of high bits.
fn q6_blocks(stored: &[u8], each: &mut impl FnMut(&Block)) {
    let (low, high, scales) = (&stored[..128], &stored[128..192], &stored[192..208]);
    let d = half(stored, 208);
    for idx in 0..8 {
        let (side, part) = (idx / 4, idx % 4);
        let low = &low[side * 64 + part % 2 * QK..][..QK];
        let high = &high[side * QK..][..QK];
        let quants = std::array::from_fn(|i| {
            let four = low[i] >> (part / 2 * 4) & 0xf;
            let two = high[i] >> (part * 2) & 3;
            (four | two << 4).cast_signed() - 32
        });
        let scale = |half: usize| d * f32::from(scales[idx * 2 + half].cast_signed());
        each(&Block {
            quants,
            scales: [scale(0), scale(1)],
            min: 0.0,
        });
    }
}

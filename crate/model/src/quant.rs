//! Turns rows of numbers into stored blocks and back: the scalar meaning of each tensor type.
//!
//! F32, F16 and BF16 are plain numbers; [`blocks`] documents the blocks of the other types.

pub(crate) mod blocks;
pub(crate) mod float16;

use half::{bf16, f16};

use crate::gguf::TensorType;

/// Values in a block, or in a part of a larger one, that share a scale and a minimum.
pub const QK: usize = 32;

/// Unpacks stored `bytes` into `values`.
///
/// # Panics
/// If the lengths don't match: callers check the file's tensors first.
pub fn dequantize(kind: TensorType, bytes: &[u8], values: &mut [f32]) {
    let expected = kind.n_bytes(values.len());
    assert_eq!(
        Some(bytes.len()),
        expected,
        "bytes of {} values as {kind}",
        values.len()
    );
    match kind {
        TensorType::F32 => {
            for (value, b) in values.iter_mut().zip(bytes.chunks_exact(4)) {
                *value = f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
            }
        }
        TensorType::F16 => {
            for (value, b) in values.iter_mut().zip(bytes.chunks_exact(2)) {
                *value = f16::from_le_bytes([b[0], b[1]]).to_f32();
            }
        }
        TensorType::BF16 => {
            for (value, b) in values.iter_mut().zip(bytes.chunks_exact(2)) {
                *value = bf16::from_le_bytes([b[0], b[1]]).to_f32();
            }
        }
        _ => {
            let mut rest = values.chunks_exact_mut(QK);
            blocks::unpack(kind, bytes, |block| {
                let values = rest.next().into_iter().flatten();
                for (i, (value, quant)) in values.zip(block.quants).enumerate() {
                    *value = block.scales[i / (QK / 2)] * f32::from(quant) + block.min;
                }
            });
        }
    }
}

/// Index of the first value that is not finite: infinite or NaN itself, or in a block with such a scale.
pub(crate) fn not_finite(kind: TensorType, bytes: &[u8]) -> Option<usize> {
    let is_half = |bytes: &[u8]| bytes[1] & 0x7c != 0x7c;
    let mut blocks = bytes.chunks_exact(kind.block_bytes());
    let block_idx = blocks.position(|block| match kind {
        TensorType::F32 => {
            !f32::from_le_bytes([block[0], block[1], block[2], block[3]]).is_finite()
        }
        TensorType::BF16 => !bf16::from_le_bytes([block[0], block[1]]).is_finite(),
        _ => !blocks::half_places(kind)
            .iter()
            .all(|place| is_half(&block[*place..])),
    });
    block_idx.map(|idx| idx * kind.block_len())
}

/// Packs `values` as ggml's reference quantiser does; [`dequantize`] undoes it, up to rounding.
///
/// # Panics
/// If the type can't be packed here, or the values are not whole blocks.
pub fn quantize(kind: TensorType, values: &[f32]) -> Vec<u8> {
    assert!(
        kind.n_bytes(values.len()).is_some(),
        "{} values as {kind}",
        values.len()
    );
    match kind {
        TensorType::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        TensorType::F16 => values
            .iter()
            .flat_map(|v| f16::from_f32(*v).to_le_bytes())
            .collect(),
        TensorType::BF16 => values
            .iter()
            .flat_map(|v| bf16::from_f32(*v).to_le_bytes())
            .collect(),
        TensorType::Q8_0 => values.chunks_exact(QK).flat_map(quantize_q8_0).collect(),
        TensorType::Q4_0 => values.chunks_exact(QK).flat_map(quantize_q4_0).collect(),
        _ => panic!("nothing packs {kind} here"),
    }
}

fn quantize_q8_0(values: &[f32]) -> [u8; 2 + QK] {
    let largest = values
        .iter()
        .fold(0.0f32, |largest, v| largest.max(v.abs()));
    let d = largest / 127.0;
    let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
    let mut block = [0; 2 + QK];
    block[..2].copy_from_slice(&f16::from_f32(d).to_le_bytes());
    for (q, value) in block[2..].iter_mut().zip(values) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "rounded into -127..=127 by the scale"
        )]
        let rounded = (value * inverse).round() as i8;
        *q = rounded.cast_unsigned();
    }
    block
}

fn quantize_q4_0(values: &[f32]) -> [u8; 2 + QK / 2] {
    // The value of largest magnitude maps to -8, whatever its sign, because that end of the range has one more step.
    let extreme = values
        .iter()
        .fold(0.0f32, |m, &v| if v.abs() > m.abs() { v } else { m });
    let d = extreme / -8.0;
    let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within 0.5..=16.5 by the scale, and capped"
    )]
    let nibble = |value: f32| ((value * inverse + 8.5) as u8).min(15);
    let mut block = [0; 2 + QK / 2];
    block[..2].copy_from_slice(&f16::from_f32(d).to_le_bytes());
    let (low, high) = values.split_at(QK / 2);
    for ((q, &low), &high) in block[2..].iter_mut().zip(low).zip(high) {
        *q = nibble(low) | nibble(high) << 4;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(kind: TensorType, values: &[f32]) -> Vec<f32> {
        let mut found = vec![0.0; values.len()];
        dequantize(kind, &quantize(kind, values), &mut found);
        found
    }

    #[test]
    fn unpacks_hand_made_blocks() {
        let mut q8 = f16::from_f32(0.5).to_le_bytes().to_vec();
        q8.extend((0..32).map(|i: i8| (i - 16).cast_unsigned()));
        let mut values = [0.0; 32];
        dequantize(TensorType::Q8_0, &q8, &mut values);
        assert_eq!(
            (values[0], values[16], values[31]),
            (-8.0, 0.0, 7.5),
            "d * q"
        );

        let mut q4 = f16::from_f32(2.0).to_le_bytes().to_vec();
        q4.extend([0x80; 16]);
        dequantize(TensorType::Q4_0, &q4, &mut values);
        assert_eq!(
            (values[0], values[16]),
            (-16.0, 0.0),
            "low half is q 0, high half is q 8"
        );
    }

    #[test]
    fn keeps_values_within_half_a_step() {
        let values: Vec<f32> = (0..96)
            .map(|i| ((i * 37 % 101) as f32 - 50.0) / 25.0)
            .collect();
        for (kind, step) in [
            (TensorType::F32, 0.0),
            (TensorType::F16, 2.0 / 1024.0),
            (TensorType::BF16, 2.0 / 128.0),
            (TensorType::Q8_0, 2.0 / 127.0),
            // The positive end is clipped at +7 steps, one step short of the extreme value.
            (TensorType::Q4_0, 2.0 * 2.0 / 8.0),
        ] {
            let found = round_trip(kind, &values);
            let worst = values
                .iter()
                .zip(&found)
                .fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
            assert!(
                worst <= step / 2.0 * 1.01,
                "{kind}: bound {}, got {worst}",
                step / 2.0
            );
        }
    }

    #[test]
    fn keeps_a_block_of_zeros() {
        for kind in [TensorType::Q8_0, TensorType::Q4_0] {
            assert_eq!(round_trip(kind, &[0.0; 32]), [0.0; 32], "{kind}");
        }
    }
}

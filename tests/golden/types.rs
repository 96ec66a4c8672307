//! Compares our dequantisation of each type with candle's.

use anchorite_model::gguf::TensorType;
use anchorite_model::quant;
use candle_core::Device;
use candle_core::quantized::GgmlDType;
use candle_core::quantized::ggml_file::qtensor_from_ggml;
use harness::tiny::Random;

/// The type, candle's name for it, and the byte offsets of f16s in a block.
const TYPES: [(TensorType, GgmlDType, &[usize]); 8] = [
    (TensorType::Q8_0, GgmlDType::Q8_0, &[0]),
    (TensorType::Q4_0, GgmlDType::Q4_0, &[0]),
    (TensorType::Q4_1, GgmlDType::Q4_1, &[0, 2]),
    (TensorType::Q5_0, GgmlDType::Q5_0, &[0]),
    (TensorType::Q5_1, GgmlDType::Q5_1, &[0, 2]),
    (TensorType::Q4K, GgmlDType::Q4K, &[0, 2]),
    (TensorType::Q5K, GgmlDType::Q5K, &[0, 2]),
    (TensorType::Q6K, GgmlDType::Q6K, &[208]),
];

/// Arbitrary bytes, except for the f16s, which are small values of either sign.
fn stored(kind: TensorType, n_values: usize, halves: &[usize]) -> Vec<u8> {
    let mut random = Random(7);
    let n_bytes = kind.n_bytes(n_values).expect("whole blocks");
    let mut bytes: Vec<u8> = (0..n_bytes)
        .map(|_| random.draw().to_bits().to_le_bytes()[2])
        .collect();
    for block in bytes.chunks_exact_mut(kind.block_bytes()) {
        for start in halves {
            // The upper byte of an f16: its sign, and an exponent that makes it less than a quarter.
            block[start + 1] = block[start + 1] & 0x80 | 0x20 | block[start + 1] & 0x0f;
        }
    }
    bytes
}

#[test]
fn unpacks_every_type_as_candle_does() {
    const N_VALUES: usize = 4096;
    for (kind, theirs, halves) in TYPES {
        let bytes = stored(kind, N_VALUES, halves);
        let tensor = qtensor_from_ggml(theirs, &bytes, vec![N_VALUES], &Device::Cpu);
        let expected: Vec<f32> = tensor
            .and_then(|tensor| tensor.dequantize(&Device::Cpu)?.to_vec1())
            .expect("candle reads it");
        let mut found = vec![0.0; N_VALUES];
        quant::dequantize(kind, &bytes, &mut found);
        let largest = expected.iter().fold(0.0f32, |max, x| max.max(x.abs()));
        assert!(largest > 0.0, "{kind}: the case says something");
        for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
            // The operations are the same, except for the order of a product of three factors.
            assert!(
                (found - expected).abs() <= 2.0 * f32::EPSILON * largest,
                "{kind}, value {i}: found {found}, expected {expected}"
            );
        }
    }
}

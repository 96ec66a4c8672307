//! Turns a tensor type and a seed into stored blocks of random weights, even for types that nothing here packs.

use anchorite_model::gguf::TensorType;
use anchorite_model::quant;

use crate::tiny::Random;

/// Arbitrary codes, with scales that give a row a length of about 1 and a mean of about 0.
#[expect(clippy::cast_precision_loss, reason = "a row is short")]
pub fn random_blocks(
    kind: TensorType,
    n_rows: usize,
    n_cols: usize,
    random: &mut Random,
) -> Vec<u8> {
    let size = 1.0 / (n_cols as f32).sqrt();
    let mut floats = || -> Vec<f32> {
        (0..n_rows * n_cols)
            .map(|_| random.draw() * 1.7 * size)
            .collect()
    };
    // Byte offset and value of each f16 in a block, chosen to suit the range of the codes it scales.
    let halves: &[(usize, f32)] = match kind {
        TensorType::Q4_1 => &[(0, 1.0 / 4.6), (2, -7.5 / 4.6)],
        TensorType::Q5_0 => &[(0, 1.0 / 9.2)],
        TensorType::Q5_1 => &[(0, 1.0 / 9.2), (2, -15.5 / 9.2)],
        TensorType::Q4K => &[(0, 1.0 / 147.0), (2, 7.5 / 147.0)],
        TensorType::Q5K => &[(0, 1.0 / 294.0), (2, 15.5 / 294.0)],
        TensorType::Q6K => &[(208, 1.0 / 1370.0)],
        _ => return quant::quantize(kind, &floats()),
    };
    let n_bytes = kind.n_bytes(n_rows * n_cols).expect("whole blocks");
    let mut bytes: Vec<u8> = (0..n_bytes)
        .map(|_| random.draw().to_bits().to_le_bytes()[1])
        .collect();
    for block in bytes.chunks_exact_mut(kind.block_bytes()) {
        for (start, share) in halves {
            let half = quant::quantize(TensorType::F16, &[share * size]);
            block[*start..start + 2].copy_from_slice(&half);
        }
    }
    bytes
}

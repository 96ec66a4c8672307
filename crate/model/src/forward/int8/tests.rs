//! Compares the fast kernels with their twin, and packed rows with what they were packed from.

use half::f16;

use super::*;
use crate::forward::{test_nmse, test_values as values};
use crate::gguf::TensorType;
use crate::quant;
use crate::weights::Matrix;

/// Blocks of arbitrary bytes, with their f16s kept tame, that cover every code of every type.
fn stored(kind: TensorType, n_values: usize) -> Vec<u8> {
    let n_bytes = kind.n_bytes(n_values).expect("whole blocks");
    let mut bytes: Vec<u8> = (0..n_bytes)
        // Never -128, since quantising doesn't yield it.
        .map(|i| (i * 7919 % 251).to_le_bytes()[0])
        .map(|byte| if byte == 0x80 { 0x7f } else { byte })
        .collect();
    for (idx, block) in bytes.chunks_exact_mut(kind.block_bytes()).enumerate() {
        for start in quant::blocks::half_places(kind) {
            let half = f16::from_f32(0.01 + (idx + start) as f32 % 7.0 / 100.0);
            block[*start..start + 2].copy_from_slice(&half.to_le_bytes());
        }
    }
    bytes
}

fn packed(kind: TensorType, n_rows: usize, n_cols: usize) -> (Matrix, PackedMatrix) {
    let matrix = Matrix {
        kind,
        n_rows,
        n_cols,
        bytes: stored(kind, n_rows * n_cols),
    };
    let packed = PackedMatrix::new(&matrix).expect("a type with a kernel");
    (matrix, packed)
}

const KINDS: [TensorType; 8] = [
    TensorType::Q8_0,
    TensorType::Q4_0,
    TensorType::Q4_1,
    TensorType::Q5_0,
    TensorType::Q5_1,
    TensorType::Q4K,
    TensorType::Q5K,
    TensorType::Q6K,
];

/// Every kernel that this processor runs.
fn kernels() -> Vec<Kernel> {
    #[cfg(target_arch = "x86_64")]
    return x86::all();
    #[cfg(target_arch = "aarch64")]
    return arm::all();
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    vec![Kernel::best()]
}

/// The product with `x`, `[T, n_cols]`, on the current thread.
fn product(kernel: Kernel, matrix: &PackedMatrix, x: &[f32]) -> Vec<f32> {
    let x = Activations::quantized(kernel, Threads::One, x, matrix.n_cols());
    // NaN marks outputs that were not written; every one must be.
    let mut y = vec![f32::NAN; x.n_tokens() * matrix.n_rows()];
    matmul(
        kernel,
        Threads::One,
        &x,
        [Product {
            matrix,
            bias: None,
            y: &mut y,
        }],
    );
    y
}

/// The fast kernels against their twin: only the order of the float sums differs, which shows most where a minimum
/// cancels most of a sum.
#[test]
fn every_kernel_agrees_with_the_plain_one() {
    const BOUND: f64 = 1e-10;
    let sizes = [(1, 256, 1), (2, 256, 5), (3, 512, 63), (67, 768, 131)];
    let cases = KINDS
        .into_iter()
        .flat_map(|kind| sizes.map(|size| (kind, size)));
    for (kind, (n_tokens, n_cols, n_rows)) in cases {
        let (_, packed) = packed(kind, n_rows, n_cols);
        let x = values(n_tokens * n_cols, 2);
        let expected = product(Kernel::Plain, &packed, &x);
        for kernel in kernels() {
            let found = product(kernel, &packed, &x);
            let got = test_nmse(&found, &expected);
            let case = format!("{kind}, {n_tokens} x {n_cols} x {n_rows}");
            println!(
                "{} {case}: NMSE bound {BOUND:e}, got {got:e}",
                kernel.name()
            );
            assert!(
                got <= BOUND,
                "{} {case}: NMSE bound {BOUND:e}, got {got:e}",
                kernel.name()
            );
        }
    }
}

#[test]
fn every_kernel_quantises_as_the_plain_one() {
    let tiny = f32::MIN_POSITIVE / 64.0;
    for scale in [1.0, 1e-30, 1e30, tiny, 0.0] {
        for seed in 0..50 {
            let x: Vec<f32> = values(QK, seed).iter().map(|x| scale * x).collect();
            let block = x.first_chunk().expect("a block");
            let expected = Kernel::Plain.quantize_block(block);
            for kernel in kernels() {
                let found = kernel.quantize_block(block);
                assert_eq!(found, expected, "{}: {block:?}", kernel.name());
            }
        }
    }
}

/// The packed layout against the dequantised values.
#[test]
fn a_product_is_that_of_the_stored_numbers() {
    for kind in KINDS {
        let (matrix, packed) = packed(kind, 19, 256);
        let x = values(5 * 256, 3);
        let found = product(Kernel::best(), &packed, &x);
        let mut expected = vec![0.0; 5 * 19];
        crate::reference::matmul::matmul(&matrix, &x, &mut expected);
        let (bound, got) = (5e-5, test_nmse(&found, &expected));
        assert!(got <= bound, "{kind}: NMSE bound {bound:e}, got {got:e}");
    }
}

#[test]
fn one_token_gets_the_same_alone_and_among_others() {
    for kind in KINDS {
        let (_, packed) = packed(kind, 33, 256);
        let x = values(11 * 256, 4);
        for kernel in kernels() {
            let together = product(kernel, &packed, &x);
            for (x, together) in x.chunks_exact(256).zip(together.chunks_exact(33)) {
                assert!(
                    product(kernel, &packed, x) == together,
                    "{kind} on {}: other numbers",
                    kernel.name()
                );
            }
        }
    }
}

/// Several matrices at once, on all threads of the pool.
#[test]
fn threads_share_products_without_changing_them() {
    let matrices = KINDS.map(|kind| packed(kind, 1 + 97 * (1 + kind as usize % 3), 512).1);
    for n_tokens in [1, 13, 64] {
        let x = values(n_tokens * 512, 6);
        for kernel in kernels() {
            let mut found: Vec<Vec<f32>> = matrices
                .iter()
                .map(|matrix| vec![f32::NAN; n_tokens * matrix.n_rows()])
                .collect();
            Threads::enter(|threads| {
                let x = Activations::quantized(kernel, threads, &x, 512);
                let products = matrices.iter().zip(&mut found);
                matmul(
                    kernel,
                    threads,
                    &x,
                    products.map(|(matrix, y)| Product {
                        matrix,
                        bias: None,
                        y,
                    }),
                );
            });
            for (matrix, found) in matrices.iter().zip(&found) {
                assert!(
                    *found == product(kernel, matrix, &x),
                    "{} bits on {}, {n_tokens} tokens: other numbers",
                    matrix.bits(),
                    kernel.name()
                );
            }
        }
    }
}

#[test]
fn unpacked_once_or_for_each_product_is_the_same() {
    for kind in KINDS {
        let (_, packed) = packed(kind, 33, 256);
        let spread = packed.clone().spread();
        let x = values(11 * 256, 5);
        for n_tokens in [1, 5, 11] {
            for kernel in kernels() {
                let x = &x[..n_tokens * 256];
                let products = [&packed, &spread].map(|matrix| product(kernel, matrix, x));
                assert!(
                    products[0] == products[1],
                    "{kind} on {}, {n_tokens} tokens: other numbers",
                    kernel.name()
                );
            }
        }
        let (mut row, mut expected) = ([0.0; 256], [0.0; 256]);
        spread.row(32, &mut row);
        packed.row(32, &mut expected);
        assert!(row == expected, "{kind}: another row");
    }
}

#[test]
fn the_smallest_byte_does_not_overflow() {
    // Quantising never yields -128, but a file may hold it. It counts as -127.
    let mut matrix = packed(TensorType::Q8_0, 4, 64).0;
    for byte in matrix
        .bytes
        .chunks_exact_mut(34)
        .flat_map(|block| &mut block[2..])
    {
        *byte = 0x80;
    }
    let packed = PackedMatrix::new(&matrix).expect("a type with a kernel");
    let x = [-1.0; 64];
    let expected = product(Kernel::Plain, &packed, &x);
    assert!(expected[0] > 0.0, "minus times minus: {expected:?}");
    for kernel in kernels() {
        let found = product(kernel, &packed, &x);
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= 1e-5 * expected.abs(),
                "{}: found {found}, expected {expected}",
                kernel.name()
            );
        }
    }
}

#[test]
fn the_largest_codes_and_activations_do_not_overflow() {
    // All bits set: the largest code of every type, times the largest activations, all of one sign.
    for kind in [
        TensorType::Q4_0,
        TensorType::Q4_1,
        TensorType::Q5_0,
        TensorType::Q5_1,
    ] {
        for n_tokens in [1, 9] {
            let mut matrix = packed(kind, 16, 64).0;
            let n_codes = match kind {
                TensorType::Q5_0 | TensorType::Q5_1 => 20,
                _ => 16,
            };
            let n_bytes = matrix.bytes.len() / (16 * 2);
            for block in matrix.bytes.chunks_exact_mut(n_bytes) {
                block[n_bytes - n_codes..].fill(0xff);
            }
            let packed = PackedMatrix::new(&matrix).expect("a type with a kernel");
            let x = vec![1.0; 64 * n_tokens];
            let expected = product(Kernel::Plain, &packed, &x);
            for kernel in kernels() {
                for packed in [packed.clone(), packed.clone().spread()] {
                    let found = product(kernel, &packed, &x);
                    for (found, expected) in found.iter().zip(&expected) {
                        assert!(
                            (found - expected).abs() <= 1e-4 * expected.abs(),
                            "{kind}, {n_tokens} tokens, {}: found {found}, expected {expected}",
                            kernel.name()
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn unpacks_a_row_as_it_was_stored() {
    for (kind, row_idx) in KINDS
        .into_iter()
        .flat_map(|kind| [0, 6, 15, 16, 18].map(move |row| (kind, row)))
    {
        let (matrix, packed) = packed(kind, 19, 512);
        let (mut found, mut expected) = (vec![0.0; 512], vec![0.0; 512]);
        packed.row(row_idx, &mut found);
        matrix.row(row_idx, &mut expected);
        assert!(
            found == expected,
            "{kind}, row {row_idx}: other numbers than stored"
        );
    }
}

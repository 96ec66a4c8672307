//! Compares `matvec` and `matmul` with their twin, for every layout of weights.

use anchorite_model::gguf::TensorType;
use anchorite_model::gpu::Gpu;
use anchorite_model::kernels::matmul::{Into, matmul};
use anchorite_model::weights::Matrix;
use anchorite_model::{quant, reference};
use harness::gpu::{Numbers, SENTINEL, assert_close, batch, filled, gpu, output, run};

/// Rows to make, values to sum, tokens: for plain numbers.
const ODD: [(usize, usize, usize); 6] = [
    (1, 1, 1),
    (63, 63, 1),
    (257, 1757, 1),
    (1, 63, 2),
    (63, 1757, 5),
    (130, 64, 33),
];
/// The same with whole blocks of 32.
const BLOCKS: [(usize, usize, usize); 5] = [
    (1, 32, 1),
    (63, 96, 1),
    (257, 1760, 1),
    (63, 1760, 5),
    (130, 64, 33),
];

fn matrix(kind: TensorType, n_rows: usize, n_cols: usize) -> Matrix {
    let values = Numbers::new((n_rows * n_cols) as u64).take(n_rows * n_cols);
    Matrix {
        kind,
        n_rows,
        n_cols,
        bytes: quant::quantize(kind, &values),
    }
}

fn compare(gpu: &Gpu, matrix: &Matrix, n_tokens: usize, into: Into, bound: f64) {
    let Matrix {
        kind,
        n_rows,
        n_cols,
        ref bytes,
    } = *matrix;
    let case = format!("matmul {kind} N={n_rows} C={n_cols} T={n_tokens} {into:?}");
    let x = Numbers::new(7).take(n_tokens * n_cols);
    let rows = gpu.rows_of("x", &x, n_cols).expect("x");
    let weights = gpu
        .matrix("weights", kind, n_rows, n_cols, bytes)
        .expect("weights");
    let y = output(gpu, n_tokens, n_rows);
    let batch = batch(gpu, 0, &vec![0; n_tokens]);
    run(gpu, n_tokens, || {
        matmul(gpu, &batch, &weights, rows.view(), y.view(), into)
    });

    let mut expected = vec![0.0; n_tokens * n_rows];
    reference::matmul::matmul(matrix, &x, &mut expected);
    let mut got = filled(gpu, &case, &y);
    if into == Into::Add {
        // The output held sentinels; what is left after taking them away has lost the digits they took.
        got.iter_mut().for_each(|value| *value -= SENTINEL);
        return assert_close(&case, 1e-5, &expected, &got);
    }
    assert_close(&case, bound, &expected, &got);
}

fn compare_all(kind: TensorType, sizes: &[(usize, usize, usize)], bound: f64) {
    let Some(gpu) = gpu() else { return };
    for &(n_rows, n_cols, n_tokens) in sizes {
        compare(
            &gpu,
            &matrix(kind, n_rows, n_cols),
            n_tokens,
            Into::Replace,
            bound,
        );
    }
    compare(&gpu, &matrix(kind, 63, 64), 1, Into::Add, bound);
    compare(&gpu, &matrix(kind, 63, 64), 3, Into::Add, bound);
}

#[test]
fn multiplies_by_f32() {
    compare_all(TensorType::F32, &ODD, 1e-7);
}

#[test]
fn multiplies_by_bf16() {
    compare_all(TensorType::BF16, &ODD, 1e-7);
}

#[test]
fn multiplies_by_f16() {
    compare_all(TensorType::F16, &ODD, 1e-7);
}

#[test]
fn multiplies_by_q8_0() {
    compare_all(TensorType::Q8_0, &BLOCKS, 5e-4);
}

#[test]
fn multiplies_by_q4_0() {
    compare_all(TensorType::Q4_0, &BLOCKS, 5e-4);
}

#[test]
fn splits_a_matrix_that_passes_a_binding() {
    let Some(mut gpu) = gpu() else { return };
    // 96 rows of 64 bytes and no more: 257 rows make three slices.
    gpu.limit_binding_bytes(96 * 64);
    let whole = matrix(TensorType::Q8_0, 257, 64);
    let packed = gpu
        .matrix("weights", whole.kind, 257, 64, &whole.bytes)
        .expect("weights");
    assert_eq!(packed.n_slices(), 3, "257 rows in slices of 96");
    compare(&gpu, &whole, 1, Into::Replace, 5e-4);
    compare(&gpu, &whole, 3, Into::Replace, 5e-4);
}

#[test]
fn writes_to_the_columns_in_view() {
    let Some(gpu) = gpu() else { return };
    let weights = matrix(TensorType::F32, 5, 8);
    let packed = gpu
        .matrix("weights", weights.kind, 5, 8, &weights.bytes)
        .expect("weights");
    for n_tokens in [1, 3] {
        let x = Numbers::new(3).take(n_tokens * 12);
        let rows = gpu.rows_of("x", &x, 12).expect("x");
        let y = output(&gpu, n_tokens, 20);
        let batch = batch(&gpu, 0, &vec![0; n_tokens]);
        let (from, to) = (rows.columns(4, 8), y.columns(7, 5));
        run(&gpu, n_tokens, || {
            matmul(&gpu, &batch, &packed, from, to, Into::Replace)
        });
        let got = filled(&gpu, "view", &y);
        for (x, y) in x.chunks(12).zip(got.chunks(20)) {
            let mut expected = vec![0.0; 5];
            reference::matmul::matmul(&weights, &x[4..], &mut expected);
            assert_close("view", 1e-7, &expected, &y[7..12]);
            let beside = y[..7].iter().chain(&y[12..]);
            assert!(
                beside.into_iter().all(|&v| v == SENTINEL),
                "columns out of view stay"
            );
        }
    }
}

#[test]
fn refuses_bytes_that_are_not_whole_rows() {
    let Some(gpu) = gpu() else { return };
    for (kind, n_cols) in [
        (TensorType::Q8_0, 31),
        (TensorType::Q4K, 256),
        (TensorType::F32, 8),
    ] {
        let refused = gpu.matrix("weights", kind, 3, n_cols, &[0; 17]);
        assert!(
            refused.is_err(),
            "{kind}: 17 bytes are not 3 rows of {n_cols}"
        );
    }
}

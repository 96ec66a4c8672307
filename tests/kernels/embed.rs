//! Compares `embed` with its twin: a lookup is exact in every layout.

use anchorite_model::gguf::TensorType;
use anchorite_model::kernels::embed::embed;
use anchorite_model::weights::Matrix;
use anchorite_model::{TokenId, quant, reference};
use harness::gpu::{Numbers, assert_close, batch, filled, gpu, output, run};

const TOKENS: [u32; 5] = [0, 62, 31, 32, 0];

fn compare(kind: TensorType, n_cols: usize, max_binding_bytes: u64, n_slices: usize) {
    let Some(mut gpu) = gpu() else { return };
    gpu.limit_binding_bytes(max_binding_bytes);
    let n_rows = 63;
    let bytes = quant::quantize(kind, &Numbers::new(5).take(n_rows * n_cols));
    let weights = gpu
        .matrix("weights", kind, n_rows, n_cols, &bytes)
        .expect("weights");
    assert_eq!(weights.n_slices(), n_slices, "{kind}: slices");
    let y = output(&gpu, TOKENS.len(), n_cols);
    let batch = batch(&gpu, 0, &TOKENS);
    run(&gpu, TOKENS.len(), || embed(&gpu, &batch, &weights, &y));

    let case = format!("embed {kind} C={n_cols}, slices: {n_slices}");
    let mut expected = vec![0.0; TOKENS.len() * n_cols];
    let matrix = Matrix {
        kind,
        n_rows,
        n_cols,
        bytes,
    };
    reference::embed::embed(&matrix, &TOKENS.map(TokenId), &mut expected);
    assert_close(&case, 0.0, &expected, &filled(&gpu, &case, &y));
}

#[test]
fn looks_up_plain_numbers() {
    for kind in [TensorType::F32, TensorType::F16, TensorType::BF16] {
        for n_cols in [1, 63, 1757] {
            compare(kind, n_cols, u64::MAX, 1);
        }
    }
}

#[test]
fn looks_up_blocks() {
    for kind in [TensorType::Q8_0, TensorType::Q4_0] {
        for n_cols in [32, 96, 1760] {
            compare(kind, n_cols, u64::MAX, 1);
        }
    }
}

#[test]
fn finds_each_token_in_its_slice() {
    compare(TensorType::Q8_0, 96, 32 * 96, 2);
}

//! Compares `rms_norm` with its twin.

use anchorite_model::kernels::rms_norm::rms_norm;
use anchorite_model::reference;
use harness::gpu::{Numbers, assert_close, batch, filled, gpu, output, run};

const EPS: f32 = 1e-5;

#[test]
fn normalises_rows_of_any_length() {
    let Some(gpu) = gpu() else { return };
    for (n_tokens, n_cols) in [(1, 1), (1, 63), (3, 64), (1, 1757), (33, 1757)] {
        let case = format!("rms_norm T={n_tokens} C={n_cols}");
        let mut numbers = Numbers::new(n_cols as u64);
        let (x, gain) = (numbers.take(n_tokens * n_cols), numbers.take(n_cols));
        let rows = gpu.rows_of("x", &x, n_cols).expect("x");
        let gains = gpu.rows_of("gain", &gain, n_cols).expect("gain");
        let y = output(&gpu, n_tokens, n_cols);
        let batch = batch(&gpu, 0, &vec![0; n_tokens]);
        run(&gpu, n_tokens, || {
            Ok(vec![rms_norm(&gpu, &batch, &rows, &gains, EPS, &y)?.into()])
        });

        let mut expected = vec![0.0; x.len()];
        reference::rms_norm::rms_norm(&x, &gain, EPS, &mut expected);
        assert_close(&case, 1e-7, &expected, &filled(&gpu, &case, &y));
    }
}

#[test]
fn takes_the_last_row_of_a_batch() {
    let Some(gpu) = gpu() else { return };
    let (n_tokens, n_cols) = (5, 63);
    let (x, gain) = (Numbers::new(1).take(n_tokens * n_cols), vec![1.0; n_cols]);
    let rows = gpu.rows_of("x", &x, n_cols).expect("x");
    let gains = gpu.rows_of("gain", &gain, n_cols).expect("gain");
    let y = output(&gpu, 1, n_cols);
    let last = batch(&gpu, 0, &vec![0; n_tokens]).last();
    run(&gpu, 1, || {
        Ok(vec![rms_norm(&gpu, &last, &rows, &gains, EPS, &y)?.into()])
    });

    let mut expected = vec![0.0; n_cols];
    reference::rms_norm::rms_norm(&x[4 * n_cols..], &gain, EPS, &mut expected);
    assert_close("last row", 1e-7, &expected, &filled(&gpu, "last row", &y));
}

#[test]
fn refuses_a_gain_of_another_length() {
    let Some(gpu) = gpu() else { return };
    let rows = |n| gpu.rows("rows", 1, n).expect("rows");
    let batch = batch(&gpu, 0, &[0]);
    let error = rms_norm(&gpu, &batch, &rows(8), &rows(7), EPS, &rows(8)).expect_err("a shape");
    let text = "`rms_norm` operand `gain` has the wrong size: expected 8, found 7";
    assert_eq!(error.to_string(), text, "says which operand");
}

//! Compares `swiglu` with its twin.

use anchorite_model::kernels::swiglu::{swiglu, up_offset};
use anchorite_model::reference;
use harness::gpu::{Numbers, assert_close, batch, filled, gpu, output, run};

#[test]
fn gates_rows_of_any_length() {
    let Some(gpu) = gpu() else { return };
    for (n_tokens, n_ff) in [(1, 1), (1, 63), (3, 172), (33, 1757)] {
        let case = format!("swiglu T={n_tokens} F={n_ff}");
        let mut numbers = Numbers::new(n_ff as u64);
        let (up_at, mut x, mut expected) = (up_offset(n_ff), Vec::new(), Vec::new());
        for _ in 0..n_tokens {
            // Wide enough for both ends of the sigmoid.
            let gate: Vec<f32> = numbers.take(n_ff).iter().map(|v| v * 90.0).collect();
            let up = numbers.take(n_ff);
            let mut y = vec![0.0; n_ff];
            reference::swiglu::swiglu(&gate, &up, &mut y);
            expected.extend(y);
            x.extend(gate);
            x.resize(x.len() + up_at - n_ff, 0.0);
            x.extend(up);
        }
        let rows = gpu.rows_of("x", &x, up_at + n_ff).expect("x");
        let y = output(&gpu, n_tokens, n_ff);
        let batch = batch(&gpu, 0, &vec![0; n_tokens]);
        run(&gpu, n_tokens, || {
            Ok(vec![swiglu(&gpu, &batch, &rows, &y)?.into()])
        });
        assert_close(&case, 1e-7, &expected, &filled(&gpu, &case, &y));
    }
}

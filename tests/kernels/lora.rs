//! Compares `lora` with its twin.

use anchorite_model::adapter::LoraPair;
use anchorite_model::kernels::lora::{PackedPair, lora};
use anchorite_model::reference;
use harness::gpu::{Numbers, SENTINEL, assert_close, batch, gpu, run};

#[test]
fn adds_a_low_rank_change() {
    let Some(gpu) = gpu() else { return };
    for (n_rows, n_cols, rank, n_tokens) in [
        (1, 1, 1, 1),
        (63, 64, 8, 1),
        (257, 1757, 5, 1),
        (63, 172, 16, 33),
    ] {
        let case = format!("lora N={n_rows} C={n_cols} R={rank} T={n_tokens}");
        let mut numbers = Numbers::new(n_cols as u64);
        let (a, b) = (numbers.take(rank * n_cols), numbers.take(n_rows * rank));
        let pair = LoraPair {
            rank,
            scale: 0.7,
            a,
            b,
        };
        let (x, before) = (
            numbers.take(n_tokens * n_cols),
            numbers.take(n_tokens * n_rows),
        );
        let rows = gpu.rows_of("x", &x, n_cols).expect("x");
        let start = [before.as_slice(), &vec![SENTINEL; n_rows]].concat();
        let y = gpu.rows_of("y", &start, n_rows).expect("y");
        let packed = PackedPair::new(&gpu, "pair", &pair, n_tokens).expect("the pair");
        let batch = batch(&gpu, 0, &vec![0; n_tokens]);
        run(&gpu, n_tokens, || {
            lora(&gpu, &batch, &packed, rows.view(), y.view())
        });

        let mut expected = before;
        reference::lora::lora(&pair, &x, &mut expected);
        assert_close(
            &case,
            1e-7,
            &expected,
            &harness::gpu::filled(&gpu, &case, &y),
        );
    }
}

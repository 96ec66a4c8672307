//! Compares `attention` with its twin.

use anchorite_model::kernels::attention::attention;
use anchorite_model::kernels::rope::KvCache;
use anchorite_model::reference;
use harness::gpu::{Numbers, assert_close, batch, filled, gpu, model_config, output, run};

/// Scores of this size make the softmax nearly a choice of one, so that a wrong maximum shows.
const SHARP: f32 = 6.0;

#[test]
fn attends_to_everything_up_to_each_token() {
    let Some(gpu) = gpu() else { return };
    for (heads, position, n_tokens) in [
        ((1, 1, 4), 0, 1),
        ((8, 4, 8), 0, 33),
        ((3, 1, 64), 62, 1),
        ((6, 2, 48), 63, 5),
        ((4, 4, 128), 251, 3),
    ] {
        let config = model_config(heads.0, heads.1, heads.2);
        let (q_width, kv_width) = (config.q_width(), config.kv_width());
        let width = q_width + 2 * kv_width;
        let case = format!(
            "attention H={} K={} D={} position={position} T={n_tokens}",
            heads.0, heads.1, heads.2
        );
        let n_places = position + n_tokens;
        let mut numbers = Numbers::new(width as u64);
        let mut sharp = |n| -> Vec<f32> { numbers.take(n).iter().map(|v| v * SHARP).collect() };
        let (qkv, k) = (sharp(n_tokens * width), sharp(n_places * kv_width));
        let v = numbers.take(n_places * kv_width);
        let rows = |values: &[f32], n_cols| gpu.rows_of("rows", values, n_cols).expect("rows");
        // What lies behind the last token must not be seen.
        let behind = |values: &[f32]| [values, &vec![f32::NAN; 3 * kv_width]].concat();
        let cache = KvCache {
            k: rows(&behind(&k), kv_width),
            v: rows(&behind(&v), kv_width),
        };
        let (x, y) = (rows(&qkv, width), output(&gpu, n_tokens, q_width));
        let place = u32::try_from(position).expect("a position");
        let batch = batch(&gpu, place, &vec![0; n_tokens]);
        run(&gpu, n_tokens, || {
            Ok(vec![
                attention(&gpu, &batch, &config, &x, &cache, &y)?.into(),
            ])
        });

        let q: Vec<f32> = qkv
            .chunks(width)
            .flat_map(|row| row[..q_width].to_vec())
            .collect();
        let mut expected = vec![0.0; q.len()];
        reference::attention::attention(&config, None, position, &q, &k, &v, &mut expected);
        assert_close(&case, 1e-7, &expected, &filled(&gpu, &case, &y));
    }
}

#[test]
fn refuses_heads_it_cannot_hold() {
    let Some(gpu) = gpu() else { return };
    for head_size in [6, 132] {
        let config = model_config(1, 1, head_size);
        let rows = |n_cols| gpu.rows("rows", 1, n_cols).expect("rows");
        let cache = KvCache {
            k: rows(head_size),
            v: rows(head_size),
        };
        let batch = batch(&gpu, 0, &[0]);
        let (x, y) = (rows(3 * head_size), rows(head_size));
        let refused = attention(&gpu, &batch, &config, &x, &cache, &y);
        assert!(refused.is_err(), "heads of {head_size} values");
    }
}

//! Compares `rope` with its twin, in place and in the cache.

use anchorite_model::ModelConfig;
use anchorite_model::kernels::rope::{KvCache, angles, rope};
use anchorite_model::reference;
use harness::gpu::{Numbers, assert_close, batch, gpu, model_config, run};

const N_POSITIONS: usize = 300;

fn compare(config: &ModelConfig, factors: Option<&[f32]>, position: usize, n_tokens: usize) {
    let Some(gpu) = gpu() else { return };
    let (q_width, kv_width) = (config.q_width(), config.kv_width());
    let width = q_width + 2 * kv_width;
    let case = format!(
        "rope H={} K={} D={} rotated={} position={position} T={n_tokens}",
        config.n_heads, config.n_kv_heads, config.head_size, config.rope.dim
    );
    let mut numbers = Numbers::new(width as u64);
    let (x, bias) = (numbers.take(n_tokens * width), numbers.take(width));
    let table = angles(config, factors, N_POSITIONS);
    let angles = gpu.storage_of("angles", &table).expect("angles");
    let biases = gpu.rows_of("bias", &bias, width).expect("bias");
    let qkv = gpu.rows_of("qkv", &x, width).expect("qkv");
    let empty = vec![-1.0; N_POSITIONS * kv_width];
    let rows = |name| gpu.rows_of(name, &empty, kv_width).expect("cache");
    let cache = KvCache {
        k: rows("k_cache"),
        v: rows("v_cache"),
    };
    let place = u32::try_from(position).expect("a position");
    let batch = batch(&gpu, place, &vec![0; n_tokens]);
    run(&gpu, n_tokens, || {
        Ok(vec![
            rope(&gpu, &batch, config, &angles, &biases, &qkv, &cache)?.into(),
        ])
    });

    let (mut q, mut k, mut v) = (Vec::new(), Vec::new(), Vec::new());
    for row in x.chunks(width) {
        let sum: Vec<f32> = row.iter().zip(&bias).map(|(x, b)| x + b).collect();
        q.extend(&sum[..q_width]);
        k.extend(&sum[q_width..q_width + kv_width]);
        v.extend(&sum[q_width + kv_width..]);
    }
    reference::rope::rope(
        config,
        &config.rope,
        factors,
        config.n_heads,
        position,
        &mut q,
    );
    reference::rope::rope(
        config,
        &config.rope,
        factors,
        config.n_kv_heads,
        position,
        &mut k,
    );

    let read = |rows| pollster::block_on(gpu.read_rows(rows)).expect("rows");
    let got: Vec<f32> = read(&qkv)
        .chunks(width)
        .flat_map(|row| row[..q_width].to_vec())
        .collect();
    assert_close(&format!("{case}, q"), 1e-7, &q, &got);
    for (name, expected, rows) in [("k", &k, &cache.k), ("v", &v, &cache.v)] {
        let got = read(rows);
        let (before, rest) = got.split_at(position * kv_width);
        let (written, after) = rest.split_at(n_tokens * kv_width);
        assert_close(&format!("{case}, {name}"), 1e-7, expected, written);
        let untouched = before.iter().chain(after).all(|&value| value == -1.0);
        assert!(untouched, "{case}, {name}: other places of the cache stay");
    }
}

#[test]
fn rotates_and_caches() {
    for (position, n_tokens) in [(0, 1), (63, 1), (0, 33), (251, 5)] {
        compare(&model_config(8, 4, 8), None, position, n_tokens);
        compare(&model_config(3, 1, 64), None, position, n_tokens);
    }
}

#[test]
fn rotates_a_part_of_each_head_by_stretched_angles() {
    let mut config = model_config(4, 2, 12);
    (config.rope.dim, config.rope.scale) = (6, 0.25);
    compare(&config, Some(&[1.0, 2.0, 8.0]), 63, 3);
}

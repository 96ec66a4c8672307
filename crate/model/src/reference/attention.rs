//! Causal attention of a batch's queries over the cache; query heads share key heads in groups.

use super::matmul::dot;
use super::round;
use crate::config::ModelConfig;
use crate::ops::softmax::softmax;

/// `y[t,h,:] = sum over p of softmax(query_scale * q[t,h,:] . k[p,g,:]) * v[p,g,:]`, `g = h / (H / K)`, over the last
/// `n_visible` of the positions `p <= position + t`.
///
/// `q` and `y` are `[T, H * D]`; `k` and `v` are the cache, `[P, K * D]` with `P >= position + T`.
pub fn attention(
    config: &ModelConfig,
    n_visible: Option<usize>,
    position: usize,
    q: &[f32],
    k: &[f32],
    v: &[f32],
    y: &mut [f32],
) {
    let (d, width, kv_width) = (config.head_size, config.q_width(), config.kv_width());
    assert_eq!(
        (q.len() % width, y.len()),
        (0, q.len()),
        "whole rows of {width}"
    );
    let scale = f64::from(config.query_scale);
    for (t, (q, y)) in q
        .chunks_exact(width)
        .zip(y.chunks_exact_mut(width))
        .enumerate()
    {
        let n_seen = position + t + 1;
        let first = n_visible.map_or(0, |n_visible| n_seen.saturating_sub(n_visible));
        for (h, (q, y)) in q.chunks_exact(d).zip(y.chunks_exact_mut(d)).enumerate() {
            let start = h / (config.n_heads / config.n_kv_heads) * d;
            let head = |cache: &[f32], p: usize| -> Vec<f32> {
                cache[p * kv_width + start..][..d].to_vec()
            };
            let mut shares: Vec<f32> = (first..n_seen)
                .map(|p| round(f64::from(dot(q, &head(k, p))) * scale))
                .collect();
            softmax(&mut shares);
            let mut sums = vec![0.0f64; d];
            for (p, &share) in (first..n_seen).zip(&shares) {
                for (sum, v) in sums.iter_mut().zip(head(v, p)) {
                    *sum += f64::from(share) * f64::from(v);
                }
            }
            for (y, sum) in y.iter_mut().zip(sums) {
                *y = round(sum);
            }
        }
    }
}

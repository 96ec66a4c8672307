//! Turns queries, keys and values into each query's weighted sum of values, tile by tile, in memory that does not grow
//! with the square of the text length; one loop serves a decoder's cache and an encoder's texts.
//!
//! Each step takes a few queries and 64 positions: it computes their scores, updates the running softmax, and adds the
//! values weighted by it; if the tile holds a larger score, the sums so far are scaled down first. Source: Dao et al.,
//! "FlashAttention" (2022), Milakov and Gimelshein, "Online normalizer calculation for softmax" (2018). A query's sums
//! run in the same order whatever other queries are in the batch, so a token gets the same result alone and in a batch.

use std::ops::Range;

use super::multiversion::multiversion;
use super::threads::{SharedColumns, Threads};
use super::vector;
use crate::cache::KeysValues;
use crate::config::ModelConfig;

/// Positions in a tile.
const POSITIONS: usize = 64;
/// Queries that share the tiles they unpack.
const QUERIES: usize = 48;

/// The sizes of an attention layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heads {
    /// `H`
    pub(super) n_heads: usize,
    /// `K`; divides `H`.
    pub(super) n_kv_heads: usize,
    /// `D`
    pub(super) size: usize,
    /// Factor on scores before the softmax.
    pub(super) scale: f32,
}

impl Heads {
    /// The sizes of a model's attention.
    pub(super) fn new(config: &ModelConfig) -> Self {
        Self {
            n_heads: config.n_heads,
            n_kv_heads: config.n_kv_heads,
            size: config.head_size,
            scale: config.query_scale,
        }
    }
}

/// As [`crate::reference::attention`], where query `t` sees the positions `visible(t)`.
///
/// `q` and `y` are `[T, H * D]`; `y` is overwritten.
pub(super) fn attend(
    threads: Threads,
    heads: Heads,
    source: &(impl KeysValues + Sync),
    visible: impl Fn(usize) -> Range<usize> + Sync,
    q: &[f32],
    y: &mut [f32],
) {
    let d = heads.size;
    let width = heads.n_heads * d;
    let n_group = heads.n_heads / heads.n_kv_heads;
    let n_rows = q.len() / width * n_group;
    let n_parts = n_rows.div_ceil(QUERIES);
    let y = SharedColumns::new(y, width);
    let part = |scratch: &mut Scratch, idx: usize| {
        let (kv_head, start) = (idx / n_parts, idx % n_parts * QUERIES);
        let rows = start..n_rows.min(start + QUERIES);
        // The queries of one token that share a KV head are contiguous.
        let place = |row: usize| (row / n_group, (kv_head * n_group + row % n_group) * d);
        scratch.q.clear();
        for (token, column) in rows.clone().map(place) {
            let q = &q[token * width + column..][..d];
            scratch.q.extend(q.iter().map(|q| heads.scale * q));
        }
        let seen: Vec<Range<usize>> = rows.clone().map(|row| visible(row / n_group)).collect();
        scratch.gather(kv_head, d, source, &seen);
        let gathered = scratch.gathered.chunks_exact_mut(d);
        for (row, (gathered, (_, sum))) in rows.zip(gathered.zip(&scratch.sums)) {
            let scale = if *sum > 0.0 { 1.0 / sum } else { 0.0 };
            gathered.iter_mut().for_each(|x| *x *= scale);
            let (token, column) = place(row);
            // SAFETY: no other part writes these columns of these tokens.
            unsafe { y.write(token, column, gathered) };
        }
    };
    // Products with keys, then with values.
    let operations = 2 * n_rows.min(QUERIES) * d * source.n_positions();
    threads.for_each(
        heads.n_kv_heads * n_parts,
        operations,
        Scratch::default,
        part,
    );
}

/// Scratch memory of one thread.
#[derive(Debug, Default)]
struct Scratch {
    /// `[48, D]`: queries, scaled.
    q: Vec<f32>,
    /// `[D, 64]`
    keys: Vec<f32>,
    /// `[64, D]`
    values: Vec<f32>,
    /// `[48, 64]`: scores, then softmax weights.
    shares: Vec<f32>,
    /// `[48, D]`
    gathered: Vec<f32>,
    /// `[48]`: the largest score so far, and the sum of all weights relative to it.
    sums: Vec<(f32, f32)>,
}

impl Scratch {
    /// Runs over the tiles for the queries in `self.q`, each of which sees its own range of positions.
    fn gather(&mut self, head: usize, d: usize, source: &impl KeysValues, seen: &[Range<usize>]) {
        let n = seen.len();
        self.gathered.clear();
        self.gathered.resize(n * d, 0.0);
        self.sums.clear();
        self.sums.resize(n, (f32::NEG_INFINITY, 0.0));
        let first = seen.iter().map(|range| range.start).min().unwrap_or(0);
        let end = seen.iter().map(|range| range.end).max().unwrap_or(0);
        debug_assert!(end <= source.n_positions(), "positions that are filled");
        for first in (first / POSITIONS * POSITIONS..end).step_by(POSITIONS) {
            // Whole steps of columns: no sum may depend on the number of positions. Positions past the end get weight
            // 0.
            let n_filled = POSITIONS.min(source.n_positions() - first);
            let len = n_filled.next_multiple_of(COLUMNS);
            self.keys.resize(d * len, 0.0);
            source.keys(head, first, len, &mut self.keys);
            self.values.clear();
            self.values.resize(len * d, 0.0);
            source.values(head, first, n_filled, &mut self.values[..n_filled * d]);
            self.shares.clear();
            self.shares.resize(n * len, 0.0);
            add_products(&self.q, &self.keys, d, len, &mut self.shares);
            let rows = self.shares.chunks_exact_mut(len);
            let gathered = self.gathered.chunks_exact_mut(d);
            for (((shares, gathered), (largest, sum)), seen) in
                rows.zip(gathered).zip(&mut self.sums).zip(seen)
            {
                let start = seen.start.clamp(first, first + len) - first;
                let end = seen.end.clamp(first, first + len) - first;
                shares[..start].fill(0.0);
                shares[end.max(start)..].fill(0.0);
                if start < end {
                    let shares = &mut shares[start..end];
                    let scale = vector::softmax_onto(shares, largest, sum);
                    if scale != 1.0 {
                        gathered.iter_mut().for_each(|x| *x *= scale);
                    }
                }
            }
            add_products(&self.shares, &self.values, len, d, &mut self.gathered);
        }
    }
}

multiversion! {
    /// `c += a b`: `a` is `[M, n_inner]`, `b` is `[n_inner, n_cols]`, `c` is `[M, n_cols]`. Each sum is accumulated in
    /// order.
    pub(super) fn add_products<const FMA: bool>(a: &[f32], b: &[f32], n_inner: usize, n_cols: usize, c: &mut [f32]) {
        let mut a = a.chunks_exact(SHARED * n_inner);
        let mut c = c.chunks_exact_mut(SHARED * n_cols);
        for (a, c) in a.by_ref().zip(c.by_ref()) {
            add_rows::<SHARED, FMA>(a, b, n_inner, n_cols, c);
        }
        let (a, c) = (a.remainder(), c.into_remainder());
        match a.len() / n_inner {
            5 => add_rows::<5, FMA>(a, b, n_inner, n_cols, c),
            4 => add_rows::<4, FMA>(a, b, n_inner, n_cols, c),
            3 => add_rows::<3, FMA>(a, b, n_inner, n_cols, c),
            2 => add_rows::<2, FMA>(a, b, n_inner, n_cols, c),
            1 => add_rows::<1, FMA>(a, b, n_inner, n_cols, c),
            _ => {}
        }
    }
}

/// Rows that share the loads of `b`: as many as the registers can hold sums for, two registers each.
#[cfg(target_arch = "wasm32")]
const SHARED: usize = 4;
#[cfg(not(target_arch = "wasm32"))]
const SHARED: usize = 6;

/// SharedColumns per step: two vector registers of 128 or 256 bits for each row.
#[cfg(target_arch = "wasm32")]
const COLUMNS: usize = 8;
#[cfg(not(target_arch = "wasm32"))]
const COLUMNS: usize = 16;

/// As [`add_products`] for `ROWS` rows.
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
#[cfg_attr(target_arch = "wasm32", inline(never))]
fn add_rows<const ROWS: usize, const FMA: bool>(
    a: &[f32],
    b: &[f32],
    n_inner: usize,
    n_cols: usize,
    c: &mut [f32],
) {
    let a: [&[f32]; ROWS] = std::array::from_fn(|row| &a[row * n_inner..(row + 1) * n_inner]);
    let n_whole = n_cols / COLUMNS * COLUMNS;
    for start in (0..n_whole).step_by(COLUMNS) {
        let mut sums = [[0.0f32; COLUMNS]; ROWS];
        for (row, sums) in sums.iter_mut().enumerate() {
            sums.copy_from_slice(&c[row * n_cols + start..][..COLUMNS]);
        }
        for (inner, b) in b.chunks_exact(n_cols).take(n_inner).enumerate() {
            let Some(b) = b[start..].first_chunk::<COLUMNS>() else {
                continue;
            };
            for row in 0..ROWS {
                add_product::<FMA>(a[row][inner], b, &mut sums[row]);
            }
        }
        for (row, sums) in sums.iter().enumerate() {
            c[row * n_cols + start..][..COLUMNS].copy_from_slice(sums);
        }
    }
    for column in n_whole..n_cols {
        for row in 0..ROWS {
            for inner in 0..n_inner {
                c[row * n_cols + column] += a[row][inner] * b[inner * n_cols + column];
            }
        }
    }
}

/// `sums += a * b`
#[cfg(not(target_feature = "relaxed-simd"))]
#[inline(always)]
fn add_product<const FMA: bool>(a: f32, b: &[f32; COLUMNS], sums: &mut [f32; COLUMNS]) {
    for (sum, b) in sums.iter_mut().zip(b) {
        *sum = vector::mul_add::<FMA>(a, *b, *sum);
    }
}

/// `sums += a * b`, fused where the processor can.
#[cfg(target_feature = "relaxed-simd")]
#[inline(always)]
fn add_product<const FMA: bool>(a: f32, b: &[f32; COLUMNS], sums: &mut [f32; COLUMNS]) {
    use std::arch::wasm32::{f32x4_relaxed_madd, f32x4_splat, v128_load, v128_store};
    let (b, _) = b.as_chunks::<4>();
    let (sums, _) = sums.as_chunks_mut::<4>();
    for (b, sums) in b.iter().zip(sums) {
        let sums: *mut [f32; 4] = sums;
        // SAFETY: the references cover exactly the 16 bytes that are read and written, and no alignment is required.
        unsafe {
            let product = f32x4_relaxed_madd(
                f32x4_splat(a),
                v128_load(b.as_ptr().cast()),
                v128_load(sums.cast()),
            );
            v128_store(sums.cast(), product);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::KvCache;
    use crate::forward::multiversion::Level;
    use crate::forward::multiversion::tests::{FORCED, on_every_level};
    use crate::forward::{test_nmse, test_values as values};
    use crate::reference;

    fn config(head_size: usize) -> ModelConfig {
        let tiny = crate::tiny::Tiny {
            n_embd: 6 * head_size,
            n_heads: 6,
            n_kv_heads: 2,
            ..crate::tiny::Tiny::default()
        };
        let parts = crate::Parts::new(vec![tiny.gguf()]);
        let gguf = crate::Gguf::parse(&parts).expect("a GGUF file");
        ModelConfig::from_gguf(&gguf).expect("a configuration")
    }

    /// Values that f16 holds exactly, so that rounding in the cache can't blur the comparison.
    fn halves(n: usize, seed: usize) -> Vec<f32> {
        values(n, seed)
            .into_iter()
            .map(|x| half::f16::from_f32(x).to_f32())
            .collect()
    }

    /// `n_tokens` queries after `position` others, in one batch and one by one.
    #[test]
    fn agrees_with_the_twin_in_any_pieces() {
        on_every_level(agrees_on);
    }

    fn agrees_on(level: Level) {
        const BOUND: f64 = 1e-11;
        for (head_size, n_visible, position, n_tokens) in [
            (8, None, 0, 1),
            (12, None, 0, 70),
            (64, None, 63, 2),
            (64, Some(33), 5, 130),
            (20, Some(80), 200, 17),
        ] {
            let config = config(head_size);
            let (width, kv_width) = (config.q_width(), config.kv_width());
            let n = position + n_tokens;
            let (q, k, v) = (
                values(n_tokens * width, 1),
                halves(n * kv_width, 2),
                halves(n * kv_width, 3),
            );
            let mut expected = vec![0.0; q.len()];
            reference::attention::attention(
                &config,
                n_visible,
                position,
                &q,
                &k,
                &v,
                &mut expected,
            );
            let run = |threads: Threads, n_at_once: usize| {
                let mut cache = KvCache::new(1, config.n_kv_heads, head_size);
                let seen = ..position * kv_width;
                cache.layer_mut(0).extend(&k[seen], &v[seen]);
                cache.advance(position);
                let visible = |first: usize| {
                    move |t: usize| {
                        let end = first + t + 1;
                        end.saturating_sub(n_visible.unwrap_or(end))..end
                    }
                };
                let mut found = vec![f32::NAN; q.len()];
                let pieces = q
                    .chunks(n_at_once * width)
                    .zip(found.chunks_mut(n_at_once * width));
                for (piece, (q, y)) in pieces.enumerate() {
                    let first = position + piece * n_at_once;
                    let rows = first * kv_width..(first + q.len() / width) * kv_width;
                    let layer = cache.layer_mut(0);
                    layer.extend(&k[rows.clone()], &v[rows]);
                    attend(threads, Heads::new(&config), layer, visible(first), q, y);
                }
                found
            };
            let (whole, single) = (run(Threads::One, n_tokens), run(Threads::One, 1));
            assert!(
                whole == single,
                "D {head_size} on {level:?}: other numbers alone than in a batch"
            );
            let got = test_nmse(&whole, &expected);
            println!(
                "D {head_size} on {level:?}, {n_tokens} behind {position}: NMSE bound {BOUND:e}, got {got:e}"
            );
            assert!(
                got <= BOUND,
                "D {head_size} on {level:?}: NMSE bound {BOUND:e}, got {got:e}"
            );
            // Worker threads use this processor's best level.
            FORCED.set(None);
            let [shared, alone] = [
                Threads::enter(|threads| run(threads, n_tokens)),
                run(Threads::One, n_tokens),
            ];
            FORCED.set(Some(level));
            assert!(
                shared == alone,
                "D {head_size}: other numbers on several threads"
            );
        }
    }
}

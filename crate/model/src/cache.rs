//! Keeps the keys and values of the tokens already run, so none is computed twice.
//!
//! They are f16, which costs far less precision than quantised weights do. Positions are stored in tiles of 16, keys
//! with contiguous positions and values with contiguous channels, as attention reads them.

use std::ops::Range;

use crate::quant::float16;

/// Positions in a tile.
const TILE: usize = 16;

/// The source that attention reads keys and values from.
pub(crate) trait KeysValues {
    /// Positions that are filled.
    fn n_positions(&self) -> usize;
    /// The keys of a head, `[D, n]`, for `n` positions from `first` on, which is a multiple of 64. Up to 15 unfilled
    /// positions at the end may hold anything.
    fn keys(&self, head: usize, first: usize, n: usize, keys: &mut [f32]);
    /// The values of a head, `[n, D]`.
    fn values(&self, head: usize, first: usize, n: usize, values: &mut [f32]);
}

/// The keys and values of every layer; grows as positions are filled.
#[derive(Debug, Clone)]
pub struct KvCache {
    layers: Vec<LayerCache>,
    n_positions: usize,
}

/// The keys and values of one layer.
#[derive(Debug, Clone)]
pub(crate) struct LayerCache {
    n_heads: usize,
    head_size: usize,
    n_positions: usize,
    /// `[P / 16, K, D, 16]`, after RoPE.
    k: Vec<u16>,
    /// `[P / 16, K, 16, D]`
    v: Vec<u16>,
}

impl KvCache {
    /// An empty cache for `n_layers` layers of `n_heads` (`K`) heads of `head_size` (`D`) values.
    pub fn new(n_layers: usize, n_heads: usize, head_size: usize) -> Self {
        let layer = LayerCache {
            n_heads,
            head_size,
            n_positions: 0,
            k: Vec::new(),
            v: Vec::new(),
        };
        Self {
            layers: vec![layer; n_layers],
            n_positions: 0,
        }
    }

    /// Positions that are filled.
    pub fn n_positions(&self) -> usize {
        self.n_positions
    }

    /// Forgets everything from `position` on, including what a failed run left behind.
    pub fn truncate(&mut self, position: usize) {
        self.n_positions = self.n_positions.min(position);
        for layer in &mut self.layers {
            layer.n_positions = self.n_positions;
        }
    }

    pub(crate) fn layer_mut(&mut self, layer_idx: usize) -> &mut LayerCache {
        &mut self.layers[layer_idx]
    }

    /// Counts `n_tokens` positions as filled, once every layer holds them.
    pub(crate) fn advance(&mut self, n_tokens: usize) {
        self.n_positions += n_tokens;
    }
}

impl LayerCache {
    /// Appends the keys and values of some tokens, `[T, K * D]` each.
    pub(crate) fn extend(&mut self, k: &[f32], v: &[f32]) {
        let (d, width) = (self.head_size, self.n_heads * self.head_size);
        let n_tokens = k.len() / width;
        let len = (self.n_positions + n_tokens).div_ceil(TILE) * TILE * width;
        if self.k.len() < len {
            self.k.resize(len, 0);
            self.v.resize(len, 0);
        }
        for (k, v) in k.chunks_exact(width).zip(v.chunks_exact(width)) {
            let (tile_idx, place) = (self.n_positions / TILE, self.n_positions % TILE);
            let heads = k.chunks_exact(d).zip(v.chunks_exact(d));
            for (head, (k, v)) in heads.enumerate() {
                let start = (tile_idx * self.n_heads + head) * d * TILE;
                let tile = &mut self.k[start..start + d * TILE];
                for (k, channel) in k.iter().zip(tile.chunks_exact_mut(TILE)) {
                    channel[place] = float16::from_f32(*k);
                }
                let row = &mut self.v[start + place * d..start + (place + 1) * d];
                for (v, value) in row.iter_mut().zip(v) {
                    *v = float16::from_f32(*value);
                }
            }
            self.n_positions += 1;
        }
    }

    /// Ranges of one head's tiles that hold `n` positions from `first` on; `first` must start a tile.
    fn tiles(&self, head: usize, first: usize, n: usize) -> impl Iterator<Item = Range<usize>> {
        let len = self.head_size * TILE;
        let n_heads = self.n_heads;
        (first / TILE..(first + n).div_ceil(TILE)).map(move |tile_idx| {
            let start = (tile_idx * n_heads + head) * len;
            start..start + len
        })
    }
}

impl KeysValues for LayerCache {
    fn n_positions(&self) -> usize {
        self.n_positions
    }

    fn keys(&self, head: usize, first: usize, n: usize, keys: &mut [f32]) {
        for (tile_idx, range) in self.tiles(head, first, n).enumerate() {
            let channels = self.k[range].chunks_exact(TILE);
            for (channel, keys) in channels.zip(keys.chunks_exact_mut(n)) {
                let start = tile_idx * TILE;
                let end = n.min(start + TILE);
                float16::to_f32(&channel[..end - start], &mut keys[start..end]);
            }
        }
    }

    fn values(&self, head: usize, first: usize, n: usize, values: &mut [f32]) {
        let tiles = values.chunks_mut(TILE * self.head_size);
        for (range, values) in self.tiles(head, first, n).zip(tiles) {
            float16::to_f32(&self.v[range][..values.len()], values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(n_positions: usize) -> KvCache {
        let mut cache = KvCache::new(1, 2, 4);
        for position in 0..n_positions {
            let values: Vec<f32> = (0..8).map(|i| (position * 8 + i) as f32).collect();
            let negated: Vec<f32> = values.iter().map(|value| -value).collect();
            cache.layer_mut(0).extend(&values, &negated);
            cache.advance(1);
        }
        cache
    }

    #[test]
    fn gives_back_what_was_put_in() {
        let mut cache = filled(37);
        let layer = cache.layer_mut(0);
        let (mut keys, mut values) = ([0.0; 4 * 21], [0.0; 21 * 4]);
        layer.keys(1, 16, 21, &mut keys);
        layer.values(1, 16, 21, &mut values);
        for position in 0..21 {
            for channel in 0..4 {
                let expected = ((16 + position) * 8 + 4 + channel) as f32;
                assert_eq!(keys[channel * 21 + position], expected, "key at {position}");
                assert_eq!(
                    values[position * 4 + channel],
                    -expected,
                    "value at {position}"
                );
            }
        }
    }

    #[test]
    fn goes_on_after_forgetting() {
        let mut cache = filled(37);
        cache.truncate(17);
        assert_eq!(cache.n_positions(), 17, "forgotten");
        cache.layer_mut(0).extend(&[9.0; 8], &[7.0; 8]);
        let mut keys = [0.0; 4 * 2];
        cache.layer_mut(0).keys(0, 16, 2, &mut keys);
        assert_eq!(keys[..2], [128.0, 9.0], "the old position and the new one");
    }
}

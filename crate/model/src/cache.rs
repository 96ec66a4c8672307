//! Keeps the keys and values of the tokens that were run, so that none is computed twice.

/// The keys and values of every layer, `[P, K * D]` each; grows with the positions that are used.
#[derive(Debug, Clone)]
pub struct KvCache {
    layers: Vec<LayerCache>,
    kv_width: usize,
    n_positions: usize,
}

/// The keys and values of one layer.
#[derive(Debug, Clone, Default)]
pub(crate) struct LayerCache {
    /// `[P, K * D]`, rotated.
    pub(crate) k: Vec<f32>,
    /// `[P, K * D]`
    pub(crate) v: Vec<f32>,
}

impl KvCache {
    /// An empty cache for `n_layers` layers of `kv_width` values (`K * D`).
    pub fn new(n_layers: usize, kv_width: usize) -> Self {
        Self {
            layers: vec![LayerCache::default(); n_layers],
            kv_width,
            n_positions: 0,
        }
    }

    /// Positions that are filled.
    pub fn n_positions(&self) -> usize {
        self.n_positions
    }

    /// Forgets everything from `position` on, and whatever a run that failed left behind.
    pub fn truncate(&mut self, position: usize) {
        self.n_positions = self.n_positions.min(position);
        let len = self.n_positions * self.kv_width;
        for layer in &mut self.layers {
            layer.k.truncate(len);
            layer.v.truncate(len);
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

//! Turns tokens into logits on the CPU: one forward pass for all decoder families, on quantised matrices.
//!
//! Families differ only in data: their [`Traits`](crate::config::Traits), the gains in their layers, and the numbers of
//! [`ModelConfig`].
//!
//! Capitals in comments: `T` tokens of this run, `C` residual width, `H` heads, `K` key/value heads, `D` head size, `F`
//! feed-forward width, `V` vocabulary, `P` positions seen.

use std::ops::Range;

use super::attention::{Heads, attend};
use super::matrix::{Inputs, Linear};
use super::threads::{Threads, cost};
use super::vector;
use crate::adapter::Adapter;
use crate::cache::{KvCache, LayerCache};
use crate::config::{Activation, LocalLayers, ModelConfig, Rope, RopeOrder};
use crate::error::{LoadError, RunError};
use crate::gguf::Gguf;
use crate::ops::rope;
use crate::parts::Parts;
use crate::token::TokenId;
use crate::weights::{LayerWeights, Weights};

/// Long prompts run in batches of this many tokens, which keeps activations small.
pub const MAX_BATCH: usize = 128;

/// A decoder on the CPU, with the cache of the sequence it is running.
#[derive(Debug)]
pub struct CpuForward {
    config: ModelConfig,
    weights: Weights<Linear>,
    cache: KvCache,
    scratch: Scratch,
}

/// Activations, kept between runs to avoid allocating per token.
#[derive(Debug, Default)]
struct Scratch {
    /// `[T, C]`: the residual stream.
    x: Vec<f32>,
    /// `[T, C]`: the stream after its norm.
    norm: Vec<f32>,
    /// `[T, H * D]`
    q: Vec<f32>,
    /// `[T, K * D]`
    k: Vec<f32>,
    /// `[T, K * D]`
    v: Vec<f32>,
    /// `[T, H * D]`: attention's output.
    gathered: Vec<f32>,
    /// `[T, C]`: a block's output, to be added to the stream.
    delta: Vec<f32>,
    /// `[T, F]`
    gate: Vec<f32>,
    /// `[T, F]`
    up: Vec<f32>,
    /// `[T, rope.dim / 2]` of `(cos, sin)`.
    angles: Vec<(f32, f32)>,
    /// The same for layers with a window; empty if the model has none.
    local_angles: Vec<(f32, f32)>,
}

impl CpuForward {
    /// Loads the weights, packing each matrix before reading the next; drops each part of the file once it is read.
    ///
    /// # Errors
    /// As [`Weights::load`].
    pub fn load(gguf: &Gguf, parts: &mut Parts, config: &ModelConfig) -> Result<Self, LoadError> {
        let weights = Weights::load_as(gguf, parts, config, Linear::new)?;
        Ok(Self::with(config, weights))
    }

    /// Builds the model from weights in memory.
    pub fn new(config: &ModelConfig, weights: Weights) -> Self {
        Self::with(config, weights.map(Linear::new))
    }

    fn with(config: &ModelConfig, weights: Weights<Linear>) -> Self {
        Self {
            config: config.clone(),
            weights,
            cache: KvCache::new(config.n_layers, config.n_kv_heads, config.head_size),
            scratch: Scratch::default(),
        }
    }

    /// Runs `tokens` from `position` on and returns the logits of the last one, `[V]`.
    ///
    /// Cache entries from `position` on are replaced, so a sequence can be continued from any position.
    ///
    /// # Errors
    /// [`RunError::EmptyPrompt`], [`RunError::PositionGap`], [`RunError::ContextOverflow`], [`RunError::UnknownToken`],
    /// [`RunError::NotFinite`].
    pub fn forward(&mut self, tokens: &[TokenId], position: usize) -> Result<Vec<f32>, RunError> {
        self.forward_last(tokens, position, 1)
    }

    /// The same, returning the logits of the last `n` tokens, `[n, V]`.
    ///
    /// # Errors
    /// As [`CpuForward::forward`].
    ///
    /// # Panics
    /// If `n` is more than there are tokens, or than [`MAX_BATCH`].
    pub fn forward_last(
        &mut self,
        tokens: &[TokenId],
        position: usize,
        n: usize,
    ) -> Result<Vec<f32>, RunError> {
        super::check(&self.config, self.cache.n_positions(), tokens, position)?;
        self.cache.truncate(position);
        assert!(
            n <= tokens.len().min(MAX_BATCH),
            "logits of {n} tokens of {}",
            tokens.len()
        );
        // Run the remainder first, so the last batch is full and holds every token whose logits are wanted.
        let (first, rest) = tokens.split_at(tokens.len() % MAX_BATCH);
        Threads::enter(|threads| {
            for batch in std::iter::once(first).chain(rest.chunks(MAX_BATCH)) {
                if !batch.is_empty() {
                    self.run(threads, batch);
                }
            }
            self.logits(threads, n)
        })
    }

    /// Sets an adapter on every matrix it has a pair for, or removes the last one. Clears the cache.
    ///
    /// # Errors
    /// [`RunError::Adapter`] if it was made for another model; the previous one then stays in place.
    pub fn set_adapter(&mut self, adapter: Option<Adapter>) -> Result<(), RunError> {
        let mut pairs = Adapter::pairs_for(adapter, &self.config)?;
        for (layer_idx, layer) in self.weights.layers.iter_mut().enumerate() {
            for (stem, linear) in layer.adaptable() {
                linear.set_lora(pairs.remove(&format!("blk.{layer_idx}.{stem}.weight")));
            }
        }
        // A tied embedding is only looked up at the input, so there the pair changes just the output.
        let Weights {
            output, token_embd, ..
        } = &mut self.weights;
        let output = output.as_mut().unwrap_or(token_embd);
        output.set_lora(pairs.remove("output.weight"));
        self.reset();
        Ok(())
    }

    /// Forgets the sequence.
    pub fn reset(&mut self) {
        self.cache.truncate(0);
    }

    /// Runs one batch after the cached tokens; leaves the residual stream in `scratch`.
    fn run(&mut self, threads: Threads, tokens: &[TokenId]) {
        let Self {
            config,
            weights,
            cache,
            scratch,
        } = self;
        let position = cache.n_positions();
        let c = config.n_embd;
        scratch.x.resize(tokens.len() * c, 0.0);
        threads.for_rows(&mut scratch.x, c, cost::UNPACK, |first, x| {
            for (token, x) in tokens[first..].iter().zip(x.chunks_exact_mut(c)) {
                weights.token_embd.row(token.idx(), x);
            }
        });
        if config.embd_scale != 1.0 {
            scratch.x.iter_mut().for_each(|x| *x *= config.embd_scale);
        }
        scratch.norm.resize(scratch.x.len(), 0.0);
        let positions = position..position + tokens.len();
        turns(
            &config.rope,
            weights.rope_factors.as_deref(),
            positions.clone(),
            &mut scratch.angles,
        );
        if let Some(local) = &config.local {
            turns(&local.rope, None, positions, &mut scratch.local_angles);
        }
        for (layer_idx, layer) in weights.layers.iter().enumerate() {
            let window = config.window(layer_idx);
            layer.run(
                threads,
                config,
                window,
                position,
                cache.layer_mut(layer_idx),
                scratch,
            );
        }
        cache.advance(tokens.len());
    }

    /// The logits of the last `n` tokens in `scratch`.
    fn logits(&mut self, threads: Threads, n: usize) -> Result<Vec<f32>, RunError> {
        let Self {
            config,
            weights,
            scratch,
            ..
        } = self;
        let last = &scratch.x[scratch.x.len() - n * config.n_embd..];
        let norm = &mut scratch.norm[..n * config.n_embd];
        vector::rms_norm(last, &weights.output_norm, config.norm_eps, norm);
        let mut logits = Vec::new();
        let output = weights.output.as_ref().unwrap_or(&weights.token_embd);
        let inputs = Inputs::new(threads, norm, config.n_embd);
        let bias = weights.output_bias.as_deref();
        Linear::apply_all(&inputs, [(output, bias, &mut logits)]);
        if let Some(cap) = config.logit_cap {
            for logit in &mut logits {
                *logit = cap * (*logit / cap).tanh();
            }
        }
        match logits.iter().position(|logit| !logit.is_finite()) {
            None => Ok(logits),
            Some(idx) => Err(RunError::NotFinite {
                position: self.cache.n_positions() - n + idx / config.n_vocab,
            }),
        }
    }
}

impl LayerWeights<Linear> {
    /// The matrices that an adapter can change, named as in [`crate::adapter::LAYER_TARGETS`].
    fn adaptable(&mut self) -> [(&'static str, &mut Linear); 7] {
        [
            ("attn_q", &mut self.attn_q),
            ("attn_k", &mut self.attn_k),
            ("attn_v", &mut self.attn_v),
            ("attn_output", &mut self.attn_output),
            ("ffn_gate", &mut self.ffn_gate),
            ("ffn_up", &mut self.ffn_up),
            ("ffn_down", &mut self.ffn_down),
        ]
    }

    /// Runs both blocks of this layer: adds their outputs to the residual stream, and the batch's keys and values to
    /// the cache.
    fn run(
        &self,
        threads: Threads,
        config: &ModelConfig,
        window: Option<&LocalLayers>,
        position: usize,
        cache: &mut LayerCache,
        scratch: &mut Scratch,
    ) {
        let Scratch {
            x,
            norm,
            q,
            k,
            v,
            gathered,
            delta,
            gate,
            up,
            angles,
            local_angles,
        } = scratch;
        let angles = if window.is_some() {
            local_angles
        } else {
            angles
        };

        rms_norm(threads, x, &self.attn_norm, config.norm_eps, norm);
        let inputs = Inputs::new(threads, norm, config.n_embd);
        Linear::apply_all(
            &inputs,
            [
                (&self.attn_q, self.attn_q_bias.as_deref(), &mut *q),
                (&self.attn_k, self.attn_k_bias.as_deref(), &mut *k),
                (&self.attn_v, self.attn_v_bias.as_deref(), &mut *v),
            ],
        );
        if let Some(gain) = &self.attn_q_norm {
            norm_through(threads, gain, config.norm_eps, gathered, q);
        }
        if let Some(gain) = &self.attn_k_norm {
            norm_through(threads, gain, config.norm_eps, gathered, k);
        }
        rotate(threads, config, angles, config.q_width(), q);
        rotate(threads, config, angles, config.kv_width(), k);
        cache.extend(k, v);
        gathered.resize(q.len(), 0.0);
        // A token sees itself and the tokens before it, as far back as the layer's window reaches.
        let n_visible = window.map_or(usize::MAX, |window| window.n_visible);
        let visible = |t: usize| {
            let end = position + t + 1;
            end.saturating_sub(n_visible)..end
        };
        attend(threads, Heads::new(config), cache, visible, q, gathered);
        let inputs = Inputs::new(threads, gathered, config.q_width());
        let bias = self.attn_output_bias.as_deref();
        Linear::apply_all(&inputs, [(&self.attn_output, bias, &mut *delta)]);
        if let Some(gain) = &self.post_attention_norm {
            norm_through(threads, gain, config.norm_eps, norm, delta);
        }
        vector::add_scaled(1.0, delta, x);

        rms_norm(threads, x, &self.ffn_norm, config.norm_eps, norm);
        let inputs = Inputs::new(threads, norm, config.n_embd);
        Linear::apply_all(
            &inputs,
            [
                (&self.ffn_gate, self.ffn_gate_bias.as_deref(), &mut *gate),
                (&self.ffn_up, self.ffn_up_bias.as_deref(), &mut *up),
            ],
        );
        let f = config.n_ff;
        threads.for_rows(gate, f, cost::EXP, |first, gate| {
            let up = &up[first * f..][..gate.len()];
            match config.traits.activation {
                Activation::Silu => vector::swiglu(gate, up),
                Activation::GeluTanh => vector::geglu(gate, up),
            }
        });
        let inputs = Inputs::new(threads, gate, f);
        let bias = self.ffn_down_bias.as_deref();
        Linear::apply_all(&inputs, [(&self.ffn_down, bias, &mut *delta)]);
        if let Some(gain) = &self.post_ffw_norm {
            norm_through(threads, gain, config.norm_eps, norm, delta);
        }
        vector::add_scaled(1.0, delta, x);
    }
}

/// As [`vector::rms_norm`]; `y` is as long as `x`.
fn rms_norm(threads: Threads, x: &[f32], gain: &[f32], eps: f32, y: &mut [f32]) {
    let c = gain.len();
    threads.for_rows(y, c, cost::NORM, |first, y| {
        vector::rms_norm(&x[first * c..][..y.len()], gain, eps, y);
    });
}

/// Norms rows of `gain.len()` values in place: the heads of a token, or a block's output. `other` is scratch.
fn norm_through(threads: Threads, gain: &[f32], eps: f32, other: &mut Vec<f32>, x: &mut Vec<f32>) {
    other.resize(x.len(), 0.0);
    rms_norm(threads, x, gain, eps, other);
    std::mem::swap(x, other);
}

/// Rotation of every pair at `positions`, `[T, rope.dim / 2]` of `(cos, sin)`.
fn turns(
    rope: &Rope,
    factors: Option<&[f32]>,
    positions: Range<usize>,
    angles: &mut Vec<(f32, f32)>,
) {
    angles.clear();
    for position in positions {
        let pairs = 0..rope.dim / 2;
        angles.extend(pairs.map(|pair| rope::turn(rope, factors, position, pair)));
    }
}

/// As `reference::rope`, from a table of cosines and sines, `[T, rope.dim / 2]`.
fn rotate(
    threads: Threads,
    config: &ModelConfig,
    angles: &[(f32, f32)],
    width: usize,
    x: &mut [f32],
) {
    let n_pairs = config.rope.dim / 2;
    let turn = |a: &mut f32, b: &mut f32, (cos, sin): &(f32, f32)| {
        (*a, *b) = (*a * cos - *b * sin, *a * sin + *b * cos);
    };
    threads.for_rows(x, width, cost::ROTATE, |first, x| {
        let angles = angles[first * n_pairs..].chunks_exact(n_pairs);
        for (token, angles) in x.chunks_exact_mut(width).zip(angles) {
            for head in token.chunks_exact_mut(config.head_size) {
                match config.traits.rope_order {
                    RopeOrder::Neighbours => {
                        for ([a, b], angle) in head.as_chunks_mut().0.iter_mut().zip(angles) {
                            turn(a, b, angle);
                        }
                    }
                    RopeOrder::Halves => {
                        let (a, b) = head.split_at_mut(n_pairs);
                        for ((a, b), angle) in a.iter_mut().zip(b).zip(angles) {
                            turn(a, b, angle);
                        }
                    }
                }
            }
        }
    });
}

#[cfg(test)]
#[path = "cpu_tests.rs"]
mod tests;

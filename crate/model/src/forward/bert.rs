//! The BERT encoder: turns the tokens of some texts into one vector per token or, by mean pooling, per text.
//!
//! Texts are batched without padding: products take all their tokens at once, attention stays within each text.
//! Capitals: `T` tokens of all texts, `C` residual width, `H` heads, `D` head size, `F` feed-forward width. Source of
//! the names: llama.cpp's `llama-arch.cpp`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::attention::{Heads, attend};
use super::matrix::{Inputs, Linear};
use super::threads::{Threads, cost};
use super::vector;
use crate::adapter::{Adapter, LoraPair, is_of_pair};
use crate::cache::KeysValues;
use crate::config::ModelConfig;
use crate::error::{LoadError, RunError};
use crate::gguf::Gguf;
use crate::parts::Parts;
use crate::token::TokenId;
use crate::weights::Tensors;

/// Tokens per batch. Larger batches are no faster and take more memory.
const MAX_BATCH_TOKENS: usize = 256;
/// `[n_types, C]`
const TOKEN_TYPES: &str = "token_types.weight";

/// A bert encoder on the CPU. Clones share the matrices.
#[derive(Debug, Clone)]
pub(crate) struct BertForward {
    config: ModelConfig,
    /// `[V, C]`
    token_embd: Linear,
    /// `[context_length, C]`
    position_embd: Linear,
    /// `[C]` for each token type: the first for a single text, the second for the text after a question.
    token_types: Vec<Vec<f32>>,
    token_embd_norm: Norm,
    layers: Vec<Layer>,
}

#[derive(Debug, Clone)]
struct Layer {
    /// `[C, C]`
    attn_q: Biased,
    /// `[C, C]`
    attn_k: Biased,
    /// `[C, C]`
    attn_v: Biased,
    /// `[C, C]`
    attn_output: Biased,
    attn_output_norm: Norm,
    /// `[F, C]`
    ffn_up: Biased,
    /// `[C, F]`
    ffn_down: Biased,
    layer_output_norm: Norm,
}

/// A matrix and the bias added to its result.
#[derive(Debug, Clone)]
pub(crate) struct Biased {
    matrix: Linear,
    bias: Vec<f32>,
}

/// The gain and bias of a layer norm, `[C]` each.
#[derive(Debug, Clone)]
struct Norm {
    gain: Vec<f32>,
    bias: Vec<f32>,
}

impl BertForward {
    /// Loads the weights, dropping each part of the file once it is read.
    ///
    /// # Errors
    /// As [`crate::Weights::load`].
    pub(crate) fn load(
        gguf: &Gguf,
        parts: &mut Parts,
        config: &ModelConfig,
    ) -> Result<Self, LoadError> {
        let (forward, ()) = Self::load_with(gguf, parts, config, |_| Ok(()))?;
        Ok(forward)
    }

    /// As [`Self::load`], for a file with heads on top of the encoder, which `take_heads` loads.
    ///
    /// # Errors
    /// As [`crate::Weights::load`], and any from `take_heads`.
    pub(crate) fn load_with<H>(
        gguf: &Gguf,
        parts: &mut Parts,
        config: &ModelConfig,
        take_heads: impl FnOnce(&mut Tensors<Linear>) -> Result<H, LoadError>,
    ) -> Result<(Self, H), LoadError> {
        let n_types = n_types(gguf)?;
        let mut tensors = Tensors::load(gguf, parts, |_| true, Linear::new)?;
        let (c, f) = (config.n_embd, config.n_ff);
        let token_embd = tensors.matrix("token_embd.weight", config.n_vocab, c)?;
        let position_embd = tensors.matrix("position_embd.weight", config.context_length, c)?;
        let token_types = take_types(&mut tensors, n_types, c)?;
        let token_embd_norm = Norm::take(&mut tensors, "token_embd_norm", c)?;
        let layers = (0..config.n_layers)
            .map(|layer_idx| {
                let name = |stem: &str| format!("blk.{layer_idx}.{stem}");
                let mut biased = |stem: &str, n_rows: usize, n_cols: usize| {
                    Biased::take(&mut tensors, &name(stem), n_rows, n_cols)
                };
                Ok(Layer {
                    attn_q: biased("attn_q", c, c)?,
                    attn_k: biased("attn_k", c, c)?,
                    attn_v: biased("attn_v", c, c)?,
                    attn_output: biased("attn_output", c, c)?,
                    ffn_up: biased("ffn_up", f, c)?,
                    ffn_down: biased("ffn_down", c, f)?,
                    attn_output_norm: Norm::take(&mut tensors, &name("attn_output_norm"), c)?,
                    layer_output_norm: Norm::take(&mut tensors, &name("layer_output_norm"), c)?,
                })
            })
            .collect::<Result<_, LoadError>>()?;
        let heads = take_heads(&mut tensors)?;
        tensors.finish(config)?;
        let forward = Self {
            config: config.clone(),
            token_embd,
            position_embd,
            token_types,
            token_embd_norm,
            layers,
        };
        Ok((forward, heads))
    }

    /// The same encoder with an adapter from `gguf`, the rows of token types next to it, and the heads that `take_heads`
    /// loads; its matrices are shared.
    ///
    /// # Errors
    /// As [`Adapter::load`] and [`Self::load_with`].
    pub(crate) fn adapted<H>(
        &self,
        gguf: &Gguf,
        parts: &mut Parts,
        take_heads: impl FnOnce(&mut Tensors<Linear>) -> Result<H, LoadError>,
    ) -> Result<(Self, H), LoadError> {
        let config = &self.config;
        let mut forward = self.clone();
        let adapter = Adapter::load_with(gguf, parts, config, |name| !is_of_pair(name))?;
        forward.set_pairs(adapter.pairs);
        let n_types = n_types(gguf)?;
        let mut tensors = Tensors::load(gguf, parts, |name| !is_of_pair(name), Linear::new)?;
        forward.token_types = take_types(&mut tensors, n_types, config.n_embd)?;
        let heads = take_heads(&mut tensors)?;
        tensors.finish(config)?;
        Ok((forward, heads))
    }

    /// The number of token types in the weights.
    pub(crate) fn n_types(&self) -> usize {
        self.token_types.len()
    }

    /// Sets an adapter on every matrix it has a pair for, or removes the current one.
    ///
    /// # Errors
    /// [`RunError::Adapter`] if it was made for another model; the previous one then stays in place.
    pub(crate) fn set_adapter(&mut self, adapter: Option<Adapter>) -> Result<(), RunError> {
        let pairs = Adapter::pairs_for(adapter, &self.config)?;
        self.set_pairs(pairs);
        Ok(())
    }

    /// Sets the pairs, keyed by the tensor that each changes, and removes all others.
    fn set_pairs(&mut self, mut pairs: BTreeMap<String, LoraPair>) {
        for (layer_idx, layer) in self.layers.iter_mut().enumerate() {
            for (stem, biased) in [
                ("attn_q", &mut layer.attn_q),
                ("attn_k", &mut layer.attn_k),
                ("attn_v", &mut layer.attn_v),
                ("attn_output", &mut layer.attn_output),
                ("ffn_up", &mut layer.ffn_up),
                ("ffn_down", &mut layer.ffn_down),
            ] {
                let pair = pairs.remove(&format!("blk.{layer_idx}.{stem}.weight"));
                biased.matrix.set_lora(pair);
            }
        }
    }

    /// The embedding of each text, `[C]`, of unit length.
    ///
    /// # Errors
    /// As [`Self::encode`], and [`RunError::NotFinite`].
    pub(crate) fn embed(&self, texts: &[Vec<TokenId>]) -> Result<Vec<Vec<f32>>, RunError> {
        let texts: Vec<_> = texts
            .iter()
            .map(|tokens| Input {
                tokens,
                n_first: tokens.len(),
            })
            .collect();
        self.encode(&texts, |_, x| pool(x, self.config.n_embd))
    }

    /// Runs the encoder and calls `take` for each text, with its index and its last layer's vectors, `[T, C]`; returns
    /// the results. A text's numbers do not depend on the other texts.
    ///
    /// # Errors
    /// [`RunError::EmptyPrompt`], [`RunError::ContextOverflow`] or [`RunError::UnknownToken`] for a text; any from
    /// `take`.
    pub(crate) fn encode<T>(
        &self,
        texts: &[Input<'_>],
        take: impl Fn(usize, &[f32]) -> Result<T, RunError>,
    ) -> Result<Vec<T>, RunError> {
        let c = self.config.n_embd;
        let mut taken = Vec::with_capacity(texts.len());
        while let rest @ [_, ..] = &texts[taken.len()..] {
            let mut n_tokens = 0;
            let fits = |text: &&Input<'_>| {
                n_tokens += text.tokens.len();
                n_tokens <= MAX_BATCH_TOKENS
            };
            let n_texts = rest.iter().take_while(fits).count().max(1);
            let (ranges, x) = Threads::enter(|threads| self.run(threads, &rest[..n_texts]))?;
            for range in ranges {
                taken.push(take(taken.len(), &x[range.start * c..range.end * c])?);
            }
        }
        Ok(taken)
    }

    /// Runs texts together; returns the range of tokens of each, and `[T, C]` for all of them.
    fn run(
        &self,
        threads: Threads,
        texts: &[Input<'_>],
    ) -> Result<(Vec<Range<usize>>, Vec<f32>), RunError> {
        let c = self.config.n_embd;
        let mut ranges = Vec::with_capacity(texts.len());
        let mut places = Vec::new();
        for text in texts {
            super::check(&self.config, 0, text.tokens, 0)?;
            ranges.push(places.len()..places.len() + text.tokens.len());
            let tokens = text.tokens.iter().enumerate();
            places.extend(tokens.map(|(position, token)| {
                let kind = usize::from(position >= text.n_first).min(self.n_types() - 1);
                (*token, position, kind)
            }));
        }
        let mut x = vec![0.0; places.len() * c];
        let mut scratch = Scratch::default();
        threads.for_rows(&mut x, c, 2 * cost::UNPACK, |first, x| {
            let mut other = vec![0.0; c];
            for ((token, position, kind), x) in places[first..].iter().zip(x.chunks_exact_mut(c)) {
                self.token_embd.row(token.idx(), x);
                self.position_embd.row(*position, &mut other);
                vector::add_scaled(1.0, &other, x);
                vector::add_scaled(1.0, &self.token_types[*kind], x);
            }
            self.token_embd_norm.apply(self.config.norm_eps, x);
        });
        for layer in &self.layers {
            layer.run(threads, &self.config, &ranges, &mut scratch, &mut x);
        }
        Ok((ranges, x))
    }
}

/// The number of token types in a file.
fn n_types(gguf: &Gguf) -> Result<usize, LoadError> {
    Ok(match gguf.entry(TOKEN_TYPES)?.shape[..] {
        [_, n_types] if n_types > 0 => n_types,
        _ => 1,
    })
}

/// The rows of the token types, `[C]` each.
fn take_types(
    tensors: &mut Tensors<Linear>,
    n_types: usize,
    c: usize,
) -> Result<Vec<Vec<f32>>, LoadError> {
    let types = tensors.matrix(TOKEN_TYPES, n_types, c)?;
    let row = |idx| {
        let mut row = vec![0.0; c];
        types.row(idx, &mut row);
        row
    };
    Ok((0..n_types).map(row).collect())
}

/// The tokens of one text, or of a question and a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'t> {
    pub(crate) tokens: &'t [TokenId],
    /// How many leading tokens are of the first type.
    pub(crate) n_first: usize,
}

impl Layer {
    fn run(
        &self,
        threads: Threads,
        config: &ModelConfig,
        texts: &[Range<usize>],
        scratch: &mut Scratch,
        x: &mut [f32],
    ) {
        let Scratch {
            q,
            k,
            v,
            gathered,
            wide,
            delta,
        } = scratch;
        let c = config.n_embd;
        let inputs = Inputs::new(threads, x, c);
        Biased::apply_all(
            &inputs,
            [
                (&self.attn_q, &mut *q),
                (&self.attn_k, &mut *k),
                (&self.attn_v, &mut *v),
            ],
        );
        gathered.resize(x.len(), 0.0);
        let heads = Heads::new(config);
        for text in texts {
            let range = text.start * c..text.end * c;
            let source = Text {
                k: &k[range.clone()],
                v: &v[range.clone()],
                n_embd: c,
                head_size: config.head_size,
            };
            // Every token of a text sees every other.
            let all = |_| 0..text.len();
            let (q, gathered) = (&q[range.clone()], &mut gathered[range]);
            attend(threads, heads, &source, all, q, gathered);
        }
        let inputs = Inputs::new(threads, gathered, c);
        self.attn_output.apply(&inputs, delta);
        self.attn_output_norm
            .add_and_apply(threads, config, delta, x);

        let inputs = Inputs::new(threads, x, c);
        self.ffn_up.apply(&inputs, wide);
        threads.for_rows(wide, config.n_ff, cost::EXP, |_, wide| vector::gelu(wide));
        let inputs = Inputs::new(threads, wide, config.n_ff);
        self.ffn_down.apply(&inputs, delta);
        self.layer_output_norm
            .add_and_apply(threads, config, delta, x);
    }
}

/// Activations, reused from layer to layer to avoid allocating.
#[derive(Default)]
struct Scratch {
    /// `[T, C]`
    q: Vec<f32>,
    /// `[T, C]`
    k: Vec<f32>,
    /// `[T, C]`
    v: Vec<f32>,
    /// `[T, C]`: attention's output.
    gathered: Vec<f32>,
    /// `[T, F]`
    wide: Vec<f32>,
    /// `[T, C]`: a block's output, to be added to the stream.
    delta: Vec<f32>,
}

impl Biased {
    pub(crate) fn take(
        tensors: &mut Tensors<Linear>,
        name: &str,
        n_rows: usize,
        n_cols: usize,
    ) -> Result<Self, LoadError> {
        // A query has too few tokens to amortise unpacking, and the matrices are small.
        let matrix = tensors.matrix(&format!("{name}.weight"), n_rows, n_cols)?;
        let matrix = matrix.unpacked();
        let bias = tensors.vector(&format!("{name}.bias"), n_rows)?;
        Ok(Self { matrix, bias })
    }

    pub(crate) fn apply(&self, x: &Inputs<'_>, y: &mut Vec<f32>) {
        Self::apply_all(x, [(self, y)]);
    }

    fn apply_all<const N: usize>(x: &Inputs<'_>, products: [(&Biased, &mut Vec<f32>); N]) {
        Linear::apply_all(
            x,
            products.map(|(biased, y)| (&biased.matrix, Some(&biased.bias[..]), y)),
        );
    }
}

impl Norm {
    fn take(tensors: &mut Tensors<Linear>, name: &str, len: usize) -> Result<Self, LoadError> {
        Ok(Self {
            gain: tensors.vector(&format!("{name}.weight"), len)?,
            bias: tensors.vector(&format!("{name}.bias"), len)?,
        })
    }

    fn apply(&self, eps: f32, x: &mut [f32]) {
        vector::layer_norm(x, &self.gain, &self.bias, eps);
    }

    /// Adds a block's output, `[T, C]`, to the stream `x`, and norms it.
    fn add_and_apply(&self, threads: Threads, config: &ModelConfig, delta: &[f32], x: &mut [f32]) {
        threads.for_rows(x, config.n_embd, cost::NORM, |first, x| {
            vector::add_scaled(1.0, &delta[first * config.n_embd..][..x.len()], x);
            self.apply(config.norm_eps, x);
        });
    }
}

/// The keys and values of one text, `[T, C]` each.
struct Text<'x> {
    k: &'x [f32],
    v: &'x [f32],
    n_embd: usize,
    head_size: usize,
}

impl KeysValues for Text<'_> {
    fn n_positions(&self) -> usize {
        self.k.len() / self.n_embd
    }

    fn keys(&self, head: usize, first: usize, n: usize, keys: &mut [f32]) {
        /// Side of the square of positions and channels transposed at once.
        const SIDE: usize = 4;
        let rows = &self.k[first * self.n_embd..];
        let n_filled = n.min(rows.len() / self.n_embd);
        let place = |position: usize| position * self.n_embd + head * self.head_size;
        let (n_whole, d_whole) = (n_filled / SIDE * SIDE, self.head_size / SIDE * SIDE);
        for position in (0..n_whole).step_by(SIDE) {
            let rows: [&[f32]; SIDE] =
                std::array::from_fn(|i| &rows[place(position + i)..][..self.head_size]);
            for channel in (0..d_whole).step_by(SIDE) {
                let block: [[f32; SIDE]; SIDE] =
                    std::array::from_fn(|i| std::array::from_fn(|j| rows[i][channel + j]));
                for j in 0..SIDE {
                    let column: [f32; SIDE] = std::array::from_fn(|i| block[i][j]);
                    keys[(channel + j) * n + position..][..SIDE].copy_from_slice(&column);
                }
            }
        }
        for position in 0..n_filled {
            let channels = if position < n_whole { d_whole } else { 0 }..self.head_size;
            for channel in channels {
                keys[channel * n + position] = rows[place(position) + channel];
            }
        }
    }

    fn values(&self, head: usize, first: usize, n: usize, values: &mut [f32]) {
        let rows = self.v.chunks_exact(self.n_embd).skip(first).take(n);
        for (values, v) in values.chunks_exact_mut(self.head_size).zip(rows) {
            values.copy_from_slice(&v[head * self.head_size..(head + 1) * self.head_size]);
        }
    }
}

/// The mean of a text's tokens, `[T, C]` to `[C]`, scaled to unit length.
fn pool(x: &[f32], c: usize) -> Result<Vec<f32>, RunError> {
    let mut mean = vec![0.0; c];
    for x in x.chunks_exact(c) {
        vector::add_scaled(1.0, x, &mut mean);
    }
    // No division by the token count: scaling to unit length would cancel it out.
    let length = vector::dot(&mean, &mean).sqrt();
    if !(length.is_finite() && length > 0.0) {
        return Err(RunError::NotFinite {
            position: x.len() / c,
        });
    }
    for value in &mut mean {
        *value /= length;
    }
    Ok(mean)
}

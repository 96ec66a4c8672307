//! Turns a model on the device into the steps of its forward pass, all bound once: for one token and for many.
//!
//! One token takes five steps a layer, six in families that norm heads:
//!
//! | step | does |
//! |------|------|
//! | `qkv` | norm, queries, keys and values, bias, rotary positions, cache |
//! | `heads` | norms heads, rotary positions, cache: only in families that norm heads |
//! | `attention` | in parts that run side by side |
//! | `project` | puts the parts together, output, stream |
//! | `gate_up` | norm, gate and up, activation |
//! | `project` | down, stream |
//!
//! and four more: looking the token up, the logits with the last norm, and two to choose the next token. Many tokens,
//! and kernels without barriers, take one more step where a block's output is normed, and one for each adapted step.

use super::model::{Layer, Model, qkv_words};
use super::pairs::{LayerPairs, ModelPairs};
use crate::config::{Activation, ModelConfig};
use crate::gpu::{Buffers, Gpu, GpuError, Op, PackedMatrix, Reduction};
use crate::kernels::Input;
use crate::kernels::batch::BatchBuffer;
use crate::kernels::multiply::{Multiply, PackedPairs, Use};
use crate::kernels::params::{Params, param, words};
use crate::kernels::steps;

/// Most parts that attention is split into.
const MAX_SPLITS: usize = 16;

/// Tokens whose logits can be asked for at once.
pub(super) const MAX_LAST: usize = 8;

/// The steps of a pass.
#[derive(Debug)]
pub(super) struct Steps {
    /// From one token's id to the stream behind the last layer.
    pub(super) body_one: Vec<Op>,
    /// From there to its logits.
    pub(super) head_one: Vec<Op>,
    /// The same for any number of tokens.
    pub(super) body_many: Vec<Op>,
    /// For the last tokens of a batch.
    pub(super) head_many: Vec<Op>,
}

/// Intermediate results of one batch.
#[derive(Debug)]
pub(super) struct Activations {
    /// `[3, T, C]`: the stream, where it goes on, and what a block adds to it.
    stream: wgpu::Buffer,
    /// `[T, q|k]`, then `[T, q]`: queries and keys before rotation, and queries after it.
    heads: wgpu::Buffer,
    /// `[T, H * D]`
    attended: wgpu::Buffer,
    /// `[H, splits]` of `D` values, the largest score and the weight.
    parts: wgpu::Buffer,
    /// `[T, F]`
    gated: wgpu::Buffer,
    /// `[MAX_LAST, V]`
    pub(super) logits: wgpu::Buffer,
    /// Inputs of products, rounded to 8 bits, with the scale and the sums of each block.
    rounded: wgpu::Buffer,
    n_tokens: usize,
    n_splits: usize,
}

impl Activations {
    pub(super) fn new(gpu: &Gpu, config: &ModelConfig, n_tokens: usize) -> Result<Self, GpuError> {
        let room = |label: &str, n_words: usize| {
            let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
            gpu.buffer(label, 16 * n_words as u64, usage)
        };
        let (q, kv) = (config.q_width() / 4, config.kv_width() / 4);
        // A workgroup has room for the weights of 1024 parts.
        let n_splits = MAX_SPLITS.min(1024 / config.n_heads).max(1);
        let part_words = config.head_size / 4 + 1;
        let widest = config.n_embd.max(config.n_ff).max(config.q_width());
        Ok(Self {
            stream: room("stream", 3 * n_tokens * config.n_embd.div_ceil(4))?,
            heads: room("heads", n_tokens * (2 * q + kv))?,
            attended: room("attended", n_tokens * q)?,
            parts: room("parts", config.n_heads * n_splits * part_words)?,
            gated: room("gated", n_tokens * config.n_ff.div_ceil(4))?,
            logits: room("logits", MAX_LAST * config.n_vocab.div_ceil(4))?,
            rounded: room("rounded", n_tokens * widest.div_ceil(32) * 3)?,
            n_tokens,
            n_splits,
        })
    }
}

/// Everything that the steps are bound to.
pub(super) struct Plan<'a> {
    pub(super) gpu: &'a Gpu,
    pub(super) config: &'a ModelConfig,
    pub(super) n_positions: usize,
    pub(super) batch: &'a BatchBuffer,
    pub(super) activations: &'a Activations,
    pub(super) model: &'a Model,
    pub(super) pairs: &'a ModelPairs,
}

/// The number of tokens that a list of steps is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    One,
    Many,
}

impl Plan<'_> {
    /// Everything, bound.
    pub(super) fn steps(&self) -> Result<Steps, GpuError> {
        Ok(Steps {
            body_one: self.body(For::One)?,
            head_one: self.head(For::One)?,
            body_many: self.body(For::Many)?,
            head_many: self.head(For::Many)?,
        })
    }

    /// True if the step that reads a block's output also norms it; false if a separate step does.
    fn is_normed_later(&self, tokens: For) -> bool {
        tokens == For::One && self.gpu.variant().reduction != Reduction::BarrierFree
    }

    /// First words of the stream's three parts.
    fn places(&self) -> [u32; 3] {
        let n_words = words(self.config.n_embd) * param(self.activations.n_tokens);
        [0, n_words, 2 * n_words]
    }

    fn body(&self, tokens: For) -> Result<Vec<Op>, GpuError> {
        let [x, ..] = self.places();
        let params = Params {
            y: x,
            y_stride: words(self.config.n_embd),
            scale: self.config.embd_scale,
            ..Params::default()
        };
        let (batch, stream) = (self.batch.all(), &self.activations.stream);
        let matrix = &self.model.token_embd;
        let mut ops = steps::embed(self.gpu, &batch, matrix, &params, stream)?;
        for (layer_idx, layer) in self.model.layers.iter().enumerate() {
            let pairs = &self.pairs.layers[layer_idx];
            self.attention(tokens, layer_idx, layer, pairs, &mut ops)?;
            self.feed_forward(tokens, layer, pairs, &mut ops)?;
        }
        Ok(ops)
    }

    /// Input of the norm before a block, where the output of the block before it may have to be normed first.
    /// `pending` is the gain of that norm; the stream then moves `from` one place `to` the other.
    fn normed(
        &self,
        tokens: For,
        gain: u32,
        pending: Option<u32>,
        from: u32,
        to: u32,
    ) -> (Input, Params) {
        let [x, _, delta] = self.places();
        let params = Params {
            x,
            x_stride: words(self.config.n_embd),
            gain,
            eps: self.config.norm_eps,
            ..Params::default()
        };
        match pending {
            Some(delta_gain) if self.is_normed_later(tokens) => {
                let params = Params {
                    x: from,
                    delta,
                    delta_gain,
                    next: to,
                    ..params
                };
                (Input::Pending, params)
            }
            Some(_) => (Input::Stream, Params { x: to, ..params }),
            None => (Input::Stream, params),
        }
    }

    fn attention(
        &self,
        tokens: For,
        layer_idx: usize,
        layer: &Layer,
        pairs: &LayerPairs,
        ops: &mut Vec<Op>,
    ) -> Result<(), GpuError> {
        let (gpu, config, a) = (self.gpu, self.config, self.activations);
        let traits = config.traits;
        let [x, next, _] = self.places();
        let (n_q, n_kv) = qkv_words(config);
        let window = config.window(layer_idx);
        let rope = window.map_or(&config.rope, |window| &window.rope);
        let angles = match (window, &self.model.local_angles) {
            (Some(_), Some(local)) => local,
            _ => &self.model.angles,
        };
        let heads = Params {
            n_heads: param(config.n_heads),
            n_kv_heads: param(config.n_kv_heads),
            head_words: param(config.head_size / 4),
            rope_words: param(rope.dim / 4),
            n_positions: param(self.n_positions),
            n_visible: window.map_or(u32::MAX >> 1, |window| param(window.n_visible)),
            scale: config.query_scale,
            n_splits: param(a.n_splits),
            eps: config.norm_eps,
            q_gain: layer.places.q_gain,
            k_gain: layer.places.k_gain,
            ..Params::default()
        };
        // The layer before, if any, left its output to be normed here.
        let pending = layer.places.last_post_ffw.filter(|_| traits.has_post_norms);
        let (input, normed) = self.normed(tokens, layer.places.attn_norm, pending, next, x);
        // Where heads are normed, queries and keys are computed in one place and queries rotated into another.
        let turned = param(a.n_tokens) * (n_q + n_kv);
        for (first_row, matrix) in &layer.qkv {
            let params = Params {
                y_stride: n_q + n_kv,
                bias: layer.places.bias,
                n_heads: heads.n_heads,
                n_kv_heads: heads.n_kv_heads,
                head_words: heads.head_words,
                rope_words: heads.rope_words,
                n_positions: heads.n_positions,
                ..normed
            };
            let multiply = Multiply {
                used: Use::Qkv {
                    rotates: !traits.has_head_norms,
                },
                matrix,
                input,
                params,
                buffers: Buffers {
                    vectors: Some(&layer.vectors),
                    stream: Some(&a.stream),
                    cache: Some(&layer.cache),
                    source: Some(angles),
                    y: Some(&a.heads),
                    ..Buffers::default()
                },
                lora: pairs.qkv.as_ref(),
                first_group: first_row / 4,
                rounded: &a.rounded,
            };
            self.multiply(tokens, &multiply, ops)?;
        }
        if traits.has_head_norms {
            let params = Params {
                x_stride: n_q + n_kv,
                y: turned,
                y_stride: n_q,
                ..heads
            };
            let buffers = Buffers {
                vectors: Some(&layer.vectors),
                cache: Some(&layer.cache),
                source: Some(angles),
                y: Some(&a.heads),
                ..Buffers::default()
            };
            ops.push(steps::heads(gpu, &self.batch.all(), &params, &buffers)?);
        }
        let (q, q_stride) = match traits.has_head_norms {
            true => (turned, n_q),
            false => (0, n_q + n_kv),
        };
        let is_split = tokens == For::One && gpu.variant().reduction != Reduction::BarrierFree;
        let gathered = if is_split { &a.parts } else { &a.attended };
        let params = Params {
            x: q,
            x_stride: q_stride,
            y_stride: n_q,
            ..heads
        };
        let buffers = Buffers {
            stream: Some(gathered),
            cache: Some(&layer.cache),
            y: Some(&a.heads),
            ..Buffers::default()
        };
        let batch = self.batch.all();
        ops.push(match tokens {
            For::One => steps::attention_one(gpu, &batch, &params, &buffers)?,
            For::Many => steps::attention_many(gpu, &batch, &params, &buffers)?,
        });
        let params = Params {
            x_stride: n_q,
            ..heads
        };
        let input = if is_split {
            Input::Splits
        } else {
            Input::Source
        };
        self.project(
            tokens,
            Projected {
                matrix: &layer.attn_output,
                input,
                params,
                source: gathered,
                lora: pairs.attn_output.as_ref(),
                from: x,
                to: next,
                bias: layer.places.attn_output_bias,
                post_gain: layer.places.post_attention,
                vectors: &layer.vectors,
            },
            ops,
        )
    }

    fn feed_forward(
        &self,
        tokens: For,
        layer: &Layer,
        pairs: &LayerPairs,
        ops: &mut Vec<Op>,
    ) -> Result<(), GpuError> {
        let (config, a) = (self.config, self.activations);
        let [x, next, _] = self.places();
        let pending = config
            .traits
            .has_post_norms
            .then_some(layer.places.post_attention);
        let (input, params) = self.normed(tokens, layer.places.ffn_norm, pending, x, next);
        // Counted in halves of words: a group of rows, gate and up alternating, makes two values.
        let params = Params {
            y_stride: 2 * words(config.n_ff),
            bias: layer.places.gate_up_bias,
            ..params
        };
        let multiply = Multiply {
            used: Use::GateUp {
                is_gelu: config.traits.activation == Activation::GeluTanh,
            },
            matrix: &layer.gate_up,
            input,
            params,
            buffers: Buffers {
                vectors: Some(&layer.vectors),
                stream: Some(&a.stream),
                cache: Some(&a.gated),
                ..Buffers::default()
            },
            lora: pairs.gate_up.as_ref(),
            first_group: 0,
            rounded: &a.rounded,
        };
        self.multiply(tokens, &multiply, ops)?;
        let params = Params {
            x_stride: words(config.n_ff),
            ..Params::default()
        };
        self.project(
            tokens,
            Projected {
                matrix: &layer.ffn_down,
                input: Input::Source,
                params,
                source: &a.gated,
                lora: pairs.ffn_down.as_ref(),
                from: next,
                to: x,
                bias: layer.places.ffn_down_bias,
                post_gain: layer.places.post_ffw,
                vectors: &layer.vectors,
            },
            ops,
        )
    }

    /// Plans the product that ends a block, and the steps that add it to the stream.
    fn project(
        &self,
        tokens: For,
        projected: Projected<'_>,
        ops: &mut Vec<Op>,
    ) -> Result<(), GpuError> {
        let [x, _, delta] = self.places();
        let c = words(self.config.n_embd);
        let has_norm = self.config.traits.has_post_norms;
        let stream = &self.activations.stream;
        let multiply = Multiply {
            used: Use::Project { adds: !has_norm },
            matrix: projected.matrix,
            input: projected.input,
            params: Params {
                y: if has_norm { delta } else { x },
                y_stride: c,
                bias: projected.bias,
                ..projected.params
            },
            buffers: Buffers {
                vectors: Some(projected.vectors),
                stream: Some(stream),
                source: Some(projected.source),
                ..Buffers::default()
            },
            lora: projected.lora,
            first_group: 0,
            rounded: &self.activations.rounded,
        };
        self.multiply(tokens, &multiply, ops)?;
        if has_norm && !self.is_normed_later(tokens) {
            let params = Params {
                n_cols: param(self.config.n_embd),
                n_words: c,
                x: projected.from,
                x_stride: c,
                eps: self.config.norm_eps,
                delta,
                delta_gain: projected.post_gain,
                next: projected.to,
                ..Params::default()
            };
            let buffers = Buffers {
                vectors: Some(projected.vectors),
                stream: Some(stream),
                ..Buffers::default()
            };
            ops.push(steps::residual(
                self.gpu,
                &self.batch.all(),
                &params,
                &buffers,
            )?);
        }
        Ok(())
    }

    fn head(&self, tokens: For) -> Result<Vec<Op>, GpuError> {
        let [x, next, _] = self.places();
        let (input, params) = self.normed(tokens, 0, self.model.last_post_ffw, next, x);
        let multiply = Multiply {
            used: Use::Rows,
            matrix: &self.model.output,
            input,
            params: Params {
                y_stride: words(self.config.n_vocab),
                cap: self.config.logit_cap.unwrap_or(0.0),
                bias: self.model.output_bias,
                ..params
            },
            buffers: Buffers {
                vectors: Some(&self.model.output_norm),
                stream: Some(&self.activations.stream),
                y: Some(&self.activations.logits),
                ..Buffers::default()
            },
            lora: self.pairs.output.as_ref(),
            first_group: 0,
            rounded: &self.activations.rounded,
        };
        let (gpu, batch) = (self.gpu, self.batch.last());
        match tokens {
            For::One => multiply.one(gpu, &batch),
            For::Many => multiply.many(gpu, &batch),
        }
    }

    fn multiply(
        &self,
        tokens: For,
        multiply: &Multiply<'_>,
        ops: &mut Vec<Op>,
    ) -> Result<(), GpuError> {
        let batch = self.batch.all();
        ops.extend(match tokens {
            For::One => multiply.one(self.gpu, &batch)?,
            For::Many => multiply.many(self.gpu, &batch)?,
        });
        Ok(())
    }
}

/// The product that ends a block.
struct Projected<'a> {
    matrix: &'a PackedMatrix,
    input: Input,
    params: Params,
    source: &'a wgpu::Buffer,
    lora: Option<&'a PackedPairs>,
    /// Where the stream is, and where it continues if the block's output is normed.
    from: u32,
    to: u32,
    /// 0: none.
    bias: u32,
    post_gain: u32,
    vectors: &'a wgpu::Buffer,
}

//! Turns a model on the device into the steps of its forward pass, for one token and for many, all bound once.
//!
//! One token takes five steps a layer, six in families that norm heads:
//!
//! | step | does |
//! |------|------|
//! | `qkv` | norm, queries, keys and values, bias, RoPE, KV cache |
//! | `heads` | norms heads, RoPE, KV cache: only in families that norm heads |
//! | `attention` | attention, split into parallel parts |
//! | `project` | merges the parts, output projection, adds to the stream |
//! | `gate_up` | norm, gate and up, activation |
//! | `project` | down projection, adds to the stream |
//!
//! Four more run once per token: the embedding lookup, the logits with the last norm, and two that choose the next
//! token. Batches of many tokens, and kernels without barriers, take one more step where a block's output is normed,
//! and one for each adapted step.

use super::model::{Layer, Model, qkv_words};
use super::pairs::{LayerPairs, ModelPairs};
use crate::config::{Activation, ModelConfig};
use crate::gpu::{Gpu, GpuError, Op, PackedMatrix, Reduction};
use crate::kernels::attention::{self, AttentionBindings};
use crate::kernels::batch::BatchBuffer;
use crate::kernels::lora::PackedPairs;
use crate::kernels::matmul::{CacheBindings, Matmul, MatmulBindings};
use crate::kernels::params::{
    AttentionParams, AttentionStepParams, HeadsParams, InputParams, OutputParams, ResidualParams,
    param, words,
};
use crate::kernels::steps::{self, HeadsBindings};
use crate::kernels::{Epilogue, Input};

/// Most parts to split attention into.
const MAX_SPLITS: usize = 16;

/// Most tokens whose logits can be asked for at once.
pub(super) const MAX_LAST: usize = 8;

/// The steps of a pass.
#[derive(Debug)]
pub(super) struct Steps {
    /// From one token's id to the stream after the last layer.
    pub(super) body_one: Vec<Op>,
    /// From there to the token's logits.
    pub(super) head_one: Vec<Op>,
    /// As `body_one`, for any number of tokens.
    pub(super) body_many: Vec<Op>,
    /// As `head_one`, for the last tokens of a batch.
    pub(super) head_many: Vec<Op>,
}

/// Intermediate results of one batch.
#[derive(Debug)]
pub(super) struct Activations {
    /// `[3, T, C]`: the stream, the next stream, and a block's output.
    stream: wgpu::Buffer,
    /// `[T, q|k]`, then `[T, q]`: queries and keys before rotation, and queries after it.
    heads: wgpu::Buffer,
    /// `[T, H * D]`
    attended: wgpu::Buffer,
    /// `[H, splits]`, each with `D` values, the largest score and the weight.
    parts: wgpu::Buffer,
    /// `[T, F]`
    gated: wgpu::Buffer,
    /// `[MAX_LAST, V]`
    pub(super) logits: wgpu::Buffer,
    /// Inputs of products, quantised to 8 bits, with the scale and the sums of each block.
    quantised: wgpu::Buffer,
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
        // A workgroup has room for the weights of at most 1024 parts.
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
            quantised: room("quantised", n_tokens * widest.div_ceil(32) * 3)?,
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

/// The number of tokens a list of steps is planned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// One token.
    Decode,
    /// Any number of tokens.
    Prefill,
}

impl Plan<'_> {
    /// Plans and binds all steps.
    pub(super) fn steps(&self) -> Result<Steps, GpuError> {
        Ok(Steps {
            body_one: self.body(Phase::Decode)?,
            head_one: self.head(Phase::Decode)?,
            body_many: self.body(Phase::Prefill)?,
            head_many: self.head(Phase::Prefill)?,
        })
    }

    /// True if the next step to read a block's output also norms it; false if a separate step does.
    fn is_normed_later(&self, phase: Phase) -> bool {
        phase == Phase::Decode && self.gpu.variant().reduction != Reduction::BarrierFree
    }

    /// The first word of each of the stream's three parts.
    fn places(&self) -> [u32; 3] {
        let n_words = words(self.config.n_embd) * param(self.activations.n_tokens);
        [0, n_words, 2 * n_words]
    }

    fn body(&self, phase: Phase) -> Result<Vec<Op>, GpuError> {
        let [x, ..] = self.places();
        let (matrix, stream) = (&self.model.token_embd, &self.activations.stream);
        let scale = self.config.embd_scale;
        let mut ops = steps::embed(self.gpu, &self.batch.all(), matrix, scale, x, stream)?;
        for (layer_idx, layer) in self.model.layers.iter().enumerate() {
            let pairs = &self.pairs.layers[layer_idx];
            self.attention(phase, layer_idx, layer, pairs, &mut ops)?;
            self.feed_forward(phase, layer, pairs, &mut ops)?;
        }
        Ok(ops)
    }

    /// Input of the norm before a block. If the previous block's output has yet to be normed and added, `pending` is
    /// the gain of that norm, and the stream moves `from` one offset `to` the other.
    fn normed(
        &self,
        phase: Phase,
        gain: u32,
        pending: Option<u32>,
        from: u32,
        to: u32,
    ) -> (Input, InputParams) {
        let [x, _, delta] = self.places();
        let params = InputParams {
            x,
            x_stride: words(self.config.n_embd),
            gain,
            eps: self.config.norm_eps,
            ..InputParams::default()
        };
        match pending {
            Some(delta_gain) if self.is_normed_later(phase) => {
                let params = InputParams {
                    x: from,
                    delta,
                    delta_gain,
                    next: to,
                    ..params
                };
                (Input::StreamPending, params)
            }
            Some(_) => (Input::Stream, InputParams { x: to, ..params }),
            None => (Input::Stream, params),
        }
    }

    /// The heads of a layer, and how far they see.
    fn heads_of(&self, layer_idx: usize) -> AttentionParams {
        let config = self.config;
        let window = config.window(layer_idx);
        let rope = window.map_or(&config.rope, |window| &window.rope);
        AttentionParams {
            n_heads: param(config.n_heads),
            n_kv_heads: param(config.n_kv_heads),
            head_words: param(config.head_size / 4),
            rope_words: param(rope.dim / 4),
            n_positions: param(self.n_positions),
            n_visible: window.map_or(u32::MAX >> 1, |window| param(window.n_visible)),
            n_splits: param(self.activations.n_splits),
            scale: config.query_scale,
        }
    }

    /// A layer's cache, and the RoPE angles of its positions.
    fn cache_of<'a>(&'a self, layer_idx: usize, layer: &'a Layer) -> CacheBindings<'a> {
        let angles = match (self.config.window(layer_idx), &self.model.local_angles) {
            (Some(_), Some(local)) => local,
            _ => &self.model.angles,
        };
        let cache = &layer.cache;
        CacheBindings { cache, angles }
    }

    fn attention(
        &self,
        phase: Phase,
        layer_idx: usize,
        layer: &Layer,
        pairs: &LayerPairs,
        ops: &mut Vec<Op>,
    ) -> Result<(), GpuError> {
        let a = self.activations;
        let [x, next, _] = self.places();
        let (n_q, n_kv) = qkv_words(self.config);
        let heads = self.heads_of(layer_idx);
        self.qkv(phase, layer_idx, layer, pairs, ops)?;
        let has_head_norms = self.config.traits.has_head_norms;
        if has_head_norms {
            ops.push(self.normed_heads(layer_idx, layer)?);
        }
        let is_split = phase == Phase::Decode && attention::is_split(self.gpu);
        let gathered = if is_split { &a.parts } else { &a.attended };
        let (q, q_stride) = match has_head_norms {
            true => (self.turned(), n_q),
            false => (0, n_q + n_kv),
        };
        let params = AttentionStepParams {
            attention: heads,
            q,
            q_stride,
            y: 0,
            y_stride: n_q,
        };
        let bindings = AttentionBindings {
            queries: &a.heads,
            cache: &layer.cache,
            output: gathered,
        };
        let batch = self.batch.all();
        ops.push(match phase {
            Phase::Decode => attention::one(self.gpu, &batch, &params, bindings)?,
            Phase::Prefill => attention::many(self.gpu, &batch, &params, bindings)?,
        });
        self.project(
            phase,
            &Projection {
                matrix: &layer.attn_output,
                input: match is_split {
                    true => Input::Splits,
                    false => Input::StepOutput,
                },
                x_stride: n_q,
                source: gathered,
                attention: heads,
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

    /// First word of the rotated queries in families that norm heads: they follow the unrotated queries and keys.
    fn turned(&self) -> u32 {
        let (n_q, n_kv) = qkv_words(self.config);
        param(self.activations.n_tokens) * (n_q + n_kv)
    }

    /// Plans the product that computes queries, keys and values.
    fn qkv(
        &self,
        phase: Phase,
        layer_idx: usize,
        layer: &Layer,
        pairs: &LayerPairs,
        ops: &mut Vec<Op>,
    ) -> Result<(), GpuError> {
        let (a, traits) = (self.activations, self.config.traits);
        let [x, next, _] = self.places();
        let (n_q, n_kv) = qkv_words(self.config);
        // The previous layer, if any, left its output for this step to norm.
        let pending = layer.places.last_post_ffw.filter(|_| traits.has_post_norms);
        let (input, input_params) = self.normed(phase, layer.places.attn_norm, pending, next, x);
        for (first_row, matrix) in &layer.qkv {
            let matmul = Matmul {
                matrix,
                first_group: first_row / 4,
                input,
                input_params,
                epilogue: Epilogue::Qkv {
                    rotates: !traits.has_head_norms,
                },
                output_params: OutputParams {
                    y_stride: n_q + n_kv,
                    bias: layer.places.bias,
                    ..OutputParams::default()
                },
                attention: self.heads_of(layer_idx),
                lora: pairs.qkv.as_ref(),
                bindings: MatmulBindings {
                    vectors: Some(&layer.vectors),
                    input: &a.stream,
                    quantised: &a.quantised,
                    output: &a.heads,
                    cache: Some(self.cache_of(layer_idx, layer)),
                },
            };
            ops.extend(self.multiply(phase, &matmul, &self.batch.all())?);
        }
        Ok(())
    }

    /// The step that norms and rotates heads.
    fn normed_heads(&self, layer_idx: usize, layer: &Layer) -> Result<Op, GpuError> {
        let (n_q, n_kv) = qkv_words(self.config);
        let params = HeadsParams {
            attention: self.heads_of(layer_idx),
            x: 0,
            x_stride: n_q + n_kv,
            y: self.turned(),
            y_stride: n_q,
            q_gain: layer.places.q_gain,
            k_gain: layer.places.k_gain,
            eps: self.config.norm_eps,
            padding: 0,
        };
        let CacheBindings { cache, angles } = self.cache_of(layer_idx, layer);
        let bindings = HeadsBindings {
            vectors: &layer.vectors,
            cache,
            angles,
            heads: &self.activations.heads,
        };
        steps::heads(self.gpu, &self.batch.all(), &params, bindings)
    }

    fn feed_forward(
        &self,
        phase: Phase,
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
        let (input, input_params) = self.normed(phase, layer.places.ffn_norm, pending, x, next);
        let matmul = Matmul {
            matrix: &layer.gate_up,
            first_group: 0,
            input,
            input_params,
            epilogue: Epilogue::GateUp {
                is_gelu: config.traits.activation == Activation::GeluTanh,
            },
            // Counted in half words: a group of rows, gate and up interleaved, yields two values.
            output_params: OutputParams {
                y_stride: 2 * words(config.n_ff),
                bias: layer.places.gate_up_bias,
                ..OutputParams::default()
            },
            attention: AttentionParams::default(),
            lora: pairs.gate_up.as_ref(),
            bindings: MatmulBindings {
                vectors: Some(&layer.vectors),
                input: &a.stream,
                quantised: &a.quantised,
                output: &a.gated,
                cache: None,
            },
        };
        ops.extend(self.multiply(phase, &matmul, &self.batch.all())?);
        self.project(
            phase,
            &Projection {
                matrix: &layer.ffn_down,
                input: Input::StepOutput,
                x_stride: words(config.n_ff),
                source: &a.gated,
                attention: AttentionParams::default(),
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

    /// Plans the product that ends a block, and the steps that add its output to the stream.
    fn project(
        &self,
        phase: Phase,
        projection: &Projection<'_>,
        ops: &mut Vec<Op>,
    ) -> Result<(), GpuError> {
        let [x, _, delta] = self.places();
        let c = words(self.config.n_embd);
        let has_norm = self.config.traits.has_post_norms;
        let stream = &self.activations.stream;
        let matmul = Matmul {
            matrix: projection.matrix,
            first_group: 0,
            input: projection.input,
            input_params: InputParams {
                x_stride: projection.x_stride,
                ..InputParams::default()
            },
            epilogue: Epilogue::Project { adds: !has_norm },
            output_params: OutputParams {
                y: if has_norm { delta } else { x },
                y_stride: c,
                bias: projection.bias,
                cap: 0.0,
            },
            attention: projection.attention,
            lora: projection.lora,
            bindings: MatmulBindings {
                vectors: Some(projection.vectors),
                input: projection.source,
                quantised: &self.activations.quantised,
                output: stream,
                cache: None,
            },
        };
        let batch = self.batch.all();
        ops.extend(self.multiply(phase, &matmul, &batch)?);
        if has_norm && !self.is_normed_later(phase) {
            let params = ResidualParams {
                n_cols: param(self.config.n_embd),
                x: projection.from,
                x_stride: c,
                delta,
                delta_gain: projection.post_gain,
                next: projection.to,
                eps: self.config.norm_eps,
                padding: 0,
            };
            let vectors = projection.vectors;
            ops.push(steps::residual(self.gpu, &batch, &params, vectors, stream)?);
        }
        Ok(())
    }

    fn head(&self, phase: Phase) -> Result<Vec<Op>, GpuError> {
        let [x, next, _] = self.places();
        let a = self.activations;
        let (input, input_params) = self.normed(phase, 0, self.model.last_post_ffw, next, x);
        let matmul = Matmul {
            matrix: &self.model.output,
            first_group: 0,
            input,
            input_params,
            epilogue: Epilogue::Linear,
            output_params: OutputParams {
                y: 0,
                y_stride: words(self.config.n_vocab),
                bias: self.model.output_bias,
                cap: self.config.logit_cap.unwrap_or(0.0),
            },
            attention: AttentionParams::default(),
            lora: self.pairs.output.as_ref(),
            bindings: MatmulBindings {
                vectors: Some(&self.model.output_norm),
                input: &a.stream,
                quantised: &a.quantised,
                output: &a.logits,
                cache: None,
            },
        };
        self.multiply(phase, &matmul, &self.batch.last())
    }

    fn multiply(
        &self,
        phase: Phase,
        matmul: &Matmul<'_>,
        batch: &wgpu::BufferBinding<'_>,
    ) -> Result<Vec<Op>, GpuError> {
        match phase {
            Phase::Decode => matmul.one(self.gpu, batch),
            Phase::Prefill => matmul.many(self.gpu, batch),
        }
    }
}

/// The product that ends a block.
struct Projection<'a> {
    matrix: &'a PackedMatrix,
    input: Input,
    x_stride: u32,
    source: &'a wgpu::Buffer,
    attention: AttentionParams,
    lora: Option<&'a PackedPairs>,
    /// Where the stream is now, and where it moves if the block's output is normed.
    from: u32,
    to: u32,
    /// 0: none.
    bias: u32,
    post_gain: u32,
    vectors: &'a wgpu::Buffer,
}

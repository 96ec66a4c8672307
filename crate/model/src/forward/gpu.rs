//! Turns tokens into logits on a graphics device: weights, activations and cache stay there, one pass runs all layers of
//! a batch of tokens, and only the last token's logits come back.
//!
//! Everything that does not change between two tokens is bound once. A forward pass is one small write (which tokens,
//! which position), one command buffer with one compute pass, and one read-back.

use crate::adapter::Adapter;
use crate::config::{Architecture, ModelConfig};
use crate::error::{LoadError, RunError};
use crate::gpu::{self, Gpu, GpuError, Op, PackedMatrix, Rows, View};
use crate::kernels::batch::BatchBuffer;
use crate::kernels::lora::{PackedPair, lora};
use crate::kernels::matmul::{Into, matmul};
use crate::kernels::rope::KvCache;
use crate::kernels::{attention, embed, rms_norm, rope, swiglu};
use crate::token::TokenId;
use crate::weights::{LayerWeights, Matrix, Weights};

/// Tokens in one submitted batch. A software adapter takes fewer, since a browser kills work that runs for seconds.
const BATCH_TOKENS: usize = 128;
const SOFTWARE_BATCH_TOKENS: usize = 32;

/// The cache is laid out in full at load, so its length is capped where a model announces more.
const MAX_POSITIONS: usize = 4096;

/// A llama model on a graphics device.
#[derive(Debug)]
pub struct GpuForward {
    gpu: Gpu,
    /// The model's, except that the context is no longer than the cache.
    config: ModelConfig,
    /// Places of the cache that are filled.
    n_cached: usize,
    batch: BatchBuffer,
    model: Model,
    activations: Activations,
    body: Vec<Op>,
    head: Vec<Op>,
    /// Absent while a read-back is under way, and after one that was abandoned.
    read_back: Option<wgpu::Buffer>,
}

/// The weights and the cache. Shapes as in [`Weights`].
#[derive(Debug)]
struct Model {
    token_embd: PackedMatrix,
    output_norm: Rows,
    output: PackedMatrix,
    /// `[positions, rope.dim / 2]` of (cos, sin)
    angles: wgpu::Buffer,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    attn_norm: Rows,
    /// Queries, keys and values, each with its first column in `qkv`; one matrix where they are stored alike.
    attn_qkv: Vec<(usize, PackedMatrix)>,
    /// `[(H + 2K) * D]`, zeros where the model has none.
    attn_bias: Rows,
    attn_output: PackedMatrix,
    ffn_norm: Rows,
    /// Gate and up, each with its first column in `gate_up`; one matrix where they are stored alike.
    ffn_gate_up: Vec<(usize, PackedMatrix)>,
    ffn_down: PackedMatrix,
    cache: KvCache,
}

/// What is computed on the way, for one batch.
#[derive(Debug)]
struct Activations {
    /// `[T, C]`: the residual stream.
    x: Rows,
    /// `[T, C]`
    normed: Rows,
    /// `[T, (H + 2K) * D]`
    qkv: Rows,
    /// `[T, H * D]`
    attended: Rows,
    /// `[T, F + F]`
    gate_up: Rows,
    /// `[T, F]`
    gated: Rows,
    /// `[1, C]`
    last_normed: Rows,
    /// `[1, V]`
    logits: Rows,
}

impl GpuForward {
    /// Whether the kernels here can run models of this family, which a file's first bytes tell.
    ///
    /// # Errors
    /// [`LoadError::Gpu`] if they cannot.
    pub fn check_family(config: &ModelConfig) -> Result<(), LoadError> {
        match config.architecture {
            Architecture::Llama => Ok(()),
            other => Err(LoadError::Gpu {
                reason: format!(
                    "no kernels for architecture `{}` yet, expected `{}`",
                    other.name(),
                    Architecture::Llama.name()
                ),
            }),
        }
    }

    /// Opens the best adapter and puts the weights on it.
    ///
    /// # Errors
    /// [`LoadError::Gpu`] if there is no adapter, or it cannot take this model.
    pub async fn load(config: &ModelConfig, weights: Weights) -> Result<Self, LoadError> {
        Self::load_on(Gpu::open().await?, config, weights).await
    }

    /// Puts the weights on a device that is already open.
    ///
    /// # Errors
    /// [`LoadError::Gpu`] if the device cannot take this model.
    pub async fn load_on(
        gpu: Gpu,
        config: &ModelConfig,
        weights: Weights,
    ) -> Result<Self, LoadError> {
        Self::check_family(config)?;
        if !attention::supports(config.head_size) {
            let reason = format!(
                "heads of {} values, expected a multiple of 4 up to {}",
                config.head_size,
                attention::MAX_HEAD_SIZE
            );
            return Err(LoadError::Gpu { reason });
        }
        let kv_bytes = 4 * config.kv_width().next_multiple_of(4) as u64;
        let room = usize::try_from(gpu.max_binding_bytes() / kv_bytes).unwrap_or(usize::MAX);
        let n_positions = config.context_length.min(MAX_POSITIONS).min(room);
        let config = &ModelConfig {
            context_length: n_positions,
            ..config.clone()
        };
        let n_batch = if gpu.adapter().is_software {
            SOFTWARE_BATCH_TOKENS
        } else {
            BATCH_TOKENS
        };
        let n_batch = n_batch.min(n_positions);
        let (batch, model, activations) = gpu
            .scoped("loading weights", || {
                Ok((
                    BatchBuffer::new(&gpu, n_batch)?,
                    Model::load(&gpu, config, weights)?,
                    Activations::new(&gpu, config, n_batch)?,
                ))
            })
            .await?;
        let (body, head) = gpu
            .scoped("compiling kernels", || {
                let plan = Plan {
                    gpu: &gpu,
                    config,
                    batch: &batch,
                    activations: &activations,
                };
                Ok((plan.body(&model, None)?, plan.head(&model, None)?))
            })
            .await?;
        let config = config.clone();
        let (n_cached, read_back) = (0, None);
        Ok(Self {
            gpu,
            config,
            n_cached,
            batch,
            model,
            activations,
            body,
            head,
            read_back,
        })
    }

    /// The adapter that runs the model.
    pub fn adapter(&self) -> &gpu::Adapter {
        self.gpu.adapter()
    }

    /// The device, for tests that take it away.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Tokens that fit into the cache.
    pub fn context_length(&self) -> usize {
        self.config.context_length
    }

    /// Dispatches that one token takes, from its id to its logits.
    pub fn n_dispatches(&self) -> usize {
        self.body.len() + self.head.len()
    }

    /// Runs `tokens` from `position` on and gives the logits of the last one, `[V]`.
    ///
    /// What the cache holds from `position` on is replaced, so that a sequence can be continued anywhere.
    ///
    /// # Errors
    /// [`RunError::EmptyPrompt`], [`RunError::PositionGap`], [`RunError::ContextOverflow`],
    /// [`RunError::UnknownToken`], [`RunError::NotFinite`], [`RunError::DeviceLost`]; [`RunError::Kernel`] where the
    /// device refuses a command or has no memory left.
    pub async fn forward(
        &mut self,
        tokens: &[TokenId],
        position: usize,
    ) -> Result<Vec<f32>, RunError> {
        super::check(&self.config, self.n_cached, tokens, position)?;
        self.gpu.check("running the model")?;
        let n_vocab = self.config.n_vocab;
        let read_back = match self.read_back.take() {
            Some(buffer) => buffer,
            None => self
                .gpu
                .read_back_buffer(self.activations.logits.buffer.size())?,
        };
        let ids = tokens.iter().map(|token| token.0).collect::<Vec<_>>();
        let mut next = position;
        while next < position + ids.len() {
            let rest = &ids[next - position..];
            let batch = &rest[..rest.len().min(self.batch.n_tokens)];
            let n_tokens = u32_of(batch.len());
            self.batch.write(&self.gpu, u32_of(next), batch);
            if batch.len() < rest.len() {
                self.gpu.submit(&[(&self.body, n_tokens)], None);
            } else {
                let ops: [(&[Op], u32); 2] = [(&self.body, n_tokens), (&self.head, 1)];
                self.gpu
                    .submit(&ops, Some((&self.activations.logits.buffer, &read_back)));
            }
            next += batch.len();
        }
        // Until the logits are back the new places count as unwritten: a lost device must not leave a gap behind.
        self.n_cached = self.n_cached.min(position);
        let logits = self
            .gpu
            .read_floats(&read_back, n_vocab, "running the model")
            .await?;
        self.read_back = Some(read_back);
        if !logits.iter().all(|logit| logit.is_finite()) {
            return Err(RunError::NotFinite { position: next - 1 });
        }
        self.n_cached = next;
        Ok(logits)
    }

    /// Puts an adapter on every matrix it has a pair for, or takes the last one off. The cache starts anew.
    ///
    /// # Errors
    /// [`RunError::Adapter`] if it was made for another model, [`RunError::DeviceLost`]; the last one then stays.
    pub fn set_adapter(&mut self, adapter: Option<Adapter>) -> Result<(), RunError> {
        if let Some(adapter) = &adapter {
            adapter
                .check(&self.config)
                .map_err(|source| RunError::Adapter {
                    adapter: adapter.name.clone(),
                    source,
                })?;
        }
        self.gpu.check("putting an adapter on")?;
        let plan = Plan {
            gpu: &self.gpu,
            config: &self.config,
            batch: &self.batch,
            activations: &self.activations,
        };
        let body = plan.body(&self.model, adapter.as_ref())?;
        let head = plan.head(&self.model, adapter.as_ref())?;
        self.gpu.check("putting an adapter on")?;
        (self.body, self.head) = (body, head);
        self.reset();
        Ok(())
    }

    /// Forgets the sequence.
    pub fn reset(&mut self) {
        self.n_cached = 0;
    }
}

impl Model {
    fn load(gpu: &Gpu, config: &ModelConfig, weights: Weights) -> Result<Self, GpuError> {
        let token_embd = load_matrix(gpu, "token_embd", weights.token_embd)?;
        let output = match weights.output {
            Some(output) => load_matrix(gpu, "output", output)?,
            None => token_embd.clone(),
        };
        let factors = weights.rope_factors.as_deref();
        let angles = rope::angles(config, factors, config.context_length);
        let mut layers = Vec::new();
        for layer in weights.layers {
            layers.push(Layer::load(gpu, config, layer)?);
            // Sends the layer's uploads off, so that they do not pile up beside the weights still to come.
            gpu.submit(&[], None);
        }
        Ok(Self {
            token_embd,
            output_norm: gpu.rows_of("output_norm", &weights.output_norm, config.n_embd)?,
            output,
            angles: gpu.storage_of("angles", &angles)?,
            layers,
        })
    }
}

impl Layer {
    fn load(gpu: &Gpu, config: &ModelConfig, weights: LayerWeights) -> Result<Self, GpuError> {
        let (q_width, kv_width) = (config.q_width(), config.kv_width());
        let mut bias = vec![0.0; q_width + 2 * kv_width];
        let biases = [
            (0, weights.attn_q_bias),
            (q_width, weights.attn_k_bias),
            (q_width + kv_width, weights.attn_v_bias),
        ];
        for (offset, values) in biases {
            for (target, value) in bias[offset..].iter_mut().zip(values.unwrap_or_default()) {
                *target = value;
            }
        }
        let qkv = vec![
            (0, weights.attn_q),
            (q_width, weights.attn_k),
            (q_width + kv_width, weights.attn_v),
        ];
        let gate_up = vec![
            (0, weights.ffn_gate),
            (swiglu::up_offset(config.n_ff), weights.ffn_up),
        ];
        let cache = |name| gpu.rows(name, config.context_length, kv_width);
        Ok(Self {
            attn_norm: gpu.rows_of("attn_norm", &weights.attn_norm, config.n_embd)?,
            attn_qkv: load_side_by_side(gpu, "attn_qkv", qkv)?,
            attn_bias: gpu.rows_of("attn_bias", &bias, bias.len())?,
            attn_output: load_matrix(gpu, "attn_output", weights.attn_output)?,
            ffn_norm: gpu.rows_of("ffn_norm", &weights.ffn_norm, config.n_embd)?,
            ffn_gate_up: load_side_by_side(gpu, "ffn_gate_up", gate_up)?,
            ffn_down: load_matrix(gpu, "ffn_down", weights.ffn_down)?,
            cache: KvCache {
                k: cache("k_cache")?,
                v: cache("v_cache")?,
            },
        })
    }
}

fn load_matrix(gpu: &Gpu, label: &str, matrix: Matrix) -> Result<PackedMatrix, GpuError> {
    gpu.matrix(
        label,
        matrix.kind,
        matrix.n_rows,
        matrix.n_cols,
        &matrix.bytes,
    )
}

/// Loads matrices that share their input and write to different columns of one output, joining neighbours that are
/// stored alike: one matrix is one dispatch.
fn load_side_by_side(
    gpu: &Gpu,
    label: &str,
    matrices: Vec<(usize, Matrix)>,
) -> Result<Vec<(usize, PackedMatrix)>, GpuError> {
    let mut joined: Vec<(usize, Matrix)> = Vec::new();
    for (offset, mut matrix) in matrices {
        match joined.last_mut() {
            Some((start, before))
                if before.kind == matrix.kind && *start + before.n_rows == offset =>
            {
                before.n_rows += matrix.n_rows;
                before.bytes.append(&mut matrix.bytes);
            }
            _ => joined.push((offset, matrix)),
        }
    }
    let loaded = joined
        .into_iter()
        .map(|(offset, matrix)| Ok((offset, load_matrix(gpu, label, matrix)?)));
    loaded.collect()
}

impl Activations {
    fn new(gpu: &Gpu, config: &ModelConfig, n_tokens: usize) -> Result<Self, GpuError> {
        let (n_embd, n_ff) = (config.n_embd, config.n_ff);
        let qkv_width = config.q_width() + 2 * config.kv_width();
        Ok(Self {
            x: gpu.rows("x", n_tokens, n_embd)?,
            normed: gpu.rows("normed", n_tokens, n_embd)?,
            qkv: gpu.rows("qkv", n_tokens, qkv_width)?,
            attended: gpu.rows("attended", n_tokens, config.q_width())?,
            gate_up: gpu.rows("gate_up", n_tokens, swiglu::up_offset(n_ff) + n_ff)?,
            gated: gpu.rows("gated", n_tokens, n_ff)?,
            last_normed: gpu.rows("last_normed", 1, n_embd)?,
            logits: gpu.rows("logits", 1, config.n_vocab)?,
        })
    }
}

/// What the steps of a pass are bound to.
struct Plan<'a> {
    gpu: &'a Gpu,
    config: &'a ModelConfig,
    batch: &'a BatchBuffer,
    activations: &'a Activations,
}

impl Plan<'_> {
    /// From the tokens' ids to the residual stream behind the last layer.
    fn body(&self, model: &Model, adapter: Option<&Adapter>) -> Result<Vec<Op>, GpuError> {
        let mut ops = embed::embed(self.gpu, self.batch, &model.token_embd, &self.activations.x)?;
        for (layer_idx, layer) in model.layers.iter().enumerate() {
            self.layer(&model.angles, layer_idx, layer, adapter, &mut ops)?;
        }
        Ok(ops)
    }

    fn layer(
        &self,
        angles: &wgpu::Buffer,
        layer_idx: usize,
        layer: &Layer,
        adapter: Option<&Adapter>,
        ops: &mut Vec<Op>,
    ) -> Result<(), GpuError> {
        let Self {
            gpu,
            config,
            batch,
            activations: a,
        } = *self;
        let name = |stem: &str| format!("blk.{layer_idx}.{stem}.weight");
        let eps = config.norm_eps;
        let (q_width, kv_width, n_ff) = (config.q_width(), config.kv_width(), config.n_ff);

        ops.push(rms_norm::rms_norm(gpu, batch, &a.x, &layer.attn_norm, eps, &a.normed)?.into());
        for (offset, matrix) in &layer.attn_qkv {
            let y = a.qkv.columns(*offset, matrix.n_rows);
            ops.extend(matmul(
                gpu,
                batch,
                matrix,
                a.normed.view(),
                y,
                Into::Replace,
            )?);
        }
        let targets = [
            ("attn_q", 0, q_width),
            ("attn_k", q_width, kv_width),
            ("attn_v", q_width + kv_width, kv_width),
        ];
        for (target, offset, n_cols) in targets {
            let y = a.qkv.columns(offset, n_cols);
            self.lora(adapter, &name(target), a.normed.view(), y, ops)?;
        }
        let rope = rope::rope(
            gpu,
            batch,
            config,
            angles,
            &layer.attn_bias,
            &a.qkv,
            &layer.cache,
        )?;
        ops.push(rope.into());
        let attended = &a.attended;
        let attention = attention::attention(gpu, batch, config, &a.qkv, &layer.cache, attended)?;
        ops.push(attention.into());
        let (attended, x) = (attended.view(), a.x.view());
        ops.extend(matmul(
            gpu,
            batch,
            &layer.attn_output,
            attended,
            x,
            Into::Add,
        )?);
        self.lora(adapter, &name("attn_output"), attended, x, ops)?;

        ops.push(rms_norm::rms_norm(gpu, batch, &a.x, &layer.ffn_norm, eps, &a.normed)?.into());
        for (offset, matrix) in &layer.ffn_gate_up {
            let y = a.gate_up.columns(*offset, matrix.n_rows);
            ops.extend(matmul(
                gpu,
                batch,
                matrix,
                a.normed.view(),
                y,
                Into::Replace,
            )?);
        }
        for (target, offset) in [("ffn_gate", 0), ("ffn_up", swiglu::up_offset(n_ff))] {
            let y = a.gate_up.columns(offset, n_ff);
            self.lora(adapter, &name(target), a.normed.view(), y, ops)?;
        }
        ops.push(swiglu::swiglu(gpu, batch, &a.gate_up, &a.gated)?.into());
        ops.extend(matmul(
            gpu,
            batch,
            &layer.ffn_down,
            a.gated.view(),
            x,
            Into::Add,
        )?);
        self.lora(adapter, &name("ffn_down"), a.gated.view(), x, ops)
    }

    /// From the residual stream to the last token's logits.
    fn head(&self, model: &Model, adapter: Option<&Adapter>) -> Result<Vec<Op>, GpuError> {
        let Self {
            gpu,
            config,
            batch,
            activations: a,
        } = *self;
        let last = batch.last();
        let (normed, eps) = (&a.last_normed, config.norm_eps);
        let norm = rms_norm::rms_norm(gpu, &last, &a.x, &model.output_norm, eps, normed)?;
        let mut ops = vec![norm.into()];
        let logits = a.logits.view();
        ops.extend(matmul(
            gpu,
            &last,
            &model.output,
            normed.view(),
            logits,
            Into::Replace,
        )?);
        // Rows of a shared embedding are looked up, not multiplied, so only the output feels the pair.
        self.lora(adapter, "output.weight", normed.view(), logits, &mut ops)?;
        Ok(ops)
    }

    fn lora(
        &self,
        adapter: Option<&Adapter>,
        name: &str,
        x: View<'_>,
        y: View<'_>,
        ops: &mut Vec<Op>,
    ) -> Result<(), GpuError> {
        if let Some(pair) = adapter.and_then(|adapter| adapter.pairs.get(name)) {
            let pair = PackedPair::new(self.gpu, name, pair, x.rows.n_rows)?;
            ops.extend(lora(self.gpu, self.batch, &pair, x, y)?);
        }
        Ok(())
    }
}

fn u32_of(count: usize) -> u32 {
    // Counts and positions are capped at load, far below.
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl From<GpuError> for LoadError {
    fn from(error: GpuError) -> Self {
        Self::Gpu {
            reason: error.to_string(),
        }
    }
}

impl From<GpuError> for RunError {
    fn from(error: GpuError) -> Self {
        match error {
            GpuError::Lost { .. } => Self::DeviceLost {
                reason: error.to_string(),
            },
            GpuError::Shape { kernel, .. } => Self::Kernel {
                kernel,
                reason: error.to_string(),
            },
            _ => Self::Kernel {
                kernel: "forward",
                reason: error.to_string(),
            },
        }
    }
}

//! Turns tokens into logits, or into text, on a graphics device that holds weights, activations and KV cache and runs
//! all layers in one pass per batch.
//!
//! Everything that stays the same from token to token is bound once. A forward pass is one small write (which tokens,
//! which position), one command buffer with one compute pass, and one read-back of the last token's logits. A text
//! ([`GpuForward::begin`]) needs no logits on the host: the device chooses each token and feeds it back, several per
//! command buffer.

mod model;
mod pairs;
mod plan;
mod prepare;
mod text;

use crate::adapter::Adapter;
use crate::config::ModelConfig;
use crate::error::{LoadError, RunError};
use crate::gpu::{self, Gpu, GpuError, Op, Reduction};
use crate::kernels::attention;
use crate::kernels::batch::{self, BatchBuffer};
use crate::kernels::sample::Choice;
use crate::token::TokenId;
use crate::weights::Weights;

use model::Model;
use pairs::ModelPairs;
use plan::{Activations, MAX_LAST, Plan, Steps};
use text::Text;

/// Tokens in one submitted batch. A software adapter gets fewer, since browsers kill GPU work that runs for seconds.
const BATCH_TOKENS: usize = batch::MAX_TOKENS;
const SOFTWARE_BATCH_TOKENS: usize = 32;

/// The cache is allocated in full at load, so longer contexts are capped at this length.
const MAX_POSITIONS: usize = 4096;
/// Cache positions come in tiles of 64.
const TILE_PLACES: usize = 64;

/// A decoder on a graphics device.
#[derive(Debug)]
pub struct GpuForward {
    gpu: Gpu,
    /// The model's, with the context capped at the cache's length.
    config: ModelConfig,
    n_positions: usize,
    /// Tokens per batch.
    n_batch: usize,
    /// Cache positions that are filled.
    n_cached: usize,
    batch: BatchBuffer,
    model: Model,
    /// The adapter's pairs, which the steps are bound to.
    pairs: ModelPairs,
    activations: Activations,
    steps: Steps,
    choice: Choice,
    /// `None` during a read-back, and after one that was abandoned.
    read_back: Option<wgpu::Buffer>,
    /// The text being written.
    text: Option<Text>,
    /// Spare read-back buffers for chosen tokens.
    spare: Vec<wgpu::Buffer>,
}

impl GpuForward {
    /// Checks, from the configuration alone, that these kernels can run the model.
    ///
    /// # Errors
    /// [`LoadError::Gpu`] if they can't.
    pub fn check(config: &ModelConfig) -> Result<(), LoadError> {
        let head = config.head_size;
        let local = config.local.as_ref().map(|local| local.rope.dim);
        let reason = if !head.is_multiple_of(4) || head > attention::MAX_HEAD_SIZE {
            let most = attention::MAX_HEAD_SIZE;
            format!("heads of {head} values, expected a multiple of 4 up to {most}")
        } else if let Some(dim) = [Some(config.rope.dim), local]
            .into_iter()
            .flatten()
            .find(|dim| dim % 4 != 0)
        {
            format!("{dim} values of a head turn, expected a multiple of 4")
        } else {
            return Ok(());
        };
        Err(LoadError::Gpu { reason })
    }

    /// Opens the best GPU and uploads the weights.
    ///
    /// # Errors
    /// [`LoadError::Gpu`] if there is no GPU, or it cannot take this model.
    pub async fn load(config: &ModelConfig, weights: Weights) -> Result<Self, LoadError> {
        Self::load_on(Gpu::open().await?, config, weights).await
    }

    /// Uploads the weights to a device that is already open.
    ///
    /// # Errors
    /// [`LoadError::Gpu`] if the device cannot take this model.
    pub async fn load_on(
        gpu: Gpu,
        config: &ModelConfig,
        weights: Weights,
    ) -> Result<Self, LoadError> {
        Self::check(config)?;
        // Keys and values of one position, in f16.
        let position_bytes = 4 * config.kv_width() as u64;
        let room = usize::try_from(gpu.max_binding_bytes() / position_bytes).unwrap_or(usize::MAX);
        let n_positions = (config.context_length.min(MAX_POSITIONS))
            .next_multiple_of(TILE_PLACES)
            .min(room / TILE_PLACES * TILE_PLACES);
        let config = &ModelConfig {
            context_length: config.context_length.min(n_positions),
            ..config.clone()
        };
        let n_batch = if gpu.info().is_software {
            SOFTWARE_BATCH_TOKENS
        } else {
            BATCH_TOKENS
        };
        let (batch, model, activations) = gpu
            .scoped("loading weights", || {
                Ok((
                    BatchBuffer::new(&gpu)?,
                    Model::load(&gpu, config, n_positions, weights)?,
                    Activations::new(&gpu, config, n_batch)?,
                ))
            })
            .await?;
        let (pairs, steps, choice) = gpu
            .scoped("compiling kernels", || {
                let pairs = ModelPairs::new(&gpu, config, None, n_batch)?;
                let plan = Plan {
                    gpu: &gpu,
                    config,
                    n_positions,
                    batch: &batch,
                    activations: &activations,
                    model: &model,
                    pairs: &pairs,
                };
                let steps = plan.steps()?;
                let logits = &activations.logits;
                Ok((
                    pairs,
                    steps,
                    Choice::new(&gpu, &batch, logits, config.n_vocab)?,
                ))
            })
            .await?;
        Ok(Self {
            gpu,
            config: config.clone(),
            n_positions,
            n_batch,
            n_cached: 0,
            batch,
            model,
            pairs,
            activations,
            steps,
            choice,
            read_back: None,
            text: None,
            spare: Vec::new(),
        })
    }

    /// The GPU that runs the model.
    pub fn gpu_info(&self) -> &gpu::GpuInfo {
        self.gpu.info()
    }

    /// The device, for tests that take it away and tools that count its commands.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Tokens that fit in the cache.
    pub fn context_length(&self) -> usize {
        self.config.context_length
    }

    /// Cache positions that are filled.
    pub fn n_cached(&self) -> usize {
        self.n_cached
    }

    /// Dispatches that one token takes, from its id to the next one's.
    pub fn n_dispatches(&self) -> usize {
        self.steps.body_one.len() + self.steps.head_one.len() + self.choice.ops.len()
    }

    /// Bytes of weights read per token.
    pub fn weight_bytes(&self) -> u64 {
        self.model.n_bytes()
    }

    /// True if running a few tokens at once costs little more than running one.
    pub fn is_batching_cheap(&self) -> bool {
        self.gpu.variant().reduction != Reduction::BarrierFree
    }

    /// Runs `tokens` from `position` on and returns the logits of the last one, `[V]`.
    ///
    /// Cache entries from `position` on are replaced, so a sequence can be continued from any position.
    ///
    /// # Errors
    /// [`RunError::EmptyPrompt`], [`RunError::PositionGap`], [`RunError::ContextOverflow`], [`RunError::UnknownToken`],
    /// [`RunError::NotFinite`], [`RunError::DeviceLost`]; [`RunError::Kernel`] if the device refuses a command or runs
    /// out of memory.
    pub async fn forward(
        &mut self,
        tokens: &[TokenId],
        position: usize,
    ) -> Result<Vec<f32>, RunError> {
        self.forward_last(tokens, position, 1).await
    }

    /// The same, returning the logits of the last `n` tokens, `[n, V]`.
    ///
    /// # Errors
    /// As [`GpuForward::forward`].
    ///
    /// # Panics
    /// If `n` is more than there are tokens, or than 8.
    pub async fn forward_last(
        &mut self,
        tokens: &[TokenId],
        position: usize,
        n: usize,
    ) -> Result<Vec<f32>, RunError> {
        super::check(&self.config, self.n_cached, tokens, position)?;
        assert!(
            n <= tokens.len().min(MAX_LAST),
            "logits of {n} tokens of {}",
            tokens.len()
        );
        self.gpu.check("running the model")?;
        self.end();
        let read_back = match self.read_back.take() {
            Some(buffer) => buffer,
            None => self.gpu.read_back_buffer(self.activations.logits.size())?,
        };
        let logits = &self.activations.logits;
        self.run(tokens, position, n, &[], Some((logits, &read_back)));
        // Until the logits are back, the new positions count as unwritten: losing the device must not leave a gap.
        self.n_cached = self.n_cached.min(position);
        let stride = self.config.n_vocab.next_multiple_of(4);
        let padded = self
            .gpu
            .read_floats(&read_back, n * stride, "running the model")
            .await?;
        self.read_back = Some(read_back);
        let mut logits = Vec::with_capacity(n * self.config.n_vocab);
        for row in padded.chunks_exact(stride) {
            logits.extend_from_slice(&row[..self.config.n_vocab]);
        }
        let end = position + tokens.len();
        if let Some(at) = logits.iter().position(|logit| !logit.is_finite()) {
            let position = end - n + at / self.config.n_vocab;
            return Err(RunError::NotFinite { position });
        }
        self.n_cached = end;
        Ok(logits)
    }

    /// Submits `tokens` in batches, followed by the head for the last `n` tokens and by `then`.
    fn run(
        &self,
        tokens: &[TokenId],
        position: usize,
        n: usize,
        then: &[Op],
        read_back: Option<(&wgpu::Buffer, &wgpu::Buffer)>,
    ) {
        let ids = tokens.iter().map(|token| token.0).collect::<Vec<_>>();
        // Run the remainder first, so the last batch is full and holds every token whose logits are wanted.
        let (first, rest) = ids.split_at(ids.len() % self.n_batch);
        let mut next = position;
        let mut batches = std::iter::once(first)
            .chain(rest.chunks(self.n_batch))
            .filter(|batch| !batch.is_empty())
            .peekable();
        while let Some(batch) = batches.next() {
            let n_last = if batches.peek().is_none() { n } else { 1 };
            self.batch
                .write(&self.gpu, u32_of(next), batch, u32_of(n_last));
            let body = match batch.len() {
                1 => &self.steps.body_one,
                _ => &self.steps.body_many,
            };
            let mut runs = vec![(body.as_slice(), u32_of(batch.len()))];
            let is_last = batches.peek().is_none();
            if is_last {
                // The one-token head also applies the norm that the one-token body may leave pending.
                let head = match (batch.len(), n) {
                    (1, _) => &self.steps.head_one,
                    _ => &self.steps.head_many,
                };
                runs.push((head, u32_of(n)));
                if !then.is_empty() {
                    runs.push((then, 1));
                }
            }
            self.gpu.submit(&runs, read_back.filter(|_| is_last));
            next += batch.len();
        }
    }

    /// Sets an adapter on every matrix it has a pair for, or removes the current one. Clears the cache.
    ///
    /// # Errors
    /// [`RunError::Adapter`] if it was made for another model, [`RunError::DeviceLost`]; the previous one then stays in
    /// place.
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
        let pairs = ModelPairs::new(&self.gpu, &self.config, adapter.as_ref(), self.n_batch)?;
        let plan = Plan {
            gpu: &self.gpu,
            config: &self.config,
            n_positions: self.n_positions,
            batch: &self.batch,
            activations: &self.activations,
            model: &self.model,
            pairs: &pairs,
        };
        let steps = plan.steps()?;
        self.gpu.check("putting an adapter on")?;
        (self.steps, self.pairs) = (steps, pairs);
        self.reset();
        Ok(())
    }

    /// Forgets the sequence.
    pub fn reset(&mut self) {
        self.end();
        self.n_cached = 0;
    }
}

fn u32_of(count: usize) -> u32 {
    // Counts and positions are capped at load, far below `u32::MAX`.
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

//! Turns logits on the device into the next token, and sets the batch to run it next, without the host.
//!
//! The token is the likeliest, or a draw by the Gumbel-max trick among the tokens that `top_k`, `top_p` and `min_p`
//! keep. Twin: [`crate::sample::Sampler`], with the same noise for the same seed, position and token.

use super::batch::BatchBuffer;
use super::compose::Kernel;
use super::params::param;
use super::permutations;
use crate::gpu::{Bindings, Dispatch, Gpu, GpuError, Grid, Op, Rows};
use crate::sample::{self, SampleOptions};
use crate::token::TokenId;

/// How many chosen tokens are kept for read-back.
pub(crate) const N_RESULTS: usize = 64;
/// How many recent tokens the repetition penalty covers. WGSL: `MEMORY`.
const MEMORY: usize = 64;
/// The most end tokens. WGSL: `Sampling.ends`.
pub(crate) const MAX_ENDS: usize = 16;
/// Marks a token that was not chosen because a logit was not finite. WGSL: `NONE`.
pub(crate) const NONE: u32 = u32::MAX;
/// Index of the first result in the state, in u32.
const RESULTS: usize = 4 + MEMORY;

/// How tokens are chosen. WGSL: `Sampling` in `shared/sampling.wgsl`.
#[derive(Debug, Clone, Copy, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
#[expect(
    missing_docs,
    reason = "each field's meaning stands beside its twin in WGSL"
)]
pub struct Sampling {
    pub n_vocab: u32,
    pub temperature: f32,
    pub top_k: u32,
    pub top_p: f32,
    pub min_p: f32,
    pub penalty: f32,
    pub seed: u32,
    pub n_ends: u32,
    pub ends: [u32; MAX_ENDS],
}

/// The two kernels that choose a token.
pub(super) fn kernels() -> [Kernel; 2] {
    permutations::sample()
}

/// Buffers and steps that choose a token on the device.
#[derive(Debug)]
pub(crate) struct Choice {
    sampling: wgpu::Buffer,
    state: wgpu::Buffer,
    n_vocab: usize,
    pub(crate) ops: Vec<Op>,
}

impl Choice {
    /// Plans the choice among `logits`, which sets the next batch.
    pub(crate) fn new(
        gpu: &Gpu,
        batch: &BatchBuffer,
        logits: &wgpu::Buffer,
        n_vocab: usize,
    ) -> Result<Self, GpuError> {
        let sampling = gpu.params_of("sampling", &Sampling::default())?;
        let state = gpu.storage_of("choice", &vec![0_u32; RESULTS + N_RESULTS + n_vocab])?;
        let n_parts = n_vocab.div_ceil(256);
        let best = gpu.storage_of("best", &vec![[0_u32; 2]; n_parts])?;
        let bind_group = gpu.bind(
            Bindings::Sample,
            vec![
                batch.all(),
                sampling.as_entire_buffer_binding(),
                logits.as_entire_buffer_binding(),
                state.as_entire_buffer_binding(),
                best.as_entire_buffer_binding(),
                batch.last(),
            ],
        );
        let [penalise, choose] = kernels();
        let step = |kernel: &Kernel, x| Dispatch {
            pipeline: kernel.pipeline(gpu),
            bind_group: bind_group.clone(),
            grid: Grid {
                x,
                y: Some(1),
                tokens: 1,
            },
        };
        Ok(Self {
            ops: vec![
                step(&penalise, param(n_parts.div_ceil(16))).into(),
                step(&choose, 1).into(),
            ],
            sampling,
            state,
            n_vocab,
        })
    }

    /// Starts a text after `prompt`.
    pub(crate) fn start(
        &self,
        gpu: &Gpu,
        options: &SampleOptions,
        prompt: &[TokenId],
        ends: &[TokenId],
    ) {
        let mut sampling = Sampling {
            n_vocab: param(self.n_vocab),
            // Written so that NaN is greedy here, and no penalty below.
            temperature: if options.temperature > 0.0 && options.top_p > 0.0 && options.top_k != 1 {
                options.temperature
            } else {
                0.0
            },
            top_k: param(options.top_k),
            top_p: options.top_p,
            min_p: options.min_p,
            penalty: if options.repetition_penalty > 0.0 {
                options.repetition_penalty
            } else {
                1.0
            },
            seed: sample::folded(options.seed),
            n_ends: param(ends.len().min(MAX_ENDS)),
            ends: [0; MAX_ENDS],
        };
        for (target, end) in sampling.ends.iter_mut().zip(ends) {
            *target = end.0;
        }
        gpu.write(&self.sampling, 0, bytemuck::bytes_of(&sampling));
        let mut state = vec![0_u32; RESULTS + N_RESULTS];
        if sampling.penalty != 1.0 {
            let last = &prompt[prompt.len().saturating_sub(MEMORY)..];
            state[1] = param(last.len());
            for (target, token) in state[4..].iter_mut().zip(last) {
                *target = token.0;
            }
            state.resize(RESULTS + N_RESULTS + self.n_vocab, 0);
            for token in last {
                if let Some(seen) = state.get_mut(RESULTS + N_RESULTS + token.idx()) {
                    *seen += 1;
                }
            }
        }
        gpu.write(&self.state, 0, bytemuck::cast_slice(&state));
    }

    /// The state to read back the chosen tokens from: see [`Self::tokens`].
    pub(crate) fn state(&self) -> &wgpu::Buffer {
        &self.state
    }

    /// How many u32 of the state are read back.
    pub(crate) const N_READ: usize = RESULTS + N_RESULTS;

    /// The tokens `from .. from + n` of a text, from a state that was read back.
    pub(crate) fn tokens(state: &[u32], from: usize, n: usize) -> impl Iterator<Item = u32> {
        (from..from + n).map(|idx| state[RESULTS + idx % N_RESULTS])
    }
}

/// A choice without a model, for tests and measurements.
#[derive(Debug)]
pub struct Chooser {
    choice: Choice,
}

impl Chooser {
    /// Plans the choice among `logits` for a batch.
    ///
    /// # Errors
    /// [`GpuError::BindingTooLarge`] for a vocabulary too large for a binding.
    pub fn new(
        gpu: &Gpu,
        batch: &BatchBuffer,
        logits: &Rows,
        n_vocab: usize,
    ) -> Result<Self, GpuError> {
        let choice = Choice::new(gpu, batch, &logits.buffer, n_vocab)?;
        Ok(Self { choice })
    }

    /// The token after `prompt`, or [`u32::MAX`] if a logit is not finite.
    ///
    /// # Errors
    /// Any fault of the device.
    pub async fn choose(
        &self,
        gpu: &Gpu,
        options: &SampleOptions,
        prompt: &[TokenId],
    ) -> Result<u32, GpuError> {
        self.choice.start(gpu, options, prompt, &[]);
        let read_back = gpu.read_back_buffer(4 * Choice::N_READ as u64)?;
        gpu.submit(
            &[(&self.choice.ops, 1)],
            Some((self.choice.state(), &read_back)),
        );
        let state = gpu
            .read::<u32>(&read_back, Choice::N_READ, "choosing a token")
            .await?;
        Ok(Choice::tokens(&state, 0, 1).next().unwrap_or(NONE))
    }
}

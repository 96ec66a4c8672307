//! Turns a prompt into text, token by token: one loop for every backend and target.

mod draft;
mod lock;
mod run;
mod stop;

use std::ops::ControlFlow;

use serde::Serialize;

use crate::adapter::Adapter;
use crate::config::{Architecture, ModelConfig};
use crate::error::{LoadError, RunError};
use crate::forward::{self, CpuForward, Forward, GpuForward};
use crate::gguf::Gguf;
use crate::gpu::Gpu;
use crate::parts::Parts;
use crate::sample::{SampleOptions, Sampler};
use crate::template::ChatTemplate;
use crate::token::TokenId;
use crate::tokenizer::Tokenizer;
use crate::weights::Weights;

pub use lock::WordLock;

use draft::Draft;
use lock::Locked;
use run::Runner;
use stop::{StopFilter, is_loop};

/// The backend a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendRequest {
    /// On the CPU.
    Cpu,
    /// On the GPU: WebGPU in a browser, Vulkan natively.
    Gpu,
}

/// The backend a model runs on, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Backend {
    /// `cpu`, `webgpu` or `vulkan`.
    #[cfg_attr(feature = "typescript", ts(type = r#""cpu" | "webgpu" | "vulkan""#))]
    pub kind: &'static str,
    /// The name the device reports.
    pub device: String,
    /// Why it was chosen, as a sentence for people to read.
    pub reason: String,
}

/// How much to generate, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateOptions {
    /// Most tokens to write.
    pub max_tokens: usize,
    /// How each token is chosen.
    pub sample: SampleOptions,
    /// Stop texts: each ends the generation, and is left out of its text.
    pub stop: Vec<String>,
    /// True to guess tokens from the prompt and run them as one batch ([`draft`]). The text stays the same, and comes
    /// sooner where it copies. Needs a backend that returns the logits of several tokens; ignored elsewhere.
    pub prompt_lookup: bool,
    /// Generation ends when a run of this many tokens repeats an earlier one, since small models loop; 0 disables the
    /// check.
    pub loop_tokens: usize,
    /// The words that may be written; `None` for any. With a lock, tokens are always chosen here, never on a device.
    pub lock: Option<WordLock>,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            max_tokens: 256,
            sample: SampleOptions::default(),
            stop: Vec::new(),
            prompt_lookup: true,
            loop_tokens: 0,
            lock: None,
        }
    }
}

/// Why generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// The model chose an end token.
    EndToken,
    /// The model wrote one of the stop texts.
    StopText,
    /// The caller's token limit was reached.
    MaxTokens,
    /// The context was full.
    ContextFull,
    /// The model began to repeat itself, as small models do.
    Repetition,
    /// No likely token was allowed by the lock.
    NoWord,
    /// The caller cancelled.
    Cancelled,
}

/// A generated text, and how fast it came.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Generation {
    /// The whole text.
    pub text: String,
    /// Tokens in the prompt.
    pub n_prompt_tokens: usize,
    /// Tokens of the prompt that were still in the cache from the previous run.
    pub n_cached_tokens: usize,
    /// Tokens written, not counting the end token.
    pub n_generated_tokens: usize,
    /// Runs of the model: one per token, fewer where guesses were right.
    pub n_steps: usize,
    /// Milliseconds until the first token was chosen.
    pub prefill_ms: f64,
    /// Milliseconds for all later tokens.
    pub decode_ms: f64,
    /// Why generation stopped.
    pub stop: StopReason,
}

/// A model that generates text.
#[derive(Debug)]
pub struct Generator {
    config: ModelConfig,
    tokenizer: Tokenizer,
    template: Option<ChatTemplate>,
    forward: Forward,
    backend: Backend,
    /// The tokens whose keys and values are in the cache.
    cached: Vec<TokenId>,
}

impl Generator {
    /// Loads a model, with an adapter if there is one, onto a backend; `reason` says why that backend was asked for.
    ///
    /// # Errors
    /// Any [`LoadError`]; [`LoadError::Gpu`] if no GPU can take the model: load it again on the CPU.
    pub async fn load(
        parts: Parts,
        adapter: Option<Parts>,
        backend: BackendRequest,
        reason: &str,
    ) -> Result<Self, LoadError> {
        Self::load_on(parts, adapter, backend, reason, None).await
    }

    /// As [`Generator::load`], on the device that [`GpuForward::prepare`] opened, if there is one.
    ///
    /// # Errors
    /// As [`Generator::load`].
    pub async fn load_on(
        mut parts: Parts,
        adapter: Option<Parts>,
        backend: BackendRequest,
        reason: &str,
        prepared: Option<Gpu>,
    ) -> Result<Self, LoadError> {
        let gguf = Gguf::parse(&parts)?;
        let mut config = decoder(&gguf)?;
        let tokenizer = Tokenizer::from_gguf(&gguf)?;
        let template = ChatTemplate::from_gguf(&gguf)?;
        // The adapter is small, so read it first: a wrong one fails before the slow part.
        let adapter = adapter
            .map(|parts| Adapter::load(&parts, &config))
            .transpose()?;
        if backend == BackendRequest::Gpu {
            GpuForward::check(&config)?;
        }
        let (forward, kind, device) = match backend {
            BackendRequest::Cpu => {
                let forward = CpuForward::load(&gguf, &mut parts, &config)?;
                (Forward::Cpu(Box::new(forward)), "cpu", cpu_name())
            }
            BackendRequest::Gpu => {
                let weights = Weights::load(&gguf, &mut parts, &config)?;
                let gpu = match prepared {
                    Some(gpu) => gpu,
                    None => Gpu::open().await?,
                };
                let forward = GpuForward::load_on(gpu, &config, weights).await?;
                // The generation loop must stop where the device's cache ends.
                config.context_length = forward.context_length();
                let (kind, device) = (forward.gpu_info().kind, forward.gpu_info().name.clone());
                (Forward::Gpu(Box::new(forward)), kind, device)
            }
        };
        let backend = Backend {
            kind,
            device,
            reason: reason.to_owned(),
        };
        let mut generator = Self {
            config,
            tokenizer,
            template,
            forward,
            backend,
            cached: Vec::new(),
        };
        if let Some(adapter) = adapter {
            // It was loaded for this configuration, so it fits.
            generator
                .set_adapter(Some(adapter))
                .map_err(|error| match error {
                    RunError::Adapter { source, .. } => source,
                    other => LoadError::Gpu {
                        reason: other.to_string(),
                    },
                })?;
        }
        Ok(generator)
    }

    /// Makes all the checks of [`Generator::load`] without keeping any weights. Returns the model's sizes and its
    /// template.
    ///
    /// # Errors
    /// As [`Generator::load`] on the CPU.
    pub fn check(mut parts: Parts) -> Result<(ModelConfig, Option<ChatTemplate>), LoadError> {
        let gguf = Gguf::parse(&parts)?;
        let config = decoder(&gguf)?;
        Tokenizer::from_gguf(&gguf)?;
        let template = ChatTemplate::from_gguf(&gguf)?;
        Weights::load_as(&gguf, &mut parts, &config, drop)?;
        Ok((config, template))
    }

    /// The backend the model runs on.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// The model's sizes.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The model's chat template; `None` for a model that only continues text.
    pub fn template(&self) -> Option<&ChatTemplate> {
        self.template.as_ref()
    }

    /// The forward pass itself, for callers that want logits. The cached prompt is forgotten.
    pub fn forward_mut(&mut self) -> &mut Forward {
        self.cached.clear();
        &mut self.forward
    }

    /// Replaces the adapter, or removes it.
    ///
    /// # Errors
    /// [`RunError::Adapter`] if it was made for another model; the previous one then stays in place.
    pub fn set_adapter(&mut self, adapter: Option<Adapter>) -> Result<(), RunError> {
        self.forward.set_adapter(adapter)?;
        self.cached.clear();
        Ok(())
    }

    /// Continues `prompt`, passing each piece of text to `on_text` as it is written; a break from `on_text` ends the
    /// generation.
    ///
    /// A prefix shared with the previous prompt is not run again. `now_ms` is a clock in milliseconds.
    ///
    /// # Errors
    /// [`RunError::EmptyPrompt`]; [`RunError::ContextOverflow`] for a prompt that leaves no room for even one token (it
    /// is never truncated); [`RunError::UnknownToken`], [`RunError::NotFinite`], [`RunError::DeviceLost`].
    pub async fn generate(
        &mut self,
        prompt: &[TokenId],
        options: &GenerateOptions,
        now_ms: fn() -> f64,
        mut on_text: impl AsyncFnMut(&str) -> ControlFlow<()>,
    ) -> Result<Generation, RunError> {
        let context = self.config.context_length;
        if prompt.is_empty() {
            return Err(RunError::EmptyPrompt);
        }
        if prompt.len() >= context {
            return Err(RunError::ContextOverflow {
                prompt: prompt.len(),
                context,
            });
        }
        // The last token always runs: its logits are needed.
        let shared = prompt
            .iter()
            .zip(&self.cached)
            .take_while(|(a, b)| a == b)
            .count();
        let n_cached_tokens = shared.min(prompt.len() - 1);
        let mut generation = Generation {
            text: String::new(),
            n_prompt_tokens: prompt.len(),
            n_cached_tokens,
            n_generated_tokens: 0,
            n_steps: 0,
            prefill_ms: 0.0,
            decode_ms: 0.0,
            stop: StopReason::MaxTokens,
        };
        if options.max_tokens == 0 {
            return Ok(generation);
        }

        let start = now_ms();
        let mut sampler = Sampler::new(options.sample);
        sampler.read(prompt);
        let mut runner = Runner {
            forward: &mut self.forward,
            cached: &mut self.cached,
            sample: options.sample,
            ends: self.tokenizer.ends(),
            gives_logits: options.lock.is_some(),
            has_text: false,
        };
        let mut locked = options
            .lock
            .as_ref()
            .map(|lock| Locked::new(lock, &self.tokenizer));
        let mut next = runner.first(prompt, n_cached_tokens).await?;
        let first = now_ms();
        generation.prefill_ms = first - start;
        generation.n_steps = 1;

        let n_vocab = self.config.n_vocab;
        let mut draft =
            (options.prompt_lookup && runner.forward.is_batching_cheap()).then(Draft::new);
        // The prompt, and the tokens written after it.
        let mut tokens = prompt.to_vec();
        let mut stream = self.tokenizer.stream();
        let mut text = StopFilter::new(options.stop.as_slice());
        // Guesses that ran in one batch with the last known token.
        let mut guessed: Vec<TokenId> = Vec::new();
        generation.stop = 'steps: loop {
            let mut n_right = 0;
            for idx in 0..next.len(n_vocab) {
                let Some(token) = next.token(idx, n_vocab, &sampler, locked.as_mut()) else {
                    break 'steps StopReason::NoWord;
                };
                if self.tokenizer.is_end(token) {
                    break 'steps StopReason::EndToken;
                }
                sampler.read(&[token]);
                generation.n_generated_tokens += 1;
                if let Some(piece) = stream.push(token) {
                    let (piece, is_stop) = text.push(&piece);
                    generation.text.push_str(&piece);
                    let broke = !piece.is_empty() && on_text(&piece).await.is_break();
                    if is_stop {
                        break 'steps StopReason::StopText;
                    }
                    if broke {
                        break 'steps StopReason::Cancelled;
                    }
                }
                if generation.n_generated_tokens == options.max_tokens {
                    break 'steps StopReason::MaxTokens;
                }
                tokens.push(token);
                if is_loop(&tokens[prompt.len()..], options.loop_tokens) {
                    break 'steps StopReason::Repetition;
                }
                // The next row of logits assumes the guessed token, so it is valid only if the guess was right.
                if next.is_logits() && guessed.get(n_right) != Some(&token) {
                    break;
                }
                n_right += 1;
            }
            let position = tokens.len() - 1;
            if position == context {
                break StopReason::ContextFull;
            }
            if let Some(draft) = &mut draft {
                draft.learn(guessed.len(), n_right);
                let room =
                    (context - position).min(options.max_tokens - generation.n_generated_tokens);
                guessed.clear();
                guessed.extend(draft.guess(&tokens).iter().take(room - 1));
            }
            next = runner.next(&tokens, &guessed, draft.is_some()).await?;
            generation.n_steps += next.n_steps();
        };
        runner.finish(&tokens);
        generation.decode_ms = now_ms() - first;

        // Flush the text held back in case a stop text or the rest of a character followed.
        if !matches!(
            generation.stop,
            StopReason::StopText | StopReason::Cancelled
        ) {
            let rest = text.held + &stream.finish().unwrap_or_default();
            if !rest.is_empty() {
                generation.text.push_str(&rest);
                // The text is complete: there is nothing left to cancel.
                let _ = on_text(&rest).await;
            }
        }
        Ok(generation)
    }
}

/// The sizes of a model, which must be a decoder.
fn decoder(gguf: &Gguf) -> Result<ModelConfig, LoadError> {
    let config = ModelConfig::from_gguf(gguf)?;
    if config.architecture.is_decoder() {
        return Ok(config);
    }
    Err(LoadError::UnknownArchitecture {
        expected: Architecture::DECODERS,
        found: config.architecture.name().to_owned(),
    })
}

/// The processor, as far as a library without an operating system can tell, and the instruction set of the products.
fn cpu_name() -> String {
    format!("{}, {}", std::env::consts::ARCH, forward::kernel_name())
}

#[cfg(test)]
mod tests;

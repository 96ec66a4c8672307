//! Turns tokens into logits, on the device that was chosen when the model was loaded.
//!
//! Backends are variants of one enum, so that callers and the generation loop are the same for all of them.

mod attention;
mod floats;
mod int8;
mod multiversion;
pub(crate) mod threads;
mod vector;
pub(crate) mod matrix;
pub mod cpu;
pub mod gpu;
pub(crate) mod bert;

use crate::adapter::Adapter;
use crate::config::ModelConfig;
use crate::error::RunError;
use crate::token::TokenId;

pub use cpu::CpuForward;
pub use gpu::GpuForward;

/// Name of the instruction set used for products on this CPU, or `plain`.
pub(crate) fn kernel_name() -> &'static str {
    int8::Kernel::best().name()
}

/// Values between -2 and 2 for these modules' tests, the same on every machine.
#[cfg(test)]
fn test_values(n: usize, seed: usize) -> Vec<f32> {
    (0..n)
        .map(|i| ((i * 7919 + seed * 104_729) % 2003) as f32 / 500.0 - 2.0)
        .collect()
}

/// Normalised mean squared error, for these modules' tests: the power of the difference over that of the expected
/// values.
#[cfg(test)]
pub(crate) fn test_nmse(found: &[f32], expected: &[f32]) -> f64 {
    let pairs = found.iter().zip(expected);
    let error: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
    error / expected.iter().map(|b| f64::from(*b).powi(2)).sum::<f64>()
}

/// A decoder on some device, with the cache of the sequence it is running.
#[derive(Debug)]
#[non_exhaustive]
pub enum Forward {
    /// On the CPU, natively or in wasm.
    Cpu(Box<CpuForward>),
    /// On a graphics device: WebGPU in a browser, Vulkan natively.
    Gpu(Box<GpuForward>),
}

impl Forward {
    /// Runs `tokens` from `position` on and returns the logits of the last one, `[V]`.
    ///
    /// Cache entries from `position` on are replaced, so a sequence can be continued from any position.
    ///
    /// # Errors
    /// [`RunError::EmptyPrompt`], [`RunError::PositionGap`], [`RunError::ContextOverflow`], [`RunError::UnknownToken`],
    /// [`RunError::NotFinite`]; [`RunError::DeviceLost`] and [`RunError::Kernel`] on a graphics device.
    pub async fn forward(
        &mut self,
        tokens: &[TokenId],
        position: usize,
    ) -> Result<Vec<f32>, RunError> {
        match self {
            Self::Cpu(forward) => forward.forward(tokens, position),
            Self::Gpu(forward) => forward.forward(tokens, position).await,
        }
    }

    /// As [`Forward::forward`], returning the logits of the last `n` tokens, `[n, V]`.
    ///
    /// # Errors
    /// As [`Forward::forward`].
    ///
    /// # Panics
    /// If `n` is more than this backend returns, or than there are tokens.
    pub async fn forward_last(
        &mut self,
        tokens: &[TokenId],
        position: usize,
        n: usize,
    ) -> Result<Vec<f32>, RunError> {
        match self {
            Self::Cpu(forward) => forward.forward_last(tokens, position, n),
            Self::Gpu(forward) => forward.forward_last(tokens, position, n).await,
        }
    }

    /// True if running a few tokens at once costs little more than running one.
    pub fn is_batching_cheap(&self) -> bool {
        match self {
            Self::Cpu(_) => true,
            Self::Gpu(forward) => forward.is_batching_cheap(),
        }
    }

    /// The device, if it can choose tokens by itself: see [`GpuForward::begin`], [`GpuForward::next`] and
    /// [`GpuForward::end`]. `None` on backends that only return logits.
    pub fn writer(&mut self) -> Option<&mut GpuForward> {
        match self {
            Self::Cpu(_) => None,
            Self::Gpu(forward) => Some(forward),
        }
    }

    /// Replaces the adapter, or removes it. Clears the cache.
    ///
    /// # Errors
    /// [`RunError::Adapter`] if it was made for another model; the previous one then stays in place.
    pub fn set_adapter(&mut self, adapter: Option<Adapter>) -> Result<(), RunError> {
        match self {
            Self::Cpu(forward) => forward.set_adapter(adapter),
            Self::Gpu(forward) => forward.set_adapter(adapter),
        }
    }

    /// Forgets the sequence.
    pub fn reset(&mut self) {
        match self {
            Self::Cpu(forward) => forward.reset(),
            Self::Gpu(forward) => forward.reset(),
        }
    }
}

/// The checks that every backend runs before a pass.
pub(crate) fn check(
    config: &ModelConfig,
    n_positions: usize,
    tokens: &[TokenId],
    position: usize,
) -> Result<(), RunError> {
    if tokens.is_empty() {
        return Err(RunError::EmptyPrompt);
    }
    if position > n_positions {
        return Err(RunError::PositionGap {
            expected: n_positions,
            found: position,
        });
    }
    let (prompt, context) = (position + tokens.len(), config.context_length);
    if prompt > context {
        return Err(RunError::ContextOverflow { prompt, context });
    }
    match tokens.iter().find(|token| token.idx() >= config.n_vocab) {
        Some(token) => Err(RunError::UnknownToken {
            token: token.0,
            n_vocab: config.n_vocab,
        }),
        None => Ok(()),
    }
}

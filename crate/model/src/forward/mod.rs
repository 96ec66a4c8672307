//! Turns tokens into logits.

pub mod gpu;

use crate::config::ModelConfig;
use crate::error::RunError;
use crate::token::TokenId;

/// What every backend asks of a run before it starts.
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
        return Err(RunError::PositionGap { expected: n_positions, found: position });
    }
    let (prompt, context) = (position + tokens.len(), config.context_length);
    if prompt > context {
        return Err(RunError::ContextOverflow { prompt, context });
    }
    match tokens.iter().find(|token| token.idx() >= config.n_vocab) {
        Some(token) => Err(RunError::UnknownToken { token: token.0, n_vocab: config.n_vocab }),
        None => Ok(()),
    }
}

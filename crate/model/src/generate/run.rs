//! Turns the tokens known so far into the next ones, or into logits to choose them from, and so hides whether the
//! device does the sampling.

use super::lock::Locked;
use crate::error::RunError;
use crate::forward::Forward;
use crate::sample::{SampleOptions, Sampler};
use crate::token::TokenId;

/// Command buffers in flight at a time, when no tokens are guessed.
const N_AHEAD: usize = 2;

/// A model running one text, and the contents of its cache.
pub(super) struct Runner<'g> {
    pub(super) forward: &'g mut Forward,
    /// The tokens whose keys and values are in the cache; kept in step with it, even if a run fails.
    pub(super) cached: &'g mut Vec<TokenId>,
    pub(super) sample: SampleOptions,
    /// Tokens that end a text.
    pub(super) ends: Vec<TokenId>,
    /// True if tokens must be chosen from logits, not by the device.
    pub(super) gives_logits: bool,
    /// True while the device is choosing tokens by itself.
    pub(super) has_text: bool,
}

/// The continuation of the known tokens: already chosen, or as logits to choose from.
pub(super) enum Next {
    /// `[n, V]`: for the last known token, and for each guessed one after it.
    Logits(Vec<f32>),
    /// Tokens that the device chose.
    Tokens(Vec<TokenId>),
}

impl Next {
    pub(super) fn len(&self, n_vocab: usize) -> usize {
        match self {
            Self::Logits(logits) => logits.len() / n_vocab,
            Self::Tokens(tokens) => tokens.len(),
        }
    }

    /// The token at `idx`; `None` if the lock lets none through.
    pub(super) fn token(
        &self,
        idx: usize,
        n_vocab: usize,
        sampler: &Sampler,
        lock: Option<&mut Locked<'_>>,
    ) -> Option<TokenId> {
        match self {
            Self::Logits(logits) => {
                let logits = &logits[idx * n_vocab..(idx + 1) * n_vocab];
                match lock {
                    Some(lock) => lock.choose(logits, sampler),
                    None => Some(sampler.sample(logits)),
                }
            }
            Self::Tokens(tokens) => Some(tokens[idx]),
        }
    }

    pub(super) fn is_logits(&self) -> bool {
        matches!(self, Self::Logits(_))
    }

    /// Runs of the model it took.
    pub(super) fn n_steps(&self) -> usize {
        match self {
            Self::Logits(_) => 1,
            Self::Tokens(tokens) => tokens.len(),
        }
    }
}

impl Runner<'_> {
    /// Runs the prompt after its first `n_cached` tokens.
    pub(super) async fn first(
        &mut self,
        prompt: &[TokenId],
        n_cached: usize,
    ) -> Result<Next, RunError> {
        let result = match self.writes_itself() {
            true => self.tokens(prompt, n_cached, 1).await,
            false => self.logits(&prompt[n_cached..], n_cached, 1).await,
        };
        self.settled(result)
    }

    /// Continues after `tokens`, the last of which has not run yet, and runs any `guessed` ones in the same batch.
    /// While tokens are being guessed, the device does not run ahead.
    pub(super) async fn next(
        &mut self,
        tokens: &[TokenId],
        guessed: &[TokenId],
        is_guessing: bool,
    ) -> Result<Next, RunError> {
        let position = tokens.len() - 1;
        let result = if guessed.is_empty() && self.writes_itself() {
            let n_ahead = if is_guessing { 1 } else { N_AHEAD };
            let n_known = if self.has_text {
                tokens.len()
            } else {
                position
            };
            self.tokens(tokens, n_known, n_ahead).await
        } else {
            self.finish(tokens);
            let mut run = tokens[position..].to_vec();
            run.extend_from_slice(guessed);
            self.logits(&run, position, run.len()).await
        };
        self.settled(result)
    }

    /// Ends the text the device is writing, if any, and records which of `tokens` have run and so are in the cache.
    pub(super) fn finish(&mut self, tokens: &[TokenId]) {
        if let Some(writer) = self.forward.writer()
            && std::mem::take(&mut self.has_text)
        {
            writer.end();
            let n_run = tokens.len().saturating_sub(1).min(writer.n_cached());
            self.cached.clear();
            self.cached.extend_from_slice(&tokens[..n_run]);
        }
    }

    /// True if the device can choose the tokens, and is allowed to.
    fn writes_itself(&mut self) -> bool {
        !self.gives_logits && self.forward.writer().is_some()
    }

    async fn logits(
        &mut self,
        tokens: &[TokenId],
        position: usize,
        n: usize,
    ) -> Result<Next, RunError> {
        self.cached.truncate(position);
        let logits = self.forward.forward_last(tokens, position, n).await?;
        self.cached.extend_from_slice(tokens);
        Ok(Next::Logits(logits))
    }

    /// The next tokens of the device's text; begins one, with the tokens from `n_run` on, if none is under way.
    async fn tokens(
        &mut self,
        tokens: &[TokenId],
        n_run: usize,
        n_ahead: usize,
    ) -> Result<Next, RunError> {
        let Some(writer) = self.forward.writer() else {
            return Ok(Next::Tokens(Vec::new()));
        };
        if !self.has_text {
            self.cached.truncate(n_run);
            writer.begin(&tokens[n_run..], n_run, tokens, &self.sample, &self.ends)?;
            self.has_text = true;
        }
        Ok(Next::Tokens(writer.next(n_ahead).await?))
    }

    fn settled(&mut self, result: Result<Next, RunError>) -> Result<Next, RunError> {
        if result.is_err() {
            self.forward.reset();
            self.cached.clear();
            self.has_text = false;
        }
        result
    }
}

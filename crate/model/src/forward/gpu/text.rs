//! Turns a prompt into a text whose tokens the device itself chooses and feeds back, several per command buffer, while
//! those of the previous buffer are read back.

use std::collections::VecDeque;

use super::GpuForward;
use crate::error::RunError;
use crate::gpu::Op;
use crate::kernels::sample::{self, Choice};
use crate::sample::SampleOptions;
use crate::token::TokenId;

/// Tokens per command buffer.
const SUBMIT_TOKENS: usize = 4;

/// A text being written.
#[derive(Debug)]
pub(super) struct Text {
    /// Position of the next token to submit.
    position: usize,
    /// Chosen tokens that have been read back.
    n_read: usize,
    /// Positions before the first of these tokens.
    n_before: usize,
    /// Command buffers in flight: how many tokens each chooses, and the buffer its results go to.
    in_flight: VecDeque<(usize, wgpu::Buffer)>,
}

impl GpuForward {
    /// Starts a text: runs `tokens`, the end of `prompt`, from `position` on, and lets the device choose the
    /// continuation, which ends at one of `ends`.
    ///
    /// # Errors
    /// As [`GpuForward::forward`].
    pub fn begin(
        &mut self,
        tokens: &[TokenId],
        position: usize,
        prompt: &[TokenId],
        options: &SampleOptions,
        ends: &[TokenId],
    ) -> Result<(), RunError> {
        super::super::check(&self.config, self.n_cached, tokens, position)?;
        self.gpu.check("running the model")?;
        self.end();
        // Positions count as unwritten until the tokens after them are known.
        self.n_cached = position;
        self.choice.start(&self.gpu, options, prompt, ends);
        let read_back = self.results()?;
        self.run(
            tokens,
            position,
            1,
            &self.choice.ops,
            Some((self.choice.state(), &read_back)),
        );
        let end = position + tokens.len();
        self.text = Some(Text {
            position: end,
            n_read: 0,
            n_before: end,
            in_flight: VecDeque::from([(1, read_back)]),
        });
        Ok(())
    }

    /// The next tokens of the text, with up to `n_ahead` command buffers in flight; at least one, but none after the
    /// end of the text or of the context.
    ///
    /// # Errors
    /// [`RunError::NotFinite`], [`RunError::DeviceLost`], [`RunError::Kernel`]; the text then ends.
    pub async fn next(&mut self, n_ahead: usize) -> Result<Vec<TokenId>, RunError> {
        self.queue(n_ahead)?;
        let Some(text) = &mut self.text else {
            return Ok(Vec::new());
        };
        let Some((n, buffer)) = text.in_flight.pop_front() else {
            return Ok(Vec::new());
        };
        let (from, n_before) = (text.n_read, text.n_before);
        let state = self
            .gpu
            .read::<u32>(&buffer, Choice::N_READ, "running the model")
            .await?;
        self.spare.push(buffer);
        // Fewer than requested if the text ended along the way.
        let n = n.min((state[0] as usize).saturating_sub(from));
        let tokens: Vec<TokenId> = Choice::tokens(&state, from, n).map(TokenId).collect();
        if let Some(at) = tokens.iter().position(|token| token.0 == sample::NONE) {
            self.end();
            let position = n_before + from + at;
            return Err(RunError::NotFinite {
                position: position - 1,
            });
        }
        if let Some(text) = &mut self.text {
            text.n_read += n;
            // The last token is known, but its own position may not be written yet.
            self.n_cached = n_before + text.n_read - 1;
        }
        Ok(tokens)
    }

    /// Abandons the text. Work in flight still runs, but its results are ignored.
    pub fn end(&mut self) {
        self.text = None;
    }

    /// Submits until `n_ahead` command buffers are in flight.
    fn queue(&mut self, n_ahead: usize) -> Result<(), RunError> {
        while let Some(text) = &self.text {
            let room = self.config.context_length.saturating_sub(text.position);
            let n = SUBMIT_TOKENS.min(room);
            if text.in_flight.len() >= n_ahead.max(1) || n == 0 {
                break;
            }
            let read_back = self.results()?;
            let one: [(&[Op], u32); 3] = [
                (&self.steps.body_one, 1),
                (&self.steps.head_one, 1),
                (&self.choice.ops, 1),
            ];
            let runs: Vec<_> = std::iter::repeat_n(one, n).flatten().collect();
            self.gpu
                .submit(&runs, Some((self.choice.state(), &read_back)));
            if let Some(text) = &mut self.text {
                text.position += n;
                text.in_flight.push_back((n, read_back));
            }
        }
        Ok(())
    }

    fn results(&mut self) -> Result<wgpu::Buffer, RunError> {
        match self.spare.pop() {
            Some(buffer) => Ok(buffer),
            None => Ok(self.gpu.read_back_buffer(4 * Choice::N_READ as u64)?),
        }
    }
}

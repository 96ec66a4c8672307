//! Collects the text that a template writes, up to a limit.

use std::io::{self, Write};

/// The longest prompt that a template may write, in bytes: contexts hold less than a tenth of it.
pub(super) const MAX_PROMPT_BYTES: usize = 16 << 20;

/// The prompt so far.
#[derive(Default)]
pub(super) struct Prompt(pub(super) Vec<u8>);

impl Write for Prompt {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > MAX_PROMPT_BYTES.saturating_sub(self.0.len()) {
            let reason = format!("the prompt is longer than {MAX_PROMPT_BYTES} bytes");
            return Err(io::Error::other(reason));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

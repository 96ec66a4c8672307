//! Turns tokens into text as they arrive, holding back incomplete characters.

use super::Tokenizer;
use crate::token::TokenId;

/// Decodes one sequence of tokens, token by token.
#[derive(Debug)]
pub struct TokenStream<'t> {
    tokenizer: &'t Tokenizer,
    /// Bytes of an incomplete character: at most 3 between two calls.
    held: Vec<u8>,
    /// True until something was decoded: the space before the first word is not part of the text.
    at_start: bool,
}

impl<'t> TokenStream<'t> {
    pub(super) fn new(tokenizer: &'t Tokenizer) -> TokenStream<'t> {
        TokenStream {
            tokenizer,
            held: Vec::new(),
            at_start: true,
        }
    }

    /// The text that `token` completes; `None` if there is none yet. Control tokens and ids outside the vocabulary have
    /// no text. Invalid UTF-8 becomes U+FFFD.
    pub fn push(&mut self, token: TokenId) -> Option<String> {
        let n_held = self.held.len();
        self.tokenizer.append_bytes(token, &mut self.held);
        if self.at_start && self.held.len() > n_held {
            self.at_start = false;
            if self.tokenizer.strips_first_space() && self.held.first() == Some(&b' ') {
                self.held.remove(0);
            }
        }
        let mut text = String::new();
        let mut n_done = 0;
        for chunk in self.held.utf8_chunks() {
            text.push_str(chunk.valid());
            n_done += chunk.valid().len();
            let is_cut =
                n_done + chunk.invalid().len() == self.held.len() && may_continue(chunk.invalid());
            if is_cut {
                break;
            }
            if !chunk.invalid().is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
                n_done += chunk.invalid().len();
            }
        }
        self.held.drain(..n_done);
        (!text.is_empty()).then_some(text)
    }

    /// The text still held back after the last token: U+FFFD for a character that was never completed.
    pub fn finish(self) -> Option<String> {
        (!self.held.is_empty()).then(|| String::from_utf8_lossy(&self.held).into_owned())
    }
}

/// True if more bytes could complete these to a character.
fn may_continue(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}

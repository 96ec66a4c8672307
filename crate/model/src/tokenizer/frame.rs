//! The part of tokenizing that all models share: special tokens are cut out first, the rest goes to the model's own
//! tokenizer, and the tokens around a whole text are added last.

use super::special::{Fragment, SpecialTokens};
use super::vocabulary::Vocabulary;
use crate::error::{LoadError, RunError};
use crate::gguf::Gguf;
use crate::token::TokenId;

/// A vocabulary, and the tokens put around a text.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) vocabulary: Vocabulary,
    pub(super) specials: SpecialTokens,
    /// Added before a whole text.
    first: Option<TokenId>,
    /// Added after a whole text.
    last: Option<TokenId>,
}

/// The token after a whole text, by model family.
pub(super) struct Last {
    pub(super) token: Option<TokenId>,
    /// The key that names it.
    pub(super) key: &'static str,
    /// The key that says whether it is added.
    pub(super) adds_key: &'static str,
    /// True if it is added by default.
    pub(super) adds: bool,
}

impl Frame {
    /// Reads from `gguf` which tokens go around a text. `adds_first` is the default for the first one.
    pub(super) fn from_gguf(
        gguf: &Gguf,
        vocabulary: Vocabulary,
        adds_first: bool,
        last: Last,
    ) -> Result<Frame, LoadError> {
        let first = wanted(
            gguf.opt_bool("tokenizer.ggml.add_bos_token")?
                .unwrap_or(adds_first),
            vocabulary.bos,
            "tokenizer.ggml.bos_token_id",
        )?;
        let last = wanted(
            gguf.opt_bool(last.adds_key)?.unwrap_or(last.adds),
            last.token,
            last.key,
        )?;
        Ok(Frame {
            specials: SpecialTokens::of(&vocabulary),
            vocabulary,
            first,
            last,
        })
    }

    /// The tokens before and after a whole text, if it gets both.
    pub(super) fn ends(&self) -> Option<(TokenId, TokenId)> {
        self.first.zip(self.last)
    }

    /// The tokens of `text`. `encode` appends the tokens of a piece without special ones; its flag says whether the
    /// piece starts the text or follows a special token.
    pub(super) fn encode(
        &self,
        text: &str,
        may_steer: bool,
        add_special: bool,
        encode: impl Fn(&str, bool, &mut Vec<TokenId>) -> Result<(), RunError>,
    ) -> Result<Vec<TokenId>, RunError> {
        let mut tokens = Vec::new();
        let mut after_special = true;
        for fragment in self.specials.cut(text, may_steer) {
            match fragment {
                Fragment::Token(id) => tokens.push(id),
                Fragment::Text(text) => encode(text, after_special, &mut tokens)?,
            }
            after_special = matches!(fragment, Fragment::Token(_));
        }
        if add_special {
            if let Some(first) = self.first.filter(|first| tokens.first() != Some(first)) {
                tokens.insert(0, first);
            }
            tokens.extend(self.last.filter(|last| tokens.last() != Some(last)));
        }
        Ok(tokens)
    }
}

/// `token`, if it is to be added; it must then exist.
fn wanted(is_added: bool, token: Option<TokenId>, key: &str) -> Result<Option<TokenId>, LoadError> {
    match token {
        None if is_added => Err(LoadError::MissingMetadata { key: key.into() }),
        token => Ok(token.filter(|_| is_added)),
    }
}

//! The tokenizers that encoders come with.

use std::ops::Range;

use super::unigram::UnigramTokenizer;
use super::word_piece::WordPieceTokenizer;
use super::{MODEL_KEY, unknown_model};
use crate::error::{LoadError, RunError};
use crate::gguf::Gguf;
use crate::token::TokenId;

/// The tokenizer of an encoder. A type of its own, so that a module that only searches links no generator's tokenizer.
#[derive(Debug)]
pub(crate) enum EncoderTokenizer {
    /// BERT's.
    WordPiece(WordPieceTokenizer),
    /// XLM-RoBERTa's.
    Unigram(UnigramTokenizer),
}

impl EncoderTokenizer {
    /// As [`super::Tokenizer::from_gguf`], for an encoder.
    ///
    /// # Errors
    /// As there; [`LoadError::MetadataValue`] for a tokenizer that no supported encoder has.
    pub(crate) fn from_gguf(gguf: &Gguf) -> Result<EncoderTokenizer, LoadError> {
        match gguf.string(MODEL_KEY)? {
            "bert" => WordPieceTokenizer::from_gguf(gguf).map(Self::WordPiece),
            "t5" => UnigramTokenizer::from_gguf(gguf).map(Self::Unigram),
            other => Err(unknown_model("`bert` or `t5`", other)),
        }
    }

    /// As [`super::Tokenizer::encode_text`], with the tokens that the model expects around a whole text.
    pub(crate) fn encode_text(&self, text: &str) -> Result<Vec<TokenId>, RunError> {
        match self {
            Self::WordPiece(tokenizer) => tokenizer.encode_text(text),
            Self::Unigram(tokenizer) => tokenizer.encode_text(text),
        }
    }

    /// The tokens of `text` without any around it, each with its word's byte range in `text`. Spellings of special
    /// tokens are text.
    pub(crate) fn encode_words(
        &self,
        text: &str,
    ) -> Result<(Vec<TokenId>, Vec<Range<usize>>), RunError> {
        match self {
            Self::WordPiece(tokenizer) => tokenizer.encode_words(text),
            Self::Unigram(tokenizer) => Ok(tokenizer.encode_words(text)),
        }
    }

    /// The tokens before and after a whole text: `[CLS]` and `[SEP]`, or `<s>` and `</s>`.
    pub(crate) fn ends(&self) -> Option<(TokenId, TokenId)> {
        match self {
            Self::WordPiece(tokenizer) => tokenizer.ends(),
            Self::Unigram(tokenizer) => tokenizer.ends(),
        }
    }
}

//! Turns text into tokens as BERT does: cleaned words, each cut into the longest pieces in the vocabulary.

mod clean;

use std::ops::Range;

use tokenizers::Model;
use tokenizers::models::wordpiece;

use self::clean::Cleaning;
use super::frame::{Frame, Last};
use super::sentence_piece::SPACE;
use super::vocabulary::{Kind, Vocabulary};
use crate::error::{LoadError, RunError};
use crate::gguf::Gguf;
use crate::token::TokenId;

/// BERT's own prefix for pieces inside a word. GGUF marks first pieces with `▁` instead; converted back, a `▁` in a
/// text can't be taken for the start of a word.
const INSIDE: &str = "##";

/// The tokenizer of BERT's own family.
#[derive(Debug)]
pub(crate) struct WordPieceTokenizer {
    pub(super) frame: Frame,
    pub(super) model: WordPiece,
}

impl WordPieceTokenizer {
    /// As [`super::Tokenizer::from_gguf`], for a file whose tokenizer is `bert`.
    pub(crate) fn from_gguf(gguf: &Gguf) -> Result<WordPieceTokenizer, LoadError> {
        let mut vocabulary = Vocabulary::from_gguf(gguf)?;
        vocabulary.bos = vocabulary.bos.or_else(|| vocabulary.find("[CLS]"));
        vocabulary.separator = vocabulary.separator.or_else(|| vocabulary.find("[SEP]"));
        let model = WordPiece::from_gguf(gguf, &vocabulary)?;
        let last = Last {
            token: vocabulary.separator,
            key: "tokenizer.ggml.seperator_token_id",
            adds_key: "tokenizer.ggml.add_sep_token",
            adds: true,
        };
        let frame = Frame::from_gguf(gguf, vocabulary, true, last)?;
        Ok(WordPieceTokenizer { frame, model })
    }

    /// As [`super::Tokenizer::encode_text`], with the tokens that the model expects around a whole text.
    pub(crate) fn encode_text(&self, text: &str) -> Result<Vec<TokenId>, RunError> {
        self.frame.encode(text, false, true, |piece, _, tokens| {
            self.model.encode(piece, tokens)
        })
    }

    /// The tokens of `text` without any around it, each with its word's byte range in `text`. Spellings of special
    /// tokens are text.
    pub(crate) fn encode_words(
        &self,
        text: &str,
    ) -> Result<(Vec<TokenId>, Vec<Range<usize>>), RunError> {
        let mut tokens = Vec::new();
        let mut ranges = Vec::new();
        for range in clean::word_ranges(text) {
            self.model.encode(&text[range.clone()], &mut tokens)?;
            ranges.resize(tokens.len(), range);
        }
        Ok((tokens, ranges))
    }

    /// The tokens before and after a whole text: `[CLS]` and `[SEP]`.
    pub(crate) fn ends(&self) -> Option<(TokenId, TokenId)> {
        self.frame.ends()
    }
}

/// A WordPiece vocabulary, and the cleaning of its text.
#[derive(Debug)]
pub(super) struct WordPiece {
    cleaning: Cleaning,
    model: wordpiece::WordPiece,
}

impl WordPiece {
    pub(super) fn from_gguf(gguf: &Gguf, vocabulary: &Vocabulary) -> Result<WordPiece, LoadError> {
        let lowercase = gguf
            .opt_bool("tokenizer.ggml.normalizer.lowercase")?
            .unwrap_or(true);
        let strip_accents = gguf.opt_bool("tokenizer.ggml.normalizer.strip_accents")?;
        let unknown = vocabulary.unknown.or_else(|| vocabulary.find("[UNK]"));
        let unknown = unknown.ok_or_else(|| LoadError::MissingMetadata {
            key: "tokenizer.ggml.unknown_token_id".into(),
        })?;
        let unknown_piece = vocabulary.pieces[unknown.idx()].clone();
        let mut pieces = Vec::with_capacity(vocabulary.len());
        for (id, piece, kind) in vocabulary.iter() {
            let spelling = match piece.strip_prefix(SPACE) {
                _ if kind != Kind::Normal || id == unknown => piece.to_owned(),
                Some(first) => first.to_owned(),
                None => format!("{INSIDE}{piece}"),
            };
            pieces.push((spelling, id.0));
        }
        // Reversed, so that a repeated piece keeps its first id.
        pieces.reverse();
        let model = wordpiece::WordPiece::builder()
            .vocab(
                pieces
                    .into_iter()
                    .collect::<tokenizers::models::bpe::Vocab>(),
            )
            .unk_token(unknown_piece)
            .continuing_subword_prefix(INSIDE.into())
            .build()
            .map_err(|source| LoadError::Tokenizer {
                reason: source.to_string(),
            })?;
        let cleaning = Cleaning::new(lowercase, strip_accents.unwrap_or(lowercase));
        Ok(WordPiece { cleaning, model })
    }

    /// Appends the tokens of `text`.
    pub(super) fn encode(&self, text: &str, tokens: &mut Vec<TokenId>) -> Result<(), RunError> {
        let cleaned = self.cleaning.clean(text);
        for word in clean::words(&cleaned) {
            let pieces = self
                .model
                .tokenize(word)
                .map_err(|source| RunError::Tokenize {
                    reason: source.to_string(),
                })?;
            tokens.extend(pieces.into_iter().map(|token| TokenId(token.id)));
        }
        Ok(())
    }
}

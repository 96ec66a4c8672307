//! Turns text into tokens by byte-level BPE: splits it into words, then merges pairs in the order of a list.

use tokenizers::Model;
use tokenizers::models::bpe::{BPE, Vocab};

use super::byte_level;
use super::split::Splitter;
use super::vocabulary::Vocabulary;
use crate::error::{LoadError, RunError};
use crate::gguf::Gguf;
use crate::token::TokenId;

/// A byte-level vocabulary with its list of merges.
#[derive(Debug)]
pub(super) struct BytePair {
    pub(super) splitter: Splitter,
    model: BPE,
}

impl BytePair {
    pub(super) fn from_gguf(gguf: &Gguf, vocabulary: &Vocabulary) -> Result<BytePair, LoadError> {
        const PRE: &str = "tokenizer.ggml.pre";
        let name = gguf.opt_string(PRE)?.unwrap_or("default");
        let splitter = Splitter::named(name).ok_or_else(|| LoadError::MetadataValue {
            key: PRE.into(),
            expected: "a known pre-tokenizer such as `gpt-2`, `llama-bpe`, `qwen2` or `smollm`"
                .into(),
            found: name.chars().take(64).collect(),
        })?;
        let ids = vocabulary.ids(|_| true);
        let merges = merges(gguf, |piece| ids.contains_key(piece))?;
        let vocab: Vocab = ids
            .into_iter()
            .map(|(piece, id)| (piece.to_owned(), id.0))
            .collect();
        let model = BPE::builder()
            .vocab_and_merges(vocab, merges)
            .ignore_merges(splitter.ignore_merges)
            // Its cache is thread-local and would outlive the tokenizer.
            .cache_capacity(0)
            .build()
            .map_err(|source| LoadError::Tokenizer {
                reason: source.to_string(),
            })?;
        Ok(BytePair { splitter, model })
    }

    /// Appends the tokens of `text`.
    pub(super) fn encode(&self, text: &str, tokens: &mut Vec<TokenId>) -> Result<(), RunError> {
        for word in self.splitter.split(text) {
            let merged = self
                .model
                .tokenize(&byte_level::spell(word))
                .map_err(|source| RunError::Tokenize {
                    reason: source.to_string(),
                })?;
            tokens.extend(merged.into_iter().map(|token| TokenId(token.id)));
        }
        Ok(())
    }
}

/// The merges, each checked: the builder of `BPE` panics on a merge whose result is longer than every token.
fn merges(
    gguf: &Gguf,
    is_token: impl Fn(&str) -> bool,
) -> Result<Vec<(String, String)>, LoadError> {
    const KEY: &str = "tokenizer.ggml.merges";
    let mut merged = String::new();
    let mut check = |(idx, merge): (usize, &str)| {
        // The first piece is never empty, and may itself start with a space in vocabularies that are not byte-level.
        let at = merge
            .char_indices()
            .skip(1)
            .find(|&(_, c)| c == ' ')
            .map(|(at, _)| at);
        let pair = at.map(|at| (&merge[..at], &merge[at + 1..]));
        let pair = pair.filter(|(left, right)| {
            merged.clear();
            merged.push_str(left);
            merged.push_str(right);
            is_token(left) && is_token(right) && is_token(&merged)
        });
        pair.map(|(left, right)| (left.to_owned(), right.to_owned()))
            .ok_or_else(|| LoadError::MetadataValue {
                key: KEY.into(),
                expected: format!("two tokens that make a third as merge {idx}"),
                found: merge.chars().take(64).collect(),
            })
    };
    gguf.strings(KEY)?
        .into_iter()
        .enumerate()
        .map(&mut check)
        .collect()
}

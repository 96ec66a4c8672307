//! Turns text into tokens by SentencePiece's BPE: the two neighbours that form the best-scored token merge first.
//!
//! Why not the `BPE` of `tokenizers`: it ranks *pairs*, by their place in a list, while SentencePiece ranks the *token*
//! that a pair forms. Two pairs that form the same token ("▁▁" + "▁" and "▁" + "▁▁") must tie, and then the leftmost
//! merges; a list can't express that. The list would also have to be built first, from about 100,000 pairs of new
//! strings.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};

use super::vocabulary::{Kind, Vocabulary, demand_one_per_token};
use crate::error::LoadError;
use crate::gguf::Gguf;
use crate::token::TokenId;

/// How SentencePiece spells a space.
pub(super) const SPACE: char = '▁';

/// A SentencePiece vocabulary with scores.
#[derive(Debug)]
pub(super) struct SentencePiece {
    /// Tokens that text can be merged into, with their scores.
    tokens: HashMap<String, (TokenId, f32)>,
    /// The token of each byte, the fallback for text that no token covers.
    bytes: Vec<Option<TokenId>>,
    unknown: Option<TokenId>,
    /// True if a text that starts, or follows a special token, gets a space in front.
    pub(super) add_space_prefix: bool,
}

/// A stretch of the text: one token or one character. Empty once merged into its left neighbour.
struct Symbol {
    start: usize,
    end: usize,
    previous: Option<usize>,
    next: Option<usize>,
}

/// Two neighbours that would form a token. `end` shows whether they are unchanged.
#[derive(PartialEq)]
struct Candidate {
    score: f32,
    left: Reverse<usize>,
    right: usize,
    end: usize,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score
            .total_cmp(&other.score)
            .then_with(|| self.left.cmp(&other.left))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl SentencePiece {
    pub(super) fn from_gguf(
        gguf: &Gguf,
        vocabulary: &Vocabulary,
    ) -> Result<SentencePiece, LoadError> {
        const KEY: &str = "tokenizer.ggml.scores";
        let scores = gguf.floats(KEY)?;
        demand_one_per_token(KEY, scores.len(), vocabulary.len())?;
        // Bytes and control tokens are never merged from text: a page must not be able to spell them.
        let tokens = vocabulary
            .ids(|kind| matches!(kind, Kind::Normal | Kind::Unused))
            .into_iter()
            .map(|(piece, id)| (piece.to_owned(), (id, scores[id.idx()])))
            .collect();
        let mut bytes = vec![None; 256];
        for (id, _, kind) in vocabulary.iter() {
            if let Kind::Byte(byte) = kind {
                bytes[usize::from(byte)].get_or_insert(id);
            }
        }
        let add_space_prefix = gguf
            .opt_bool("tokenizer.ggml.add_space_prefix")?
            .unwrap_or(true);
        Ok(SentencePiece {
            tokens,
            bytes,
            unknown: vocabulary.unknown,
            add_space_prefix,
        })
    }

    /// Appends the tokens of `text`, with a space in front if `prefixed`.
    pub(super) fn encode(&self, text: &str, prefixed: bool, tokens: &mut Vec<TokenId>) {
        let mut spelt = String::with_capacity(text.len() + SPACE.len_utf8());
        spelt.extend(prefixed.then_some(SPACE));
        spelt.extend(text.chars().map(|c| if c == ' ' { SPACE } else { c }));
        for symbol in self.merge(&spelt) {
            match self.tokens.get(symbol) {
                Some(&(id, _)) => tokens.push(id),
                None => self.spell_bytes(symbol, tokens),
            }
        }
    }

    /// The stretches of `text` left once no two neighbours form a token.
    fn merge<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let mut symbols: Vec<Symbol> = (0..starts.len())
            .map(|idx| Symbol {
                start: starts[idx],
                end: starts.get(idx + 1).copied().unwrap_or(text.len()),
                previous: idx.checked_sub(1),
                next: Some(idx + 1).filter(|&next| next < starts.len()),
            })
            .collect();
        let mut queue = BinaryHeap::new();
        for right in 1..symbols.len() {
            self.propose(text, &symbols, Some(right - 1), Some(right), &mut queue);
        }
        while let Some(Candidate {
            left: Reverse(left),
            right,
            end,
            ..
        }) = queue.pop()
        {
            let is_stale = symbols[left].start == symbols[left].end
                || symbols[left].next != Some(right)
                || symbols[right].end != end;
            if is_stale {
                continue;
            }
            let after = symbols[right].next;
            symbols[right].start = end;
            symbols[left].end = end;
            symbols[left].next = after;
            if let Some(after) = after {
                symbols[after].previous = Some(left);
            }
            self.propose(
                text,
                &symbols,
                symbols[left].previous,
                Some(left),
                &mut queue,
            );
            self.propose(text, &symbols, Some(left), after, &mut queue);
        }
        symbols
            .into_iter()
            .filter(|symbol| symbol.start < symbol.end)
            .map(|symbol| &text[symbol.start..symbol.end])
    }

    fn propose(
        &self,
        text: &str,
        symbols: &[Symbol],
        left: Option<usize>,
        right: Option<usize>,
        queue: &mut BinaryHeap<Candidate>,
    ) {
        let (Some(left), Some(right)) = (left, right) else {
            return;
        };
        let end = symbols[right].end;
        if let Some(&(_, score)) = self.tokens.get(&text[symbols[left].start..end]) {
            queue.push(Candidate {
                score,
                left: Reverse(left),
                right,
                end,
            });
        }
    }

    /// Appends `text` byte by byte; if a byte has no token, all of `text` becomes the unknown token, or is dropped if
    /// there is none.
    fn spell_bytes(&self, text: &str, tokens: &mut Vec<TokenId>) {
        let bytes: Option<Vec<TokenId>> = text
            .bytes()
            .map(|byte| self.bytes[usize::from(byte)])
            .collect();
        match bytes {
            Some(bytes) => tokens.extend(bytes),
            None => tokens.extend(self.unknown),
        }
    }
}

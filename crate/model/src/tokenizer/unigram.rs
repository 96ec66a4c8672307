//! Turns text into tokens by SentencePiece's unigram model: of all ways to cut a word into pieces, the likeliest (Kudo,
//! "Subword Regularization", 2018).
//!
//! Why not the `Unigram` of `tokenizers`: its trie has a hash table in every node, which takes more memory in a page than
//! the model itself. Here the pieces are sorted, and those that begin with a text are found by halving. A test compares the
//! two.

use std::ops::Range;

use super::charsmap::Charsmap;
use super::frame::{Frame, Last};
use super::seams::widen_to_words;
use super::sentence_piece::SPACE;
use super::vocabulary::{Kind, Vocabulary, demand_one_per_token};
use crate::error::{LoadError, RunError};
use crate::gguf::Gguf;
use crate::token::TokenId;

/// How much less likely an unknown character is than the least likely piece. Source: SentencePiece, `unigram_model.cc`.
const UNKNOWN_PENALTY: f64 = 10.0;
/// Longer words are cut into stretches of this many characters, which bounds the memory for one of them.
const MAX_WORD_CHARS: usize = 4096;

/// The tokenizer of an encoder with a SentencePiece vocabulary, such as XLM-RoBERTa's: GGUF's `t5`.
#[derive(Debug)]
pub(crate) struct UnigramTokenizer {
    frame: Frame,
    model: Unigram,
}

impl UnigramTokenizer {
    /// As [`super::Tokenizer::from_gguf`], for a file whose tokenizer is `t5`.
    pub(super) fn from_gguf(gguf: &Gguf) -> Result<UnigramTokenizer, LoadError> {
        let vocabulary = Vocabulary::from_gguf(gguf)?;
        let model = Unigram::from_gguf(gguf, &vocabulary)?;
        let last = Last {
            token: vocabulary.eos,
            key: "tokenizer.ggml.eos_token_id",
            adds_key: "tokenizer.ggml.add_eos_token",
            adds: true,
        };
        let frame = Frame::from_gguf(gguf, vocabulary, true, last)?;
        Ok(UnigramTokenizer { frame, model })
    }

    /// As [`super::Tokenizer::encode_text`], with the tokens that the model expects around a whole text.
    pub(super) fn encode_text(&self, text: &str) -> Result<Vec<TokenId>, RunError> {
        self.frame.encode(text, false, true, |piece, _, tokens| {
            for word in piece.split_whitespace() {
                self.model.encode_word(word, tokens, &mut Vec::new());
            }
            Ok(())
        })
    }

    /// The tokens of `text` without any around it, each with its word's byte range in `text`.
    pub(super) fn encode_words(&self, text: &str) -> (Vec<TokenId>, Vec<Range<usize>>) {
        let (mut tokens, mut ranges) = (Vec::new(), Vec::new());
        let mut of_word = Vec::new();
        for word in text.split_whitespace() {
            let start = word.as_ptr().addr() - text.as_ptr().addr();
            of_word.clear();
            self.model.encode_word(word, &mut tokens, &mut of_word);
            widen_to_words(word, &mut of_word);
            let in_text = |range: &Range<usize>| start + range.start..start + range.end;
            ranges.extend(of_word.iter().map(in_text));
        }
        (tokens, ranges)
    }

    /// The tokens before and after a whole text.
    pub(super) fn ends(&self) -> Option<(TokenId, TokenId)> {
        self.frame.ends()
    }
}

/// A vocabulary of pieces and their log probabilities.
#[derive(Debug)]
struct Unigram {
    charsmap: Charsmap,
    /// In the order of their texts, so that all pieces with the same beginning lie together.
    pieces: Vec<Piece>,
    unknown: TokenId,
    /// Log probability of a character without a piece.
    unknown_score: f64,
}

#[derive(Debug)]
struct Piece {
    text: String,
    id: TokenId,
    /// Log probability.
    score: f32,
}

/// The best way to reach a place in a word.
#[derive(Clone, Copy)]
struct Best {
    score: f64,
    /// Where its last piece starts, in characters.
    start: usize,
    /// Its last piece; `None` for an unknown character.
    piece: Option<TokenId>,
}

impl Unigram {
    fn from_gguf(gguf: &Gguf, vocabulary: &Vocabulary) -> Result<Unigram, LoadError> {
        const SCORES: &str = "tokenizer.ggml.scores";
        let scores = gguf.floats(SCORES)?;
        demand_one_per_token(SCORES, scores.len(), vocabulary.len())?;
        if let Some(place) = scores.iter().position(|score| !score.is_finite()) {
            return Err(LoadError::MetadataValue {
                key: SCORES.into(),
                expected: "finite numbers".into(),
                // Printing a float would be more code than all of this.
                found: format!("none for token {place}"),
            });
        }
        // Words are cut apart at spaces, so both must hold.
        for key in ["add_space_prefix", "remove_extra_whitespaces"] {
            let key = format!("tokenizer.ggml.{key}");
            if gguf.opt_bool(&key)? == Some(false) {
                return Err(LoadError::MetadataValue {
                    key,
                    expected: "true".into(),
                    found: "false".into(),
                });
            }
        }
        let unknown = vocabulary
            .unknown
            .ok_or_else(|| LoadError::MissingMetadata {
                key: "tokenizer.ggml.unknown_token_id".into(),
            })?;
        // A text must not be able to spell control tokens.
        let is_text = |kind| matches!(kind, Kind::Normal | Kind::UserDefined);
        let mut pieces: Vec<Piece> = vocabulary
            .iter()
            .filter(|&(id, text, kind)| is_text(kind) && !text.is_empty() && id != unknown)
            .map(|(id, text, _)| Piece {
                text: text.to_owned(),
                id,
                score: scores[id.idx()],
            })
            .collect();
        // A stable sort: of two pieces spelt alike the first wins.
        pieces.sort_by(|a, b| a.text.cmp(&b.text));
        pieces.dedup_by(|later, first| later.text == first.text);
        let least = scores.iter().copied().fold(0.0, f32::min);
        Ok(Unigram {
            charsmap: Charsmap::from_gguf(gguf)?,
            pieces,
            unknown,
            unknown_score: f64::from(least) - UNKNOWN_PENALTY,
        })
    }

    /// Appends the tokens of a word of a text, and the byte range in the word of each.
    fn encode_word(&self, word: &str, tokens: &mut Vec<TokenId>, ranges: &mut Vec<Range<usize>>) {
        let mut replaced = String::with_capacity(word.len());
        let mut origins = Vec::with_capacity(word.len());
        self.charsmap.replace(word, &mut replaced, &mut origins);
        let mut spelt = String::with_capacity(replaced.len() + SPACE.len_utf8());
        let mut ends = Vec::new();
        // A character may have been replaced by a space, or by nothing.
        for word in replaced.split_whitespace() {
            spelt.clear();
            spelt.push(SPACE);
            spelt.push_str(word);
            ends.clear();
            self.segment(&spelt, tokens, &mut ends);
            let first = word.as_ptr().addr() - replaced.as_ptr().addr();
            let origins = &origins[first..first + word.len()];
            let mut start = 0;
            for end in &ends {
                // The mark in front stands for nothing, and goes with the first character.
                let end = end.saturating_sub(SPACE.len_utf8());
                let covered = &origins[start..end.max(start + 1).min(origins.len())];
                let (from, to) = (covered.first(), covered.last());
                ranges.push(from.map_or(0, |from| from.start)..to.map_or(0, |to| to.end));
                start = end;
            }
        }
    }

    /// Appends the pieces of the likeliest segmentation, and where each ends in `word`; unknown characters in a row are
    /// one token.
    fn segment(&self, word: &str, tokens: &mut Vec<TokenId>, ends: &mut Vec<usize>) {
        let mut rest = word;
        while !rest.is_empty() {
            let end = rest
                .char_indices()
                .nth(MAX_WORD_CHARS)
                .map_or(rest.len(), |(at, _)| at);
            let (stretch, after) = rest.split_at(end);
            let first = ends.len();
            self.segment_stretch(stretch, tokens, ends);
            let before = word.len() - rest.len();
            ends[first..].iter_mut().for_each(|end| *end += before);
            rest = after;
        }
    }

    fn segment_stretch(&self, word: &str, tokens: &mut Vec<TokenId>, ends: &mut Vec<usize>) {
        let mut places: Vec<usize> = word.char_indices().map(|(at, _)| at).collect();
        let n_chars = places.len();
        places.push(word.len());
        let mut best: Vec<Option<Best>> = vec![None; n_chars + 1];
        for start in 0..n_chars {
            let before = match start {
                0 => 0.0,
                _ => best[start].map_or(f64::NEG_INFINITY, |best| best.score),
            };
            let mut reach = |end: usize, score: f64, piece: Option<TokenId>| {
                let score = before + score;
                if best[end].is_none_or(|best| score > best.score) {
                    best[end] = Some(Best {
                        score,
                        start,
                        piece,
                    });
                }
            };
            let mut is_known = false;
            let mut begun = &self.pieces[..];
            for end in start + 1..=n_chars {
                let text = &word[places[start]..places[end]];
                begun = beginning_with(begun, text);
                // The shortest comes first: the text itself, if it is a piece.
                match begun.first() {
                    None => break,
                    Some(piece) if piece.text == text => {
                        reach(end, f64::from(piece.score), Some(piece.id));
                        is_known |= end == start + 1;
                    }
                    Some(_) => {}
                }
            }
            if !is_known {
                reach(start + 1, self.unknown_score, None);
            }
        }
        let (first, first_end) = (tokens.len(), ends.len());
        let mut end = n_chars;
        while let Some(Best { start, piece, .. }) = best[end] {
            let follows_unknown = tokens.len() > first && tokens.last() == Some(&self.unknown);
            if piece.is_some() || !follows_unknown {
                tokens.push(piece.unwrap_or(self.unknown));
                ends.push(places[end]);
            }
            end = start;
        }
        tokens[first..].reverse();
        ends[first_end..].reverse();
    }
}

/// The pieces that begin with `text`, among pieces in the order of their texts.
fn beginning_with<'p>(pieces: &'p [Piece], text: &str) -> &'p [Piece] {
    let first = pieces.partition_point(|piece| piece.text.as_str() < text);
    let pieces = &pieces[first..];
    let n = pieces.partition_point(|piece| piece.text.starts_with(text));
    &pieces[..n]
}

#[cfg(test)]
#[path = "unigram_tests.rs"]
mod tests;

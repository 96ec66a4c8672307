//! Turns the reader's choice or, without a reader, the words shared with the question into a verbatim quotation of a
//! unit of a passage.

use std::cmp::Reverse;
use std::ops::Range;

use anchorite_index::{Index, lexical};
use anchorite_model::embed::Side;

use crate::answer::{Mark, Passage, Quote};
use crate::embed::Embed;
use crate::error::EngineError;
use crate::read::Candidate;
use crate::{sentence, unit};

/// The most sentences compared by meaning too, those that share most words with the question: each costs a run of the
/// embedder.
const N_COMPARED: usize = 12;
/// The most sentences of a passage considered.
const MAX_SENTENCES: usize = 1_000;
/// Weight of a sentence's meaning relative to its words; both range from 0 to 1.
const MEANING_WEIGHT: f32 = 1.0;
/// On a line of its own, marks words left out between two parts of a quotation.
const LEFT_OUT: &str = "\u{2026}";

/// The unit the reader chose, with the context it needs to be understood, and the likeliest answer marked in it.
pub fn quote(candidate: &Candidate, passage: &Passage) -> Quote {
    quotation(passage, &passage.section, candidate.span.clone(), true)
}

/// The quotation of byte range `span` of a text of `passage`.
fn quotation(passage: &Passage, text: &str, span: Range<usize>, is_marked: bool) -> Quote {
    let found = unit::quotation(text, span);
    let mut shown = String::new();
    let mut mark = None;
    for (idx, part) in found.parts.iter().enumerate() {
        if idx > 0 {
            shown.push('\n');
        }
        if found.is_apart(text, idx) {
            shown.push_str(LEFT_OUT);
            shown.push('\n');
        }
        let range = part.range.clone();
        if range.start <= found.mark.start && found.mark.end <= range.end {
            let start = units(&shown) + units(&text[range.start..found.mark.start]);
            let end = start + units(&text[found.mark.clone()]);
            mark = Some(Mark { start, end });
        }
        shown.push_str(&text[range]);
    }
    Quote {
        text: shown,
        passage: passage.number,
        mark: mark.filter(|mark| is_marked && mark.end > mark.start),
    }
}

/// Length in UTF-16 code units.
fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The quotation without a reader: the sentence of the best passage that best matches the question in terms and
/// meaning, with the context it needs to be understood.
///
/// A passage without prose (only code) is skipped. `None` when no passage has a sentence.
///
/// # Errors
/// Any error of the embedder.
pub fn by_words(
    question: &str,
    question_embedding: Option<&[f32]>,
    passages: &[Passage],
    index: &Index,
    embedder: Option<&impl Embed>,
) -> Result<Option<Quote>, EngineError> {
    for passage in passages {
        let mut sentences = sentence::sentences(&passage.text);
        sentences.truncate(MAX_SENTENCES);
        if sentences.is_empty() {
            continue;
        }
        let shares: Vec<f32> = sentences
            .iter()
            .map(|sentence| term_share(question, sentence, index))
            .collect();
        let mut order: Vec<usize> = (0..sentences.len()).collect();
        order.sort_by_key(|&idx| Reverse(shares[idx].to_bits()));
        order.truncate(N_COMPARED);
        order.sort_unstable();
        let compared: Vec<&str> = order.iter().map(|&idx| sentences[idx]).collect();
        let mut scores: Vec<f32> = order.iter().map(|&idx| shares[idx]).collect();
        if let (Some(question), Some(embedder)) = (question_embedding, embedder) {
            for (score, embedding) in scores
                .iter_mut()
                .zip(embedder.embed(Side::Passage, &compared)?)
            {
                *score += MEANING_WEIGHT * index.similarity_of(dot(question, &embedding));
            }
        }
        return Ok(best(&scores).map(|idx| {
            let start = compared[idx].as_ptr().addr() - passage.text.as_ptr().addr();
            let span = start..start + compared[idx].len();
            quotation(passage, &passage.text, span, false)
        }));
    }
    Ok(None)
}

/// Share of the question's terms, weighted by rarity, that occur in `sentence`.
fn term_share(question: &str, sentence: &str, index: &Index) -> f32 {
    let held = lexical::terms(sentence);
    let mut total = 0.0;
    let mut found = 0.0;
    for term in lexical::terms(question) {
        let weight = index.lexical.rarity(&term);
        total += weight;
        if held.contains(&term) {
            found += weight;
        }
    }
    if total > 0.0 { found / total } else { 0.0 }
}

/// Index of the highest score; the first on a tie, so the same input gives the same quotation.
fn best(scores: &[f32]) -> Option<usize> {
    (0..scores.len()).reduce(|best, idx| {
        if scores[idx] > scores[best] {
            idx
        } else {
            best
        }
    })
}

/// Cosine of two unit vectors.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_wins() {
        assert_eq!(best(&[0.1, 0.7, 0.7]), Some(1));
        assert_eq!(best(&[]), None);
    }
}

//! Turns the best passage into the one sentence of it that answers best, word for word.

use anchorite_index::{Index, lexical};

use crate::answer::{Passage, Quote};
use crate::embed::Embed;
use crate::error::EngineError;
use crate::sentence;

/// A passage holds few more sentences than this; a table turned into text may.
const MAX_SENTENCES: usize = 12;

/// How much the meaning of a sentence counts beside its words; both run from 0 to 1.
const MEANING_WEIGHT: f32 = 1.0;

/// The sentence of the best passage that holds most of the question's terms and lies nearest to its meaning.
///
/// A passage without prose (only code) gives way to the next one. `None` when no passage has a sentence.
///
/// # Errors
/// Those of the embedder.
pub fn quote(
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
        let mut scores: Vec<f32> = sentences
            .iter()
            .map(|sentence| term_share(question, sentence, index))
            .collect();
        if let (Some(question), Some(embedder)) = (question_embedding, embedder) {
            for (score, embedding) in scores.iter_mut().zip(embedder.embed(&sentences)?) {
                *score += MEANING_WEIGHT * dot(question, &embedding);
            }
        }
        return Ok(best(&scores).map(|idx| Quote {
            text: sentences[idx].to_owned(),
            passage: passage.number,
        }));
    }
    Ok(None)
}

/// Share of the question's terms, weighted by rarity, that stand in `sentence`.
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

/// Index of the highest score; the first of equals, so that the same input gives the same quotation.
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

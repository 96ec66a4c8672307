//! Turns a site's own headings and sentences into questions, without manual labels.

use anchorite::index::{ChunkIdx, Index};

/// Half of a shorter heading's words would name nothing.
const MIN_HEADING_WORDS: usize = 3;
/// A shorter sentence is a label; only the first [`MAX_SENTENCE_WORDS`] words of a sentence are used.
const MIN_SENTENCE_WORDS: usize = 8;
const MAX_SENTENCE_WORDS: usize = 40;
/// Number of words kept from a sentence.
const SENTENCE_WORDS: usize = 5;
/// Shorter words count as having no topic.
const MIN_LETTERS: usize = 4;

/// Questions from elsewhere: documentation answers them only by chance.
const FOREIGN: &str = include_str!("foreign.txt");

/// A question and its source.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Made {
    pub(super) text: String,
    /// Address of the section that answers it, and its document; `None` for a question from elsewhere.
    pub(super) home: Option<(String, u32)>,
}

/// At most `limit` questions from sections across the site; deterministic for an index.
pub(super) fn of_site(index: &Index, limit: usize) -> Vec<Made> {
    let mut sections: Vec<ChunkIdx> = Vec::new();
    let n_chunks = u32::try_from(index.n_chunks()).unwrap_or(u32::MAX);
    let mut next = 0;
    while next < n_chunks {
        let section = index.section(ChunkIdx(next));
        sections.push(ChunkIdx(next));
        next = section.end.max(next + 1);
    }
    // Take sections at a stride, to spread across the site.
    let stride = (sections.len() / limit.max(1)).max(1);
    let mut made = Vec::new();
    for offset in 0..stride {
        for chunk in sections.iter().skip(offset).step_by(stride) {
            if made.len() == limit {
                return made;
            }
            made.extend(of_section(index, *chunk));
        }
    }
    made
}

/// Questions from elsewhere.
pub(super) fn foreign() -> impl Iterator<Item = Made> {
    let lines = FOREIGN.lines().filter(|line| !line.is_empty());
    lines.map(|line| Made {
        text: line.to_owned(),
        home: None,
    })
}

fn of_section(index: &Index, idx: ChunkIdx) -> Option<Made> {
    let chunk = index.chunk(idx)?;
    let seed = idx.0 as usize;
    let text = match chunk.headings.last() {
        Some(heading) if heading.trim_end().ends_with('?') => Some(heading.clone()),
        Some(heading) if seed.is_multiple_of(2) => half(heading),
        _ => from_sentence(&chunk.text, seed),
    };
    Some(Made {
        text: text?,
        home: Some((index.url(idx), chunk.document)),
    })
}

/// The longer half of a heading's words: people rarely use its exact words.
fn half(heading: &str) -> Option<String> {
    let words: Vec<&str> = heading.split_whitespace().collect();
    if words.len() < MIN_HEADING_WORDS {
        return None;
    }
    // Short words carry little meaning, so the longer half is kept, in order.
    let mut order: Vec<usize> = (0..words.len()).collect();
    order.sort_by_key(|&idx| std::cmp::Reverse(words[idx].chars().count()));
    order.truncate(words.len() / 2);
    order.sort_unstable();
    let kept: Vec<&str> = order.into_iter().map(|idx| words[idx]).collect();
    Some(kept.join(" "))
}

/// A few topic words from one sentence of the text, in order.
fn from_sentence(text: &str, seed: usize) -> Option<String> {
    let sentences: Vec<Vec<&str>> = anchorite::sentence::sentences(text)
        .into_iter()
        .map(|sentence| {
            sentence
                .split_whitespace()
                .take(MAX_SENTENCE_WORDS)
                .collect()
        })
        .filter(|words: &Vec<&str>| words.len() >= MIN_SENTENCE_WORDS)
        .collect();
    let words = sentences.get(seed % sentences.len().max(1))?;
    let with_topic: Vec<&str> = words
        .iter()
        .map(|word| word.trim_matches(|letter: char| !letter.is_alphanumeric()))
        .filter(|word| word.chars().count() >= MIN_LETTERS)
        .collect();
    let stride = (with_topic.len() / SENTENCE_WORDS).max(1);
    let kept: Vec<&str> = with_topic
        .into_iter()
        .step_by(stride)
        .take(SENTENCE_WORDS)
        .collect();
    (kept.len() >= MIN_HEADING_WORDS).then(|| kept.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_heading_is_asked_for() {
        assert_eq!(
            half("Starting a pump by hand").as_deref(),
            Some("Starting pump")
        );
        assert_eq!(half("Installation"), None, "one word can't be halved");
    }

    #[test]
    fn a_sentence_gives_its_words_in_order() {
        let text =
            "Short. The valve opens slowly whenever the pressure behind it passes seven bar.";
        let found = from_sentence(text, 0).expect("a question");
        assert_eq!(found, "valve opens slowly whenever pressure");
    }

    #[test]
    fn no_question_from_elsewhere_is_there_twice() {
        let mut texts: Vec<String> = foreign().map(|made| made.text).collect();
        let n_texts = texts.len();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), n_texts, "questions from elsewhere");
    }
}

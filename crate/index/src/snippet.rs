//! Picks the few words of a chunk's text that show why a query found it.

use std::collections::HashSet;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::lexical::token::{TokenKind, is_unspaced};
use crate::lexical::tokenize::{is_stop_word, tokens};

/// Approximate length of a snippet, in words.
const SNIPPET_WORDS: usize = 30;
/// Number of characters that count as a word in scripts without spaces.
const UNSPACED_WORD: usize = 4;

/// The span of about 30 words of `text` that has the most of the query's words, or of the terms they were matched to
/// ([`SearchOutcome::matched_terms`](crate::SearchOutcome::matched_terms)); an ellipsis marks each cut.
///
/// It starts at a sentence if one starts nearby, and has neither fences nor line breaks.
pub fn snippet(query: &str, matched_terms: &[String], text: &str) -> String {
    let words = words(text);
    if words.len() <= SNIPPET_WORDS + SNIPPET_WORDS / 4 {
        return joined(text, &words);
    }
    let mut wanted = wanted_terms(query);
    wanted.extend(matched_terms.iter().cloned());
    let mut found: Vec<Vec<String>> = vec![Vec::new(); words.len()];
    for token in tokens(text) {
        let word = words
            .partition_point(|word| word.start <= token.place.start)
            .checked_sub(1);
        if let Some(found) = word.and_then(|word| found.get_mut(word)) {
            let parts = token.parts.into_iter().map(|part| part.term);
            let terms = [token.term, token.surface].into_iter().chain(parts);
            found.extend(terms.filter(|term| wanted.contains(term)));
        }
    }
    let mut best = (0, 0);
    for start in 0..words.len() - SNIPPET_WORDS {
        let window = &found[start..start + SNIPPET_WORDS];
        let distinct: HashSet<&String> = window.iter().flatten().collect();
        let n_found = window.iter().filter(|terms| !terms.is_empty()).count();
        let starts_sentence = start == 0
            || text[words[start - 1].clone()].ends_with(['.', '!', '?', ':', '\u{3002}']);
        // Distinct words count first, then a clean start, then the number of matches.
        let score = distinct.len() * 1000 + usize::from(starts_sentence) * 500 + n_found.min(400);
        if score > best.0 {
            best = (score, start);
        }
    }
    let (start, end) = (best.1, best.1 + SNIPPET_WORDS);
    let before = if start > 0 { "\u{2026} " } else { "" };
    let after = if end < words.len() { " \u{2026}" } else { "" };
    format!("{before}{}{after}", joined(text, &words[start..end]))
}

/// The spans of the words of `text`, without fences. Text without spaces is cut into word-sized pieces.
fn words(text: &str) -> Vec<Range<usize>> {
    let base = text.as_ptr() as usize;
    let mut words = Vec::new();
    for word in text
        .lines()
        .filter(|line| !line.starts_with("```"))
        .flat_map(str::split_whitespace)
    {
        let start = word.as_ptr() as usize - base;
        let mut from = start;
        if word.contains(is_unspaced) {
            let units = word
                .grapheme_indices(true)
                .skip(UNSPACED_WORD)
                .step_by(UNSPACED_WORD);
            for (offset, _) in units {
                words.push(from..start + offset);
                from = start + offset;
            }
        }
        words.push(from..start + word.len());
    }
    words
}

/// The words, joined by a space wherever the text has a space or a line break.
fn joined(text: &str, words: &[Range<usize>]) -> String {
    let mut joined = String::new();
    let mut end = None;
    for word in words {
        if end.is_some_and(|end| end != word.start) {
            joined.push(' ');
        }
        joined.push_str(text.get(word.clone()).unwrap_or_default());
        end = Some(word.end);
    }
    joined
}

/// The byte spans where `text` has words of the query, in order, for a page to highlight.
pub fn marks(query: &str, text: &str) -> Vec<Range<usize>> {
    let wanted = wanted_terms(query);
    tokens(text)
        .into_iter()
        .filter(|token| token.kind == TokenKind::Word)
        .filter(|token| {
            wanted.contains(&token.term)
                || token.parts.iter().any(|part| wanted.contains(&part.term))
        })
        .map(|token| token.place)
        .collect()
}

fn wanted_terms(query: &str) -> HashSet<String> {
    let tokens = tokens(query);
    let has_topic = tokens.iter().any(|token| !is_stop_word(&token.surface));
    tokens
        .into_iter()
        .filter(|token| !has_topic || !is_stop_word(&token.surface))
        .flat_map(|token| {
            let parts = token.parts.into_iter().map(|part| part.term);
            std::iter::once(token.term).chain(parts)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_shown_whole() {
        assert_eq!(
            snippet("x", &[], "One two.\n\n```rust\nlet x;\n```"),
            "One two. let x;"
        );
    }

    #[test]
    fn the_window_holds_the_words_asked_for() {
        let filler = "Nothing of note here. ".repeat(20);
        let text = format!("{filler}Functions return errors as values. {filler}");
        let found = snippet("how to return an error", &[], &text);
        assert!(
            found.contains("Functions return errors as values."),
            "{found}"
        );
        assert!(
            found.starts_with('\u{2026}') && found.ends_with('\u{2026}'),
            "cut on both sides: {found}"
        );
    }

    #[test]
    fn a_text_without_spaces_is_cut_around_its_words() {
        let text = format!(
            "{}\u{6771}\u{4eac}\u{5854}{}",
            "\u{4e00}".repeat(300),
            "\u{4e8c}".repeat(300)
        );
        let found = snippet("\u{6771}\u{4eac}", &[], &text);
        assert!(found.contains("\u{6771}\u{4eac}"), "{found}");
        assert!(found.chars().count() < 140, "{found}");
    }

    #[test]
    fn what_the_words_were_taken_for_counts() {
        let filler = "Nothing of note here. ".repeat(20);
        let text = format!("{filler}The configuration is read once. {filler}");
        let found = snippet("confgiuration", &["configur".to_owned()], &text);
        assert!(found.contains("The configuration"), "{found}");
    }

    #[test]
    fn marks_are_the_words_found() {
        let text = "Returning an Error from caf\u{e9}s";
        let found: Vec<&str> = marks("return errors", text)
            .into_iter()
            .map(|place| &text[place])
            .collect();
        assert_eq!(found, ["Returning", "Error"]);
    }
}

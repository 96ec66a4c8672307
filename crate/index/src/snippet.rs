//! Turns a chunk's text and a query into the few words that show why it was found.

use std::collections::HashSet;
use std::ops::Range;

use crate::lexical::tokenize::{TokenKind, is_stop_word, tokens};

/// About how many words a snippet has.
const SNIPPET_WORDS: usize = 30;

/// The stretch of about 30 words of `text` with the most of the query's words; an ellipsis stands where it was cut.
///
/// It starts at a sentence where one starts near, and has neither fences nor line breaks.
pub fn snippet(query: &str, text: &str) -> String {
    let words: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("```"))
        .flat_map(str::split_whitespace)
        .collect();
    if words.len() <= SNIPPET_WORDS + SNIPPET_WORDS / 4 {
        return words.join(" ");
    }
    let wanted = wanted_terms(query);
    let found: Vec<Vec<String>> = words
        .iter()
        .map(|word| {
            let terms = tokens(word)
                .into_iter()
                .flat_map(|token| std::iter::once(token.term).chain(token.parts));
            terms.filter(|term| wanted.contains(term)).collect()
        })
        .collect();
    let mut best = (0, 0);
    for start in 0..words.len() - SNIPPET_WORDS {
        let window = &found[start..start + SNIPPET_WORDS];
        let distinct: HashSet<&String> = window.iter().flatten().collect();
        let n_found = window.iter().filter(|terms| !terms.is_empty()).count();
        let starts_sentence = start == 0 || words[start - 1].ends_with(['.', '!', '?', ':']);
        // Distinct words first, then a clean start, then how often.
        let score = distinct.len() * 1000 + usize::from(starts_sentence) * 500 + n_found.min(400);
        if score > best.0 {
            best = (score, start);
        }
    }
    let (start, end) = (best.1, best.1 + SNIPPET_WORDS);
    let before = if start > 0 { "\u{2026} " } else { "" };
    let after = if end < words.len() { " \u{2026}" } else { "" };
    format!("{before}{}{after}", words[start..end].join(" "))
}

/// Where `text` has words of the query, in bytes, in order: what a page may mark.
pub fn marks(query: &str, text: &str) -> Vec<Range<usize>> {
    let wanted = wanted_terms(query);
    tokens(text)
        .into_iter()
        .filter(|token| token.kind == TokenKind::Word)
        .filter(|token| {
            wanted.contains(&token.term) || token.parts.iter().any(|part| wanted.contains(part))
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
        .flat_map(|token| std::iter::once(token.term).chain(token.parts))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_shown_whole() {
        assert_eq!(
            snippet("x", "One two.\n\n```rust\nlet x;\n```"),
            "One two. let x;"
        );
    }

    #[test]
    fn the_window_holds_the_words_asked_for() {
        let filler = "Nothing of note here. ".repeat(20);
        let text = format!("{filler}Functions return errors as values. {filler}");
        let found = snippet("how to return an error", &text);
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
    fn marks_are_the_words_found() {
        let text = "Returning an Error from caf\u{e9}s";
        let found: Vec<&str> = marks("return errors", text)
            .into_iter()
            .map(|place| &text[place])
            .collect();
        assert_eq!(found, ["Returning", "Error"]);
    }
}

//! Turns the quotation marks of a query into sequences of words that a passage must have.

use super::tokenize::{Token, TokenKind, tokens};

/// Longer quotations are compared by their first so many words.
const MAX_WORDS: usize = 32;

/// What stands between quotation marks, two words or more, as it is written but for case.
pub(crate) fn phrases(query: &str) -> Vec<Vec<String>> {
    const MARKS: [char; 6] = ['"', '\u{201c}', '\u{201d}', '\u{201e}', '\u{ab}', '\u{bb}'];
    let pieces: Vec<&str> = query.split(MARKS).collect();
    // Every second piece was opened by a mark; the last one was not closed, and is still being typed.
    let quoted = pieces
        .iter()
        .skip(1)
        .step_by(2)
        .take(pieces.len().saturating_sub(1) / 2);
    quoted
        .map(|quoted| {
            words(&tokens(quoted))
                .take(MAX_WORDS)
                .map(str::to_owned)
                .collect()
        })
        .filter(|words: &Vec<String>| words.len() > 1)
        .collect()
}

/// Whether `text` has the words of `phrase` one after the other.
pub(crate) fn contains(text: &str, phrase: &[String]) -> bool {
    let tokens = tokens(text);
    let words: Vec<&str> = words(&tokens).collect();
    words.windows(phrase.len()).any(|window| window == phrase)
}

fn words(tokens: &[Token]) -> impl Iterator<Item = &str> {
    let words = tokens.iter().filter(|token| token.kind == TokenKind::Word);
    words.map(|token| token.surface.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotations_are_taken_apart() {
        let expected = vec![vec!["returned".to_owned(), "errors".to_owned()]];
        assert_eq!(phrases("why \"Returned errors\" now"), expected);
        assert_eq!(phrases("\u{201c}returned errors\u{201d}"), expected);
        assert!(
            phrases("why \"returned errors").is_empty(),
            "not closed yet"
        );
        assert!(
            phrases("returned errors \"now\" \"\"").is_empty(),
            "one word is no sequence"
        );
    }

    #[test]
    fn a_text_has_a_phrase_or_not() {
        let phrase = ["returned".to_owned(), "errors".to_owned()];
        assert!(
            contains("The returned, `errors`.", &phrase),
            "punctuation does not part them"
        );
        assert!(
            !contains("errors returned; returning errors", &phrase),
            "order and endings count"
        );
    }
}

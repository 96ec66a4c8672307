//! Parses the quoted phrases of a query: sequences of words that a passage must have.

use super::fold::plain;
use super::token::{Token, TokenKind};
use super::tokenize::tokens;

/// Maximum words of a phrase that are compared; the rest are ignored.
const MAX_WORDS: usize = 32;

/// An opening quotation mark and the marks that close it: English, German, French, Danish, Swedish, Polish, Chinese and
/// Japanese, straight and full-width.
const MARKS: [(char, &[char]); 13] = [
    ('"', &['"']),
    ('\u{201c}', &['\u{201d}']),
    ('\u{201e}', &['\u{201c}', '\u{201d}']),
    ('\u{201d}', &['\u{201d}']),
    ('\u{ab}', &['\u{bb}']),
    ('\u{bb}', &['\u{ab}', '\u{bb}']),
    ('\u{2039}', &['\u{203a}']),
    ('\u{203a}', &['\u{2039}']),
    ('\u{300c}', &['\u{300d}']),
    ('\u{300e}', &['\u{300f}']),
    ('\u{300a}', &['\u{300b}']),
    ('\u{301d}', &['\u{301e}', '\u{301f}']),
    ('\u{ff02}', &['\u{ff02}']),
];
/// Single marks are also apostrophes: they open only before a word and close only after one.
const SINGLE_MARKS: [(char, char); 3] = [
    ('\'', '\''),
    ('\u{2018}', '\u{2019}'),
    ('\u{201a}', '\u{2018}'),
];

/// Sequences of two or more words between quotation marks, as written except for case and diacritics. An unclosed mark
/// opens nothing: its phrase is still being typed.
pub(crate) fn phrases(query: &str) -> Vec<Vec<String>> {
    quoted(query)
        .into_iter()
        .map(|quoted| words(&tokens(quoted)).take(MAX_WORDS).collect())
        .filter(|words: &Vec<String>| words.len() > 1)
        .collect()
}

/// The texts between a mark and the one that closes it, first to last.
fn quoted(query: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = query;
    let mut before = None;
    while let Some(mark) = rest.chars().next() {
        let inner = &rest[mark.len_utf8()..];
        if let Some(end) = closing(mark, before, inner) {
            found.push(&inner[..end]);
            let close = inner[end..].chars().next();
            rest = &inner[end + close.map_or(0, char::len_utf8)..];
            before = close;
        } else {
            rest = inner;
            before = Some(mark);
        }
    }
    found
}

/// Byte offset in `inner` of the mark that closes `mark`; `before` is the character in front of `mark`.
fn closing(mark: char, before: Option<char>, inner: &str) -> Option<usize> {
    if let Some((_, closing)) = MARKS.iter().find(|(open, _)| *open == mark) {
        return inner.find(*closing);
    }
    let (_, close) = SINGLE_MARKS.iter().find(|(open, _)| *open == mark)?;
    let opens = !before.is_some_and(char::is_alphanumeric)
        && inner.chars().next().is_some_and(char::is_alphanumeric);
    let mut ends = inner.match_indices(*close).filter(|(at, found)| {
        let follows = inner[at + found.len()..].chars().next();
        let is_behind_a_word = !inner[..*at].ends_with(char::is_whitespace);
        is_behind_a_word && !follows.is_some_and(char::is_alphanumeric)
    });
    ends.next().map(|(at, _)| at).filter(|_| opens)
}

/// True if `text` contains the words of `phrase` in sequence.
pub(crate) fn contains(text: &str, phrase: &[String]) -> bool {
    let tokens = tokens(text);
    let words: Vec<String> = words(&tokens).collect();
    words.windows(phrase.len()).any(|window| window == phrase)
}

fn words(tokens: &[Token]) -> impl Iterator<Item = String> {
    let words = tokens.iter().filter(|token| token.kind == TokenKind::Word);
    words.map(|token| plain(&token.surface).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotations_are_taken_apart() {
        let expected = vec![vec!["returned".to_owned(), "errors".to_owned()]];
        assert_eq!(phrases("why \"Returned errors\" now"), expected);
        assert_eq!(phrases("\u{201c}returned errors\u{201d}"), expected);
        for query in [
            "was hei\u{df}t \u{201e}returned errors\u{201c}?",
            "\u{ab} returned errors \u{bb}",
            "\u{bb}returned errors\u{ab}",
            "\u{201d}returned errors\u{201d}",
            "\u{300c}returned errors\u{300d}",
            "don't 'returned errors' it's",
            "\u{2018}returned errors\u{2019}, it\u{2019}s",
        ] {
            assert_eq!(phrases(query), expected, "{query:?}");
        }
        assert!(
            phrases("why don't users' errors return 'til now").is_empty(),
            "apostrophes quote nothing"
        );
        assert_eq!(
            phrases("'the user's errors' now").len(),
            1,
            "an apostrophe inside a word closes nothing"
        );
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

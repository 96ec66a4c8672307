//! Turns text into terms: stems of words, identifiers whole and in parts, and searchable symbols.
//!
//! Pages and queries both pass through here, so that equal text matches; [`super::fold`] defines equal. `HashMap`
//! yields `hashmap` and its parts `hash` and `map`; [`super::compound`] adds `rc<t>`, `c#`, a `?` on its own and words
//! joined at a hyphen. Scripts without spaces between words (Chinese, Japanese, Korean's endings, Thai, Lao, Khmer,
//! Burmese) yield each pair of neighbouring characters: a query's words are found wherever their pairs occur, however a
//! dictionary would have divided them.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::fold::{Folded, is_mark, plain};
use super::token::{Part, Stem, Token, TokenKind, is_unspaced, lower};
use super::{compound, english};

/// A word with more parts is data, not an identifier.
const MAX_PARTS: usize = 16;

/// All tokens of an English `text` in order.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    tokens_with(text, &english::stem)
}

/// All tokens of `text` in order, with words reduced by `stem`.
pub(crate) fn tokens_with(text: &str, stem: Stem<'_>) -> Vec<Token> {
    let mut tokens = Vec::new();
    let base = text.as_ptr() as usize;
    for span in text.split_whitespace() {
        // A fence's marker and language are not text.
        if span.starts_with("```") {
            continue;
        }
        let start = span.as_ptr() as usize - base;
        let folded = Folded::of(span);
        let n_before = tokens.len();
        span_tokens(&folded.text, stem, &mut tokens);
        for token in &mut tokens[n_before..] {
            let place = folded.original(token.place.clone());
            token.place = start + place.start..start + place.end;
        }
    }
    tokens
}

/// The tokens of one folded span between spaces, with their offsets in it.
fn span_tokens(span: &str, stem: Stem<'_>, tokens: &mut Vec<Token>) {
    let n_before = tokens.len();
    let mut run = Vec::new();
    for (place, word) in span.unicode_word_indices() {
        if !word.contains(is_unspaced) {
            flush_run(span, &mut run, tokens);
            tokens.extend(word_token(word, place, stem));
            continue;
        }
        for (offset, unit) in word.grapheme_indices(true) {
            let unit = place + offset..place + offset + unit.len();
            if run
                .last()
                .is_some_and(|last: &Range<usize>| last.end != unit.start)
            {
                flush_run(span, &mut run, tokens);
            }
            run.push(unit);
        }
    }
    flush_run(span, &mut run, tokens);
    compound::push(span, n_before, stem, tokens);
}

/// Emits each pair of neighbours in a run of units, then its last unit.
fn flush_run(text: &str, run: &mut Vec<Range<usize>>, tokens: &mut Vec<Token>) {
    let token = |kind, place: Range<usize>| {
        let surface = lower(text.get(place.clone()).unwrap_or_default());
        Token::plain(kind, place, surface)
    };
    let pairs = run.windows(2).map(|pair| pair[0].start..pair[1].end);
    tokens.extend(pairs.map(|pair| token(TokenKind::Word, pair)));
    let kind = match run.len() {
        1 => TokenKind::Word,
        _ => TokenKind::Tail,
    };
    tokens.extend(run.last().map(|last| token(kind, last.clone())));
    run.clear();
}

fn word_token(word: &str, start: usize, stem: Stem<'_>) -> Option<Token> {
    let core = without_article(word.trim_matches('_'));
    let surface = lower(core);
    surface.chars().next()?;
    let place = start..start + word.len();
    if let Some(number) = version(&surface) {
        let term = number.to_owned();
        let token = Token::plain(TokenKind::Word, place, surface);
        return Some(Token { term, ..token });
    }
    let parts = identifier_parts(core);
    if parts.len() < 2 {
        let term = plain(&stem(&surface)).into_owned();
        return (!term.is_empty()).then_some(Token {
            kind: TokenKind::Word,
            place,
            term,
            parts: Vec::new(),
            surface,
        });
    }
    let parts = parts
        .into_iter()
        .take(MAX_PARTS)
        .map(|part| {
            let surface = lower(part);
            let term = plain(&stem(&surface)).into_owned();
            Part { term, surface }
        })
        .filter(|part| part.term.chars().nth(1).is_some())
        .collect();
    let token = Token::plain(TokenKind::Word, place, surface);
    Some(Token { parts, ..token })
}

/// Articles and pronouns that French, Italian and Catalan attach to the next word if it begins with a vowel.
const ELIDED: [&str; 22] = [
    "l", "d", "j", "m", "t", "s", "n", "c", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "dell",
    "all", "nell", "sull", "dall", "coll", "quell", "un", "sant",
];

/// A word without its attached article: `eau` of `l'eau`.
fn without_article(word: &str) -> &str {
    let Some((article, rest)) = word.split_once(['\'', '\u{2019}']) else {
        return word;
    };
    let first = rest.chars().next().map(|c| c.to_ascii_lowercase());
    let elides =
        first.is_some_and(|c| "aeiouyh\u{153}\u{e6}".contains(c)) && rest.chars().nth(1).is_some();
    let is_article = || {
        ELIDED
            .iter()
            .any(|known| article.eq_ignore_ascii_case(known))
    };
    if elides && is_article() { rest } else { word }
}

/// The number of a version: `2.4.1` of `v2.4.1`.
fn version(surface: &str) -> Option<&str> {
    let number = surface.strip_prefix('v')?;
    let is_number = number.starts_with(|c: char| c.is_ascii_digit()) && number.contains('.');
    is_number.then_some(number)
}

/// A word as tokens have it, see [`Token::surface`].
#[cfg(feature = "build")]
pub(super) fn surface(word: &str) -> String {
    lower(&Folded::of(word).text)
}

/// The parts of `snake_case`, `CamelCase`, `HTTPServer` and `file.name`; one part for a plain word or number.
fn identifier_parts(word: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let parts_words = |c: char| {
        (c.is_ascii_punctuation() && c != '\'') || matches!(c, '\u{b7}' | '\u{2027}' | '\u{203f}')
    };
    for piece in word.split(parts_words) {
        if piece.is_empty() {
            continue;
        }
        let mut start = 0;
        let mut chars = piece
            .char_indices()
            .filter(|(_, c)| !is_mark(*c))
            .peekable();
        let mut before: Option<char> = None;
        while let Some((idx, current)) = chars.next() {
            let next_is_lower = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
            let at_hump = current.is_uppercase()
                && before.is_some_and(|before| {
                    before.is_lowercase()
                        || before.is_numeric()
                        || (before.is_uppercase() && next_is_lower)
                });
            if at_hump && idx > start {
                parts.push(&piece[start..idx]);
                start = idx;
            }
            before = Some(current);
        }
        parts.push(&piece[start..]);
    }
    if parts
        .iter()
        .all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    {
        parts.truncate(1); // `3.14` is one number.
    }
    parts
}

/// True for a stop word: it counts little for ranking, and nothing for coverage.
pub(crate) fn is_stop_word(surface: &str) -> bool {
    STOP_WORDS.binary_search(&surface).is_ok()
}

/// Sorted. Function words of questions; none names anything.
#[rustfmt::skip]
const STOP_WORDS: &[&str] = &[
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be",
    "because", "been", "before", "being", "between", "but", "by", "can", "can't", "cannot", "could",
    "did", "do", "does", "doesn't", "doing", "don't", "during", "each", "for", "from", "get", "had",
    "has", "have", "having", "he", "her", "here", "him", "his", "how", "i", "i'm", "if", "in",
    "into", "is", "isn't", "it", "it's", "its", "just", "let's", "like", "may", "me", "might",
    "more", "most", "must", "my", "no", "not", "of", "on", "one", "or", "other", "our", "please",
    "shall", "she", "should", "so", "some", "someone", "something", "such", "tell", "than", "that",
    "the", "their", "them", "then", "there", "these", "they", "thing", "things", "this", "those",
    "to", "too", "us", "use", "using", "very", "want", "was", "way", "we", "were", "what", "what's",
    "when", "where", "which", "while", "who", "why", "will", "with", "without", "would", "you",
    "your",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexical::token::MAX_TERM_CHARS;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = tokens(text)
            .into_iter()
            .map(|token| {
                assert!(
                    text.get(token.place.clone()).is_some(),
                    "place of {token:?}"
                );
                if token.parts.is_empty() {
                    token.term
                } else {
                    let parts: Vec<&str> =
                        token.parts.iter().map(|part| part.term.as_str()).collect();
                    format!("{}={}", token.term, parts.join("+"))
                }
            })
            .collect();
        assert_eq!(found, expected, "terms of `{text}`");
    }

    #[test]
    fn words_are_lowered_and_stemmed() {
        check(
            "Returning ERRORS, don\u{2019}t",
            &["return", "error", "don't"],
        );
        check(
            "Caf\u{e9}s \u{dc}ber-gro\u{df}",
            &["cafe", "uber", "gross", "ubergross"],
        );
        check("", &[]);
    }

    #[test]
    fn identifiers_are_kept_and_split() {
        check("unwrap_or_else", &["unwrap_or_else=unwrap+or+els"]);
        check(
            "HashMap HTTPServer",
            &["hashmap=hash+map", "httpserver=http+server"],
        );
        check("Cargo.toml (i32)", &["cargo.toml=cargo+toml", "i32"]);
        check("3.14 1_000 __init__", &["3.14", "1_000", "init"]);
        check("Strings README", &["string", "readm"]);
    }

    #[test]
    fn compounds_and_symbols_are_kept() {
        check("`Rc<T>`,", &["rc", "t", "rc<t>"]);
        check(
            "std::io::Error.",
            &["std", "io", "error", "::", "::", "std::io::error"],
        );
        check(
            "the ? operator and `->`",
            &["the", "?", "oper", "and", "->"],
        );
        check(
            "panic!, 'static &mut",
            &["panic", "panic!", "static", "'static", "mut", "&mut"],
        );
        check(
            "cargo build --release",
            &["cargo", "build", "releas", "--release"],
        );
        check("what is it? - yes.", &["what", "is", "it", "yes"]);
        check("call(a, b); x = y", &["call", "a", "b", "x", "=", "y"]);
    }

    #[test]
    fn scripts_without_spaces_give_pairs() {
        check(
            "\u{65e5}\u{672c}\u{8a9e}",
            &["\u{65e5}\u{672c}", "\u{672c}\u{8a9e}", "\u{8a9e}"],
        );
        check("\u{65e5}", &["\u{65e5}"]);
        // Latin letters and punctuation end a run.
        check(
            "Rust\u{8a00}\u{8a9e}\u{3002}\u{8a00}",
            &["rust", "\u{8a00}\u{8a9e}", "\u{8a9e}", "\u{8a00}"],
        );
        // A mark belongs to the letter below it.
        check(
            "\u{e17}\u{e35}\u{e48}\u{e19}\u{e35}",
            &["\u{e17}\u{e35}\u{e48}\u{e19}\u{e35}", "\u{e19}\u{e35}"],
        );
        check(
            "\u{30ab}\u{30bf}\u{30ab}",
            &["\u{30ab}\u{30bf}", "\u{30bf}\u{30ab}", "\u{30ab}"],
        );
        check(
            "\u{d55c}\u{ad6d}\u{c5b4}",
            &["\u{d55c}\u{ad6d}", "\u{ad6d}\u{c5b4}", "\u{c5b4}"],
        );
    }

    #[test]
    fn fences_are_no_text() {
        check("```rust\nlet x\n```", &["let", "x"]);
    }

    #[test]
    fn names_keep_their_signs() {
        check("C++, C#.", &["c", "c++", "c", "c#"]);
        check("a .NET/C# app", &["a", "net", "c", ".net", "c#", "app"]);
        check("R&D or $HOME", &["r", "d", "r&d", "or", "home", "$home"]);
        check("one. (Two) three?", &["one", "two", "three"]);
    }

    #[test]
    fn symbols_of_any_script_are_kept() {
        check("a&&b", &["a", "b", "&&"]);
        check("5\u{20ac} \u{2192}", &["5", "\u{20ac}", "\u{2192}"]);
        check("\u{ab}=>\u{bb} '||'", &["=>", "||"]);
        check(
            "\u{1f44d}\u{1f3fd} \u{2764}\u{fe0f} \u{1f468}\u{200d}\u{1f527}",
            &["\u{1f44d}", "\u{2764}", "\u{1f468}\u{200d}\u{1f527}"],
        );
        check("\u{2022} one \u{2014} two\u{2026}", &["one", "two"]);
    }

    #[test]
    fn versions_hyphens_and_articles_are_no_other_words() {
        check("v3.1.0 V3.1", &["3.1.0", "3.1"]);
        check("D\u{2019}Angelo O'Hara", &["angelo", "o'hara", "ohara"]);
        check("they're dog's", &["they'r", "dog"]);
        check("v3 vs", &["v3", "vs"]);
        check(
            "dial-up SHA-1",
            &["dial", "up", "dialup", "sha", "1", "sha1"],
        );
        check("2020-11 whole-grain", &["2020", "11", "whole", "grain"]);
        check("l\u{2019}ami d'or dell'arte", &["ami", "or", "art"]);
        check("o'clock don't d'x", &["o'clock", "oclock", "don't", "d'x"]);
    }

    #[test]
    fn long_words_differ_by_their_ends() {
        let term = |text: &str| tokens(text)[0].term.clone();
        let hash = "0123456789abcdef".repeat(4);
        let (other, upper) = (format!("{}0", &hash[..63]), hash.to_uppercase());
        assert_ne!(term(&hash), term(&other), "the last digit differs");
        assert_eq!(term(&hash), term(&upper), "case alone differs");
        for text in [&hash, &"x".repeat(10_000), &"\u{e9}".repeat(10_000)] {
            let n_chars = term(text).chars().count();
            assert!(n_chars <= MAX_TERM_CHARS, "{n_chars} of {text:.40}");
        }
    }

    #[test]
    fn stop_words_are_sorted_and_distinct() {
        assert!(
            STOP_WORDS.is_sorted_by(|a, b| a < b),
            "binary search needs order"
        );
        assert!(
            is_stop_word("how") && !is_stop_word("error"),
            "looked up by surface"
        );
    }
}

//! Turns text into terms: stems of words, identifiers whole and in parts, and the symbols that code is asked about.
//!
//! Pages and queries pass through here alike, so that what is written the same is found. `HashMap` gives `hashmap` and
//! its parts `hash` and `map`; `Rc<T>` gives `rc`, `t` and the compound `rc<t>`; a `?` that stands alone gives `?`. Scripts
//! that put no space between words (Chinese, Japanese, Korean's endings, Thai, Lao, Khmer, Burmese) give each pair of neighbours: the
//! words of a query are found wherever their pairs stand, whatever a dictionary would have cut.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::english;

/// Longer words are cut: nobody types them, and a page of base64 must not fill the dictionary.
const MAX_TERM_CHARS: usize = 40;

/// What a token is, as far as ranking cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A word or an identifier: counts for the length of a text.
    Word,
    /// A symbol, or a compound of words and symbols whose words also come as tokens of their own.
    Compound,
    /// The last character of a run without spaces, which begins no pair: pages are found by it, queries don't ask for it.
    Tail,
}

/// One place in a text and the terms it is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    /// Where it stands, in bytes.
    pub(crate) place: Range<usize>,
    /// What it is indexed as: a stem, or an identifier in lower case.
    pub(crate) term: String,
    /// An identifier's parts; empty for a plain word.
    pub(crate) parts: Vec<Part>,
    /// The word itself in lower case: what prefixes are typed of, and what is looked up among the stop words.
    pub(crate) surface: String,
}

/// One word of an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its stem.
    pub(crate) term: String,
    /// The word itself in lower case.
    pub(crate) surface: String,
}

/// Turns a word in lower case into its stem.
pub(crate) type Stem<'s> = &'s dyn Fn(&str) -> String;

/// All tokens of an English `text` in order.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    tokens_with(text, &english::stem)
}

/// All tokens of `text` in order, in a language that bends words as `stem` says.
pub(crate) fn tokens_with(text: &str, stem: Stem<'_>) -> Vec<Token> {
    let mut tokens = Vec::new();
    let base = text.as_ptr() as usize;
    for span in text.split_whitespace() {
        // A fence's mark and language are no text.
        if span.starts_with("```") {
            continue;
        }
        let start = span.as_ptr() as usize - base;
        let n_before = tokens.len();
        let mut run = Vec::new();
        for (offset, word) in span.unicode_word_indices() {
            let place = start + offset;
            if !word.contains(is_unspaced) {
                flush_run(text, &mut run, &mut tokens);
                tokens.extend(word_token(word, place, stem));
                continue;
            }
            for (offset, unit) in word.grapheme_indices(true) {
                let unit = place + offset..place + offset + unit.len();
                if run
                    .last()
                    .is_some_and(|last: &Range<usize>| last.end != unit.start)
                {
                    flush_run(text, &mut run, &mut tokens);
                }
                run.push(unit);
            }
        }
        flush_run(text, &mut run, &mut tokens);
        tokens.extend(compound_token(span, start, tokens.len() > n_before));
    }
    tokens
}

/// Whether words with this character are written without spaces between them.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' // Thai, Lao
        | '\u{1000}'..='\u{109f}' // Burmese
        | '\u{1780}'..='\u{17ff}' // Khmer
        | '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7ff}' // Korean
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{312f}' | '\u{31f0}'..='\u{31ff}' // Japanese
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' // Chinese
        | '\u{ff66}'..='\u{ff9f}'
        | '\u{20000}'..='\u{3ffff}')
}

/// The pairs of neighbours in a run of units, and what stands alone.
fn flush_run(text: &str, run: &mut Vec<Range<usize>>, tokens: &mut Vec<Token>) {
    let token = |kind, place: Range<usize>| {
        let term = lower(text.get(place.clone()).unwrap_or_default());
        Token {
            kind,
            place,
            surface: term.clone(),
            term,
            parts: Vec::new(),
        }
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
    let core = word.trim_matches('_');
    let lowercase = lower(core);
    lowercase.chars().next()?;
    let place = start..start + word.len();
    let parts = identifier_parts(core);
    if parts.len() < 2 {
        let term = stem(&lowercase);
        return (!term.is_empty()).then_some(Token {
            kind: TokenKind::Word,
            place,
            term,
            parts: Vec::new(),
            surface: lowercase,
        });
    }
    let parts = parts
        .into_iter()
        .map(|part| {
            let surface = lower(part);
            let term = stem(&surface);
            Part { term, surface }
        })
        .filter(|part| part.term.chars().nth(1).is_some())
        .collect();
    Some(Token {
        kind: TokenKind::Word,
        place,
        term: lowercase.clone(),
        parts,
        surface: lowercase,
    })
}

/// Lower case, straight apostrophes, bounded length.
fn lower(word: &str) -> String {
    word.chars()
        .take(MAX_TERM_CHARS)
        .flat_map(char::to_lowercase)
        .map(|c| if c == '\u{2019}' { '\'' } else { c })
        .collect()
}

/// The parts of `snake_case`, `CamelCase`, `HTTPServer` and `file.name`; one part for a plain word or number.
fn identifier_parts(word: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for piece in word.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '\u{2019}') {
        if piece.is_empty() {
            continue;
        }
        let mut start = 0;
        let mut chars = piece.char_indices().peekable();
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

/// `Rc<T>`, `io::Error`, `println!`, `&mut`, `'static`, `--release` whole; or a symbol that stands alone.
fn compound_token(span: &str, start: usize, has_words: bool) -> Option<Token> {
    let span_start = span.as_ptr() as usize;
    let mut core = span.trim_matches(['"', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2026}']);
    if core.is_empty() {
        return None;
    }
    if has_words {
        core = core
            .trim_start_matches(['(', '[', '{'])
            .trim_end_matches(['.', ',', ';', ':', '?', ')', ']', '}', '"', '`', '\u{2019}']);
        core = core.trim_matches(['"', '`']);
        let inner = |c: char| c.is_alphanumeric() || "_:<>&!,'-#*".contains(c);
        let is_compound = core.contains("::")
            || (core.contains('<') && core.ends_with('>'))
            || core.starts_with(['&', '\'', '#', '*'])
            || core.starts_with("--")
            || core.ends_with('!');
        if !is_compound || core.chars().count() > MAX_TERM_CHARS || !core.chars().all(inner) {
            return None;
        }
    } else {
        if core.len() > 1 && core != "()" && core != ".." && core != "..." {
            core = core
                .trim_start_matches(['(', '`'])
                .trim_end_matches(['.', ',', ';', ')', '`']);
        }
        let is_symbol = (1..=4).contains(&core.len())
            && core.bytes().all(|byte| byte.is_ascii_punctuation())
            && !matches!(
                core,
                "." | "," | ";" | "-" | "--" | "---" | "(" | ")" | "\"" | "'" | "{" | "}"
            );
        if !is_symbol {
            return None;
        }
    }
    let offset = start + (core.as_ptr() as usize - span_start);
    let term = lower(core);
    Some(Token {
        kind: TokenKind::Compound,
        place: offset..offset + core.len(),
        surface: term.clone(),
        term,
        parts: Vec::new(),
    })
}

/// Whether a word of a question carries no topic: it counts little for ranking, and nothing for coverage.
pub(crate) fn is_stop_word(surface: &str) -> bool {
    STOP_WORDS.binary_search(&surface).is_ok()
}

/// Sorted. Words that glue questions together; none that names anything.
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
            &["caf\u{e9}s", "\u{fc}ber", "gro\u{df}"],
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
        check("std::io::Error.", &["std", "io", "error", "std::io::error"]);
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
    fn endless_words_are_cut() {
        let found = tokens(&"x".repeat(10_000));
        assert_eq!(found[0].term.len(), MAX_TERM_CHARS);
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

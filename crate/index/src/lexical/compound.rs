//! Turns a span between spaces into terms beyond its words: `rc<t>`, `c#`, `&&`, pictographs, and words joined at a
//! hyphen.

use unicode_segmentation::UnicodeSegmentation;

use super::fold::{is_pictograph, is_tone, plain};
use super::token::{MAX_TERM_CHARS, Stem, Token, TokenKind, lower};

/// Quotation marks.
const QUOTES: [char; 11] = [
    '"', '`', '\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{ab}', '\u{bb}',
    '\u{300c}', '\u{300d}',
];
/// Maximum length of a word made by dropping a hyphen, in characters.
const MAX_JOINED: usize = 20;
/// A hyphen is dropped only next to a word of at most this many characters: `e-mail`, `set-up`; `whole-grain` is never
/// one word.
const SHORT_WORD: usize = 4;

/// Appends the compounds of the folded `span`, whose words are already in `tokens`, from `n_before` on.
pub(super) fn push(span: &str, n_before: usize, stem: Stem<'_>, tokens: &mut Vec<Token>) {
    let has_words = tokens.len() > n_before;
    if has_words {
        hyphenated(span, n_before, stem, tokens);
        apostrophised(n_before, stem, tokens);
        operators(span, tokens);
        for piece in span.split('/') {
            let core = piece.trim_matches(|c: char| {
                "\"`'(),;:!?[]{}\u{201c}\u{201d}\u{2018}\u{2019}\u{2026}".contains(c)
            });
            let core = core.trim_end_matches('.');
            tokens.extend(is_name(core).then(|| compound(span, core)));
        }
    }
    tokens.extend(code(span, has_words).map(|core| compound(span, core)));
    if !span.is_ascii() {
        for (at, unit) in span.grapheme_indices(true) {
            if unit.starts_with(is_pictograph) {
                let toneless: String = unit.chars().filter(|c| !is_tone(*c)).collect();
                let place = at..at + unit.len();
                let token = Token::plain(TokenKind::Compound, place, lower(unit));
                let term = lower(&toneless);
                tokens.push(Token { term, ..token });
            }
        }
    }
}

/// A part of the span, indexed as written.
fn compound(span: &str, core: &str) -> Token {
    let at = core.as_ptr() as usize - span.as_ptr() as usize;
    Token::plain(TokenKind::Compound, at..at + core.len(), lower(core))
}

/// True if a word and its signs form a name: `C#`, `C++`, `.NET`, `@media`, `$HOME`, `R&D`. Without the signs it would
/// be a different word, so its words count little next to the name.
pub(super) fn is_name(core: &str) -> bool {
    let word = core.trim_start_matches(['.', '@', '$']);
    let name = word.trim_end_matches(['#', '+']);
    let (n_before, n_behind) = (core.len() - word.len(), word.len() - name.len());
    let is_word = |text: &str| {
        text.chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
    };
    if let Some((first, second)) = name.split_once('&') {
        let is_short = (3..=7).contains(&core.len());
        return is_short
            && !first.is_empty()
            && !second.is_empty()
            && is_word(first)
            && is_word(second);
    }
    let begins = name.starts_with(char::is_alphabetic) && core.chars().count() <= MAX_TERM_CHARS;
    begins && is_word(name) && n_before <= 1 && n_behind <= 2 && n_before + n_behind > 0
}

/// Joins the words on both sides of a hyphen: `UTF-8` is also written `UTF8`, and `e-mail` `email`.
fn hyphenated(span: &str, n_before: usize, stem: Stem<'_>, tokens: &mut Vec<Token>) {
    if !span.contains('-') {
        return;
    }
    let words = &tokens[n_before..];
    let mut joined = Vec::new();
    let mut first = 0;
    while first < words.len() {
        let is_joined =
            |pair: &&[Token]| span.get(pair[0].place.end..pair[1].place.start) == Some("-");
        let n_joined = words[first..].windows(2).take_while(is_joined).count();
        let chain = &words[first..=first + n_joined];
        first += n_joined + 1;
        let n_chars = |word: &Token| word.surface.chars().count();
        let is_short = chain.iter().any(|word| n_chars(word) <= SHORT_WORD);
        let has_letters = chain
            .iter()
            .any(|word| word.surface.contains(char::is_alphabetic));
        let fits = (2..=3).contains(&chain.len())
            && chain.iter().map(n_chars).sum::<usize>() <= MAX_JOINED;
        if fits && is_short && has_letters && chain.iter().all(Token::is_plain_word) {
            let surface: String = chain.iter().map(|word| word.surface.as_str()).collect();
            let place = chain[0].place.start..chain[chain.len() - 1].place.end;
            let term = plain(&stem(&surface)).into_owned();
            joined.push(Token {
                term,
                ..Token::plain(TokenKind::Tail, place, surface)
            });
        }
    }
    tokens.append(&mut joined);
}

/// Names that people type without their apostrophe: `O'Reilly` as `oreilly`. The endings that English adds after one
/// (`'s`, `'re`, `'ll`) are shorter.
fn apostrophised(n_before: usize, stem: Stem<'_>, tokens: &mut Vec<Token>) {
    let joined: Vec<Token> = tokens[n_before..]
        .iter()
        .filter(|token| token.is_plain_word())
        .filter_map(|token| {
            let (first, second) = token.surface.split_once('\'')?;
            let is_name = !first.is_empty()
                && second.chars().nth(2).is_some()
                && second.chars().all(char::is_alphabetic)
                && token.surface.chars().count() <= MAX_JOINED;
            let surface = format!("{first}{second}");
            let term = plain(&stem(&surface)).into_owned();
            is_name.then(|| Token {
                term,
                ..Token::plain(TokenKind::Tail, token.place.clone(), surface)
            })
        })
        .collect();
    tokens.extend(joined);
}

/// Operators of two or three characters between words without spaces: `a&&b`, `x=>y`, `std::io`.
fn operators(span: &str, tokens: &mut Vec<Token>) {
    let bytes = span.as_bytes();
    let is_operator = |at: usize| {
        bytes
            .get(at)
            .is_some_and(|byte| b"&|=<>!?:+*^~-%".contains(byte))
    };
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_)]".contains(&byte) || byte >= 0x80;
    let mut at = 1;
    while at < bytes.len() {
        let end = (at..bytes.len())
            .find(|&end| !is_operator(end))
            .unwrap_or(bytes.len());
        let is_between = is_word(bytes[at - 1])
            && bytes
                .get(end)
                .is_some_and(|&byte| is_word(byte) || byte == b'(');
        if (2..=3).contains(&(end - at)) && is_between && &bytes[at..end] != b"--" {
            let operator = span[at..end].to_owned();
            tokens.push(Token::plain(TokenKind::Tail, at..end, operator));
        }
        at = end.max(at + 1);
    }
}

/// `Rc<T>`, `io::Error`, `println!`, `&mut`, `'static`, `--release` whole; or a symbol on its own.
fn code(span: &str, has_words: bool) -> Option<&str> {
    let mut core = span.trim_matches(QUOTES);
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
        let is_kept =
            is_compound && core.chars().count() <= MAX_TERM_CHARS && core.chars().all(inner);
        // Names already have terms of their own.
        return (is_kept && !is_name(core)).then_some(core);
    }
    if core.len() > 1 && core != "()" && core != ".." && core != "..." {
        core = core
            .trim_start_matches(['(', '`', '\''])
            .trim_end_matches(['.', ',', ';', ')', '`', '\'']);
    }
    let is_symbol = (1..=4).contains(&core.len())
        && core.bytes().all(|byte| byte.is_ascii_punctuation())
        && !matches!(
            core,
            "." | "," | ";" | "-" | "---" | "(" | ")" | "\"" | "'" | "{" | "}"
        );
    is_symbol.then_some(core)
}

//! Defines a token: a span of a text, and the terms that it is found by.

use std::ops::Range;

use super::fold::plain;

/// Longer words are shortened: nobody types them, and a page of base64 must not fill the dictionary.
pub(super) const MAX_TERM_CHARS: usize = 40;
/// Characters kept of a shortened word; a hash tells the rest apart, because digests often begin alike.
pub(super) const KEPT_CHARS: usize = 32;

/// The kind of a token, as far as ranking cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A word or an identifier: counts for the length of a text.
    Word,
    /// A symbol, or a compound of words and symbols whose words also come as tokens of their own.
    Compound,
    /// A token that pages are indexed under and queries never look up: the last character of a run without spaces,
    /// which begins no pair, words joined at a hyphen or an apostrophe, and operators without spaces around them.
    Tail,
}

/// One span of a text and the terms that it is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    /// Its byte span.
    pub(crate) place: Range<usize>,
    /// The term it is indexed under: a stem, or an identifier in lower case, without diacritics.
    pub(crate) term: String,
    /// An identifier's parts; empty for a plain word.
    pub(crate) parts: Vec<Part>,
    /// The word itself, folded and in lower case: determines the class of its form, and is checked against the stop words.
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

/// Turns a folded word in lower case into its stem.
pub(crate) type Stem<'s> = &'s dyn Fn(&str) -> String;

impl Token {
    /// A token indexed as written.
    pub(super) fn plain(kind: TokenKind, place: Range<usize>, surface: String) -> Self {
        let term = plain(&surface).into_owned();
        Token {
            kind,
            place,
            term,
            parts: Vec::new(),
            surface,
        }
    }

    /// True for a single word between spaces or signs that is not a compound identifier.
    pub(super) fn is_plain_word(&self) -> bool {
        self.kind == TokenKind::Word && self.parts.is_empty() && !self.surface.contains(is_unspaced)
    }
}

/// True if words with this character are written without spaces between them.
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

/// A folded word in lower case, with straight apostrophes and one small sigma, in bounded length.
pub(super) fn lower(word: &str) -> String {
    // FNV-1a over characters.
    let mix = |hash: u64, c: char| (hash ^ u64::from(c)).wrapping_mul(0x0100_0000_01b3);
    let mut lower = String::with_capacity(word.len());
    let mut rest: Option<u64> = None;
    for (idx, c) in word.chars().flat_map(char::to_lowercase).enumerate() {
        let c = match c {
            '\u{2019}' | '\u{2bc}' => '\'',
            '\u{3c2}' => '\u{3c3}',
            // A dotted capital leaves a combining dot in lower case, which every small i already has.
            '\u{307}' if lower.ends_with('i') => continue,
            other => other,
        };
        if idx < MAX_TERM_CHARS {
            lower.push(c);
        } else {
            rest = Some(mix(rest.unwrap_or(0xcbf2_9ce4_8422_2325), c));
        }
    }
    let Some(rest) = rest else {
        return lower;
    };
    let kept = lower.char_indices().nth(KEPT_CHARS);
    let tail = lower.split_off(kept.map_or(lower.len(), |(at, _)| at));
    let rest = tail.chars().fold(rest, mix);
    for digit in 0..8 {
        let five = u32::try_from(rest >> (24 + 5 * digit) & 31).unwrap_or(0);
        lower.extend(char::from_digit(five, 32));
    }
    lower
}

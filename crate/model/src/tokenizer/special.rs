//! Cuts a text at special tokens, found by their exact spelling before any other step.

use std::borrow::Cow;

use super::vocabulary::{Kind, Vocabulary};
use crate::token::TokenId;

/// A stretch of a text: a token found by its spelling, or the text between two such tokens.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fragment<'t> {
    Text(&'t str),
    Token(TokenId),
}

/// The tokens found by spelling, grouped by first byte, longest first.
#[derive(Debug)]
pub(super) struct SpecialTokens {
    by_first_byte: Vec<Vec<Special>>,
}

#[derive(Debug)]
struct Special {
    spelling: String,
    id: TokenId,
    /// True if it is found in every text, not only in text that may steer the model.
    always: bool,
}

impl Special {
    /// True if it may mark a turn: some files list `<start_of_turn>` as user-defined, next to runs of spaces.
    fn steers(&self) -> bool {
        !self.always || (self.spelling.starts_with('<') && self.spelling.ends_with('>'))
    }
}

/// An invisible character (U+2060): splits a token's spelling without changing how the text reads.
const WORD_JOINER: char = '\u{2060}';

impl SpecialTokens {
    pub(super) fn of(vocabulary: &Vocabulary) -> SpecialTokens {
        let mut by_first_byte: Vec<Vec<Special>> = (0..256).map(|_| Vec::new()).collect();
        for (id, piece, kind) in vocabulary.iter() {
            let Some(&first) = piece.as_bytes().first() else {
                continue;
            };
            if let Kind::Control | Kind::Unknown | Kind::UserDefined = kind {
                let always = kind == Kind::UserDefined;
                by_first_byte[usize::from(first)].push(Special {
                    spelling: piece.into(),
                    id,
                    always,
                });
            }
        }
        for specials in &mut by_first_byte {
            // A stable sort: of two tokens spelt alike the first wins.
            specials.sort_by_key(|special| std::cmp::Reverse(special.spelling.len()));
        }
        SpecialTokens { by_first_byte }
    }

    /// The fragments of `text`, in order; of overlapping tokens the leftmost wins, then the longest.
    ///
    /// Control tokens are found only if `may_steer`.
    pub(super) fn cut<'t>(&self, text: &'t str, may_steer: bool) -> Vec<Fragment<'t>> {
        let mut fragments = Vec::new();
        let (mut start, mut pos) = (0, 0);
        while pos < text.len() {
            let rest = &text.as_bytes()[pos..];
            let found = self.by_first_byte[usize::from(rest[0])]
                .iter()
                .find(|special| {
                    (special.always || may_steer) && rest.starts_with(special.spelling.as_bytes())
                });
            let Some(special) = found else {
                pos += 1;
                continue;
            };
            if start < pos {
                fragments.push(Fragment::Text(&text[start..pos]));
            }
            fragments.push(Fragment::Token(special.id));
            pos += special.spelling.len();
            start = pos;
        }
        if start < text.len() {
            fragments.push(Fragment::Text(&text[start..]));
        }
        fragments
    }

    /// `text` with a [`WORD_JOINER`] inside each spelling of a token that steers, so that [`SpecialTokens::cut`] skips
    /// it.
    pub(super) fn part<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut parted = String::new();
        let mut start = 0;
        for (pos, letter) in text.char_indices() {
            let rest = &text[pos..];
            let is_special = self.by_first_byte[usize::from(rest.as_bytes()[0])]
                .iter()
                .any(|special| special.steers() && rest.starts_with(&special.spelling));
            if is_special {
                let end = pos + letter.len_utf8();
                parted.push_str(&text[start..end]);
                parted.push(WORD_JOINER);
                start = end;
            }
        }
        if start == 0 {
            return Cow::Borrowed(text);
        }
        parted.push_str(&text[start..]);
        Cow::Owned(parted)
    }
}

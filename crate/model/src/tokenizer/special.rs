//! Cuts a text at the tokens that are found by their exact spelling, before anything else looks at it.

use super::vocabulary::{Kind, Vocabulary};
use crate::token::TokenId;

/// A stretch of a text: a token found by its spelling, or what lies between two.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fragment<'t> {
    Text(&'t str),
    Token(TokenId),
}

/// The tokens found by spelling, by their first byte, the longest first.
#[derive(Debug)]
pub(super) struct SpecialTokens {
    by_first_byte: Vec<Vec<Special>>,
}

#[derive(Debug)]
struct Special {
    spelling: String,
    id: TokenId,
    /// Found in every text, not only in those that may steer the model.
    always: bool,
}

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
            // Stable, so of two tokens spelt alike the first wins.
            specials.sort_by_key(|special| std::cmp::Reverse(special.spelling.len()));
        }
        SpecialTokens { by_first_byte }
    }

    /// The fragments of `text` in order; of tokens that overlap the leftmost wins, then the longest.
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
}

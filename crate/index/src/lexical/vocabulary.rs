//! Turns a site's words into the joined and split forms that its texts are also indexed under: `login` for `log in`,
//! `Netz` for `Netzteil`.
//!
//! The site's own words decide, not a dictionary. Two neighbours are also indexed as one word if some page writes them
//! that way, and a long word of a language that writes compounds as one word is also indexed by two parts that are words.

use std::collections::HashSet;

use super::fold::plain;
use super::token::{Token, TokenKind};
use super::tokenize::is_stop_word;

/// Length, in characters, of a word joined from two.
const JOINED_CHARS: std::ops::RangeInclusive<usize> = 4..=20;
/// Minimum length, in characters, of a part of a compound word.
const PART_CHARS: usize = 4;
/// Longer words are not split.
const MAX_CHARS: usize = 40;
/// Linking letters that German, Dutch and the Scandinavian languages put between the parts of a compound.
const LINKS: [&str; 8] = ["", "s", "n", "es", "en", "er", "e", "ens"];

/// All plain words of a site, without diacritics.
#[derive(Default)]
pub(super) struct Vocabulary {
    words: HashSet<String>,
}

impl Vocabulary {
    /// Notes the words of a text.
    pub(super) fn extend(&mut self, tokens: &[Token]) {
        for token in tokens.iter().filter(|token| is_word(token)) {
            let word = plain(&token.surface);
            if !self.words.contains(&*word) {
                self.words.insert(word.into_owned());
            }
        }
    }

    /// The neighbours in `text` that some page writes as one word, joined.
    pub(super) fn joined(&self, text: &str, tokens: &[Token]) -> Vec<String> {
        let words: Vec<&Token> = tokens
            .iter()
            .filter(|token| token.kind == TokenKind::Word)
            .collect();
        let mut found = Vec::new();
        for pair in words.windows(2) {
            let [first, second] = [pair[0], pair[1]];
            let gap = text.get(first.place.end..second.place.start);
            let is_near = matches!(gap, Some(" " | "-" | "\u{a0}" | "\u{2010}" | "\u{2011}"));
            let may_join = is_word(first) && is_word(second) && !is_stop_word(&first.surface);
            if !is_near || !may_join || first.surface.chars().nth(1).is_none() {
                continue;
            }
            let joined = format!("{}{}", plain(&first.surface), plain(&second.surface));
            if JOINED_CHARS.contains(&joined.chars().count()) && self.words.contains(&joined) {
                found.push(joined);
            }
        }
        found
    }

    /// The two words that make up a compound, the second as long as possible; `None` for any other word.
    pub(super) fn parts(&self, token: &Token) -> Option<[String; 2]> {
        let word = plain(&token.surface);
        let ends: Vec<usize> = word.char_indices().map(|(at, _)| at).collect();
        let fits = (2 * PART_CHARS..=MAX_CHARS).contains(&ends.len());
        if !is_word(token) || !fits {
            return None;
        }
        let cuts = &ends[PART_CHARS..=ends.len() - PART_CHARS];
        cuts.iter().find_map(|&cut| {
            let (first, second) = word.split_at(cut);
            let second = self.words.get(second)?;
            let first = LINKS.iter().find_map(|link| {
                let first = first.strip_suffix(link)?;
                let is_long = first.chars().nth(PART_CHARS - 1).is_some();
                is_long.then(|| self.words.get(first))?
            })?;
            Some([first.clone(), second.clone()])
        })
    }
}

fn is_word(token: &Token) -> bool {
    token.is_plain_word() && token.surface.contains(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexical::tokenize::tokens;

    fn vocabulary(text: &str) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        vocabulary.extend(&tokens(text));
        vocabulary
    }

    #[test]
    fn neighbours_are_joined_where_a_page_joins_them() {
        let vocabulary = vocabulary("The checkout ends; a rollback follows into maybe.");
        let joined = |text: &str| vocabulary.joined(text, &tokens(text));
        assert_eq!(
            joined("Check out, then roll-back."),
            ["checkout", "rollback"]
        );
        for apart in ["check. Out", "check, out", "in to", "may be", "sign up"] {
            assert!(joined(apart).is_empty(), "{apart}: {:?}", joined(apart));
        }
    }

    #[test]
    fn compounds_are_parted_into_words_of_the_site() {
        let vocabulary =
            vocabulary("Speicher, Karte und Sicherung; Rechnung, Nummer, b\u{fc}cher Regal");
        for (word, expected) in [
            ("Speicherkarte", Some(["speicher", "karte"])),
            ("Sicherungskarte", Some(["sicherung", "karte"])),
            ("Rechnungsnummer", Some(["rechnung", "nummer"])),
            ("B\u{fc}cherregal", Some(["bucher", "regal"])),
            ("Speicherung", None),
            ("Karte", None),
        ] {
            let found = vocabulary.parts(&tokens(word)[0]);
            let expected = expected.map(|parts| parts.map(str::to_owned));
            assert_eq!(found, expected, "{word}");
        }
    }
}

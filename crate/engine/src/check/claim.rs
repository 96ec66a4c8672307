//! Turns a text into claims: its sentences, each with its atoms, their denials and its words.

use std::collections::HashSet;

use super::atom::{Atom, word};
use super::citation::{self, MAX_TEXT_BYTES};
use super::polarity::{self, Denial};
use super::token::atoms;

/// A parsed text: its atoms, their denials and its words.
pub(super) struct Text {
    pub(super) atoms: Vec<Atom>,
    pub(super) denial: Denial,
    words: HashSet<String>,
}

impl Text {
    pub(super) fn claim(text: &str) -> Text {
        let atoms = atoms(text);
        Text {
            denial: polarity::denial(&atoms),
            words: atoms.iter().map(|atom| word(atom).to_owned()).collect(),
            atoms,
        }
    }

    /// True if it has the word of an atom.
    pub(super) fn has(&self, atom: &Atom) -> bool {
        self.words.contains(word(atom))
    }
}

/// The sentences of a text, each as a claim of its own.
pub(super) fn claims(text: &str) -> impl Iterator<Item = Text> {
    let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
    let sentences = citation::sentences(text).into_iter();
    sentences
        .filter(|sentence| sentence.contains(char::is_alphanumeric))
        .map(Text::claim)
}

/// The number of sentences in a text.
pub(crate) fn n_sentences(text: &str) -> usize {
    claims(text).count()
}

/// True if the text has a negator.
pub(crate) fn denies(text: &str) -> bool {
    !Text::claim(text).denial.negators.is_empty()
}

//! Defines the smallest unit that the check compares, and the word by which one is compared with others.

use super::number::Number;

/// The kinds of atoms that the rules distinguish.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Word,
    /// Capitalised where a plain word would not be.
    Name,
    /// An identifier, path, flag or version, or anything between backticks.
    Code,
    Number,
}

/// The smallest unit of comparison.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    pub(super) kind: Kind,
    /// Lower case, except for flags of one letter, where case matters.
    pub(super) key: String,
    /// The stem; empty for words that carry no topic.
    pub(super) stem: String,
    pub(super) number: Option<Number>,
    /// Index of its sentence.
    pub(super) sentence: usize,
    /// Index of its clause: commas and conjunctions separate clauses.
    pub(super) clause: usize,
    /// True if it belongs to the same piece of code as the atom before it.
    pub(super) glued: bool,
    /// True if it opens its sentence, so that its capital says nothing.
    pub(super) first: bool,
}

impl Atom {
    /// True if it carries content.
    pub(super) fn is_content(&self) -> bool {
        !self.stem.is_empty()
    }
}

/// The word by which an atom is compared with others.
pub(super) fn word(atom: &Atom) -> &str {
    if atom.stem.is_empty() {
        &atom.key
    } else {
        &atom.stem
    }
}

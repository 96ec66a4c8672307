//! Decides whether the capital of a sentence's first word marks a name, or a word that any sentence may open with.

use super::atom::{Atom, Kind};

/// Words that may open a sentence without a counterpart in the source.
const OPENERS: &[&str] = &[
    "additionally",
    "also",
    "although",
    "another",
    "because",
    "besides",
    "both",
    "consequently",
    "developers",
    "do",
    "each",
    "either",
    "finally",
    "furthermore",
    "hence",
    "here",
    "however",
    "instead",
    "later",
    "likewise",
    "many",
    "meanwhile",
    "moreover",
    "most",
    "note",
    "once",
    "one",
    "overall",
    "people",
    "please",
    "readers",
    "similarly",
    "since",
    "several",
    "so",
    "some",
    "sometimes",
    "then",
    "therefore",
    "though",
    "thus",
    "today",
    "unlike",
    "until",
    "upon",
    "users",
    "usually",
    "various",
    "when",
    "whenever",
    "whereas",
    "while",
    "yes",
    "yet",
    "you",
    "your",
];

/// Before one of these a capitalised opener is a verb (`Open the file`), not a name.
const OBJECT_OPENERS: &[&str] = &[
    "a", "all", "an", "any", "each", "every", "it", "its", "that", "the", "their", "them", "these",
    "this", "those", "to", "up", "your",
];

/// Decides which capitals at the start of a sentence are names.
pub(super) fn settle_first_words(atoms: &mut [Atom]) {
    for idx in 0..atoms.len() {
        if !(atoms[idx].first && atoms[idx].kind == Kind::Name) {
            continue;
        }
        let key = atoms[idx].key.as_str();
        let next = atoms
            .get(idx + 1)
            .filter(|next| next.sentence == atoms[idx].sentence);
        let is_verb = next.is_some_and(|next| {
            matches!(next.kind, Kind::Code | Kind::Number)
                || OBJECT_OPENERS.contains(&next.key.as_str())
        });
        let before_name = next.is_some_and(|next| next.kind == Kind::Name);
        let is_inflected = key.ends_with("ing") || key.ends_with("ly") || key.ends_with("ed");
        let is_plain = OPENERS.contains(&key) || (!before_name && (is_verb || is_inflected));
        if is_plain {
            atoms[idx].kind = Kind::Word;
        }
    }
}

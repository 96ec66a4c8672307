//! Defines one word of a query, with the terms that it may match and how they count.

use super::TermIdx;

/// Weight of an identifier's parts next to the identifier, and of a compound or joined words next to the single words.
pub(super) const PART_WEIGHT: f32 = 0.4;

/// One word of the query and what it may match.
#[derive(Debug)]
pub(super) struct QueryWord {
    pub(super) weight: f32,
    /// Alternative terms, each with its factor; the best one counts.
    pub(super) alternatives: Vec<(TermIdx, f32)>,
    /// How many of the first alternatives are stems of the word as written, and the class of its form.
    pub(super) whole: (usize, u32),
    /// Terms that count in addition.
    pub(super) parts: Vec<(TermIdx, f32)>,
    /// How many parts must be present for the word to be covered without any alternative; 0 if they cannot cover it.
    pub(super) n_parts: usize,
    /// Its share of the coverage; 0 if it doesn't count.
    pub(super) coverable: f32,
    /// True if a passage must contain it because it is quoted.
    pub(super) is_quoted: bool,
}

impl QueryWord {
    /// A term that supplements words that are looked up anyway.
    pub(super) fn beside(term: TermIdx, weight: f32) -> Self {
        Self {
            weight,
            alternatives: vec![(term, 1.0)],
            whole: (0, 0),
            parts: Vec::new(),
            n_parts: 0,
            coverable: 0.0,
            is_quoted: false,
        }
    }
}

//! Turns a section's text into the units that are quoted whole, and a place in it into the quotation that shows it.
//!
//! A text is read as the index writes it: blocks separated by an empty line, list items after their marker, the rows of
//! a table as lines with bars, definitions indented further than their terms, code between fences. [`lines`] finds
//! these, [`layout`] makes units of them and remembers what each belongs to, and [`compose`] joins a unit with that
//! context. Every part is a slice.

mod compose;
mod cut;
mod layout;
mod lines;
mod named;
mod reference;
mod steps;

use std::ops::Range;

pub(crate) use lines::prose;
pub(crate) use named::{Member, units_with_members};
pub(crate) use steps::{asks_for_steps, steps_for};

/// The most characters of a quotation; code has its own limit, [`MAX_CODE_CHARS`].
pub const MAX_CHARS: usize = 700;

/// The most characters of code in a quotation.
pub const MAX_CODE_CHARS: usize = 1500;

/// The most lines of code in a quotation.
pub const MAX_CODE_LINES: usize = 30;

/// The part that a unit plays in its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// A sentence of a paragraph.
    Sentence,
    /// An item of a list, without its marker; of several items together, with their markers.
    Item,
    /// A term with what it means, or one of the two.
    Definition,
    /// A row of a table, its cells separated by bars.
    Row,
    /// A block of code, without its fences.
    Code,
}

/// A piece of a text that makes sense as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// The part that it plays.
    pub kind: UnitKind,
}

impl From<layout::Piece> for Unit {
    fn from(piece: layout::Piece) -> Self {
        Self {
            range: piece.range,
            kind: piece.kind,
        }
    }
}

/// The pieces of a text that are shown to answer with one place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quotation {
    /// The pieces, each for a line of its own: ascending, disjoint, none empty. Only a text without words has none.
    ///
    /// In addition to the unit itself, these are the context it can't be read without: the head of its table, its term,
    /// or the line that introduces it.
    pub parts: Vec<Unit>,
    /// The bytes of the place, inside one of the parts. Shorter than what was asked for where that is too long to be
    /// shown.
    pub mark: Range<usize>,
    /// True if words were left out at the start of the part with the mark.
    pub is_cut_before: bool,
    /// True if words were left out at the end of the part with the mark, or items or lines that it introduces.
    pub is_cut_after: bool,
}

impl Quotation {
    /// The parts of `text`, the text that it was made of, each on a line of its own.
    pub fn shown(&self, text: &str) -> String {
        let parts = self
            .parts
            .iter()
            .filter_map(|part| text.get(part.range.clone()));
        parts.collect::<Vec<_>>().join("\n")
    }

    /// True if words of `text`, the text that it was made of, were left out before the part at `idx`; text that only
    /// marks the layout (list markers, fences) does not count as words.
    pub fn is_apart(&self, text: &str, idx: usize) -> bool {
        let Some(before) = idx.checked_sub(1).and_then(|before| self.parts.get(before)) else {
            return false;
        };
        let between = self
            .parts
            .get(idx)
            .and_then(|part| text.get(before.range.end..part.range.start));
        between.is_some_and(lines::has_words)
    }
}

/// The units of `text` in order, disjoint, with all its words except markers and fences; an item or a definition that
/// is too long to be quoted whole comes in its sentences.
///
/// Takes time in proportion to the text.
pub fn units(text: &str) -> Vec<Unit> {
    layout::pieces(text).into_iter().map(Unit::from).collect()
}

/// The quotation that answers with the bytes `span` of `text`: the units that hold it, and the context they can't be
/// read without.
///
/// A span outside the text, or inside a character, is brought to the nearest place; an empty one stands for the unit
/// around it. At most [`MAX_CHARS`] characters, and code.
pub fn quotation(text: &str, span: Range<usize>) -> Quotation {
    compose::quotation(text, &layout::pieces(text), span)
}

#[cfg(test)]
mod tests;

//! Turns a section's text into units that can be quoted whole, and a place in it into the quotation that shows it.
//!
//! The text is in the index's form: blocks separated by an empty line, list items after their marker, table rows as
//! lines with bars, definitions indented further than their terms, code between fences. [`lines`] finds these,
//! [`layout`] turns them into units and records what each belongs to, and [`compose`] joins a unit with that context.
//! Every part is a slice.

mod compose;
mod cut;
mod echo;
mod layout;
mod lines;
mod named;
mod reference;
mod steps;

use std::ops::Range;

pub(crate) use echo::Echo;
pub(crate) use lines::prose;
pub(crate) use named::{Member, units_with_members};
pub(crate) use steps::{asks_for_steps, steps_for};

/// The most characters of a quotation; code has its own limit, [`MAX_CODE_CHARS`].
pub const MAX_CHARS: usize = 700;

/// The most characters of code in a quotation.
pub const MAX_CODE_CHARS: usize = 1500;

/// The most lines of code in a quotation.
pub const MAX_CODE_LINES: usize = 30;

/// A unit's part in its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// A sentence of a paragraph.
    Sentence,
    /// An item of a list, without its marker; of several items together, with their markers.
    Item,
    /// A term with its meaning, or one of the two.
    Definition,
    /// A row of a table, its cells separated by bars.
    Row,
    /// A block of code, without its fences.
    Code,
}

/// A piece of a text that makes sense by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its byte range in the text.
    pub range: Range<usize>,
    /// Its part in the document.
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

/// The pieces of a text to show as the answer for one place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quotation {
    /// The pieces, each to be shown on a line of its own: ascending, disjoint, none empty. There are none only in a
    /// text without words.
    ///
    /// Besides the unit itself, these are the context it needs to be understood: the head of its table, its term, or
    /// the line that introduces it.
    pub parts: Vec<Unit>,
    /// The byte range of the place, within one of the parts. Shortened if the place is too long to show.
    pub mark: Range<usize>,
    /// True if words were left out at the start of the part with the mark.
    pub is_cut_before: bool,
    /// True if words were left out at the end of the part with the mark, or if items or lines that it introduces were.
    pub is_cut_after: bool,
}

impl Quotation {
    /// The parts, each on a line of its own; `text` is the text it was made from.
    pub fn shown(&self, text: &str) -> String {
        let parts = self
            .parts
            .iter()
            .filter_map(|part| text.get(part.range.clone()));
        parts.collect::<Vec<_>>().join("\n")
    }

    /// True if words were left out before the part at `idx`; `text` is the text it was made from. Layout (list markers,
    /// fences) does not count as words.
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

/// The units of `text`, in order and disjoint, which cover all its words except markers and fences; an item or a
/// definition too long to be quoted whole is split into its sentences.
///
/// Linear in the text's length.
pub fn units(text: &str) -> Vec<Unit> {
    layout::pieces(text).into_iter().map(Unit::from).collect()
}

/// The quotation for byte range `span` of `text`: the units that hold it, and the context they need to be understood.
///
/// A span outside the text, or inside a character, is moved to the nearest valid place; an empty one means the unit
/// around it. At most [`MAX_CHARS`] characters, not counting code.
pub fn quotation(text: &str, span: Range<usize>) -> Quotation {
    compose::quotation(text, &layout::pieces(text), span)
}

#[cfg(test)]
mod tests;

//! Turns the pieces that hold a place into its quotation, with as much of the context they need as there is room for.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::cut::{fits, size, window, window_of_lines};
use super::layout::{Piece, announces};
use super::reference::begins_with_reference;
use super::{MAX_CHARS, MAX_CODE_CHARS, MAX_CODE_LINES, Quotation, Unit, UnitKind};

/// An item of fewer words means little without the sentence that introduces its list.
const FRAGMENT_WORDS: usize = 6;

/// A sentence that begins with a pronoun brings along the one before it, up to this many in a row.
const MAX_SENTENCES_BEFORE: usize = 2;

/// The most nested lists around an item whose introductions are shown with it.
const MAX_LEADS: usize = 3;

/// The most characters kept for a head or a lead if the unit itself has to be cut.
const MAX_CONTEXT_CHARS: usize = 200;

/// See [`super::quotation`].
pub(super) fn quotation(text: &str, pieces: &[Piece], span: Range<usize>) -> Quotation {
    let span = words_of(text, span);
    let Some((first, last)) = held(pieces, &span) else {
        return Quotation {
            parts: Vec::new(),
            mark: 0..0,
            is_cut_before: false,
            is_cut_after: false,
        };
    };
    let whole = pieces[first].range.start..pieces[last].range.end;
    let start = span.start.clamp(whole.start, whole.end);
    let mark = start..span.end.clamp(start, whole.end);
    if pieces[first].kind == UnitKind::Code {
        return code(text, pieces, first, &mark);
    }
    let composer = Composer {
        text,
        pieces,
        before: Vec::new(),
        core: whole,
        after: None,
        room: 0,
        is_list_cut: false,
    };
    composer.compose(first, last, mark)
}

/// `span` clamped to the text and to character boundaries, without white space at its ends.
fn words_of(text: &str, span: Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.clamp(start, text.len()));
    let start = start + text[start..end].len() - text[start..end].trim_start().len();
    start..start + text[start..end].trim_end().len()
}

/// The first and last piece that overlap `span`, or the nearest one if it is between two. Code is quoted alone.
fn held(pieces: &[Piece], span: &Range<usize>) -> Option<(usize, usize)> {
    let behind = pieces.partition_point(|piece| piece.range.end <= span.start);
    let first = behind.min(pieces.len().checked_sub(1)?);
    let end = pieces.partition_point(|piece| piece.range.start < span.end);
    let last = end.saturating_sub(1).max(first);
    let is_code = |piece: &Piece| piece.kind == UnitKind::Code;
    if is_code(&pieces[first]) {
        return Some((first, first));
    }
    let n_prose = pieces[first..=last]
        .iter()
        .take_while(|piece| !is_code(piece))
        .count();
    Some((first, first + n_prose - 1))
}

fn code(text: &str, pieces: &[Piece], idx: usize, mark: &Range<usize>) -> Quotation {
    let whole = &pieces[idx].range;
    let (range, mark) = window_of_lines(text, whole, mark, MAX_CODE_LINES, MAX_CODE_CHARS);
    let lead = pieces[idx].lead.map(|lead| {
        let piece = &pieces[lead];
        // In a long item, only the last line introduces the code.
        let last_line = text[piece.range.clone()]
            .rfind('\n')
            .map_or(0, |end| end + 1);
        Unit {
            range: piece.range.start + last_line..piece.range.end,
            kind: piece.kind,
        }
    });
    let lead = lead.map(|lead| {
        let (range, _) = window(
            text,
            &lead.range,
            &(lead.range.end..lead.range.end),
            MAX_CHARS / 2,
        );
        trimmed(text, range, lead.kind)
    });
    Quotation {
        is_cut_before: range.start > whole.start,
        is_cut_after: range.end < whole.end,
        parts: lead
            .into_iter()
            .chain([Unit {
                range,
                kind: UnitKind::Code,
            }])
            .collect(),
        mark,
    }
}

fn trimmed(text: &str, range: Range<usize>, kind: UnitKind) -> Unit {
    let words = &text[range.clone()];
    let start = range.start + words.len() - words.trim_start().len();
    Unit {
        range: start..start + words.trim().len(),
        kind,
    }
}

struct Composer<'t> {
    text: &'t str,
    pieces: &'t [Piece],
    /// In the order of the text.
    before: Vec<Unit>,
    /// The byte range that holds the mark.
    core: Range<usize>,
    after: Option<Unit>,
    /// Characters that are left.
    room: usize,
    is_list_cut: bool,
}

impl Composer<'_> {
    fn compose(mut self, first: usize, last: usize, mark: Range<usize>) -> Quotation {
        let piece = &self.pieces[first];
        let kind = piece.kind;
        if kind == UnitKind::Item && last > first {
            // Several items are shown with their markers, including the first.
            self.core.start = piece.start;
        }
        let mut mark = mark;
        let (mut is_cut_before, mut is_cut_after) = (false, false);
        let length = size(&self.text[self.core.clone()], MAX_CHARS + 1);
        if length > MAX_CHARS {
            let context = piece
                .head
                .clone()
                .map_or(0, |head| size(&self.text[head], MAX_CONTEXT_CHARS + 1));
            let kept = if context > MAX_CONTEXT_CHARS {
                0
            } else {
                context
            };
            let (range, seen) = window(self.text, &self.core, &mark, MAX_CHARS - kept);
            is_cut_before = range.start > self.core.start;
            is_cut_after = range.end < self.core.end;
            (self.core, mark) = (range, seen);
            self.room = kept;
        } else {
            self.room = MAX_CHARS - length;
        }
        match &piece.head {
            Some(head) if head.end <= self.core.start => {
                let kind = piece.kind;
                self.prepend(head.clone(), kind);
            }
            _ => {}
        }
        if !is_cut_before {
            match kind {
                UnitKind::Item => self.leads(first),
                UnitKind::Sentence | UnitKind::Definition => self.sentences_before(first),
                UnitKind::Row | UnitKind::Code => {}
            }
        }
        if !is_cut_after {
            self.follow(last);
        }
        Quotation {
            parts: self.parts(first, kind, &mark),
            mark,
            is_cut_before,
            is_cut_after: is_cut_after || self.is_list_cut,
        }
    }

    /// All parts; a whole definition becomes two, its term and its meaning.
    fn parts(&mut self, first: usize, kind: UnitKind, mark: &Range<usize>) -> Vec<Unit> {
        let mut parts = std::mem::take(&mut self.before);
        let core = self.core.clone();
        let term = self.pieces[first].head.clone().filter(|term| {
            kind == UnitKind::Definition && term.start == core.start && term.end < core.end
        });
        let divided = term.map(|term| {
            let meaning = trimmed(self.text, term.end..core.end, kind);
            (Unit { range: term, kind }, meaning)
        });
        match divided {
            // A mark that spans term and meaning needs both in one part.
            Some((term, meaning))
                if mark.end <= term.range.end || mark.start >= meaning.range.start =>
            {
                parts.extend([term, meaning]);
            }
            _ => parts.push(Unit { range: core, kind }),
        }
        parts.extend(self.after.take());
        parts
    }

    /// Puts a part in front of all others if there is room.
    fn prepend(&mut self, range: Range<usize>, kind: UnitKind) -> bool {
        let Some(room) = self.room_for(&range) else {
            return false;
        };
        self.room = room;
        self.before.insert(0, Unit { range, kind });
        true
    }

    /// The room left if `range` is shown too, with the line break before it.
    fn room_for(&self, range: &Range<usize>) -> Option<usize> {
        let words = &self.text[range.clone()];
        fits(words, self.room).then(|| self.room - size(words, self.room))
    }

    /// Adds the lines that introduce an item that means little by itself.
    fn leads(&mut self, idx: usize) {
        let mut piece = &self.pieces[idx];
        let mut needs_more =
            self.is_fragment(piece) || begins_with_reference(&self.text[piece.range.clone()]);
        for _ in 0..MAX_LEADS {
            let Some(lead) = piece.lead.filter(|_| needs_more) else {
                return;
            };
            piece = &self.pieces[lead];
            if !self.prepend(piece.range.clone(), piece.kind) {
                return;
            }
            needs_more = piece.kind == UnitKind::Item && self.is_fragment(piece);
        }
    }

    fn is_fragment(&self, piece: &Piece) -> bool {
        let words = self.text[piece.range.clone()].unicode_words();
        words.take(FRAGMENT_WORDS).count() < FRAGMENT_WORDS
    }

    /// Adds sentences before `first` from the same paragraph, as long as the first one begins with a pronoun.
    fn sentences_before(&mut self, first: usize) {
        let paragraph = self.pieces[first].paragraph;
        let mut idx = first;
        for _ in 0..MAX_SENTENCES_BEFORE {
            let piece = &self.pieces[idx];
            let Some(before) = idx.checked_sub(1).map(|before| &self.pieces[before]) else {
                return;
            };
            let range = before.range.start..self.core.start;
            let is_read_on = before.paragraph == paragraph
                && begins_with_reference(&self.text[piece.range.clone()]);
            let Some(room) = self.room_for(&range).filter(|_| is_read_on) else {
                return;
            };
            self.room = room;
            self.core.start = range.start;
            idx -= 1;
        }
    }

    /// Adds the list, code or rows that the last piece introduces, or the first sentence after a term that is quoted
    /// alone.
    fn follow(&mut self, last: usize) {
        let piece = &self.pieces[last];
        let Some(next) = self.pieces.get(last + 1) else {
            return;
        };
        if piece.head.as_ref() == Some(&piece.range) && next.head == piece.head {
            self.after = self.room_for(&next.range).map(|_| Unit {
                range: next.range.clone(),
                kind: next.kind,
            });
            return;
        }
        if piece.heads(next) {
            self.follow_run(last, UnitKind::Row, |row| piece.heads(row));
            return;
        }
        if !announces(self.text, piece) || next.lead != Some(last) {
            return;
        }
        match next.kind {
            UnitKind::Code => {
                let start = next.range.start..next.range.start;
                let (range, _) = window_of_lines(
                    self.text,
                    &next.range,
                    &start,
                    MAX_CODE_LINES,
                    MAX_CODE_CHARS,
                );
                self.is_list_cut = range.end < next.range.end;
                self.after = Some(Unit {
                    range,
                    kind: UnitKind::Code,
                });
            }
            UnitKind::Item => self.follow_list(last),
            _ => {}
        }
    }

    /// Adds the items of the list that `lead` introduces, until there is no room for a whole one.
    fn follow_list(&mut self, lead: usize) {
        let depth = match self.pieces[lead].kind {
            UnitKind::Item => Some(self.pieces[lead].indent),
            _ => None,
        };
        self.follow_run(lead, UnitKind::Item, |item| {
            depth.is_none_or(|depth| item.indent > depth)
        });
    }

    /// Adds the pieces right after `lead` that are of `kind` and part of its run, until there is no room for a whole
    /// one.
    fn follow_run(&mut self, lead: usize, kind: UnitKind, is_part: impl Fn(&Piece) -> bool) {
        let behind = &self.pieces[lead + 1..];
        let start = behind[0].start;
        let mut end = None;
        let mut used = 0;
        let mut from = start;
        for piece in behind
            .iter()
            .take_while(|piece| piece.kind == kind && is_part(piece))
        {
            used += size(&self.text[from..piece.range.end], self.room + 1);
            if used > self.room {
                self.is_list_cut = true;
                break;
            }
            (end, from) = (Some(piece.range.end), piece.range.end);
        }
        self.after = end.map(|end| Unit {
            range: start..end,
            kind,
        });
    }
}

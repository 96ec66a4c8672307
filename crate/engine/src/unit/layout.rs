//! Turns the blocks of a section into quotable pieces, each linked to its context.

use std::ops::Range;

use anchorite_index::sentence;

use super::cut::fits;
use super::lines::{Block, Line, blocks};
use super::{MAX_CHARS, UnitKind};

/// Longest head of a column, in characters: a longer cell is text.
const MAX_HEAD_CHARS: usize = 80;

/// Longest term, in characters: a longer one is a sentence.
const MAX_TERM_CHARS: usize = 200;

/// A unit, and where to find the context it needs.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    pub(super) kind: UnitKind,
    /// Where it begins, its marker included.
    pub(super) start: usize,
    /// The indent of its list.
    pub(super) indent: usize,
    /// Consecutive pieces with the same number belong together: sentences of a paragraph, of an item, of a definition.
    pub(super) paragraph: usize,
    /// The head of its table, or its term.
    pub(super) head: Option<Range<usize>>,
    /// The earlier piece that introduces it: the item around an inner list, the sentence before a list, the line before
    /// code.
    pub(super) lead: Option<usize>,
}

impl Piece {
    /// True if this names the columns of the table that `row` belongs to.
    pub(super) fn heads(&self, row: &Piece) -> bool {
        row.kind == UnitKind::Row && row.head.as_ref() == Some(&self.range)
    }
}

/// The pieces of `text`, in order and disjoint.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut layout = Layout {
        text,
        pieces: Vec::new(),
        paragraph: 0,
        table: None,
        list: None,
        terms: Vec::new(),
    };
    for block in blocks(text) {
        match block {
            Block::Code(range) => layout.code(range),
            Block::Lines(lines) => layout.lines(&lines),
        }
    }
    layout.pieces
}

/// A table that the next block may continue.
struct Table {
    n_columns: usize,
    head: Option<Range<usize>>,
}

/// A list that the next block may continue.
#[derive(Default)]
struct List {
    /// The sentence before it, if that announces it.
    lead: Option<usize>,
    /// Indents and pieces of the items that enclose the next one.
    around: Vec<(usize, usize)>,
}

struct Layout<'t> {
    text: &'t str,
    pieces: Vec<Piece>,
    paragraph: usize,
    table: Option<Table>,
    list: Option<List>,
    /// Indents and ranges of the terms that an indented line may belong to.
    terms: Vec<(usize, Range<usize>)>,
}

impl Layout<'_> {
    fn code(&mut self, range: Range<usize>) {
        self.table = None;
        let last = self.pieces.len().checked_sub(1);
        let lead = last.and_then(|idx| match self.pieces[idx].kind {
            UnitKind::Sentence | UnitKind::Item | UnitKind::Definition => Some(idx),
            // The same code in another language, as in tabs.
            UnitKind::Code => self.pieces[idx].lead.filter(|lead| self.announces(*lead)),
            UnitKind::Row => None,
        });
        self.paragraph += 1;
        self.push(range.clone(), range.start, 0, UnitKind::Code, None, lead);
    }

    fn lines(&mut self, lines: &[Line]) {
        let n_rows = lines.iter().filter(|line| self.columns(line) > 1).count();
        let goes_on = self
            .table
            .as_ref()
            .is_some_and(|table| self.columns(&lines[0]) == table.n_columns);
        if n_rows * 2 > lines.len() && (lines.len() > 1 || goes_on) {
            self.list = None;
            self.rows(lines);
            return;
        }
        self.table = None;
        // A list continues after code or after a cut between its items, and an item's paragraph continues after code.
        let has_items = lines.iter().any(|line| line.is_item);
        let is_behind_code = self
            .pieces
            .last()
            .is_some_and(|piece| piece.kind == UnitKind::Code);
        if !(has_items && (lines[0].is_item || is_behind_code)) {
            self.list = None;
        }
        let mut idx = 0;
        while idx < lines.len() {
            idx = if lines[idx].is_item {
                self.item(lines, idx)
            } else {
                self.words(lines, idx)
            };
        }
    }

    /// Number of cells in a line, 1 if it is not a table row.
    fn columns(&self, line: &Line) -> usize {
        if line.is_item {
            return 1;
        }
        let row = &self.text[line.range.clone()];
        // Plain text may also have a bar at both ends.
        let row = row
            .strip_prefix('|')
            .map_or(row, |row| row.trim_end_matches('|'));
        row.matches(" |").count() + 1
    }

    fn rows(&mut self, lines: &[Line]) {
        let continued = self
            .table
            .take()
            .filter(|table| self.columns(&lines[0]) == table.n_columns);
        let mut table = continued;
        for line in lines {
            let n_columns = self.columns(line);
            if table.is_none() && n_columns == 1 {
                // A caption comes above its table.
                self.paragraph += 1;
                self.sentences(line, None);
                continue;
            }
            let table = table.get_or_insert_with(|| Table {
                n_columns,
                head: self.is_head(line).then(|| line.range.clone()),
            });
            let head = table.head.clone().filter(|head| *head != line.range);
            self.paragraph += 1;
            self.push(line.range.clone(), line.start, 0, UnitKind::Row, head, None);
        }
        self.table = table;
    }

    /// True if the first line of a table names its columns: its cells are short and not sentences.
    fn is_head(&self, line: &Line) -> bool {
        let mut cells = self.text[line.range.clone()].split(" |").map(str::trim);
        cells.all(|cell| fits(cell, MAX_HEAD_CHARS) && !cell.ends_with(['.', '!', '?', '\u{3002}']))
    }

    /// Adds the item at `idx` and returns the index of the line after it.
    fn item(&mut self, lines: &[Line], idx: usize) -> usize {
        let line = &lines[idx];
        let n_more = lines[idx + 1..]
            .iter()
            .take_while(|line| !line.is_item)
            .count();
        let end = lines[idx + n_more].range.end;
        let last = self.pieces.len().checked_sub(1);
        // Only the piece right before a list can announce it.
        let announced = last.filter(|last| {
            matches!(
                self.pieces[*last].kind,
                UnitKind::Sentence | UnitKind::Definition
            ) && self.announces(*last)
        });
        if announced.is_some() || self.list.is_none() {
            self.list = Some(List {
                lead: announced,
                around: Vec::new(),
            });
        }
        let first = self.pieces.len();
        let list = self.list.get_or_insert_default();
        while list
            .around
            .last()
            .is_some_and(|(indent, _)| *indent >= line.indent)
        {
            list.around.pop();
        }
        let lead = list.around.last().map(|(_, piece)| *piece).or(list.lead);
        list.around.push((line.indent, first));
        self.paragraph += 1;
        let whole = line.range.start..end;
        if fits(&self.text[whole.clone()], MAX_CHARS) {
            self.push(whole, line.start, line.indent, UnitKind::Item, None, lead);
        } else {
            for part in &lines[idx..=idx + n_more] {
                for range in self.split(part.range.clone()) {
                    self.push(
                        range.clone(),
                        range.start,
                        line.indent,
                        UnitKind::Item,
                        None,
                        lead,
                    );
                }
            }
            self.pieces[first].start = line.start;
        }
        idx + n_more + 1
    }

    /// Adds the line at `idx`, with its meaning if it is a term, and returns the index of the line after that.
    fn words(&mut self, lines: &[Line], idx: usize) -> usize {
        let line = &lines[idx];
        self.terms.retain(|(indent, _)| *indent < line.indent);
        let is_below = |below: &Line| !below.is_item && below.indent > line.indent;
        let n_terms = lines[idx..]
            .iter()
            .take_while(|one| !one.is_item && one.indent == line.indent)
            .count();
        let term = line.range.start..lines[idx + n_terms - 1].range.end;
        let n_below = lines[idx + n_terms..]
            .iter()
            .take_while(|below| is_below(below))
            .count();
        let is_term = n_below > 0 && fits(&self.text[term.clone()], MAX_TERM_CHARS);
        self.paragraph += 1;
        if !is_term {
            let head = self.terms.last().map(|(_, term)| term.clone());
            for line in &lines[idx..idx + n_terms] {
                self.sentences(line, head.clone());
            }
            return idx + n_terms;
        }
        self.terms.push((line.indent, term.clone()));
        let below = &lines[idx + n_terms..idx + n_terms + n_below];
        let inner = below.iter().any(|one| one.indent > below[0].indent);
        let whole = term.start..below[n_below - 1].range.end;
        if !inner && fits(&self.text[whole.clone()], MAX_CHARS) {
            self.push(whole, line.start, 0, UnitKind::Definition, Some(term), None);
            return idx + n_terms + n_below;
        }
        // Too long to be quoted whole, or with definitions inside: split into sentences, each with its term.
        self.push(
            term.clone(),
            line.start,
            0,
            UnitKind::Definition,
            Some(term),
            None,
        );
        idx + n_terms
    }

    fn sentences(&mut self, line: &Line, head: Option<Range<usize>>) {
        let kind = if head.is_some() {
            UnitKind::Definition
        } else {
            UnitKind::Sentence
        };
        for range in self.split(line.range.clone()) {
            self.push(range.clone(), range.start, 0, kind, head.clone(), None);
        }
    }

    /// The sentences of a line, without the white space between them.
    fn split(&self, line: Range<usize>) -> Vec<Range<usize>> {
        let mut position = line.start;
        let mut ranges = Vec::new();
        for sentence in sentence::split(&self.text[line]) {
            let start = position + sentence.len() - sentence.trim_start().len();
            position += sentence.len();
            let words = sentence.trim();
            if !words.is_empty() {
                ranges.push(start..start + words.len());
            }
        }
        ranges
    }

    /// True if a piece ends in a colon, and so announces what follows.
    fn announces(&self, idx: usize) -> bool {
        announces(self.text, &self.pieces[idx])
    }

    fn push(
        &mut self,
        range: Range<usize>,
        start: usize,
        indent: usize,
        kind: UnitKind,
        head: Option<Range<usize>>,
        lead: Option<usize>,
    ) {
        self.pieces.push(Piece {
            range,
            kind,
            start,
            indent,
            paragraph: self.paragraph,
            head,
            lead,
        });
    }
}

/// True if a piece of `text` ends in a colon, and so announces what follows.
pub(super) fn announces(text: &str, piece: &Piece) -> bool {
    text[piece.range.clone()].ends_with([':', '\u{ff1a}'])
}

//! Turns a stream of headings, words, lines and code into sections; both readers write into it.

use super::clean;
use crate::document::Section;

/// Longest language name that is kept with a block of code.
const MAX_LANGUAGE_CHARS: usize = 40;

/// Collects a page in reading order. Text is plain; code is fenced, so that chunking can see it.
#[derive(Default)]
pub(super) struct Outline {
    sections: Vec<Section>,
    /// Level and text of each heading above the current position.
    path: Vec<(u8, String)>,
    anchor: Option<String>,
    blocks: Vec<String>,
    /// The block being written.
    open: String,
    /// True if a space is owed before the next word of `open`.
    space: bool,
    /// Indents and numbers of the open lists.
    lists: Vec<Option<u64>>,
    /// The open definition lists.
    definitions: Vec<Definitions>,
    /// The part of a definition being written.
    part: Option<Part>,
    /// True while writing a cell that takes only one line.
    in_cell: bool,
    /// Number of headings so far.
    n_headings: usize,
    /// True if the open section only continues one that was cut short by a term with an anchor.
    is_continued: bool,
    first_heading: Option<String>,
    first_h1: Option<String>,
}

/// The position that a definition list interrupts and returns to.
struct Definitions {
    anchor: Option<String>,
    n_headings: usize,
}

/// The part of a definition list that words belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Term,
    /// The meaning of a term, before its first word.
    Opened,
    /// The meaning of a term.
    Meaning,
}

impl Outline {
    /// Starts a section. `level` is 1 to 6.
    pub(super) fn heading(&mut self, level: u8, text: &str, anchor: Option<String>) {
        let text = clean(&collapse(text)).into_owned();
        if text.is_empty() {
            return;
        }
        self.end_section();
        self.path.retain(|(above, _)| *above < level);
        self.first_heading.get_or_insert_with(|| text.clone());
        if level == 1 {
            self.first_h1.get_or_insert_with(|| text.clone());
        }
        self.path.push((level, text));
        self.anchor = anchor;
        self.n_headings += 1;
        self.is_continued = false;
    }

    /// Adds words to the open block, with each run of white space as one space.
    pub(super) fn text(&mut self, text: &str) {
        let text = clean(text);
        for piece in text.split_inclusive(char::is_whitespace) {
            let word = piece.trim_end();
            if !word.is_empty() {
                if self.open.is_empty() || self.open.ends_with('\n') {
                    self.open.push_str(&" ".repeat(self.indent()));
                } else if self.space && !self.open.ends_with(' ') {
                    self.open.push(' ');
                }
                if self.part == Some(Part::Opened) {
                    self.part = Some(Part::Meaning);
                }
                self.open.push_str(word);
                self.space = false;
            }
            if word.len() < piece.len() {
                self.space = true;
            }
        }
    }

    /// Indent of a line in a definition list. Terms are indented less than their meanings.
    fn indent(&self) -> usize {
        let depth = match self.part {
            _ if !self.lists.is_empty() => 0,
            Some(Part::Opened | Part::Meaning) => self.definitions.len(),
            _ => self.definitions.len().saturating_sub(1),
        };
        depth.min(8) * 2
    }

    /// Ends the line but not the block.
    pub(super) fn line(&mut self) {
        if self.in_cell {
            self.space = true;
            return;
        }
        let trimmed = self.open.trim_end_matches(' ').len();
        self.open.truncate(trimmed);
        if !self.open.is_empty() && !self.open.ends_with('\n') {
            self.open.push('\n');
        }
        self.space = false;
    }

    /// Starts a paragraph: a block of its own, or another line of a list.
    pub(super) fn paragraph(&mut self) {
        let in_term = self.part == Some(Part::Term);
        if self.in_cell || (in_term && self.lists.is_empty()) {
            self.line();
        } else if self.part == Some(Part::Opened) && self.open.ends_with('\n') {
            // The first paragraph of a meaning goes below the term.
        } else if self.lists.is_empty() {
            self.end_block();
        } else if !self.open.ends_with(' ') {
            self.line();
        }
    }

    /// Ends the open block.
    pub(super) fn end_block(&mut self) {
        self.in_cell = false;
        let block = std::mem::take(&mut self.open);
        let block = block.trim_end();
        // A marker without text is left over from an item that held only code.
        if !block.is_empty() && block != "-" {
            self.blocks.push(block.to_owned());
        }
        self.space = false;
    }

    /// Opens a list, numbered from `first` or marked with dashes.
    pub(super) fn start_list(&mut self, first: Option<u64>) {
        if self.lists.is_empty() && !self.in_cell {
            self.end_block();
        }
        self.lists.push(first);
    }

    /// Starts an item of the innermost list.
    pub(super) fn item(&mut self) {
        if self.in_cell {
            self.text(" - ");
            return;
        }
        self.line();
        let indent = self.lists.len().saturating_sub(1).min(8);
        self.open.push_str(&"  ".repeat(indent));
        match self.lists.last_mut() {
            Some(Some(number)) => {
                self.open.push_str(&format!("{number}. "));
                *number = number.saturating_add(1);
            }
            _ => self.open.push_str("- "),
        }
    }

    /// Closes the innermost list.
    pub(super) fn end_list(&mut self) {
        self.lists.pop();
        if self.in_cell {
            self.line();
        } else if self.lists.is_empty() {
            self.end_block();
        }
    }

    /// Opens a definition list. Each is a block: terms, and their meanings indented below them.
    pub(super) fn start_definitions(&mut self) {
        self.paragraph();
        self.definitions.push(Definitions {
            anchor: self.anchor.clone(),
            n_headings: self.n_headings,
        });
        self.part = None;
    }

    /// Closes the innermost definition list.
    pub(super) fn end_definitions(&mut self) {
        let ended = self.definitions.pop();
        self.part = (!self.definitions.is_empty()).then_some(Part::Meaning);
        self.paragraph();
        if let Some(around) = ended
            && around.n_headings == self.n_headings
            && around.anchor != self.anchor
        {
            self.go_on(around.anchor);
        }
    }

    /// Starts a term. One with an anchor starts a section under the headings of its list, so that a citation opens it.
    pub(super) fn term(&mut self, anchor: Option<String>) {
        // Several terms may share a meaning.
        if !self.definitions.is_empty()
            && self.part != Some(Part::Term)
            && self.lists.is_empty()
            && !self.in_cell
        {
            self.end_block();
            if anchor.is_some() {
                self.go_on(anchor);
            }
        }
        self.line();
        self.part = (!self.definitions.is_empty()).then_some(Part::Term);
    }

    /// Ends the section and continues under the same headings from another anchor.
    fn go_on(&mut self, anchor: Option<String>) {
        self.end_section();
        self.anchor = anchor;
        self.is_continued = true;
    }

    /// Starts the meaning of the terms before it.
    pub(super) fn meaning(&mut self) {
        self.line();
        self.part = (!self.definitions.is_empty()).then_some(Part::Opened);
    }

    /// Starts a cell of a table; rows are lines, and bars separate cells. `is_line` if it holds only words, as in a
    /// table of facts: its paragraphs, lists and line ends then stay on the row's line.
    pub(super) fn cell(&mut self, is_line: bool) {
        if !self.open.is_empty() && !self.open.ends_with('\n') {
            self.open.push_str(" | ");
        }
        self.space = false;
        self.in_cell = is_line;
    }

    /// Ends a cell.
    pub(super) fn end_cell(&mut self) {
        self.in_cell = false;
    }

    /// Adds a block of code verbatim; drops an empty one.
    pub(super) fn code(&mut self, language: &str, code: &str) {
        self.end_block();
        let code = clean(code);
        // A page may put anything after a fence.
        let language: String = language
            .chars()
            .filter(|c| c.is_alphanumeric() || "+-#._".contains(*c))
            .take(MAX_LANGUAGE_CHARS)
            .collect();
        let code = code.trim_end().trim_start_matches(['\n', '\r']);
        if code.is_empty() {
            return;
        }
        let mut fence = "```".to_owned();
        while code.contains(&fence) {
            fence.push('`');
        }
        self.blocks
            .push(format!("{fence}{language}\n{code}\n{fence}"));
    }

    fn end_section(&mut self) {
        self.end_block();
        let text = std::mem::take(&mut self.blocks).join("\n\n");
        let anchor = self.anchor.take();
        let headings: Vec<String> = self.path.iter().map(|(_, text)| text.clone()).collect();
        if !text.is_empty() || !(headings.is_empty() || self.is_continued) {
            self.sections.push(Section {
                anchor,
                headings,
                text,
            });
        }
    }

    /// The page's title (its first `h1`, else its first heading), and the sections.
    pub(super) fn finish(mut self) -> (Option<String>, Vec<Section>) {
        self.end_section();
        self.write_bare_headings();
        (self.first_h1.or(self.first_heading), self.sections)
    }

    /// Writes a heading with nothing below it (a drawing, content from a script) as text, because its words occur
    /// nowhere else: a heading above others is in the path of each of them. A page of headings alone has no text at
    /// all.
    fn write_bare_headings(&mut self) {
        if self.sections.iter().all(|section| section.text.is_empty()) {
            return;
        }
        for idx in 0..self.sections.len() {
            let (section, next) = (&self.sections[idx], self.sections.get(idx + 1));
            let is_above = next.is_some_and(|next| next.headings.starts_with(&section.headings));
            if section.text.is_empty() && !is_above {
                let heading = section.headings.last().cloned();
                self.sections[idx].text = heading.unwrap_or_default();
            }
        }
    }
}

/// `text` with white space collapsed to single spaces, and trimmed.
pub(super) fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_nest_by_level_even_where_levels_are_skipped() {
        let mut outline = Outline::default();
        for (level, text) in [(2, "A"), (4, "B"), (3, "C"), (1, "D"), (2, "E")] {
            outline.heading(level, text, None);
        }
        let (title, sections) = outline.finish();
        let paths: Vec<String> = sections.iter().map(|s| s.headings.join("/")).collect();
        assert_eq!(paths, ["A", "A/B", "A/C", "D", "D/E"]);
        assert_eq!(
            title.as_deref(),
            Some("D"),
            "an h1 names the page, wherever it stands"
        );
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_code() {
        let mut outline = Outline::default();
        outline.code("md", "```\nx\n```\n");
        assert_eq!(outline.finish().1[0].text, "````md\n```\nx\n```\n````");
    }
}

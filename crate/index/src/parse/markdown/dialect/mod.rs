//! Turns the syntax that site generators add to Markdown into plain Markdown.
//!
//! Containers (`:::`, `!!!`, `???`, `===`, `///`, `> [!NOTE]`), MDX components with imports and comments, shortcodes
//! and attribute lists: the parts that a reader sees stay, and code is not changed.

mod component;
mod container;
mod inline;
mod script;
mod verbatim;

use component::Components;
use container::Slashes;
use verbatim::Verbatim;

/// Maximum nesting of indented containers.
const MAX_DEPTH: usize = 16;
/// Maximum lines of one import, comment, shortcode or tag.
const MAX_LINES: usize = 200;

/// Rewrites a page without the syntax that is not Markdown.
pub(super) fn plain(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut page = Page {
        out: String::with_capacity(text.len() + 16),
        components: Components::default(),
        slashes: Slashes::default(),
    };
    page.block(&lines, 0);
    page.out
}

struct Page {
    out: String,
    components: Components,
    slashes: Slashes,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// Writes a separate paragraph, or only ends the current one.
    fn apart(&mut self, indent: usize, text: &str) {
        self.line("");
        if !text.is_empty() {
            self.out.push_str(&" ".repeat(indent.min(64)));
            self.line(text);
            self.line("");
        }
    }

    fn block(&mut self, lines: &[&str], depth: usize) {
        let mut verbatim = Verbatim::default();
        // True if a statement of a script could begin here.
        let mut is_start = true;
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            let line = self.components.dedented(line);
            if let Some(kept) = verbatim.take(line) {
                self.line(kept);
                is_start = false;
                at += 1;
                continue;
            }
            if line.trim().is_empty() {
                self.line("");
                is_start = true;
                at += 1;
                continue;
            }
            if let Some(fence) = verbatim.highlighted(line) {
                self.line(fence);
                at += 1;
                continue;
            }
            let taken = if is_start {
                script::lines(&lines[at..])
            } else {
                0
            };
            let taken = taken.max(inline::hidden_lines(&lines[at..]));
            if taken > 0 {
                self.line("");
                at += taken;
                continue;
            }
            is_start = false;
            at += self.marked(line, &lines[at..], depth);
        }
    }

    /// Writes a line that may hold marks; returns how many lines it spanned.
    fn marked(&mut self, line: &str, lines: &[&str], depth: usize) -> usize {
        let words = line.trim_start();
        let indent = line.len() - words.len();
        if let Some(taken) = self.components.take(words, lines) {
            for title in &taken.titles {
                self.apart(0, title);
            }
            self.apart(indent.min(3), &inline::plain(&taken.rest));
            return taken.n_lines;
        }
        if let Some(title) = container::colons(words).or_else(|| self.slashes.title(words)) {
            self.apart(indent, &inline::plain(title));
            return 1;
        }
        if depth < MAX_DEPTH
            && let Some(title) = container::indented(words)
            && let Some(inner) = container::content(&lines[1..], indent)
        {
            self.apart(indent, &inline::plain(title));
            self.block(&inner, depth + 1);
            self.line("");
            return 1 + inner.len();
        }
        if let Some((quote, title)) = container::alert(words) {
            // An empty line in the quotation sets the title apart.
            self.line(&format!(
                "{}{quote} {}",
                &line[..indent],
                inline::plain(title)
            ));
            self.line(&format!("{}{quote}", &line[..indent]));
            return 1;
        }
        if inline::is_attributes(words) {
            self.attributes(words);
            return 1;
        }
        let is_contents = ["[TOC]", "[[TOC]]", "[[_TOC_]]"]
            .iter()
            .any(|mark| words.trim_end().eq_ignore_ascii_case(mark));
        if is_contents {
            return 1;
        }
        let (whole, n_lines) = inline::whole(line, lines);
        self.line(&inline::line(&whole));
        n_lines
    }

    /// `{: #id }` below a heading gives its id; other attribute lists say nothing to readers.
    fn attributes(&mut self, words: &str) {
        let id = inline::id(words);
        let above = self.out.trim_end_matches('\n');
        let last = above.rsplit('\n').next().unwrap_or("");
        if let Some(id) = id
            && last.starts_with('#')
            && !last.ends_with('}')
        {
            self.out.truncate(above.len());
            self.out.push_str(&format!(" {{#{id}}}\n"));
        }
    }
}

#[cfg(test)]
mod tests;

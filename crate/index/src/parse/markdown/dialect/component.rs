//! Turns MDX component tags at the start of lines into paragraphs, so that the Markdown inside them is read.

use super::super::words::{MAX_TAG_BYTES, is_component, shown, whole_tag};
use super::MAX_LINES;

/// Maximum components open at once.
const MAX_OPEN: usize = 100;

/// The components that are open.
#[derive(Default)]
pub(super) struct Components {
    /// Indent of each one's content, once a line shows it.
    open: Vec<Option<usize>>,
}

/// The tags of one line.
pub(super) struct Taken {
    /// Number of lines that they span.
    pub(super) n_lines: usize,
    /// The words that the page shows in their place.
    pub(super) titles: Vec<String>,
    /// The text after them on their last line.
    pub(super) rest: String,
}

impl Components {
    /// Strips the indent that only shows nesting from a line of a component's content: Markdown would take it for code.
    pub(super) fn dedented<'t>(&mut self, line: &'t str) -> &'t str {
        let Some(content) = self.open.last_mut() else {
            return line;
        };
        let words = line.trim_start_matches(' ');
        if words.trim().is_empty() || words.starts_with("</") {
            return words;
        }
        let indent = line.len() - words.len();
        let content = *content.get_or_insert(indent);
        &line[indent.min(content)..]
    }

    /// Consumes the tags that a line starts with. `lines` are the page's lines from this one on.
    pub(super) fn take(&mut self, words: &str, lines: &[&str]) -> Option<Taken> {
        if matches!(words.trim_end(), "<>" | "</>") {
            return Some(Taken {
                n_lines: 1,
                titles: Vec::new(),
                rest: String::new(),
            });
        }
        let mut text = words.to_owned();
        let mut n_lines = 1;
        let mut from = 0;
        let mut titles = Vec::new();
        while let Some(name) = text[from..].strip_prefix('<')
            && is_component(name.trim_start_matches('/'))
        {
            let Some(end) = whole(&mut text, from, &mut n_lines, lines) else {
                break;
            };
            let tag = &text[from..end];
            if tag.starts_with("</") {
                self.open.pop();
            } else if !tag.ends_with("/>") && self.open.len() < MAX_OPEN {
                self.open.push(None);
            }
            titles.push(shown(tag));
            from = text.len() - text[end..].trim_start().len();
        }
        if titles.is_empty() {
            return None;
        }
        titles.retain(|title| !title.is_empty());
        let mut rest = text[from..].trim_end();
        while let Some((before, name)) = rest.rsplit_once("</")
            && is_component(name)
            && name.ends_with('>')
        {
            self.open.pop();
            rest = before.trim_end();
        }
        Some(Taken {
            n_lines,
            titles,
            rest: rest.to_owned(),
        })
    }
}

/// The end of the tag at `from`, which may continue on the next lines; these are then added to `text`.
fn whole(text: &mut String, from: usize, n_lines: &mut usize, lines: &[&str]) -> Option<usize> {
    if let Some(end) = whole_tag(&text[from..]) {
        return Some(from + end);
    }
    let mut tag = text[from..].to_owned();
    let more = lines.iter().skip(*n_lines).take(MAX_LINES);
    for (n, line) in (1..).zip(more) {
        if line.trim().is_empty() || tag.len() > MAX_TAG_BYTES {
            return None;
        }
        tag.push('\n');
        tag.push_str(line);
        if !line.contains('>') {
            continue;
        }
        if let Some(end) = whole_tag(&tag) {
            text.truncate(from);
            text.push_str(&tag);
            *n_lines += n;
            return Some(from + end);
        }
    }
    None
}

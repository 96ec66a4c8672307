//! Turns the markup of a block of code, however it marks lines, into text with lines and indents.
//!
//! Highlighters end a line with a newline, with `br`, or not at all if each line is an element of its own.

use ego_tree::NodeId;
use scraper::{ElementRef, Node};

use super::marks;

/// A block of code that is being read.
pub(super) struct Code {
    /// The block ends where this element ends.
    pub(super) id: NodeId,
    language: String,
    text: String,
    /// True if an element ended a line without writing a newline.
    is_owed: bool,
    /// The length of the text at the start of each open element that holds lines.
    starts: Vec<usize>,
}

/// Elements that start and end a line.
const LINES: [&str; 17] = [
    "div",
    "p",
    "li",
    "tr",
    "ol",
    "ul",
    "table",
    "tbody",
    "thead",
    "section",
    "article",
    "figure",
    "blockquote",
    "pre",
    "dt",
    "dd",
    "header",
];

/// Classes of inline elements that highlighters show as lines.
const LINE_CLASSES: [&str; 6] = [
    "line",
    "token-line",
    "code-line",
    "view-line",
    "highlight-line",
    "CodeMirror-line",
];

impl Code {
    /// Begins at an element for which [`is_code`] holds.
    pub(super) fn new(element: ElementRef<'_>) -> Self {
        Self {
            id: element.id(),
            language: language(element),
            text: String::new(),
            is_owed: false,
            starts: Vec::new(),
        }
    }

    /// The language, and the text.
    pub(super) fn finish(self) -> (String, String) {
        // A non-breaking space is an indent like any other.
        (self.language, self.text.replace('\u{a0}', " "))
    }

    /// Handles a start tag.
    pub(super) fn open(&mut self, element: ElementRef<'_>) {
        if self.language.is_empty() {
            self.language = named_language(element).unwrap_or_default();
        }
        let name = element.value().name();
        if is_line(element) {
            self.end_line();
            self.starts.push(self.text.len());
        } else if name == "br" {
            self.text.push('\n');
            self.is_owed = false;
        } else if matches!(name, "td" | "th")
            && !self.text.is_empty()
            && !self.text.ends_with(char::is_whitespace)
        {
            self.text.push(' ');
        }
    }

    /// Handles an end tag.
    pub(super) fn close(&mut self, element: ElementRef<'_>) {
        if !is_line(element) {
            return;
        }
        let Some(start) = self.starts.pop() else {
            return;
        };
        if self.text.len() > start {
            self.is_owed |= !self.text.ends_with('\n');
        } else {
            // An element without text is an empty line, unless it only decorates one.
            self.is_owed |= element
                .parent()
                .and_then(ElementRef::wrap)
                .is_some_and(|parent| {
                    matches!(
                        parent.value().name(),
                        "pre" | "code" | "ol" | "ul" | "tbody"
                    )
                });
        }
    }

    /// Adds `text`, the content of the text node `node`.
    pub(super) fn push(&mut self, node: ego_tree::NodeRef<'_, Node>, text: &str) {
        let is_blank = text.trim_matches([' ', '\t', '\n', '\r']).is_empty();
        if is_blank && is_between_lines(node) {
            // The first newline repeats the line end that an element already made; further ones are empty lines.
            for _ in 1..text.matches('\n').count() {
                self.end_line();
                self.text.push('\n');
            }
            return;
        }
        if self.is_owed && !text.starts_with(['\n', '\r']) {
            self.text.push('\n');
        }
        self.is_owed = false;
        self.text.push_str(text);
    }

    fn end_line(&mut self) {
        let is_open = !self.text.is_empty() && !self.text.ends_with('\n');
        if self.is_owed || is_open {
            self.text.push('\n');
        }
        self.is_owed = false;
    }
}

/// True if an element holds code verbatim: `pre`, its obsolete relatives, a field to copy from, or `code` around
/// blocks.
pub(super) fn is_code(element: ElementRef<'_>) -> bool {
    match element.value().name() {
        "pre" | "listing" | "xmp" | "plaintext" | "textarea" => true,
        "code" => element.child_elements().any(is_line),
        _ => false,
    }
}

/// True if an element inside code represents one or more lines.
fn is_line(element: ElementRef<'_>) -> bool {
    let value = element.value();
    let name = value.name();
    if LINES.contains(&name) {
        return true;
    }
    if !matches!(name, "span" | "code" | "a") {
        return false;
    }
    let is_marked = value.classes().any(|class| LINE_CLASSES.contains(&class))
        || value.attr("data-line").is_some()
        || value
            .attr("style")
            .is_some_and(|style| marks::has_style(style, "display", &["block", "grid", "flex"]))
        || (name == "code" && has_twin(element));
    // If it shares its line with other text, it is only part of that line.
    is_marked
        && ![element.prev_sibling(), element.next_sibling()]
            .into_iter()
            .flatten()
            .any(|node| match node.value() {
                Node::Text(text) => !text.trim().is_empty(),
                _ => false,
            })
}

/// True if `pre` holds several `code` side by side.
fn has_twin(code: ElementRef<'_>) -> bool {
    let is_code = |node: ego_tree::NodeRef<'_, Node>| {
        ElementRef::wrap(node).is_some_and(|element| element.value().name() == "code")
    };
    code.parent()
        .and_then(ElementRef::wrap)
        .is_some_and(|parent| parent.value().name() == "pre")
        && (code.prev_sibling().is_some_and(is_code) || code.next_sibling().is_some_and(is_code))
}

/// True if a text merely separates elements that are lines.
fn is_between_lines(node: ego_tree::NodeRef<'_, Node>) -> bool {
    let parent = node.parent().and_then(ElementRef::wrap);
    let holds_only_lines = parent.is_some_and(|parent| {
        matches!(
            parent.value().name(),
            "ol" | "ul" | "table" | "tbody" | "thead" | "tr"
        )
    });
    holds_only_lines
        || [node.prev_sibling(), node.next_sibling()]
            .into_iter()
            .flatten()
            .filter_map(ElementRef::wrap)
            .any(is_line)
}

/// Maximum levels above a block at which its language may be named.
const MAX_STEPS: usize = 3;

/// The language named by a block of code, or by an element around it.
fn language(element: ElementRef<'_>) -> String {
    let above = element.ancestors().filter_map(ElementRef::wrap);
    std::iter::once(element)
        .chain(above.take(MAX_STEPS))
        .find_map(named_language)
        .unwrap_or_default()
}

/// `language-x` or `lang-x`, as highlighters mark code; Sphinx's `highlight-x`; `data-lang` and `data-language`.
fn named_language(element: ElementRef<'_>) -> Option<String> {
    let value = element.value();
    let by_class = value.classes().find_map(|class| {
        class
            .strip_prefix("language-")
            .or_else(|| class.strip_prefix("lang-"))
            .or_else(|| {
                class.strip_prefix("highlight-").filter(|name| {
                    value.has_class("notranslate", scraper::CaseSensitivity::CaseSensitive)
                        && *name != "default"
                })
            })
    });
    by_class
        .or_else(|| value.attr("data-language"))
        .or_else(|| value.attr("data-lang"))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

//! Turns the elements of a page into an outline, one by one.
//!
//! The walk is a loop, so that a page nested a million deep cannot exhaust the stack.

use std::collections::HashMap;

use ego_tree::{NodeId, NodeRef};
use scraper::{ElementRef, Node};

use super::anchor::{anchor, own_id};
use super::attributes;
use super::code::{self, Code};
use super::content::{Content, Skip};
use super::marks;
use crate::parse::outline::{Outline, collapse};

/// Longer links are ignored: they are not addresses of a page.
const MAX_LINK_BYTES: usize = 1000;
/// Skipped text of fewer words is not worth a warning.
const MIN_TOLD_WORDS: usize = 4;
/// Maximum skipped parts reported per page.
const MAX_TOLD: usize = 20;
/// Maximum texts read to report a skipped part.
const MAX_TOLD_TEXTS: usize = 20;
/// Maximum length of a report, in characters.
const MAX_TOLD_CHARS: usize = 60;

/// A heading that is being read.
struct Heading<'p> {
    element: ElementRef<'p>,
    level: u8,
    anchor: Option<String>,
    text: String,
    /// Alternative text of its pictures, which counts if it has no words.
    pictures: String,
}

/// Walks the elements that hold the text, and writes them to the outline.
pub(super) struct Walk<'p> {
    content: &'p Content<'p>,
    /// Ids of headings that the page's own markup may lack, as in Markdown.
    anchors: Option<&'p HashMap<NodeId, String>>,
    pub(super) outline: Outline,
    heading: Option<Heading<'p>>,
    code: Option<Code>,
    /// The annotations of the open ruby so far, which give the reading of its characters.
    reading: String,
    /// True after a picture until words follow.
    is_after_picture: bool,
    pub(super) links: Vec<String>,
    pub(super) weighs_parts: bool,
    /// The first words of skipped parts that may be text.
    pub(super) passed_over: Vec<String>,
}

impl<'p> Walk<'p> {
    pub(super) fn new(
        content: &'p Content<'p>,
        anchors: Option<&'p HashMap<NodeId, String>>,
    ) -> Self {
        Self {
            content,
            anchors,
            outline: Outline::default(),
            heading: None,
            code: None,
            reading: String::new(),
            is_after_picture: false,
            links: Vec::new(),
            weighs_parts: false,
            passed_over: Vec::new(),
        }
    }

    /// Visits everything under `root` in reading order.
    pub(super) fn root(&mut self, root: ElementRef<'p>) {
        self.outline.end_block();
        let mut node = *root;
        loop {
            let descend = match node.value() {
                Node::Text(text) => {
                    self.text(node, text);
                    false
                }
                Node::Element(_) => {
                    ElementRef::wrap(node).is_some_and(|element| self.open(element))
                }
                _ => false,
            };
            if descend && let Some(child) = node.first_child() {
                node = child;
                continue;
            }
            if descend && let Some(element) = ElementRef::wrap(node) {
                self.close(element);
            }
            loop {
                if node.id() == root.id() {
                    return;
                }
                if let Some(sibling) = node.next_sibling() {
                    node = sibling;
                    break;
                }
                let Some(parent) = node.parent() else { return };
                node = parent;
                if let Some(element) = ElementRef::wrap(node) {
                    self.close(element);
                }
            }
        }
    }

    fn text(&mut self, node: NodeRef<'_, Node>, text: &str) {
        if !text.trim().is_empty() {
            self.is_after_picture = false;
        }
        match &mut self.code {
            Some(code) => code.push(node, text),
            None => self.words(text),
        }
    }

    /// Adds words to the open heading, else to the outline; code is collected separately.
    fn words(&mut self, text: &str) {
        match &mut self.heading {
            Some(heading) => heading.text.push_str(text),
            None => self.outline.text(text),
        }
    }

    /// Handles a start tag; returns true if the content is to be visited.
    fn open(&mut self, element: ElementRef<'p>) -> bool {
        let name = element.value().name();
        let is_root = self.content.is_root(element);
        if let Some(skip) = self.content.skip(element)
            && !(is_root && is_body_of_text(element))
        {
            if skip == Skip::Told {
                self.tell(element);
            }
            return false;
        }
        if let Some(names) = element.attr("data-pagefind-index-attrs") {
            // A picture's words are read in any case, except in a heading.
            let has_alt_already = name == "img" && self.heading.is_none();
            let attributes = names.split(',').take(16).map(str::trim);
            for attribute in attributes.filter(|name| !(has_alt_already && *name == "alt")) {
                let words = element.attr(attribute).unwrap_or("");
                self.words(&format!(" {words} "));
            }
        }
        if name == "a"
            && let Some(href) = element.attr("href")
            && href.contains('#')
            && href.len() <= MAX_LINK_BYTES
        {
            self.links.push(href.to_owned());
        }
        self.weighs_parts |= attributes::weight(element).is_some() && !is_root;
        if name == "button" && (self.code.is_some() || !self.is_read(element)) {
            return false;
        }
        if let Some(code) = &mut self.code {
            code.open(element);
            return true;
        }
        if marks::is_footnote_mark(element) {
            return false;
        }
        if name == "rt" {
            // Between the characters, it would split the word that they form.
            self.reading
                .extend(marks::texts(element).split_whitespace());
            return false;
        }
        if let Some(heading) = &mut self.heading {
            if marks::is_mark(element) || marks::is_permalink(element, heading.element) {
                return false;
            }
            if name == "img" {
                heading.pictures.push_str(element.attr("alt").unwrap_or(""));
            }
            if is_block(name) || parts_words(element) || matches!(name, "br" | "td" | "th") {
                heading.text.push(' ');
            }
            return true;
        }
        if marks::is_mark(element)
            && element
                .attr("href")
                .is_some_and(|href| href.starts_with('#'))
        {
            return false;
        }
        if let Some(level) = heading_level(element) {
            let made = self.anchors.and_then(|anchors| anchors.get(&element.id()));
            self.heading = Some(Heading {
                element,
                level,
                anchor: made.cloned().or_else(|| anchor(element)),
                text: String::new(),
                pictures: String::new(),
            });
            return true;
        }
        if code::is_code(element) {
            self.code = Some(Code::new(element));
            return true;
        }
        match name {
            "ul" | "menu" | "dir" => self.outline.start_list(None),
            "ol" => {
                let first = element.attr("start").and_then(|start| start.parse().ok());
                self.outline.start_list(Some(first.unwrap_or(1)));
            }
            "li" => self.outline.item(),
            "td" | "th" => self.outline.cell(!self.content.lays_out(element)),
            "dl" => self.outline.start_definitions(),
            "dt" => self.outline.term(own_id(element)),
            "dd" => self.outline.meaning(),
            "tr" | "br" => self.outline.line(),
            "img" if !marks::is_second_picture(element) => self.picture(element),
            _ if is_block(name) => self.outline.paragraph(),
            _ if parts_words(element) => self.outline.text(" "),
            _ => {}
        }
        true
    }

    /// Writes a picture's alternative text, set apart from that of a picture next to it.
    fn picture(&mut self, picture: ElementRef<'_>) {
        if let Some(words) = picture.attr("alt") {
            self.outline
                .text(if self.is_after_picture { " " } else { "" });
            self.outline.text(words);
            self.is_after_picture = true;
        }
    }

    /// Handles the end tag of an element whose content was visited.
    fn close(&mut self, element: ElementRef<'p>) {
        let name = element.value().name();
        if let Some(code) = &mut self.code {
            if code.id != element.id() {
                code.close(element);
            } else if let Some(code) = self.code.take() {
                self.end_code(code);
            }
            return;
        }
        if name == "ruby" && !self.reading.is_empty() {
            let reading = std::mem::take(&mut self.reading);
            self.words(&format!(" ({reading}) "));
        }
        if let Some(heading) = &mut self.heading {
            if heading.element.id() == element.id() {
                if let Some(heading) = self.heading.take() {
                    let is_empty = collapse(&heading.text).is_empty();
                    let text = if is_empty {
                        heading.pictures
                    } else {
                        heading.text
                    };
                    self.outline.heading(heading.level, &text, heading.anchor);
                }
            } else if is_block(name) || parts_words(element) || matches!(name, "td" | "th") {
                heading.text.push(' ');
            }
            return;
        }
        match name {
            "ul" | "ol" | "menu" | "dir" => self.outline.end_list(),
            "dl" => self.outline.end_definitions(),
            "td" | "th" => self.outline.end_cell(),
            "tr" | "dt" | "dd" => self.outline.line(),
            _ if is_block(name) => self.outline.paragraph(),
            _ if parts_words(element) => self.outline.text(" "),
            _ => {}
        }
    }

    fn end_code(&mut self, code: Code) {
        let (language, text) = code.finish();
        match &mut self.heading {
            Some(heading) => heading.text.push_str(&format!(" {text} ")),
            None => self.outline.code(&language, &text),
        }
    }

    /// True if a button's words are part of the text and do not merely name its action.
    fn is_read(&self, button: ElementRef<'_>) -> bool {
        if marks::is_tool(button) {
            return false;
        }
        let is_prose = |above: ElementRef<'_>| {
            matches!(
                above.value().name(),
                "p" | "li" | "dt" | "dd" | "td" | "th" | "summary" | "figcaption" | "blockquote"
            )
        };
        (self.content.is_marked && !marks::says_copy(button))
            || self.heading.is_some()
            || button.attr("role") == Some("tab")
            || button
                .ancestors()
                .filter_map(ElementRef::wrap)
                .take(3)
                .any(is_prose)
    }

    /// Records a skipped part, if it has words.
    fn tell(&mut self, element: ElementRef<'_>) {
        if self.passed_over.len() >= MAX_TOLD {
            return;
        }
        let mut texts = String::new();
        for edge in element.descendants().take(100 * MAX_TOLD_TEXTS) {
            let is_script = edge
                .parent()
                .and_then(ElementRef::wrap)
                .is_some_and(|parent| {
                    matches!(
                        parent.value().name(),
                        "script" | "style" | "template" | "option"
                    )
                });
            if let Node::Text(text) = edge.value()
                && !is_script
            {
                texts.push_str(text);
                texts.push(' ');
                if texts.len() > 4 * MAX_TOLD_CHARS {
                    break;
                }
            }
        }
        let text = crate::parse::clean(&collapse(&texts)).into_owned();
        if text.split(' ').nth(MIN_TOLD_WORDS - 1).is_some() {
            let start: String = text.chars().take(MAX_TOLD_CHARS).collect();
            let name = element.value().name();
            self.passed_over.push(format!("`{name}`: {start}"));
        }
    }
}

/// A root called a sidebar (`<body class=sidebar>`) is still read, but not one that is hidden from search.
fn is_body_of_text(root: ElementRef<'_>) -> bool {
    attributes::ignore(root).is_none() && root.value().name() != "head"
}

/// The level of a heading, by its name or its role for screen readers; `None` for anything else.
fn heading_level(element: ElementRef<'_>) -> Option<u8> {
    let by_role = || {
        (element.attr("role") == Some("heading")).then(|| {
            let level = element
                .attr("aria-level")
                .and_then(|level| level.trim().parse().ok());
            level.unwrap_or(2_u8).clamp(1, 6)
        })
    };
    match element.value().name() {
        "h1" => Some(1),
        "h2" => Some(2),
        "h3" => Some(3),
        "h4" => Some(4),
        "h5" => Some(5),
        "h6" => Some(6),
        _ => by_role(),
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "section"
            | "article"
            | "aside"
            | "main"
            | "header"
            | "footer"
            | "hgroup"
            | "nav"
            | "search"
            | "blockquote"
            | "center"
            | "table"
            | "caption"
            | "figure"
            | "figcaption"
            | "details"
            | "summary"
            | "dialog"
            | "fieldset"
            | "legend"
            | "form"
            | "optgroup"
            | "address"
            | "hr"
            | "body"
    )
}

/// True if an inline element separates its words from those of its neighbours: a field, or a custom element.
fn parts_words(element: ElementRef<'_>) -> bool {
    let name = element.value().name();
    let is_custom = name.contains('-') && !name.starts_with("mjx-");
    let stands_alone = matches!(
        name,
        "button" | "label" | "select" | "option" | "output" | "meter" | "progress" | "input"
    );
    let is_beside_word = |node: Option<NodeRef<'_, Node>>, at_end: bool| {
        node.is_some_and(|node| match node.value() {
            Node::Text(text) => {
                let next = if at_end {
                    text.chars().next_back()
                } else {
                    text.chars().next()
                };
                // Words and signs that touch it were written that way.
                next.is_some_and(|c| !c.is_whitespace())
            }
            _ => false,
        })
    };
    (is_custom || stands_alone)
        && !is_beside_word(element.prev_sibling(), true)
        && !is_beside_word(element.next_sibling(), false)
}

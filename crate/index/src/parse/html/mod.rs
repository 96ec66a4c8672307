//! Turns an HTML page into sections: its main content, without navigation, scripts and decoration.
//!
//! The walk is a loop, so that a page nested a million deep cannot exhaust the stack.

mod attributes;
mod content;
mod cost;
mod head;

use scraper::{ElementRef, Html, Node};

use super::outline::Outline;
use super::{LeftOut, ParseOptions, Parsed, id_hash};
use attributes::{Attributes, Ignore};
use content::{Content, is_content};

/// Longer links are no addresses of a page.
const MAX_LINK_BYTES: usize = 1000;

/// What would make a page too expensive to parse, as `(what, limit, found)`.
pub(super) fn excess(text: &str) -> Option<(&'static str, usize, usize)> {
    cost::of(text).excess()
}

/// Everything that is read of a page.
pub(super) fn parse(text: &str, options: &ParseOptions) -> Parsed {
    let page = Html::parse_document(text);
    let head = head::read(&page);
    let whole = page.root_element();
    let top = match &options.root_selector {
        None => Some(whole),
        Some(selector) => whole
            .descendants()
            .filter_map(ElementRef::wrap)
            .find(|element| selector.matches(*element)),
    };
    let Some(top) = top else {
        return Parsed {
            left_out: Some(LeftOut::NoRoot),
            ..Parsed::default()
        };
    };
    let content = Content::find(top, &options.exclude_selectors);
    let said = said(top, &content);
    let mut walk = Walk::new(&content);
    for root in &content.roots {
        walk.root(*root);
    }
    let (links, weighs_parts) = (walk.links, walk.weighs_parts);
    let (title, sections) = walk.outline.finish();
    Parsed {
        title: said
            .attributes
            .meta
            .get("title")
            .cloned()
            .or(title)
            .or(said.first_h1)
            .or(head.title),
        sections,
        weight: content.roots.first().and_then(|root| weight(*root)),
        filters: said.attributes.filters,
        meta: said.attributes.meta,
        sort: said.attributes.sort,
        language: head.language,
        canonical: head.canonical,
        left_out: head.left_out,
        is_marked: content.is_marked,
        ids: said.ids,
        links,
        weighs_parts,
    }
}

/// The weight of the nearest of `root` and what is around it.
fn weight(root: ElementRef<'_>) -> Option<f32> {
    let above = root.ancestors().filter_map(ElementRef::wrap);
    std::iter::once(root)
        .chain(above)
        .find_map(attributes::weight)
}

/// What is read of all elements, main content or not.
struct Said {
    attributes: Attributes,
    first_h1: Option<String>,
    ids: Vec<u64>,
}

fn said(top: ElementRef<'_>, content: &Content<'_>) -> Said {
    let mut said = Said {
        attributes: Attributes::default(),
        first_h1: None,
        ids: Vec::new(),
    };
    let mut image: Option<(Option<String>, Option<String>)> = None;
    let mut ignored = None;
    for edge in top.traverse() {
        let element = match edge {
            ego_tree::iter::Edge::Open(node) => ElementRef::wrap(node),
            ego_tree::iter::Edge::Close(node) => {
                if ignored == Some(node.id()) {
                    ignored = None;
                }
                None
            }
        };
        let Some(element) = element else { continue };
        // An anchor is one wherever it stands.
        let name = if element.value().name() == "a" {
            element.attr("name")
        } else {
            None
        };
        said.ids.extend(
            [element.attr("id"), name]
                .into_iter()
                .flatten()
                .map(id_hash),
        );
        if ignored.is_some() {
            continue;
        }
        if attributes::ignore(element) == Some(Ignore::All) || content.is_excluded(element) {
            ignored = Some(element.id());
            continue;
        }
        said.attributes.read(element);
        match element.value().name() {
            "h1" if said.first_h1.is_none() => {
                let text: String = element.text().take(1000).collect();
                let text = super::clean(&super::outline::collapse(&text)).into_owned();
                said.first_h1 = (!text.is_empty()).then_some(text);
            }
            "img" if said.first_h1.is_some() && image.is_none() => {
                let own = |name| element.attr(name).map(str::to_owned);
                image = Some((own("src"), own("alt")));
            }
            _ => {}
        }
    }
    if let Some((src, alt)) = image
        && !said.attributes.meta.contains_key("image")
    {
        // A picture that is written into the page is no address.
        let src = src.filter(|src| !src.starts_with("data:"));
        said.attributes.automatic("image", src.as_deref());
        said.attributes.automatic("image_alt", alt.as_deref());
    }
    said.attributes = said.attributes.finish();
    said
}

/// A root is read although it is called a sidebar (`<body class=sidebar>`), but not if it is hidden from search.
fn is_body_of_text(root: ElementRef<'_>) -> bool {
    attributes::ignore(root).is_none() && root.value().name() != "head"
}

/// Visits what holds the text and writes it down.
struct Walk<'p> {
    content: &'p Content<'p>,
    outline: Outline,
    heading: Option<(u8, Option<String>, String)>,
    code: Option<(String, String)>,
    links: Vec<String>,
    weighs_parts: bool,
}

impl<'p> Walk<'p> {
    fn new(content: &'p Content<'p>) -> Self {
        Self {
            content,
            outline: Outline::default(),
            heading: None,
            code: None,
            links: Vec::new(),
            weighs_parts: false,
        }
    }

    /// Visits everything under `root` in reading order.
    fn root(&mut self, root: ElementRef<'_>) {
        self.outline.end_block();
        let mut node = *root;
        loop {
            let descend = match node.value() {
                Node::Text(text) => {
                    self.text(text);
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

    fn text(&mut self, text: &str) {
        if let Some((_, code)) = &mut self.code {
            code.push_str(text);
        } else if let Some((_, _, heading)) = &mut self.heading {
            heading.push_str(text);
        } else {
            self.outline.text(text);
        }
    }

    /// Acts on a start tag; says whether to look inside.
    fn open(&mut self, element: ElementRef<'_>) -> bool {
        let name = element.value().name();
        let is_root = self.content.is_root(element);
        if self.content.is_skipped(element) && !(is_root && is_body_of_text(element)) {
            return false;
        }
        if let Some(names) = element.attr("data-pagefind-index-attrs") {
            for name in names.split(',').take(16) {
                let words = element.attr(name.trim()).unwrap_or("");
                self.text(&format!(" {words} "));
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
        if let Some((language, code)) = &mut self.code {
            if language.is_empty() {
                *language = code_language(element);
            }
            if name == "br" {
                code.push('\n');
            }
            return true;
        }
        if self.heading.is_some() {
            if name == "br" {
                self.text(" ");
            }
            return !is_mark(element);
        }
        if is_mark(element)
            && element
                .attr("href")
                .is_some_and(|href| href.starts_with('#'))
        {
            return false;
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = name.as_bytes().get(1).map_or(1, |digit| digit - b'0');
                self.heading = Some((level, anchor(element), String::new()));
            }
            "pre" => self.code = Some((code_language(element), String::new())),
            "ul" => self.outline.start_list(None),
            "ol" => {
                let first = element.attr("start").and_then(|start| start.parse().ok());
                self.outline.start_list(Some(first.unwrap_or(1)));
            }
            "li" => self.outline.item(),
            "td" | "th" => self.outline.cell(!self.content.lays_out(element)),
            "dl" => self.outline.start_definitions(),
            "dt" => self.outline.term(),
            "dd" => self.outline.meaning(),
            "tr" | "br" => self.outline.line(),
            "img" => {
                if let Some(words) = element.attr("alt") {
                    self.outline.text(words);
                }
            }
            _ if is_block(name) => self.outline.paragraph(),
            _ => {}
        }
        true
    }

    /// Acts on an end tag of an element that was looked into.
    fn close(&mut self, element: ElementRef<'_>) {
        let name = element.value().name();
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                if let Some((level, anchor, text)) = self.heading.take() {
                    self.outline.heading(level, &text, anchor);
                }
            }
            "pre" => {
                if let Some((language, code)) = self.code.take() {
                    self.outline.code(&language, &code);
                }
            }
            _ if self.heading.is_some() || self.code.is_some() => {}
            "ul" | "ol" => self.outline.end_list(),
            "dl" => self.outline.end_definitions(),
            "td" | "th" => self.outline.end_cell(),
            "tr" | "dt" | "dd" => self.outline.line(),
            _ if is_block(name) => self.outline.paragraph(),
            _ => {}
        }
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "section"
            | "article"
            | "main"
            | "header"
            | "blockquote"
            | "table"
            | "figure"
            | "figcaption"
            | "details"
            | "summary"
            | "fieldset"
            | "form"
            | "address"
            | "hr"
            | "body"
    )
}

/// `language-x` or `lang-x`, as highlighters mark code.
fn code_language(element: ElementRef<'_>) -> String {
    element
        .value()
        .classes()
        .find_map(|class| {
            class
                .strip_prefix("language-")
                .or_else(|| class.strip_prefix("lang-"))
        })
        .map(str::to_owned)
        .unwrap_or_default()
}

/// A link that only marks where it stands: `#`, a pilcrow, or nothing visible.
fn is_mark(element: ElementRef<'_>) -> bool {
    element.value().name() == "a"
        && !element
            .text()
            .any(|text| text.contains(char::is_alphanumeric))
}

/// What `url#..` must say to open this heading: its own id, one inside it, an empty one just before it, or that of the
/// element that it opens.
fn anchor(heading: ElementRef<'_>) -> Option<String> {
    let id = |element: ElementRef<'_>| {
        let value = element.value();
        let name = if value.name() == "a" {
            value.attr("name")
        } else {
            None
        };
        value
            .attr("id")
            .or(name)
            .filter(|id| !id.is_empty() && !id.contains(char::is_whitespace))
            .map(str::to_owned)
    };
    let inside = || {
        heading
            .descendants()
            .filter_map(ElementRef::wrap)
            .find_map(id)
    };
    let before = || {
        let element = heading.prev_siblings().find_map(ElementRef::wrap)?;
        let is_mark = matches!(element.value().name(), "a" | "span")
            && !element.text().any(|text| !text.trim().is_empty());
        if is_mark { id(element) } else { None }
    };
    let around = || {
        let mut inner = *heading;
        // Sphinx and others put the id on the section; two steps also pass a wrapper around the heading.
        for _ in 0..2 {
            if inner.prev_siblings().any(|node| node.value().is_element()) {
                return None;
            }
            let parent = inner.parent().and_then(ElementRef::wrap)?;
            if is_content(parent) || parent.value().name() == "body" {
                return None;
            }
            if let Some(id) = id(parent) {
                return Some(id);
            }
            inner = *parent;
        }
        None
    };
    id(heading).or_else(inside).or_else(before).or_else(around)
}

#[cfg(test)]
mod tests;

//! Turns an HTML page into sections: its main content, without navigation, scripts and decoration.
//!
//! Rendered Markdown comes here too, so that raw HTML in it means the same as on a page of its own.

mod anchor;
mod attributes;
mod code;
mod content;
mod cost;
mod head;
mod kinds;
mod marks;
mod walk;

use std::collections::HashMap;

use ego_tree::NodeId;
use scraper::{ElementRef, Html};

use super::{LeftOut, ParseOptions, Parsed, Selector, id_hash};
pub(super) use anchor::anchor;
use attributes::{Attributes, Ignore};
use content::Content;
use walk::Walk;

/// The count that makes a page too expensive to parse, if any, as `(what, limit, found)`.
pub(super) fn excess(text: &str) -> Option<(&'static str, usize, usize)> {
    cost::of(text).excess()
}

/// Reads the text and the facts of a page.
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
    let mut walk = Walk::new(&content, None);
    for root in &content.roots {
        walk.root(*root);
    }
    let (links, weighs_parts, passed_over) = (walk.links, walk.weighs_parts, walk.passed_over);
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
        refresh: head.refresh,
        left_out: head.left_out,
        is_marked: content.is_marked,
        ids: said.ids,
        links,
        weighs_parts,
        passed_over,
    }
}

/// The text of a Markdown page rendered to HTML. `anchors` holds the ids of its headings, which its markup may lack.
pub(super) fn parse_body(
    page: &Html,
    anchors: &HashMap<NodeId, String>,
    exclude: &[Selector],
) -> Parsed {
    let top = body(page);
    let content = Content::all(top, exclude);
    let mut walk = Walk::new(&content, Some(anchors));
    walk.root(top);
    let elements = top.descendants().filter_map(ElementRef::wrap);
    let mut ids: Vec<u64> = elements.flat_map(own_ids).collect();
    ids.extend(anchors.values().map(|id| id_hash(id)));
    let (links, passed_over) = (walk.links, walk.passed_over);
    let (title, sections) = walk.outline.finish();
    Parsed {
        title,
        sections,
        ids,
        links,
        passed_over,
        ..Parsed::default()
    }
}

/// The body of a page.
pub(super) fn body(page: &Html) -> ElementRef<'_> {
    let root = page.root_element();
    root.child_elements()
        .find(|element| element.value().name() == "body")
        .unwrap_or(root)
}

/// The elements of a Markdown page that are not shown where it is rendered.
pub(super) struct Skipped<'p>(Content<'p>);

impl<'p> Skipped<'p> {
    /// Examines everything below `top`.
    pub(super) fn new(top: ElementRef<'p>) -> Self {
        Self(Content::all(top, &[]))
    }

    /// True if an element is left out. Visitors see a footnote's number, but it is not searchable text.
    pub(super) fn has(&self, element: ElementRef<'_>) -> bool {
        self.0.skip(element).is_some() && element.attr("class") != Some("footnote-definition-label")
    }
}

/// [`id_hash`] of each id or name by which a link can open an element.
fn own_ids(element: ElementRef<'_>) -> impl Iterator<Item = u64> {
    let is_anchor = element.value().name() == "a";
    let name = element.attr("name").filter(|_| is_anchor);
    [element.attr("id"), name]
        .into_iter()
        .flatten()
        .map(id_hash)
}

/// The weight of `root`, or of its nearest ancestor that has one.
fn weight(root: ElementRef<'_>) -> Option<f32> {
    let above = root.ancestors().filter_map(ElementRef::wrap);
    std::iter::once(root)
        .chain(above)
        .find_map(attributes::weight)
}

/// Facts read from all elements, main content or not.
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
        // An anchor counts wherever it is.
        said.ids.extend(own_ids(element));
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
        // A picture embedded in the page has no address.
        let src = src.filter(|src| !src.starts_with("data:"));
        said.attributes.automatic("image", src.as_deref());
        said.attributes.automatic("image_alt", alt.as_deref());
    }
    said.attributes = said.attributes.finish();
    said
}

#[cfg(test)]
mod tests;

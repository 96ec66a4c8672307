//! Finds the id that opens a heading or a term.

use scraper::ElementRef;

use super::content::is_content;

/// The id that opens this heading as `url#id`: its own, one inside it, that of an empty element just before it, or that
/// of the element that it starts.
pub(in crate::parse) fn anchor(heading: ElementRef<'_>) -> Option<String> {
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
        // Sphinx and others put the id on the section; two steps up also get past a wrapper around the heading.
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

/// The id of a term: its own, or the first one inside it.
pub(super) fn own_id(term: ElementRef<'_>) -> Option<String> {
    let id = |element: ElementRef<'_>| {
        element
            .attr("id")
            .filter(|id| !id.is_empty() && !id.contains(char::is_whitespace))
            .map(str::to_owned)
    };
    id(term).or_else(|| {
        term.descendants()
            .filter_map(ElementRef::wrap)
            .take(20)
            .find_map(id)
    })
}

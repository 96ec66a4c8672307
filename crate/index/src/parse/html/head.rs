//! Turns what a page says about itself (its head, its language, its robots) into facts, before any text is read.

use scraper::{ElementRef, Html};

use crate::parse::outline::collapse;
use crate::parse::{LeftOut, clean};

/// What a page says about itself.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// The text of `<title>`.
    pub(super) title: Option<String>,
    /// `<html lang>`, as it is written.
    pub(super) language: Option<String>,
    /// The address of `<link rel=canonical>`.
    pub(super) canonical: Option<String>,
    /// Why the page asks not to be found.
    pub(super) left_out: Option<LeftOut>,
}

/// Reads the head; the first of each kind counts.
pub(super) fn read(page: &Html) -> Head {
    let root = page.root_element();
    let mut head = Head {
        language: root
            .attr("lang")
            .or_else(|| root.attr("xml:lang"))
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned),
        ..Head::default()
    };
    for element in root.descendants().filter_map(ElementRef::wrap) {
        match element.value().name() {
            "title" if head.title.is_none() && !is_foreign(element) => {
                let text = clean(&collapse(&element.text().collect::<String>())).into_owned();
                head.title = (!text.is_empty()).then_some(text);
            }
            "link"
                if head.canonical.is_none()
                    && element.attr("rel").is_some_and(|rel| {
                        rel.split_whitespace()
                            .any(|word| word.eq_ignore_ascii_case("canonical"))
                    }) =>
            {
                head.canonical = element.attr("href").map(|href| href.trim().to_owned());
            }
            "meta" if head.left_out.is_none() => head.left_out = left_out(element),
            _ => {}
        }
    }
    head
}

/// The `title` of a drawing is none of the page.
fn is_foreign(element: ElementRef<'_>) -> bool {
    element
        .parent()
        .and_then(ElementRef::wrap)
        .is_some_and(|parent| parent.value().name() != "head" && parent.value().name() != "body")
}

fn left_out(meta: ElementRef<'_>) -> Option<LeftOut> {
    let content = meta.attr("content")?;
    let is = |attribute: &str, names: &[&str]| {
        meta.attr(attribute).is_some_and(|value| {
            names
                .iter()
                .any(|name| value.trim().eq_ignore_ascii_case(name))
        })
    };
    if is("name", &["robots", "googlebot", "anchorite"])
        && content.split([',', ' ']).any(|word| {
            ["noindex", "none"]
                .iter()
                .any(|no| word.trim().eq_ignore_ascii_case(no))
        })
    {
        return Some(LeftOut::NoIndex);
    }
    // A refresh without an address only loads the page again.
    if is("http-equiv", &["refresh"]) && content.to_ascii_lowercase().contains("url") {
        return Some(LeftOut::Redirect);
    }
    None
}

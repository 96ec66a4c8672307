//! Turns a page's statements about itself (its head, its language, its robots) into facts, before any text is read.

use scraper::{ElementRef, Html};

use crate::parse::outline::collapse;
use crate::parse::{LeftOut, clean};

/// Facts that a page states about itself.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// The text of `<title>`.
    pub(super) title: Option<String>,
    /// `<html lang>`, as written.
    pub(super) language: Option<String>,
    /// The address of `<link rel=canonical>`.
    pub(super) canonical: Option<String>,
    /// The address that `<meta http-equiv=refresh>` loads, as written.
    pub(super) refresh: Option<String>,
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
                head.canonical = element
                    .attr("href")
                    .map(str::trim)
                    .filter(|href| names_a_page(href))
                    .map(str::to_owned);
            }
            "meta" => {
                head.left_out = head.left_out.or_else(|| left_out(element));
                if head.refresh.is_none() {
                    head.refresh = refresh(element);
                }
            }
            _ => {}
        }
    }
    head
}

/// True for the `title` of a drawing, which is not the page's.
fn is_foreign(element: ElementRef<'_>) -> bool {
    element
        .parent()
        .and_then(ElementRef::wrap)
        .is_some_and(|parent| parent.value().name() != "head" && parent.value().name() != "body")
}

/// True if an address is more than a template with an unset variable: it has a path, or a host.
fn names_a_page(address: &str) -> bool {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let path = &address[..end];
    let host = path.split_once("//").map_or(path, |(_, host)| host);
    !host.trim_matches(['/', '.']).is_empty() || path == "/"
}

fn is(meta: ElementRef<'_>, attribute: &str, names: &[&str]) -> bool {
    meta.attr(attribute).is_some_and(|value| {
        names
            .iter()
            .any(|name| value.trim().eq_ignore_ascii_case(name))
    })
}

fn left_out(meta: ElementRef<'_>) -> Option<LeftOut> {
    let content = meta.attr("content")?;
    let asks = is(meta, "name", &["robots", "googlebot", "anchorite"])
        && content.split([',', ' ']).any(|word| {
            ["noindex", "none"]
                .iter()
                .any(|no| word.trim().eq_ignore_ascii_case(no))
        });
    asks.then_some(LeftOut::NoIndex)
}

/// The address in `5; url='x'`. A refresh without one only reloads the page.
fn refresh(meta: ElementRef<'_>) -> Option<String> {
    if !is(meta, "http-equiv", &["refresh"]) {
        return None;
    }
    let content = meta.attr("content")?;
    let (_, rest) = content.split_once([';', ','])?;
    let rest = rest.trim();
    let address = match rest.get(..3) {
        Some(start) if start.eq_ignore_ascii_case("url") => {
            rest[3..].trim_start().strip_prefix('=').unwrap_or(rest)
        }
        _ => rest,
    };
    let address = address.trim();
    let quote = address.chars().next().filter(|c| "\"'".contains(*c));
    let address = match quote {
        Some(quote) => address[1..].split(quote).next().unwrap_or(""),
        None => address,
    };
    (!address.is_empty()).then(|| address.to_owned())
}

//! Turns a page made from Markdown into inert HTML: known elements with known attributes, and everything else as text.

use std::collections::HashMap;

use ego_tree::NodeId;
use ego_tree::iter::Edge;
use scraper::{ElementRef, Html, Node};

use crate::parse::address::linked_html;
use crate::parse::html;

/// Elements that are written; other elements are replaced by their content.
const KEPT: [&str; 47] = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "input",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

/// Elements without an end tag.
const VOID: [&str; 4] = ["br", "hr", "img", "input"];

/// Writes the page's body. `ids` are those of its headings.
pub(super) fn write(page: &Html, ids: &HashMap<NodeId, String>) -> String {
    let top = html::body(page);
    let skipped = html::Skipped::new(top);
    let mut out = String::new();
    let mut inside = None;
    for edge in top.traverse() {
        match edge {
            Edge::Open(node) if inside.is_none() && node.id() != top.id() => match node.value() {
                Node::Text(text) => escape(text, &mut out),
                Node::Element(_) => {
                    let Some(element) = ElementRef::wrap(node) else {
                        continue;
                    };
                    if skipped.has(element) {
                        inside = Some(node.id());
                    } else {
                        start(element, ids, &mut out);
                    }
                }
                _ => {}
            },
            Edge::Close(node) if inside == Some(node.id()) => inside = None,
            Edge::Close(node) if inside.is_none() && node.id() != top.id() => {
                if let Some(element) = ElementRef::wrap(node) {
                    end(element.value().name(), &mut out);
                }
            }
            _ => {}
        }
    }
    out
}

fn start(element: ElementRef<'_>, ids: &HashMap<NodeId, String>, out: &mut String) {
    let value = element.value();
    let name = value.name();
    let id = ids
        .get(&element.id())
        .map(String::as_str)
        .or_else(|| value.attr("id"))
        .or_else(|| value.attr("name").filter(|_| name == "a"))
        .filter(|id| !id.is_empty() && !id.contains(char::is_whitespace));
    if !KEPT.contains(&name) || (name == "input" && value.attr("type") != Some("checkbox")) {
        if let Some(id) = id {
            out.push_str("<a");
            attribute("id", id, out);
            out.push_str("></a>");
        }
        return;
    }
    out.push('<');
    out.push_str(name);
    if let Some(id) = id {
        attribute("id", id, out);
    }
    match name {
        "a" => copy(element, "href", out),
        "img" => {
            copy(element, "src", out);
            copy(element, "alt", out);
        }
        "ol" => copy(element, "start", out),
        "code" => copy(element, "class", out),
        "input" => {
            out.push_str(" type=\"checkbox\" disabled");
            if value.attr("checked").is_some() {
                out.push_str(" checked");
            }
        }
        _ => {}
    }
    out.push('>');
}

fn end(name: &str, out: &mut String) {
    if KEPT.contains(&name) && !VOID.contains(&name) {
        out.push_str("</");
        out.push_str(name);
        out.push('>');
    }
}

fn copy(element: ElementRef<'_>, name: &str, out: &mut String) {
    let Some(value) = element.attr(name) else {
        return;
    };
    if matches!(name, "href" | "src") {
        attribute(name, &safe_link(value), out);
    } else {
        attribute(name, value, out);
    }
}

fn attribute(name: &str, value: &str, out: &mut String) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(value, out);
    out.push('"');
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

/// The address of a link: as written if it is safe, and never a script. Links to Markdown lead to the pages made from it.
fn safe_link(address: &str) -> String {
    // Browsers ignore control characters and leading spaces in front of a scheme.
    let address: String = address.chars().filter(|c| !c.is_control()).collect();
    let address = address.trim();
    let path_end = address.find(['/', '?', '#']).unwrap_or(address.len());
    if let Some((scheme, _)) = address[..path_end].split_once(':') {
        let safe = ["http", "https", "mailto"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known));
        return if safe {
            address.to_owned()
        } else {
            String::new()
        };
    }
    linked_html(address).unwrap_or_else(|| address.to_owned())
}

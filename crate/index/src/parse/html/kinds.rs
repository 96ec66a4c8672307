//! Classifies one element by its name, its classes and its content.

use std::collections::HashSet;

use scraper::ElementRef;

use super::marks;

/// Classes of elements that look like a mere mark: links next to headings, and the brackets, numbers and back links of
/// footnotes.
const MARKS: [&str; 5] = [
    "headerlink",
    "fn-bracket",
    "fn-backref",
    "backrefs",
    "footnote-definition-label",
];

/// Words that name forms without text of their own.
const FIELDS_ONLY: [&str; 8] = [
    "search",
    "comment",
    "subscribe",
    "newsletter",
    "login",
    "signup",
    "contact",
    "feedback",
];

/// Text with fewer consecutive words is a field's label.
const MIN_PROSE_WORDS: usize = 3;
/// Maximum texts examined to tell a menu from a note.
const MAX_TEXTS: usize = 300;

/// True if an element never contains words that a page shows, or only marks its neighbour.
pub(super) fn is_no_text(element: ElementRef<'_>) -> bool {
    let value = element.value();
    match value.name() {
        "script" | "style" | "template" | "noscript" | "svg" | "iframe" | "object" | "canvas"
        | "audio" | "video" | "head" | "title" | "datalist" | "rp" => true,
        // A field to copy from is text; a field to write in is not.
        "textarea" => value.attr("readonly").is_none(),
        _ => value
            .classes()
            .any(|class| MARKS.contains(&class) || (class == "boring" && in_code(element))),
    }
}

/// Maximum levels between a line of code and its block: `pre`, `code`, and a highlighter's element for the line.
const MAX_CODE_STEPS: usize = 3;

/// True if an element is inside code, where mdBook hides boring lines; elsewhere its style sheet hides nothing.
fn in_code(element: ElementRef<'_>) -> bool {
    element
        .ancestors()
        .filter_map(ElementRef::wrap)
        .take(MAX_CODE_STEPS)
        .any(|above| matches!(above.value().name(), "code" | "pre"))
}

/// True if a browser would not show an element, judging by its attributes.
pub(super) fn is_hidden(element: ElementRef<'_>) -> bool {
    let value = element.value();
    let is_style = |style: &str| {
        marks::has_style(style, "display", &["none"])
            || marks::has_style(style, "visibility", &["hidden", "collapse"])
    };
    value
        .attr("hidden")
        .is_some_and(|hidden| !hidden.eq_ignore_ascii_case("until-found"))
        || value.attr("inert").is_some()
        || value.attr("style").is_some_and(is_style)
}

/// True if a class names a part that opens: a tab, or a part of an accordion.
pub(super) fn is_panel(class: &str) -> bool {
    let class = class.to_ascii_lowercase();
    class == "tab"
        || ["tab-", "tabs-", "tab_", "tabs_", "tabitem", "tabcontent"]
            .iter()
            .any(|start| class.starts_with(start))
        || [
            "accordion",
            "collaps",
            "tabpanel",
            "tab-panel",
            "tab-pane",
            "tabs-panel",
        ]
        .iter()
        .any(|part| class.contains(part))
}

/// True if an element's class names a note next to a text, which is as much a part of the page.
pub(super) fn is_note(element: ElementRef<'_>) -> bool {
    let is_named = element.value().classes().any(|class| {
        let class = class.to_ascii_lowercase();
        [
            "note",
            "admonition",
            "aside--",
            "callout",
            "caution",
            "danger",
            "hint",
            "important",
            "info",
            "tip",
            "topic",
            "warning",
            "alert",
        ]
        .iter()
        .any(|word| class.contains(word))
    });
    is_named
        || matches!(
            element.attr("role"),
            Some("note" | "doc-footnote" | "doc-endnotes" | "doc-tip" | "alert")
        )
        || element.child_elements().any(|child| {
            child
                .value()
                .classes()
                .any(|class| class == "sidebar-title")
        })
}

/// True if a part of a page consists mostly of links.
pub(super) fn is_menu(element: ElementRef<'_>) -> bool {
    let (mut n_linked, mut n_all, mut n_links, mut n_texts) = (0, 0, 0, 0);
    let mut link = None;
    for edge in element.traverse().take(10 * MAX_TEXTS) {
        match edge {
            ego_tree::iter::Edge::Open(node) => match node.value() {
                scraper::Node::Text(text) => {
                    let n = text.chars().filter(|c| c.is_alphanumeric()).count();
                    n_all += n;
                    n_linked += if link.is_some() { n } else { 0 };
                    n_texts += 1;
                    if n_texts > MAX_TEXTS {
                        break;
                    }
                }
                scraper::Node::Element(inner) if inner.name() == "a" && link.is_none() => {
                    link = Some(node.id());
                    n_links += 1;
                }
                _ => {}
            },
            ego_tree::iter::Edge::Close(node) if link == Some(node.id()) => link = None,
            ego_tree::iter::Edge::Close(_) => {}
        }
    }
    n_links > 1 && 3 * n_linked > 2 * n_all
}

/// True if an element is prose: a form around it is more than fields.
pub(super) fn is_prose(element: ElementRef<'_>) -> bool {
    match element.value().name() {
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "pre" | "dl" | "section"
        | "article" | "main" => true,
        "p" | "div" | "li" | "blockquote" => element.children().any(|node| match node.value() {
            scraper::Node::Text(text) => text.split_whitespace().nth(MIN_PROSE_WORDS - 1).is_some(),
            _ => false,
        }),
        _ => false,
    }
}

pub(super) fn is_fields_only(form: ElementRef<'_>) -> bool {
    let value = form.value();
    value.attr("role") == Some("search")
        || value
            .attr("id")
            .into_iter()
            .chain(value.classes())
            .any(|name| {
                let name = name.to_ascii_lowercase();
                FIELDS_ONLY.iter().any(|word| name.contains(word))
            })
}

/// True if a footer may name the source of a quotation.
pub(super) fn in_quotation(footer: ElementRef<'_>) -> bool {
    footer
        .ancestors()
        .filter_map(ElementRef::wrap)
        .take(3)
        .any(|above| matches!(above.value().name(), "blockquote" | "figure"))
}

/// The ids of elements that buttons, tabs and other controls open.
pub(super) fn opened(top: ElementRef<'_>) -> HashSet<&str> {
    let mut ids = HashSet::new();
    for element in top.descendants().filter_map(ElementRef::wrap) {
        let value = element.value();
        for name in ["aria-controls", "popovertarget", "commandfor"] {
            ids.extend(value.attr(name).into_iter().flat_map(str::split_whitespace));
        }
        for name in ["data-bs-target", "data-target"] {
            ids.extend(value.attr(name).and_then(|target| target.strip_prefix('#')));
        }
        if value.attr("role") == Some("tab") {
            ids.extend(value.attr("href").and_then(|href| href.strip_prefix('#')));
        }
    }
    ids
}

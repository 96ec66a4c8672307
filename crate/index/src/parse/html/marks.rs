//! Tells small elements that are only a mark, a line number or a repeat from those with words of their own.

use std::cell::RefCell;

use ego_tree::NodeId;
use scraper::{ElementRef, Node};

/// Maximum texts examined to judge one element.
const MAX_TEXTS: usize = 200;
/// Maximum elements and texts visited to find them: one element may contain thousands of elements to judge.
const MAX_NODES: usize = 1000;

/// Classes of text that only screen readers read out.
const SPOKEN: [&str; 9] = [
    "sr-only",
    "visually-hidden",
    "visuallyhidden",
    "screen-reader-text",
    "screen-reader-only",
    "show-for-sr",
    "a11y-hidden",
    "cdk-visually-hidden",
    "govuk-visually-hidden",
];

/// Classes that always mark line numbers next to code.
const LINE_NUMBERS: [&str; 4] = ["linenos", "lineno", "lnt", "linenodiv"];

/// Classes that mark line numbers next to code if the element holds only numbers.
const MAYBE_LINE_NUMBERS: [&str; 18] = [
    "ln",
    "lno",
    "gutter",
    "rouge-gutter",
    "line-number",
    "line-numbers",
    "line-num",
    "line_number",
    "linenumber",
    "linenumbers",
    "lineNumber",
    "LineNumber",
    "code-line-number",
    "blob-num",
    "hljs-ln-n",
    "hljs-ln-numbers",
    "react-syntax-highlighter-line-number",
    "line-numbers-wrapper",
];

/// Classes of links that open the heading they are in.
const PERMALINKS: [&str; 8] = [
    "headerlink",
    "header-anchor",
    "heading-anchor",
    "heading-link",
    "hash-link",
    "anchor-link",
    "sl-anchor-link",
    "permalink",
];

/// The text that a page shows of an element, within the limits above.
fn shown(element: ElementRef<'_>) -> String {
    let mut shown = String::new();
    let mut skipped = None;
    let mut n_texts = 0;
    for edge in element.traverse().take(2 * MAX_NODES) {
        match edge {
            ego_tree::iter::Edge::Open(node) if skipped.is_none() => match node.value() {
                Node::Text(text) => {
                    shown.push_str(text);
                    shown.push(' ');
                    n_texts += 1;
                    if n_texts >= MAX_TEXTS {
                        break;
                    }
                }
                Node::Element(_)
                    if ElementRef::wrap(node)
                        .is_some_and(|inner| inner.id() != element.id() && is_spoken(inner)) =>
                {
                    skipped = Some(node.id());
                }
                _ => {}
            },
            ego_tree::iter::Edge::Close(node) if skipped == Some(node.id()) => skipped = None,
            _ => {}
        }
    }
    shown
}

/// The text of an element, within the limits above.
pub(super) fn texts(element: ElementRef<'_>) -> String {
    let nodes = element.descendants().take(MAX_NODES);
    nodes
        .filter_map(|node| match node.value() {
            Node::Text(text) => Some(&**text),
            _ => None,
        })
        .collect()
}

fn is_spoken(element: ElementRef<'_>) -> bool {
    element
        .value()
        .classes()
        .any(|class| SPOKEN.contains(&class))
}

/// Letters and digits in lower case, one space between words.
fn words(text: &str) -> String {
    let mut words = String::from(" ");
    for c in text.chars() {
        if c.is_alphanumeric() {
            words.extend(c.to_lowercase());
        } else if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    if !words.ends_with(' ') {
        words.push(' ');
    }
    words
}

/// A cache of the words shown in the elements queried last: neighbours share a parent.
#[derive(Default)]
pub(super) struct SeenWords(RefCell<[Option<(NodeId, String)>; 2]>);

impl SeenWords {
    fn in_element<T>(&self, element: ElementRef<'_>, look: impl FnOnce(&str) -> T) -> T {
        let mut last = self.0.borrow_mut();
        let is_it = |known: &&Option<(NodeId, String)>| {
            known.as_ref().is_some_and(|(id, _)| *id == element.id())
        };
        if let Some((_, seen)) = last.iter().find(is_it).and_then(Option::as_ref) {
            return look(seen);
        }
        let seen = words(&shown(element));
        let found = look(&seen);
        last.rotate_right(1);
        last[0] = Some((element.id(), seen));
        found
    }
}

/// True if text for screen readers repeats the visible text next to it, with or without additions.
pub(super) fn is_repeat(element: ElementRef<'_>, seen_words: &SeenWords) -> bool {
    if !is_spoken(element) {
        return false;
    }
    let own = words(&texts(element));
    if own.len() <= 1 {
        return true;
    }
    let mut around = element.parent().and_then(ElementRef::wrap);
    for _ in 0..2 {
        let Some(parent) = around else { return false };
        let repeats = seen_words.in_element(parent, |seen| {
            (seen.len() > 1).then(|| seen.contains(&own) || own.contains(seen))
        });
        if let Some(repeats) = repeats {
            return repeats;
        }
        around = parent.parent().and_then(ElementRef::wrap);
    }
    false
}

/// True if a code caption holds only text for screen readers, which says that there is a window, as in a terminal's
/// frame.
pub(super) fn is_spoken_caption(element: ElementRef<'_>) -> bool {
    is_spoken(element)
        && element
            .ancestors()
            .filter_map(ElementRef::wrap)
            .take(2)
            .any(|around| around.value().name() == "figcaption" && is_silent_caption(around))
}

fn is_silent_caption(caption: ElementRef<'_>) -> bool {
    let code = caption.next_siblings().take(2).find_map(ElementRef::wrap);
    code.is_some_and(|code| code.value().name() == "pre")
        && !shown(caption).contains(char::is_alphanumeric)
}

/// True if an element holds the line numbers of code.
pub(super) fn is_line_numbers(element: ElementRef<'_>) -> bool {
    let value = element.value();
    if value.classes().any(|class| LINE_NUMBERS.contains(&class)) {
        // The class may also mark a block of code that has line numbers, which is not a column of them.
        return !matches!(value.name(), "div" | "pre" | "code" | "table" | "figure")
            || is_numbers(element);
    }
    let is_named = value
        .classes()
        .any(|class| MAYBE_LINE_NUMBERS.contains(&class))
        || value.attr("data-line-number").is_some() && value.name() != "tr";
    is_named && !matches!(value.name(), "pre" | "code") && is_numbers(element)
}

/// True for a column of numbers; a long one is judged by its start.
fn is_numbers(element: ElementRef<'_>) -> bool {
    texts(element)
        .chars()
        .all(|c| c.is_ascii_digit() || c.is_whitespace() || ".:|".contains(c))
}

/// True if an element repeats the formula next to it in another form.
pub(super) fn is_second_formula(element: ElementRef<'_>) -> bool {
    let value = element.value();
    if matches!(value.name(), "annotation" | "annotation-xml") {
        // The source of a formula repeats it only if another form precedes it.
        return element
            .prev_siblings()
            .take(MAX_TEXTS)
            .filter_map(ElementRef::wrap)
            .any(|sibling| !sibling.value().name().starts_with("annotation"));
    }
    value.attr("aria-hidden") == Some("true") && {
        let mut siblings = element
            .prev_siblings()
            .take(4)
            .chain(element.next_siblings().take(4))
            .filter_map(ElementRef::wrap);
        siblings.any(|sibling| {
            let value = sibling.value();
            value.name() == "mjx-assistive-mml"
                || value.classes().any(|class| {
                    matches!(
                        class,
                        "katex-mathml" | "MJX_Assistive_MathML" | "MathJax_Assistive"
                    )
                })
        })
    }
}

/// True if a picture repeats the one before it, in an element that opens to show it larger.
pub(super) fn is_second_picture(picture: ElementRef<'_>) -> bool {
    let before = picture.parent().and_then(|around| {
        around
            .prev_siblings()
            .take(4)
            .find_map(ElementRef::wrap)
            .filter(|before| before.value().name() == "img")
    });
    before.is_some_and(|before| {
        ["src", "alt"]
            .iter()
            .all(|name| before.attr(name) == picture.attr(name))
    })
}

/// True if an element shows a formula to screen readers, or is hidden next to a picture of one.
pub(super) fn is_formula(element: ElementRef<'_>) -> bool {
    let value = element.value();
    value.name() == "math"
        || value.classes().any(|class| class == "katex-html")
        || element
            .child_elements()
            .any(|child| child.value().name() == "math")
}

/// True for a link that only marks its position: `#`, a pilcrow, or nothing visible.
pub(super) fn is_mark(element: ElementRef<'_>) -> bool {
    element.value().name() == "a" && !shown(element).contains(char::is_alphanumeric)
}

/// True if a link in a heading only opens it, whatever its words. A link that is the whole heading is not one.
pub(super) fn is_permalink(element: ElementRef<'_>, heading: ElementRef<'_>) -> bool {
    let value = element.value();
    matches!(value.name(), "a" | "button")
        && value.classes().any(|class| PERMALINKS.contains(&class))
        && words(&shown(element)) != words(&shown(heading))
}

/// True if an element is a footnote's mark in the text, or the link back from the footnote.
pub(super) fn is_footnote_mark(element: ElementRef<'_>) -> bool {
    let value = element.value();
    let has = |role: &str| {
        value
            .attr("role")
            .is_some_and(|roles| roles.split_whitespace().any(|one| one == role))
    };
    match value.name() {
        "a" if has("doc-backlink") || value.attr("data-footnote-backref").is_some() => true,
        "a" if has("doc-noteref") || value.attr("data-footnote-ref").is_some() => is_short(element),
        "a" => {
            let is_link = value.attr("href").is_some_and(|href| href.contains('#'));
            let is_named = value.classes().any(|class| {
                class.contains("footnote") || class.contains("noteref") || class.contains("fn-back")
            });
            let is_raised = element
                .child_elements()
                .any(|child| child.value().name() == "sup");
            is_link && (is_named || is_raised) && is_short(element)
        }
        "sup" => {
            let mut links = element
                .descendants()
                .take(MAX_TEXTS)
                .filter_map(ElementRef::wrap)
                .filter(|inner| inner.value().name() == "a");
            let opens_note =
                links.any(|link| link.attr("href").is_some_and(|href| href.contains('#')));
            // Raised brackets belong to a note, with or without a link.
            let is_in_brackets = || {
                let text = texts(element);
                let text = text.trim();
                text.starts_with('[') && text.ends_with(']')
            };
            (opens_note || is_in_brackets()) && is_short(element)
        }
        _ => false,
    }
}

/// True for a number, a sign or a letter, with or without brackets.
fn is_short(element: ElementRef<'_>) -> bool {
    let text = texts(element);
    let text = text.trim();
    let n_letters = text.chars().filter(|c| c.is_alphabetic()).count();
    text.chars().count() <= 12
        && (n_letters <= 1 || (n_letters <= 4 && text.contains(|c: char| c.is_ascii_digit())))
}

/// True for a button that copies its neighbour, or shows only a picture.
pub(super) fn is_tool(button: ElementRef<'_>) -> bool {
    let value = button.value();
    let copies = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.contains("copy") || text.contains("clipboard")
    };
    value.classes().any(copies)
        || value.attr("data-clipboard-text").is_some()
        || value.attr("data-clipboard-target").is_some()
        || !shown(button).contains(char::is_alphanumeric)
}

/// True if a button only says that it copies, in the usual words of buttons next to code.
pub(super) fn says_copy(button: ElementRef<'_>) -> bool {
    let said = words(&shown(button));
    [" copy ", " copied ", " copy code ", " copy to clipboard "].contains(&said.as_str())
}

/// True if a `style` attribute gives a property one of these values.
pub(super) fn has_style(style: &str, property: &str, values: &[&str]) -> bool {
    style.split(';').any(|rule| {
        rule.split_once(':').is_some_and(|(name, value)| {
            let value = value.trim();
            let value = value.strip_suffix("!important").unwrap_or(value).trim();
            name.trim().eq_ignore_ascii_case(property)
                && values.iter().any(|known| value.eq_ignore_ascii_case(known))
        })
    })
}

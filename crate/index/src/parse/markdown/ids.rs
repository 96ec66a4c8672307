//! Turns headings into the ids that site generators give them.

use std::collections::HashMap;

use ego_tree::NodeId;
use scraper::{ElementRef, Html, Node};
use unicode_general_category::{GeneralCategory, get_general_category};

use crate::parse::html;

/// The attribute that tells Markdown headings from those of raw HTML.
pub(super) const MADE: &str = "data-made-heading";

/// The rule by which Markdown headings get their ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Anchors {
    /// GitHub's, which Docusaurus, Starlight and others follow: combining marks stay, and only blanks become hyphens.
    #[default]
    GitHub,
    /// mdBook's: only letters, with the vowel signs that count as such, and numbers stay; any white space becomes a hyphen.
    MdBook,
}

impl Anchors {
    /// The id of a heading with this text, before it is made unique.
    fn slug(self, text: &str) -> String {
        // Lower-cased as a whole, so that a sigma at the end of a word becomes a final one.
        let lower = text.trim().to_lowercase();
        let kept = |c: char| match (self, c) {
            (_, '-' | '_') => Some(c),
            (Self::GitHub, ' ') => Some('-'),
            (Self::MdBook, _) if c.is_whitespace() => Some('-'),
            (Self::GitHub, _) => is_word(c).then_some(c),
            (Self::MdBook, _) => c.is_alphanumeric().then_some(c),
        };
        lower.chars().filter_map(kept).collect()
    }
}

/// Letters, marks, decimal digits and connectors: the word characters of Unicode's regular expressions.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || c.is_alphabetic()
        || matches!(
            get_general_category(c),
            GeneralCategory::NonspacingMark
                | GeneralCategory::SpacingMark
                | GeneralCategory::EnclosingMark
                | GeneralCategory::DecimalNumber
                | GeneralCategory::ConnectorPunctuation
        )
}

/// The id of each heading of a page made from Markdown: its own, or one from its text; repeated ids get `-1`, `-2`.
pub(super) fn of_headings(page: &Html, anchors: Anchors) -> HashMap<NodeId, String> {
    let mut used = HashMap::new();
    let mut ids = HashMap::new();
    for element in page.root_element().descendants() {
        let Some(element) = ElementRef::wrap(element) else {
            continue;
        };
        let value = element.value();
        if !matches!(value.name(), "h1" | "h2" | "h3" | "h4" | "h5" | "h6") {
            continue;
        }
        // Generators give every Markdown heading an id, but not all do so for raw HTML, where an id that the author
        // wrote next to the heading is safer.
        let made = || Some(anchors.slug(&text(element))).filter(|slug| !slug.is_empty());
        let wanted = if value.attr(MADE).is_some() {
            let own = value.attr("id").map(str::to_owned);
            own.or_else(made).or_else(|| html::anchor(element))
        } else {
            html::anchor(element).or_else(made)
        };
        if let Some(id) = wanted.and_then(|wanted| unique(&wanted, &mut used)) {
            ids.insert(element.id(), id);
        }
    }
    ids
}

/// The text of a heading, without the marks of footnotes.
fn text(heading: ElementRef<'_>) -> String {
    let mut text = String::new();
    for node in heading.descendants() {
        let mut above = node.ancestors().take(2).filter_map(ElementRef::wrap);
        let is_mark = above.any(|above| above.attr("class") == Some("footnote-reference"));
        match node.value() {
            Node::Text(words) if !is_mark => text.push_str(words),
            Node::Element(element) if element.name() == "br" => text.push('\n'),
            _ => {}
        }
    }
    text
}

/// `wanted`, or with the first number that makes it new; `None` if no id can be made.
///
/// `used` holds each id with the last number tried for it, so that a heading repeated a hundred thousand times is not
/// compared with all the others each time.
fn unique(wanted: &str, used: &mut HashMap<String, u32>) -> Option<String> {
    if wanted.is_empty() {
        return None;
    }
    let mut number = used.get(wanted).copied();
    let id = loop {
        let Some(last) = number else {
            break wanted.to_owned();
        };
        let id = format!("{wanted}-{}", last + 1);
        number = Some(last + 1);
        if !used.contains_key(&id) {
            break id;
        }
    };
    used.insert(wanted.to_owned(), number.unwrap_or(0));
    used.entry(id.clone()).or_insert(0);
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_site_generator() {
        for (text, github, mdbook) in [
            (
                "What `x` does: C++ & Rust?",
                "what-x-does-c--rust",
                "what-x-does-c--rust",
            ),
            ("नमस्ते दुनिया", "नमस्ते-दुनिया", "नमसते-दुनिया"),
            ("วิธีใช้ ก่อน", "วิธีใช้-ก่อน", "วิธีใช-กอน"),
            ("Cafe\u{301} noir", "cafe\u{301}-noir", "cafe-noir"),
            (
                "\u{2139}\u{fe0f} Info",
                "\u{2139}\u{fe0f}-info",
                "\u{2139}-info",
            ),
            ("\u{26a0}\u{fe0f} Care", "\u{fe0f}-care", "-care"),
            ("ΟΔΟΣ ΟΔΟΣ", "οδος-οδος", "οδος-οδος"),
            ("İstanbul", "i\u{307}stanbul", "istanbul"),
            ("tab\there\u{a0}too", "tabheretoo", "tab-here-too"),
            ("two\nlines", "twolines", "two-lines"),
            (
                "snake_case a\u{203f}b",
                "snake_case-a\u{203f}b",
                "snake_case-ab",
            ),
            ("x² ① ½", "x--", "x²-①-½"),
            ("\u{1f680} Launch", "-launch", "-launch"),
            ("مُحَمَّد", "مُحَمَّد", "مُحَمَّد"),
        ] {
            assert_eq!(Anchors::GitHub.slug(text), github, "GitHub's of {text:?}");
            assert_eq!(Anchors::MdBook.slug(text), mdbook, "mdBook's of {text:?}");
        }
    }

    #[test]
    fn a_heading_repeated_without_end_is_numbered_in_time() {
        let mut used = HashMap::new();
        let last = (0..100_000).filter_map(|_| unique("a", &mut used)).last();
        assert_eq!(last.as_deref(), Some("a-99999"));
    }
}

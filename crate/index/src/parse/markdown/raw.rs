//! Turns raw HTML in Markdown into HTML that cannot swallow the rest of a page, with the words that components show.

use std::collections::HashMap;

use super::words::{is_component, shown, tag_end};

/// Elements that hide everything after them until their end tag, as when prose names `<title>` without marking it as code.
const SWALLOWING: [&str; 25] = [
    "audio",
    "button",
    "canvas",
    "datalist",
    "dialog",
    "footer",
    "form",
    "iframe",
    "listing",
    "math",
    "nav",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "plaintext",
    "script",
    "select",
    "style",
    "svg",
    "template",
    "textarea",
    "title",
    "video",
    "xmp",
];

/// Elements around the page itself, which Markdown may not open.
const FRAMES: [&str; 5] = ["body", "frame", "frameset", "head", "html"];

/// Rewrites the raw HTML of one page, piece by piece.
#[derive(Default)]
pub(super) struct Rewriter {
    /// Number of end tags still to come, by element.
    ends: HashMap<String, usize>,
}

impl Rewriter {
    /// Counts the end tags of a piece; all pieces are counted before any is rewritten.
    pub(super) fn expect(&mut self, markup: &str) {
        for piece in markup.split("</").skip(1) {
            *self.ends.entry(name_of(piece)).or_insert(0) += 1;
        }
    }

    /// A piece as it goes into the page; `is_block` if it is between paragraphs.
    pub(super) fn rewrite(&mut self, markup: &str, is_block: bool) -> String {
        let mut kept = String::with_capacity(markup.len());
        let mut rest = markup;
        while let Some(start) = rest.find('<') {
            kept.push_str(&rest[..start]);
            let tag = &rest[start..];
            let end = if tag.starts_with("<!--") {
                tag.find("-->").map_or(tag.len(), |end| end + 3)
            } else if tag.starts_with("<?") || tag.starts_with("<!") {
                tag.find('>').map_or(tag.len(), |end| end + 1)
            } else if tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') {
                let end = tag_end(tag).unwrap_or(tag.len());
                self.tag(&tag[..end], is_block, &mut kept);
                end
            } else {
                kept.push_str("&lt;");
                1
            };
            rest = &tag[end..];
        }
        kept.push_str(rest);
        kept
    }

    fn tag(&mut self, tag: &str, is_block: bool, kept: &mut String) {
        let written = tag[1..].trim_start_matches('/');
        let name = name_of(written);
        let is_component = is_component(written);
        if tag.starts_with("</") {
            if let Some(n) = self.ends.get_mut(&name) {
                *n = n.saturating_sub(1);
            }
            if !is_component && !FRAMES.contains(&name.as_str()) {
                kept.push_str(tag);
            }
        } else if is_component {
            let words = shown(tag).replace('<', "&lt;").replace('>', "&gt;");
            match (is_block, words.is_empty()) {
                (true, false) => kept.push_str(&format!("<p>{words}</p>")),
                _ => kept.push_str(&words),
            }
        } else if FRAMES.contains(&name.as_str()) {
            // The page has its own.
        } else if SWALLOWING.contains(&name.as_str())
            && self.ends.get(&name).is_none_or(|n| *n == 0)
        {
            // A bare tag is a mention; a tag with attributes is markup that its author forgot to end.
            if tag.trim_end_matches('>').len() == 1 + name.len() {
                kept.push_str(&format!("&lt;{name}&gt;"));
            }
        } else {
            kept.push_str(tag);
        }
    }
}

fn name_of(written: &str) -> String {
    let end = written
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .unwrap_or(written.len());
    written[..end].to_ascii_lowercase()
}

#[cfg(test)]
#[path = "raw_tests.rs"]
mod tests;

//! Turns a Markdown file into what is Markdown of it: mdBook's directives and raw HTML are taken out here.

use super::outline::collapse;

/// Directives of mdBook that stand for other files; what they would insert is not here to be read.
const DIRECTIVES: [&str; 5] = [
    "include",
    "rustdoc_include",
    "playground",
    "playpen",
    "title",
];

/// No directive is longer.
const MAX_DIRECTIVE_BYTES: usize = 1000;

/// Drops `{{#include ..}}` and its kin before Markdown is read; `{{#title ..}}` names the page. One escaped by a
/// backslash is text.
pub(super) fn drop_directives(text: &str, title: &mut Option<String>) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{#") {
        let (before, after) = rest.split_at(start);
        // A directive is short; looking further at each start would take time with the square of a hostile line.
        let near = &after[..after.floor_char_boundary(MAX_DIRECTIVE_BYTES)];
        let line = near.lines().next().unwrap_or("");
        let directive = line.find("}}").map(|end| &line[3..end]);
        let name = directive
            .and_then(|words| words.split_whitespace().next())
            .unwrap_or("");
        match directive {
            Some(words) if DIRECTIVES.contains(&name) && !before.ends_with('\\') => {
                kept.push_str(before);
                if name == "title" {
                    title.get_or_insert_with(|| collapse(&words[name.len()..]));
                }
                rest = &after[words.len() + 5..];
            }
            _ => {
                kept.push_str(before.strip_suffix('\\').unwrap_or(before));
                kept.push_str("{{#");
                rest = &after[3..];
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// What a reader sees of a block of HTML in Markdown: no tags, comments, scripts or styles. The `caption` or `title`
/// of a component (a tag with a capital, as mdBook preprocessors and MDX use) is kept, for the page shows it.
pub(super) fn text_of_markup(markup: &str) -> String {
    let mut text = String::new();
    let lowercase = markup.to_ascii_lowercase();
    let mut rest = markup;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let tag = &rest[start..];
        let skipped_to = if tag.starts_with("<!--") {
            tag.find("-->").map(|end| end + 3)
        } else if let Some(name) = ["script", "style"]
            .into_iter()
            .find(|name| starts_with_tag(tag, name))
        {
            let close = format!("</{name}");
            lowercase[markup.len() - tag.len()..].find(&close)
        } else if tag[1..]
            .starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!' || c == '?')
        {
            let end = tag_end(tag);
            if tag[1..].starts_with(|c: char| c.is_ascii_uppercase()) {
                let words = &tag[..end.unwrap_or(tag.len())];
                if let Some(words) =
                    attribute(words, "caption").or_else(|| attribute(words, "title"))
                {
                    text.push_str(words);
                }
            }
            end
        } else {
            text.push('<');
            Some(1)
        };
        text.push(' ');
        rest = skipped_to.map_or("", |end| &tag[end..]);
    }
    text.push_str(rest);
    let decoded = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&");
    collapse(&decoded)
}

fn starts_with_tag(tag: &str, name: &str) -> bool {
    tag.get(1..=name.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(name))
        && !tag[1 + name.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '-')
}

/// Where a tag ends, counted from its `<`; a `>` between quotes does not end it.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (idx, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(idx + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = &tag[start..];
    Some(&value[..value.find('"')?])
}

//! Turns the tag of a component, or a shortcode, into the words that a page shows for it.

/// Longer tags end at the first `>`.
pub(super) const MAX_TAG_BYTES: usize = 16 << 10;
/// Attributes whose values a page shows.
const SHOWN: [&str; 9] = [
    "title",
    "label",
    "caption",
    "heading",
    "header",
    "summary",
    "text",
    "description",
    "alt",
];

/// True if the text after `<` or `</` names a component of MDX or of mdBook's preprocessors: it starts with a capital,
/// and is not all capitals like old HTML.
pub(super) fn is_component(written: &str) -> bool {
    let end = written
        .find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '_' | '-'))
        .unwrap_or(written.len());
    let (name, rest) = written.split_at(end);
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && (name.len() == 1 || name.contains(|c: char| c.is_lowercase()))
        && !matches!(name, "A" | "B" | "I" | "P" | "Q" | "S" | "U")
        // In an address (`<Https://x.org>`, `<Ann@x.org>`), something else follows the name.
        && (rest.is_empty() || rest.starts_with(['>', '/']) || rest.starts_with(char::is_whitespace))
}

/// The offset of a tag's end from its `<`: a `>` between quotes or in JSX's braces does not end it.
pub(super) fn whole_tag(tag: &str) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0_usize;
    // Searching for a quote's end from each tag would take quadratic time on a hostile page.
    for (idx, byte) in tag.bytes().enumerate().take(MAX_TAG_BYTES) {
        match (quote, byte) {
            (None, b'>') if depth == 0 => return Some(idx + 1),
            (None, b'{') => depth += 1,
            (None, b'}') => depth = depth.saturating_sub(1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// The offset of a tag's end if unclosed braces and quotes don't count.
pub(super) fn tag_end(tag: &str) -> Option<usize> {
    whole_tag(tag).or_else(|| tag.find('>').map(|end| end + 1))
}

/// The words that a page shows for a tag's attributes; empty if there are none.
pub(super) fn shown(tag: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for value in SHOWN.iter().filter_map(|name| attribute(tag, name)) {
        if !words.contains(&value) {
            words.push(value);
        }
    }
    words.join(". ")
}

/// The title in an attribute list.
pub(super) fn title(list: &str) -> Option<&str> {
    attribute(list, "title")
}

/// The value of an attribute between quotes, with or without JSX's braces.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    for (at, _) in tag.match_indices(name) {
        let is_whole = at == 0 || tag[..at].ends_with(|c: char| c.is_whitespace() || c == '{');
        let Some(value) = tag[at + name.len()..].trim_start().strip_prefix('=') else {
            continue;
        };
        let value = value.trim_start().trim_start_matches('{').trim_start();
        let quote = value.chars().next().filter(|c| "\"'`\u{201c}".contains(*c));
        if let (true, Some(quote)) = (is_whole, quote) {
            // Editors turn plain quotes into typographic ones.
            let end = if quote == '\u{201c}' {
                '\u{201d}'
            } else {
                quote
            };
            let value = value[quote.len_utf8()..].split(end).next().unwrap_or("");
            return Some(value.trim()).filter(|text| !text.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_told_from_html_and_addresses() {
        for name in [
            "Tabs>",
            "Tabs.Item label='x'>",
            "T>",
            "CodeBlock/>",
            "Aside",
        ] {
            assert!(is_component(name), "{name}");
        }
        for name in [
            "BR>",
            "P>",
            "DIV class=x>",
            "div>",
            "Https://x.org>",
            "Ann@x.org>",
            "3D>",
        ] {
            assert!(!is_component(name), "{name}");
        }
    }

    #[test]
    fn words_are_those_of_quoted_attributes() {
        for (tag, expected) in [
            ("<TabItem value=\"a\" label=\"Apple\">", "Apple"),
            ("<Card title={'A > b'} description=\"c\" />", "A > b. c"),
            ("<Card title={`A`} label='A'>", "A"),
            ("<X subtitle=\"no\" data-title=\"no\">", ""),
            ("<X title={name}>", ""),
            ("{{< figure src=\"x.png\" caption=\"A kite\" >}}", "A kite"),
        ] {
            assert_eq!(shown(tag), expected, "{tag}");
        }
    }
}

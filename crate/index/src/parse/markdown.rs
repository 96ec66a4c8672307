//! Turns a Markdown page into sections, and into safe HTML with the same heading ids.
//!
//! Both come from one cleaned list of events, so an anchor of one always exists in the other. Front
//! matter, comments, tags, mdBook's include lines and its hidden lines of Rust code are dropped from both.

use std::collections::HashSet;

use pulldown_cmark::{
    CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, TextMergeStream, html,
};

use super::outline::{Outline, collapse};
use super::{Parsed, html_path};

/// Renders a page's body. No markup of the page's own survives: tags are dropped, their text is escaped, and
/// links with a scheme other than http, https or mailto lose their address.
///
/// Links to Markdown pages point at the HTML pages made of them. Heading ids equal the anchors that
/// [`parse_page`](super::parse_page) gives.
pub fn to_html(text: &str) -> String {
    let page = clean(text);
    let events = page.events.into_iter().map(|event| match event {
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => Event::Start(Tag::Link {
            link_type,
            dest_url: safe_link(&dest_url),
            title,
            id,
        }),
        Event::Start(Tag::Image {
            link_type,
            dest_url,
            title,
            id,
        }) => Event::Start(Tag::Image {
            link_type,
            dest_url: safe_link(&dest_url),
            title,
            id,
        }),
        other => other,
    });
    let mut rendered = String::with_capacity(text.len() * 3 / 2);
    html::push_html(&mut rendered, events);
    rendered
}

/// Sections and title of a page.
pub(super) fn parse(text: &str) -> Parsed {
    let page = clean(text);
    let mut outline = Outline::default();
    let mut heading: Option<(Option<String>, String)> = None;
    let mut code: Option<(String, String)> = None;
    for event in page.events {
        match event {
            Event::Start(Tag::Heading { id, .. }) => {
                heading = Some((id.map(|id| id.to_string()), String::new()));
            }
            Event::End(TagEnd::Heading(level)) => {
                if let Some((anchor, text)) = heading.take() {
                    outline.heading(level as u8, &text, anchor);
                }
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                code = Some((language(&kind).to_owned(), String::new()))
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some((language, text)) = code.take() {
                    outline.code(&language, &text);
                }
            }
            Event::Text(text)
            | Event::Code(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text) => {
                if let Some((_, code)) = &mut code {
                    code.push_str(&text);
                } else if let Some((_, heading)) = &mut heading {
                    heading.push_str(&text);
                } else {
                    outline.text(&text);
                }
            }
            Event::SoftBreak | Event::HardBreak => match &mut heading {
                Some((_, heading)) => heading.push(' '),
                None if event == Event::HardBreak => outline.line(),
                None => outline.text(" "),
            },
            Event::Start(Tag::Paragraph) => outline.paragraph(),
            Event::Start(Tag::List(first)) => outline.start_list(first),
            Event::End(TagEnd::List(_)) => outline.end_list(),
            Event::Start(Tag::Item) => outline.item(),
            Event::Start(Tag::TableCell) => outline.cell(),
            Event::End(TagEnd::TableHead | TagEnd::TableRow) => outline.line(),
            Event::Start(Tag::Table(_) | Tag::FootnoteDefinition(_) | Tag::BlockQuote(_))
            | Event::Rule => {
                outline.paragraph();
            }
            Event::End(TagEnd::Table | TagEnd::FootnoteDefinition) => outline.paragraph(),
            _ => {}
        }
    }
    let (title, sections) = outline.finish();
    Parsed {
        title: page.title.or(title),
        sections,
    }
}

struct Page<'t> {
    title: Option<String>,
    events: Vec<Event<'t>>,
}

/// Reads a page and drops what is no text; headings leave with their final ids.
fn clean(text: &str) -> Page<'static> {
    let (front_matter, body) = split_front_matter(text);
    let mut title = front_matter.and_then(front_matter_title);
    let body = drop_directives(body, &mut title);
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_GFM;
    let mut events: Vec<Event<'static>> = Vec::new();
    let mut markup = String::new();
    for event in TextMergeStream::new(Parser::new_ext(&body, options)) {
        match event {
            Event::Html(tags) => markup.push_str(&tags),
            Event::Start(Tag::HtmlBlock) => markup.clear(),
            Event::End(TagEnd::HtmlBlock) => {
                let text = text_of_markup(&markup);
                if !text.is_empty() {
                    events.push(Event::Start(Tag::Paragraph));
                    events.push(Event::Text(text.into()));
                    events.push(Event::End(TagEnd::Paragraph));
                }
            }
            Event::InlineHtml(tag) => {
                if tag.to_ascii_lowercase().starts_with("<br") {
                    events.push(Event::HardBreak);
                }
            }
            other => events.push(other.into_static()),
        }
    }
    Page {
        title,
        events: with_heading_ids(without_hidden_code(events)),
    }
}

/// Gives each heading the id that mdBook and GitHub would: explicit, or from its text; repeated ones get `-1`, `-2`.
fn with_heading_ids(mut events: Vec<Event<'static>>) -> Vec<Event<'static>> {
    let mut used = HashSet::new();
    for idx in 0..events.len() {
        let Event::Start(Tag::Heading { id, .. }) = &events[idx] else {
            continue;
        };
        let wanted = id.as_ref().map(|id| id.to_string()).unwrap_or_else(|| {
            let inner = events[idx..]
                .iter()
                .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
            slug(&inner.filter_map(visible_text).collect::<String>())
        });
        let unique = unique_id(&wanted, &mut used);
        if let Event::Start(Tag::Heading {
            id, classes, attrs, ..
        }) = &mut events[idx]
        {
            *id = unique.map(CowStr::from);
            // `{onclick=..}` is an attribute too: only the id is the page's to choose.
            classes.clear();
            attrs.clear();
        }
    }
    events
}

fn visible_text<'e>(event: &'e Event<'static>) -> Option<&'e str> {
    match event {
        Event::Text(text) | Event::Code(text) | Event::InlineMath(text) => Some(text),
        Event::SoftBreak | Event::HardBreak => Some(" "),
        _ => None,
    }
}

fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for character in text.trim().chars() {
        if character.is_alphanumeric() || matches!(character, '-' | '_') {
            slug.extend(character.to_lowercase());
        } else if character.is_whitespace() {
            slug.push('-');
        }
    }
    slug
}

/// `wanted`, or with the first number that makes it new; `None` where nothing can be made of it.
fn unique_id(wanted: &str, used: &mut HashSet<String>) -> Option<String> {
    if wanted.is_empty() {
        return None;
    }
    let mut id = wanted.to_owned();
    let mut number = 0_u32;
    while !used.insert(id.clone()) {
        number += 1;
        id = format!("{wanted}-{number}");
    }
    Some(id)
}

fn language<'k>(kind: &'k CodeBlockKind<'_>) -> &'k str {
    match kind {
        CodeBlockKind::Indented => "",
        CodeBlockKind::Fenced(words) => words.split([',', ' ', '{', '\t']).next().unwrap_or(""),
    }
}

/// Drops lines of Rust code that mdBook and rustdoc hide, and code blocks of which nothing remains.
fn without_hidden_code(events: Vec<Event<'static>>) -> Vec<Event<'static>> {
    let mut kept: Vec<Event<'static>> = Vec::with_capacity(events.len());
    let mut block: Option<(CodeBlockKind<'static>, String)> = None;
    for event in events {
        match (event, &mut block) {
            (Event::Start(Tag::CodeBlock(kind)), _) => block = Some((kind, String::new())),
            (Event::Text(text), Some((_, code))) => code.push_str(&text),
            (Event::End(TagEnd::CodeBlock), _) => {
                let Some((kind, code)) = block.take() else {
                    continue;
                };
                let code = if language(&kind) == "rust" {
                    visible_lines(&code)
                } else {
                    code
                };
                if !code.trim().is_empty() {
                    kept.push(Event::Start(Tag::CodeBlock(kind)));
                    kept.push(Event::Text(code.into()));
                    kept.push(Event::End(TagEnd::CodeBlock));
                }
            }
            (other, None) => kept.push(other),
            (_, Some(_)) => {}
        }
    }
    kept
}

fn visible_lines(code: &str) -> String {
    let mut visible = String::with_capacity(code.len());
    for line in code.split_inclusive('\n') {
        let content = line.trim();
        if content == "#" || content.starts_with("# ") {
            continue;
        }
        match line.trim_start().strip_prefix("##") {
            // Two marks stand for one that is shown.
            Some(rest) => {
                visible.push_str(&line[..line.len() - line.trim_start().len()]);
                visible.push('#');
                visible.push_str(rest);
            }
            None => visible.push_str(line),
        }
    }
    visible
}

/// The block between `---` or `+++` lines at the very start, and the rest. Without a closing line there is none.
fn split_front_matter(text: &str) -> (Option<&str>, &str) {
    let first = text.lines().next().unwrap_or("").trim_end();
    if first != "---" && first != "+++" {
        return (None, text);
    }
    let mut offset = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let start = offset;
        offset += line.len();
        if number > 0 && line.trim_end() == first {
            let block_start = text.find('\n').map_or(start, |end| end + 1);
            return (Some(&text[block_start..start]), &text[offset..]);
        }
    }
    (None, text)
}

/// The value of the top-level key `title`, in YAML or TOML.
fn front_matter_title(block: &str) -> Option<String> {
    let value = block.lines().find_map(|line| {
        let rest = line.strip_prefix("title")?.trim_start();
        rest.strip_prefix(':').or_else(|| rest.strip_prefix('='))
    })?;
    let value = value.trim();
    let unquoted = ['"', '\''].iter().find_map(|&quote| {
        let inner = value.strip_prefix(quote)?;
        Some(&inner[..inner.find(quote)?])
    });
    let title = collapse(unquoted.unwrap_or_else(|| value.split(" #").next().unwrap_or(value)));
    (!title.is_empty()).then_some(title)
}

/// Directives of mdBook that stand for other files; what they would insert is not here to be read.
const DIRECTIVES: [&str; 5] = [
    "include",
    "rustdoc_include",
    "playground",
    "playpen",
    "title",
];

/// Drops `{{#include ..}}` and its kin before Markdown is read; `{{#title ..}}` names the page. One escaped by a
/// backslash is text.
fn drop_directives(text: &str, title: &mut Option<String>) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{#") {
        let (before, after) = rest.split_at(start);
        let line = &after[..after.find('\n').unwrap_or(after.len())];
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
fn text_of_markup(markup: &str) -> String {
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

/// The address of a link in rendered HTML: as written where it is safe, and never a script.
fn safe_link(address: &str) -> CowStr<'static> {
    // Browsers ignore control characters and leading spaces in front of a scheme.
    let address: String = address.chars().filter(|c| !c.is_control()).collect();
    let address = address.trim();
    let path_end = address.find(['/', '?', '#']).unwrap_or(address.len());
    if let Some((scheme, _)) = address[..path_end].split_once(':') {
        let safe = ["http", "https", "mailto"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known));
        return if safe {
            address.to_owned().into()
        } else {
            "".into()
        };
    }
    let split = address.find(['?', '#']).unwrap_or(address.len());
    let (path, suffix) = address.split_at(split);
    if path.ends_with(".md") || path.ends_with(".markdown") {
        return format!("{}{suffix}", html_path(path)).into();
    }
    address.to_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Section;

    fn sections(text: &str) -> Vec<Section> {
        parse(text).sections
    }

    fn text(markdown: &str) -> String {
        sections(markdown)
            .into_iter()
            .map(|section| section.text)
            .collect::<Vec<_>>()
            .join("\n\n")
    }

    fn anchors(markdown: &str) -> Vec<String> {
        sections(markdown)
            .into_iter()
            .filter_map(|section| section.anchor)
            .collect()
    }

    #[test]
    fn sections_carry_heading_path_and_anchor() {
        let found = sections("intro\n\n# One\n\na\n\n## Two `x`\n\nb\n\n> ### Three\n>\n> c\n");
        let shown: Vec<_> = found
            .iter()
            .map(|s| (s.anchor.as_deref(), s.headings.join(" > "), s.text.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                (None, String::new(), "intro"),
                (Some("one"), "One".to_owned(), "a"),
                (Some("two-x"), "One > Two x".to_owned(), "b"),
                (Some("three"), "One > Two x > Three".to_owned(), "c"),
            ]
        );
    }

    #[test]
    fn duplicate_headings_get_numbers() {
        let found = anchors("# Use\na\n# Use\nb\n# Use 1\nc\n# Use\nd\n# B {#use}\ne");
        assert_eq!(found, ["use", "use-1", "use-1-1", "use-2", "use-3"]);
    }

    #[test]
    fn heading_ids_follow_mdbook() {
        let found = anchors(
            "# What `impl Trait` does: C++ & Rust?\n# Caf\u{e9} _x_\n# Set {#my-id .wide}\n# ???\n",
        );
        assert_eq!(
            found,
            ["what-impl-trait-does-c--rust", "caf\u{e9}-x", "my-id"]
        );
    }

    #[test]
    fn blocks_become_readable_text() {
        let found = text(
            "A *soft*\nbreak, [link](x.md), ![alt](y.png) and `code`.\n\n- one\n- two\n  1. deep\n\n3. loose\n\n4. list\n\n\
             | Op | Use |\n|---|---|\n| `?` | error |\n| `!` | not |\n",
        );
        assert_eq!(
            found,
            "A soft break, link, alt and code.\n\n- one\n- two\n  1. deep\n\n3. loose\n4. list\n\nOp | Use\n? | error\n! | not"
        );
    }

    #[test]
    fn code_is_fenced_and_hidden_lines_are_dropped() {
        let found = text(
            "```rust,ignore\n# use std::io;\n#\n#[derive(Debug)]\n    ## shown\nfn main() {}\n```\n\n    indented\n\n```sh\n# kept\n```",
        );
        assert_eq!(
            found,
            "```rust\n#[derive(Debug)]\n    # shown\nfn main() {}\n```\n\n```\nindented\n```\n\n```sh\n# kept\n```"
        );
    }

    #[test]
    fn a_list_keeps_its_code() {
        assert_eq!(
            text("- do this:\n\n  ```sh\n  ls\n  ```\n\n- then that"),
            "- do this:\n\n```sh\nls\n```\n\n- then that"
        );
    }

    #[test]
    fn includes_comments_and_tags_are_dropped() {
        let found = text(
            "See [x]<!--\nignore --> now <kbd>Ctrl</kbd>.<br>Next\n\n```rust\n{{#rustdoc_include ../a_b/c_d.rs:here}}\n```\n\n\
             {{#include ../x.md}}\n\n\\{{#include kept}}\n\n<!-- a\n\nb -->\n\n<div class=\"a>b\">In <b>div</b> &amp; out\n\
             <script>no()</script></div>\n\n<Listing number=\"1\" caption=\"Opening a file\">\n\nend\n\n</Listing>\n",
        );
        assert_eq!(
            found,
            "See [x] now Ctrl.\nNext\n\n{{#include kept}}\n\nIn div & out\n\nOpening a file\n\nend"
        );
    }

    #[test]
    fn front_matter_names_the_page() {
        let title = |text: &str| parse(text).title;
        assert_eq!(
            title("---\nlayout: x\ntitle: \"A: b\" # c\n---\n# H\n"),
            Some("A: b".to_owned())
        );
        assert_eq!(title("+++\ntitle = 'T'\n+++\nx"), Some("T".to_owned()));
        assert_eq!(
            title("---\nkind: x\n---\n\n## First\n\n# Main\n"),
            Some("Main".to_owned())
        );
        assert_eq!(title("{{#title Told}}\n\n# H"), Some("Told".to_owned()));
        assert_eq!(text("---\n\nnever closed"), "never closed");
        assert_eq!(text("---\r\ntitle: T\r\n---\r\nbody"), "body");
    }

    #[test]
    fn every_anchor_is_an_id_of_the_rendered_page() {
        let page = "# A & B\nx\n## A & B\ny\n## \"Q\" <T> {#q}\nz\n> # In quote\n> z\n\n1. # In list\n   z\n\nSetext `c`\n---\nz\n";
        let rendered = to_html(page);
        let found = anchors(page);
        assert_eq!(found.len(), 6, "all headings have anchors: {found:?}");
        for anchor in found {
            assert!(
                rendered.contains(&format!("id=\"{anchor}\"")),
                "`{anchor}` is in {rendered}"
            );
        }
    }

    #[test]
    fn rendered_html_is_safe() {
        let rendered = to_html(
            "# T {#i onclick=alert(1) .c}\n\na <img src=x onerror=alert(1)> b\n\n<script>alert(1)</script>\n\n<div onclick=\"x\">d\n</div>\n\n\
             [x](javascript:alert(1)) [y](JAVA&#x0A;SCRIPT:alert) [z](data:text/html,x) ![i](vbscript:x)\n\n\
             ```\"><script>\n</code><script>alert(1)</script>\n```\n\n<a href=\"javascript:x\">l</a>\n",
        );
        let lowercase = rendered.to_ascii_lowercase();
        for bad in [
            "<script",
            "onclick",
            "onerror",
            "javascript",
            "href=\"data:",
            "vbscript",
            "<div",
        ] {
            assert!(!lowercase.contains(bad), "`{bad}` is not in {rendered}");
        }
    }

    #[test]
    fn rendered_links_reach_the_rendered_pages() {
        let rendered = to_html(
            "[a](../ch01.md#x) [b](guide/README.md) [c](https://e.org/a.md:b) [d](#here) [e](ch.md?q=1)",
        );
        for address in [
            "../ch01.html#x",
            "guide/index.html",
            "https://e.org/a.md:b",
            "#here",
            "ch.html?q=1",
        ] {
            assert!(
                rendered.contains(&format!("href=\"{address}\"")),
                "`{address}` is in {rendered}"
            );
        }
    }
}

//! Turns a Markdown page into sections, and into safe HTML with the same heading ids.
//!
//! Both come from one cleaned list of events, so an anchor of one always exists in the other. Front
//! matter, comments, tags, mdBook's include lines and its hidden lines of Rust code are dropped from both.

mod front_matter;

use std::collections::HashMap;

use pulldown_cmark::{
    CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, TextMergeStream, html,
};

use super::address::html_path;
use super::outline::Outline;
use super::strip::{drop_directives, text_of_markup};
use super::{LeftOut, Parsed, id_hash};
use front_matter::FrontMatter;

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
    let (mut ids, mut links) = (Vec::new(), Vec::new());
    for event in page.events {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) if dest_url.contains('#') => {
                links.push(dest_url.to_string());
            }
            Event::Start(Tag::Heading { id, .. }) => {
                ids.extend(id.as_deref().map(id_hash));
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
            Event::Start(Tag::TableCell) => outline.cell(true),
            Event::End(TagEnd::TableCell) => outline.end_cell(),
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
    let said = page.said;
    Parsed {
        title: said.title.or(title),
        sections,
        filters: said.filters,
        meta: said.meta,
        sort: said.sort,
        language: said.language,
        left_out: said.is_draft.then_some(LeftOut::Draft),
        ids,
        links,
        ..Parsed::default()
    }
}

struct Page<'t> {
    said: FrontMatter,
    events: Vec<Event<'t>>,
}

/// Reads a page and drops what is no text; headings leave with their final ids.
fn clean(text: &str) -> Page<'static> {
    let (mut said, body) = front_matter::split(text);
    let body = drop_directives(body, &mut said.title);
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
        said,
        events: with_heading_ids(without_hidden_code(events)),
    }
}

/// Gives each heading the id that mdBook and GitHub would: explicit, or from its text; repeated ones get `-1`, `-2`.
fn with_heading_ids(mut events: Vec<Event<'static>>) -> Vec<Event<'static>> {
    let mut used = HashMap::new();
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
///
/// `used` holds each id with the last number tried for it, so that a heading repeated a hundred thousand times is not
/// compared with all the others each time.
fn unique_id(wanted: &str, used: &mut HashMap<String, u32>) -> Option<String> {
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
mod tests;

//! Turns a Markdown page into sections, and into safe HTML with the same heading ids.
//!
//! A page is rendered to HTML and read from there, so that raw HTML in it means the same as on a page of its own. Both
//! results come from that one tree, so an anchor of one always exists in the other.

mod code;
mod dialect;
mod fields;
mod front_matter;
mod ids;
mod include;
mod raw;
mod safe;
mod words;
mod yaml;

use pulldown_cmark::{Event, Options, Parser, Tag, html::push_html};
use scraper::Html;

use super::{LeftOut, ParseOptions, Parsed, html};
use front_matter::FrontMatter;
pub use ids::Anchors;
pub use include::{IncludeProblem, Included, insert_includes};

/// Renders a page's body. Only known elements of the page's own markup survive, without anything that could act, and
/// links with a scheme other than http, https or mailto lose their address. A page that would take time or memory
/// without bound renders as nothing; [`parse_page`](super::parse_page) refuses it.
///
/// Links to Markdown pages point at the HTML pages made of them. Heading ids equal the anchors that
/// [`parse_page`](super::parse_page) gives with the same [`Anchors`].
pub fn to_html(text: &str, anchors: Anchors) -> String {
    let (_, markup) = markup(text);
    if html::excess(&markup).is_some() {
        return String::new();
    }
    let page = Html::parse_document(&markup);
    let ids = ids::of_headings(&page, anchors);
    safe::write(&page, &ids)
}

/// Sections and title of a page. The error is the count that makes it too expensive to read, as `(what, limit, found)`.
pub(super) fn parse(
    text: &str,
    options: &ParseOptions,
) -> Result<Parsed, (&'static str, usize, usize)> {
    let (said, markup) = markup(text);
    if let Some(excess) = html::excess(&markup) {
        return Err(excess);
    }
    let page = Html::parse_document(&markup);
    let ids = ids::of_headings(&page, options.anchors);
    let read = html::parse_body(&page, &ids, &options.exclude_selectors);
    Ok(Parsed {
        title: said.title.or(read.title),
        filters: said.filters,
        meta: said.meta,
        sort: said.sort,
        language: said.language,
        left_out: said.is_draft.then_some(LeftOut::Draft),
        ..read
    })
}

/// A page's front matter, and its body as HTML, raw HTML included.
fn markup(text: &str) -> (FrontMatter, String) {
    let (mut said, body) = front_matter::split(text);
    let body = include::drop_directives(body, &mut said.title);
    let body = dialect::plain(&body);
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_GFM;
    let events = code::without_hidden(Parser::new_ext(&body, options).map(plain_heading));
    let mut markup = "<!doctype html><body>".to_owned();
    push_html(&mut markup, with_raw_html(events).into_iter());
    (said, markup)
}

/// Keeps only the id of a heading's attributes: `{hidden}` and `{onclick=..}` are attributes too.
fn plain_heading(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Start(Tag::Heading { level, id, .. }) => Event::Start(Tag::Heading {
            level,
            id: id.filter(|id| !id.is_empty()),
            classes: Vec::new(),
            attrs: vec![(ids::MADE.into(), None)],
        }),
        other => other,
    }
}

/// Rewrites raw HTML, each block as a whole: a tag may continue on the next line.
fn with_raw_html(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut kept: Vec<Event<'_>> = Vec::with_capacity(events.len());
    let mut markup = String::new();
    for event in events {
        if let Event::Html(more) = event {
            markup.push_str(&more);
            continue;
        }
        if !markup.is_empty() {
            kept.push(Event::Html(std::mem::take(&mut markup).into()));
        }
        kept.push(event);
    }
    kept.extend((!markup.is_empty()).then(|| Event::Html(markup.into())));
    let mut rewriter = raw::Rewriter::default();
    for event in &kept {
        if let Event::Html(markup) | Event::InlineHtml(markup) = event {
            rewriter.expect(markup);
        }
    }
    for event in &mut kept {
        match event {
            Event::Html(markup) => *markup = rewriter.rewrite(markup, true).into(),
            Event::InlineHtml(markup) => *markup = rewriter.rewrite(markup, false).into(),
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests;

//! Turns one document into a page with the site's heading, list of pages, search and chat around it.

use anchorite::index::document::Document;
use anchorite::index::lexical::primary;
use anchorite::index::parse::markdown::{self, Anchors};
use anyhow::Context;
use minijinja::{AutoEscape, Environment, Value, context};

use crate::site::html;
use crate::site::navigation::{Entry, Navigation, Node};
use crate::site::words::Words;

/// Languages that are written from right to left.
const RIGHT_TO_LEFT: [&str; 10] = ["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"];

/// The template of pages; it escapes everything but the text of the page.
pub(super) struct Template {
    templates: Environment<'static>,
    site: String,
    icon: Option<&'static str>,
}

/// The text of a page, as HTML.
pub(super) struct Body {
    pub(super) markup: String,
    /// True if it has no heading of the first rank.
    needs_heading: bool,
}

impl Body {
    /// Reads a Markdown file, with the files that it includes in place.
    pub(super) fn of_markdown(text: &str, anchors: Anchors) -> Self {
        let markup = markdown::to_html(text, anchors);
        Self {
            needs_heading: !markup.contains("<h1"),
            markup,
        }
    }

    /// Gives its links other addresses, where `change` has one.
    pub(super) fn change_links(
        &mut self,
        change: &dyn Fn(&str) -> Option<String>,
    ) -> anyhow::Result<()> {
        let changed = html::with_links(self.markup.as_bytes(), change)?;
        self.markup = String::from_utf8(changed).context("a page is text")?;
        Ok(())
    }

    /// Reads a text file; a first line that is the title is not repeated.
    pub(super) fn of_text(text: &str, title: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let shown = match first.trim() == title && !rest.trim().is_empty() {
            true => without_underline(rest),
            false => text,
        };
        let escaped = shown.replace('&', "&amp;").replace('<', "&lt;");
        Self {
            markup: format!("<pre class=\"text\">{escaped}</pre>"),
            needs_heading: true,
        }
    }
}

impl Template {
    /// For a site with this name, and an icon in this file.
    pub(super) fn new(site: String, icon: Option<&'static str>) -> anyhow::Result<Self> {
        let mut templates = Environment::new();
        templates.set_auto_escape_callback(|_| AutoEscape::Html);
        templates
            .add_template("page", include_str!("page.html"))
            .context("the template of pages")?;
        Ok(Self {
            templates,
            site,
            icon,
        })
    }

    /// The page in `file`, which holds a document.
    pub(super) fn page(
        &self,
        file: &str,
        document: &Document,
        body: &Body,
        navigation: &Navigation,
    ) -> anyhow::Result<String> {
        let language = document.language.as_deref().unwrap_or("en");
        let (before, after) = navigation.neighbours(file);
        let link = |entry: Option<&Entry>| {
            entry.map(|entry| context! { url => address(&entry.url), title => entry.title.clone() })
        };
        self.render(context! {
            root => address(&to_root(file)),
            site => self.site.clone(),
            icon => self.icon,
            title => document.title.clone(),
            description => document.meta.get("description").cloned(),
            needs_heading => body.needs_heading,
            body => Value::from_safe_string(body.markup.clone()),
            has_list => navigation.order().len() > 1,
            nodes => values(navigation.list(file)),
            before => link(before),
            after => link(after),
            ..in_language(language)
        })
    }

    /// A first page for a site without one: the list of its pages, in the site's language.
    pub(super) fn contents(
        &self,
        file: &str,
        language: &str,
        navigation: &Navigation,
    ) -> anyhow::Result<String> {
        self.render(context! {
            root => address(&to_root(file)),
            site => self.site.clone(),
            icon => self.icon,
            title => self.site.clone(),
            needs_heading => true,
            is_home => true,
            has_list => navigation.order().len() > 1,
            nodes => values(navigation.list(file)),
            ..in_language(language)
        })
    }

    fn render(&self, values: Value) -> anyhow::Result<String> {
        let template = self.templates.get_template("page")?;
        template.render(values).context("could not write a page")
    }
}

/// The language of a page, its direction, and its words.
fn in_language(language: &str) -> Value {
    let primary = primary(Some(language));
    let words = Words::of(&primary);
    context! {
        language => language,
        is_rtl => RIGHT_TO_LEFT.contains(&primary.as_str()),
        words_skip => words.skip,
        words_pages => words.pages,
    }
}

/// An address for the template, which would also escape its slashes. Escaped as addresses are, it has no quotation marks.
fn address(url: &str) -> Value {
    Value::from_safe_string(url.replace('&', "&amp;"))
}

/// The text after a title, without the line that only underlines it and the empty lines behind.
fn without_underline(rest: &str) -> &str {
    let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
    let line = line.trim();
    let is_underline = line.len() >= 3 && line.bytes().all(|byte| b"=-~*#".contains(&byte));
    let mut text = if is_underline { behind } else { rest };
    while let Some((_, behind)) = text
        .split_once('\n')
        .filter(|(line, _)| line.trim().is_empty())
    {
        text = behind;
    }
    text
}

/// A list of pages, for the template.
fn values(nodes: Vec<Node>) -> Vec<Value> {
    let value = |node: Node| {
        context! {
            title => node.title,
            url => node.url.as_deref().map(address),
            is_current => node.is_current,
            children => values(node.children),
        }
    };
    nodes.into_iter().map(value).collect()
}

/// The way from a page to the root of its site. It is never empty: a link's first part must not look like a scheme.
pub(super) fn to_root(file: &str) -> String {
    match file.matches('/').count() {
        0 => "./".to_owned(),
        depth => "../".repeat(depth),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn document(title: &str, language: Option<&str>) -> Document {
        Document {
            source: "a/b.md".to_owned(),
            url: "a/b.html".to_owned(),
            title: title.to_owned(),
            sections: Vec::new(),
            filters: BTreeMap::new(),
            meta: BTreeMap::new(),
            sort: BTreeMap::new(),
            weight: 1.0,
            language: language.map(str::to_owned),
        }
    }

    fn rendered(document: &Document, body: &Body) -> String {
        let entry = |file: &str| Entry {
            file: file.to_owned(),
            url: file.to_owned(),
            title: format!("<{file}>"),
        };
        let entries = ["index.html", "a/b.html", "a/c.html"].map(entry).to_vec();
        let navigation = Navigation::new(entries, &[]);
        let template =
            Template::new("Notes & more".to_owned(), Some("favicon.svg")).expect("a template");
        let page = template.page("a/b.html", document, body, &navigation);
        page.expect("a page")
    }

    #[test]
    fn a_page_has_its_title_once_and_reaches_the_root_of_the_site() {
        let page = rendered(
            &document("Tides <1>", None),
            &Body::of_markdown("Water *rises*.", Anchors::GitHub),
        );
        for part in [
            "<title>Tides &lt;1&gt; · Notes &amp; more</title>",
            "<h1>Tides &lt;1&gt;</h1>",
            "<em>rises</em>",
            "src=\"../anchorite/anchorite.js\"",
            "<link rel=\"icon\" href=\"../favicon.svg\">",
            "bundle=\"../anchorite/\"",
            "href=\"../a/c.html\">&lt;a&#x2f;c.html&gt; →</a>",
            "href=\"../a/b.html\" aria-current=\"page\"",
            "<html lang=\"en\">",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        let with_heading = Body::of_markdown("# Tides\n\nWater.", Anchors::GitHub);
        let page = rendered(&document("Tides", Some("ar")), &with_heading);
        assert_eq!(page.matches("<h1").count(), 1, "{page}");
        assert!(page.contains("<html lang=\"ar\" dir=\"rtl\">"), "{page}");
    }

    #[test]
    fn a_text_file_is_shown_as_it_is() {
        let body = |text: &str| Body::of_text(text, "Pumps").markup;
        assert_eq!(
            body("Pumps\n=====\n\na < b\n  c"),
            "<pre class=\"text\">a &lt; b\n  c</pre>"
        );
        assert_eq!(
            body("Pumps\n\n- a\n- b"),
            "<pre class=\"text\">- a\n- b</pre>"
        );
        assert_eq!(
            body("Pumps\n\n  a\n b"),
            "<pre class=\"text\">  a\n b</pre>"
        );
        assert_eq!(body("Pumps"), "<pre class=\"text\">Pumps</pre>");
        assert_eq!(body("Pumps lift."), "<pre class=\"text\">Pumps lift.</pre>");
    }

    #[test]
    fn the_root_is_reached_from_any_folder() {
        assert_eq!(to_root("a.html"), "./");
        assert_eq!(to_root("a/b/c.html"), "../../");
    }
}

//! Turns an HTML page into sections: its main content, without navigation, scripts and decoration.
//!
//! The walk is a loop, so that a page nested a million deep cannot exhaust the stack.

use scraper::{ElementRef, Html, Node};

use super::Parsed;
use super::outline::{Outline, collapse};

/// Sections and title of a page.
pub(super) fn parse(text: &str) -> Parsed {
    let page = Html::parse_document(text);
    let mut walk = Walk::default();
    for root in content_roots(&page) {
        walk.root(root);
    }
    let (title, sections) = walk.outline.finish();
    Parsed {
        title: title.or_else(|| head_title(&page)),
        sections,
    }
}

/// Deeper pages are refused: HTML parsers search all open elements at each tag, so that time grows with the square.
pub(super) const MAX_DEPTH: usize = 4096;

/// How deep elements may be nested at most, counted without parsing: elements that HTML closes by itself do not count.
pub(super) fn nesting(text: &str) -> usize {
    const CLOSE_THEMSELVES: [&str; 26] = [
        "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link",
        "meta", "option", "p", "param", "rp", "rt", "source", "tbody", "td", "tfoot", "th",
        "thead", "tr", "wbr",
    ];
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    for tag in text.split('<').skip(1) {
        let (close, tag) = tag
            .strip_prefix('/')
            .map_or((false, tag), |tag| (true, tag));
        let end = tag
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .unwrap_or(tag.len());
        let name = tag[..end].to_ascii_lowercase();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic())
            || CLOSE_THEMSELVES.contains(&name.as_str())
        {
            continue;
        }
        if close {
            depth = depth.saturating_sub(1);
        } else {
            depth += 1;
            deepest = deepest.max(depth);
        }
    }
    deepest
}

/// Where the page's own text stands: every `data-pagefind-body`, else `main`, else `role=main`, else the only `article`,
/// else the body.
fn content_roots(page: &Html) -> Vec<ElementRef<'_>> {
    let elements = || {
        page.root_element()
            .descendants()
            .filter_map(ElementRef::wrap)
    };
    let mut marked: Vec<ElementRef<'_>> = Vec::new();
    for element in elements().filter(|element| element.attr("data-pagefind-body").is_some()) {
        // A mark inside a marked element would be read twice.
        if !element
            .ancestors()
            .any(|above| marked.iter().any(|mark| mark.id() == above.id()))
        {
            marked.push(element);
        }
    }
    if !marked.is_empty() {
        return marked;
    }
    let articles = elements()
        .filter(|element| element.value().name() == "article")
        .count();
    let main = elements()
        .find(|element| element.value().name() == "main")
        .or_else(|| elements().find(|element| element.attr("role") == Some("main")))
        .or_else(|| elements().find(|element| articles == 1 && element.value().name() == "article"))
        .or_else(|| elements().find(|element| element.value().name() == "body"));
    main.into_iter().collect()
}

fn head_title(page: &Html) -> Option<String> {
    let title = page
        .root_element()
        .descendants()
        .filter_map(ElementRef::wrap)
        .find(|element| element.value().name() == "title")?;
    let text = collapse(&title.text().collect::<String>());
    (!text.is_empty()).then_some(text)
}

/// What is no text of the page, wherever it stands.
fn is_skipped(element: ElementRef<'_>) -> bool {
    let value = element.value();
    let by_name = match value.name() {
        "nav" | "footer" | "script" | "style" | "aside" | "noscript" | "template" | "svg"
        | "button" | "select" | "iframe" | "object" | "canvas" | "audio" | "video" | "textarea"
        | "dialog" => true,
        // A page's own header may hold its h1 (Hugo, Docusaurus); a site's header does not stand in main.
        "header" => {
            let in_content = element
                .ancestors()
                .filter_map(ElementRef::wrap)
                .any(|above| is_content(above));
            let has_h1 = || {
                element
                    .descendants()
                    .filter_map(ElementRef::wrap)
                    .any(|inner| inner.value().name() == "h1")
            };
            !(in_content && has_h1())
        }
        _ => false,
    };
    by_name
        || value.attr("hidden").is_some()
        || value.attr("data-pagefind-ignore").is_some()
        || matches!(value.attr("role"), Some("navigation" | "banner" | "contentinfo" | "search"))
        // mdBook marks the hidden lines of its code with `boring`.
        || value.classes().any(|class| matches!(class, "sidebar" | "boring"))
}

fn is_content(element: ElementRef<'_>) -> bool {
    matches!(element.value().name(), "main" | "article")
        || element.attr("role") == Some("main")
        || element.attr("data-pagefind-body").is_some()
}

#[derive(Default)]
struct Walk {
    outline: Outline,
    heading: Option<(u8, Option<String>, String)>,
    code: Option<(String, String)>,
}

impl Walk {
    /// Visits everything under `root` in reading order.
    fn root(&mut self, root: ElementRef<'_>) {
        self.outline.end_block();
        let mut node = *root;
        loop {
            let descend = match node.value() {
                Node::Text(text) => {
                    self.text(text);
                    false
                }
                Node::Element(_) => {
                    ElementRef::wrap(node).is_some_and(|element| self.open(element))
                }
                _ => false,
            };
            if descend && let Some(child) = node.first_child() {
                node = child;
                continue;
            }
            if descend && let Some(element) = ElementRef::wrap(node) {
                self.close(element);
            }
            loop {
                if node.id() == root.id() {
                    return;
                }
                if let Some(sibling) = node.next_sibling() {
                    node = sibling;
                    break;
                }
                let Some(parent) = node.parent() else { return };
                node = parent;
                if let Some(element) = ElementRef::wrap(node) {
                    self.close(element);
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((_, code)) = &mut self.code {
            code.push_str(text);
        } else if let Some((_, _, heading)) = &mut self.heading {
            heading.push_str(text);
        } else {
            self.outline.text(text);
        }
    }

    /// Acts on a start tag; says whether to look inside.
    fn open(&mut self, element: ElementRef<'_>) -> bool {
        if is_skipped(element) {
            return false;
        }
        let name = element.value().name();
        if let Some((language, code)) = &mut self.code {
            if language.is_empty() {
                *language = code_language(element);
            }
            if name == "br" {
                code.push('\n');
            }
            return true;
        }
        if self.heading.is_some() {
            if name == "br" {
                self.text(" ");
            }
            return !is_permalink(element);
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = name.as_bytes().get(1).map_or(1, |digit| digit - b'0');
                self.heading = Some((level, anchor(element), String::new()));
            }
            "pre" => self.code = Some((code_language(element), String::new())),
            "ul" => self.outline.start_list(None),
            "ol" => {
                let first = element.attr("start").and_then(|start| start.parse().ok());
                self.outline.start_list(Some(first.unwrap_or(1)));
            }
            "li" => self.outline.item(),
            "td" | "th" => self.outline.cell(),
            "tr" | "br" | "dt" | "dd" => self.outline.line(),
            "img" => {
                if let Some(words) = element.attr("alt") {
                    self.outline.text(words);
                }
            }
            _ if is_block(name) => self.outline.paragraph(),
            _ => {}
        }
        true
    }

    /// Acts on an end tag of an element that was looked into.
    fn close(&mut self, element: ElementRef<'_>) {
        let name = element.value().name();
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                if let Some((level, anchor, text)) = self.heading.take() {
                    self.outline.heading(level, &text, anchor);
                }
            }
            "pre" => {
                if let Some((language, code)) = self.code.take() {
                    self.outline.code(&language, &code);
                }
            }
            _ if self.heading.is_some() || self.code.is_some() => {}
            "ul" | "ol" => self.outline.end_list(),
            "tr" | "dt" | "dd" => self.outline.line(),
            _ if is_block(name) => self.outline.paragraph(),
            _ => {}
        }
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "section"
            | "article"
            | "main"
            | "header"
            | "blockquote"
            | "table"
            | "dl"
            | "figure"
            | "figcaption"
            | "details"
            | "summary"
            | "fieldset"
            | "form"
            | "address"
            | "hr"
            | "body"
    )
}

/// `language-x` or `lang-x`, as highlighters mark code.
fn code_language(element: ElementRef<'_>) -> String {
    element
        .value()
        .classes()
        .find_map(|class| {
            class
                .strip_prefix("language-")
                .or_else(|| class.strip_prefix("lang-"))
        })
        .map(|language| {
            language
                .chars()
                .filter(|c| c.is_alphanumeric() || "+-#".contains(*c))
                .collect()
        })
        .unwrap_or_default()
}

/// A link inside a heading that only marks it: `#`, a pilcrow, or nothing visible.
fn is_permalink(element: ElementRef<'_>) -> bool {
    element.value().name() == "a"
        && !element
            .text()
            .any(|text| text.contains(char::is_alphanumeric))
}

/// What `url#..` must say to open this heading: its own id, one inside it, an empty one just before it, or that of the
/// element that it opens.
fn anchor(heading: ElementRef<'_>) -> Option<String> {
    let id = |element: ElementRef<'_>| {
        let value = element.value();
        let name = if value.name() == "a" {
            value.attr("name")
        } else {
            None
        };
        value
            .attr("id")
            .or(name)
            .filter(|id| !id.is_empty() && !id.contains(char::is_whitespace))
            .map(str::to_owned)
    };
    let inside = || {
        heading
            .descendants()
            .filter_map(ElementRef::wrap)
            .find_map(id)
    };
    let before = || {
        let element = heading.prev_siblings().find_map(ElementRef::wrap)?;
        let is_mark = matches!(element.value().name(), "a" | "span")
            && !element.text().any(|text| !text.trim().is_empty());
        if is_mark { id(element) } else { None }
    };
    let around = || {
        let mut inner = *heading;
        // Sphinx and others put the id on the section; two steps also pass a wrapper around the heading.
        for _ in 0..2 {
            if inner.prev_siblings().any(|node| node.value().is_element()) {
                return None;
            }
            let parent = inner.parent().and_then(ElementRef::wrap)?;
            if is_content(parent) || parent.value().name() == "body" {
                return None;
            }
            if let Some(id) = id(parent) {
                return Some(id);
            }
            inner = *parent;
        }
        None
    };
    id(heading).or_else(inside).or_else(before).or_else(around)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Section;

    fn sections(html: &str) -> Vec<Section> {
        parse(html).sections
    }

    fn text(html: &str) -> String {
        sections(html)
            .into_iter()
            .map(|section| section.text)
            .collect::<Vec<_>>()
            .join("\n\n")
    }

    #[test]
    fn only_the_main_content_is_read() {
        let page = "<title>Site</title><body><header><h1>Brand</h1></header><nav>menu</nav><div class='x sidebar'>side</div>\
            <main><header><h1 id=t>Page</h1></header><p>Text<script>x</script></p><aside>note</aside><footer>foot</footer>\
            <p hidden>gone</p><div data-pagefind-ignore>skip</div></main></body>";
        let parsed = parse(page);
        assert_eq!(parsed.title.as_deref(), Some("Page"));
        let expected = Section {
            anchor: Some("t".to_owned()),
            headings: vec!["Page".to_owned()],
            text: "Text".to_owned(),
        };
        assert_eq!(parsed.sections, [expected]);
    }

    #[test]
    fn roots_are_chosen_in_order() {
        assert_eq!(
            text(
                "<main>a <p data-pagefind-body>b<b data-pagefind-body>c</b></p></main><p data-pagefind-body>d</p>"
            ),
            "bc\n\nd"
        );
        assert_eq!(text("<p>x</p><article>a</article>"), "a");
        assert_eq!(text("<div role=main>a</div><article>b</article>"), "a");
        assert_eq!(text("<article>a</article><article>b</article>"), "a\n\nb");
        assert_eq!(text("just words"), "just words");
    }

    #[test]
    fn the_title_of_the_head_serves_without_headings() {
        assert_eq!(
            parse("<title>A \n B</title><p>x").title.as_deref(),
            Some("A B")
        );
        assert_eq!(parse("<p>x").title, None);
    }

    #[test]
    fn anchors_come_from_the_heading_or_what_holds_it() {
        let anchor = |html: &str| sections(html).pop().and_then(|section| section.anchor);
        assert_eq!(
            anchor("<h2 id=own>H<a class=headerlink href=#own>\u{b6}</a></h2><p>x").as_deref(),
            Some("own")
        );
        assert_eq!(
            anchor("<h2><a name=inner></a>H</h2><p>x").as_deref(),
            Some("inner")
        );
        assert_eq!(
            anchor("<h2><a id=deep href=#deep>H</a></h2><p>x").as_deref(),
            Some("deep")
        );
        assert_eq!(
            anchor("<p>y</p><a name=before></a><h2>H</h2><p>x").as_deref(),
            Some("before")
        );
        assert_eq!(
            anchor("<section id=around><h2>H</h2><p>x</section>").as_deref(),
            Some("around")
        );
        assert_eq!(
            anchor("<section id=around><h2>G</h2><h3>H</h3><p>x</section>"),
            None
        );
        assert_eq!(anchor("<h2>H</h2><p>x"), None);
    }

    #[test]
    fn permalinks_are_no_part_of_headings() {
        let found = sections(
            "<h2 id=a><a href=#a>Real</a> <code>x</code><a class=header-anchor href=#a>#</a></h2>t",
        );
        assert_eq!(found[0].headings, ["Real x"]);
    }

    #[test]
    fn blocks_become_readable_text() {
        let found = text(
            "<p>One\n  two<br>three <b>four</b>.</p><ul><li>a</li><li><p>b</p><ol start=3><li>c</ol></li></ul>\
             <table><tr><th>Op<th>Use<tr><td>?<td>error</table><dl><dt>term<dd>meaning</dl>\
             <pre><code class='x language-rust'>fn a() {\n<span class=boring>hidden\n</span>\n}</code></pre>tail",
        );
        assert_eq!(
            found,
            "One two\nthree four.\n\n- a\n- b\n  3. c\n\nOp | Use\n? | error\n\nterm\nmeaning\n\n```rust\nfn a() {\n\n}\n```\n\ntail"
        );
    }

    #[test]
    fn a_page_nested_deep_is_read() {
        let page = format!("{}deep", "<div>".repeat(MAX_DEPTH));
        assert_eq!(text(&page), "deep");
    }

    #[test]
    fn nesting_counts_what_stays_open() {
        assert_eq!(
            nesting("<ul><li>a<li>b<li><b>c</b></ul><p>x<p>y 1 < 2 <br/>"),
            2
        );
        assert_eq!(nesting(&"<DIV class=x>".repeat(50)), 50);
    }
}

//! Changes HTML pages in place, byte for byte the same elsewhere: the line that puts search and chat on a page, and links.

use std::cell::Cell;
use std::rc::Rc;

use anyhow::Context;
use lol_html::html_content::{ContentType, Element};
use lol_html::{HtmlRewriter, Settings, element, end, end_tag};

/// Opens and closes what was added to a page, so that it can be found again.
const OPEN: &str = "<!-- anchorite -->";
const CLOSE: &str = "<!-- /anchorite -->";

/// The line that puts search and chat on a page.
pub(super) fn line(script: &str) -> String {
    let script = script.replace('&', "&amp;").replace('"', "&quot;");
    format!("<script type=\"module\" src=\"{script}\"></script>")
}

/// The page with a line at the end of its body, in place of the one that an earlier build added.
pub(super) fn with_line(page: &[u8], line: &str) -> anyhow::Result<Vec<u8>> {
    let page = without_line(page);
    let added = format!("{OPEN}{line}{CLOSE}");
    let is_added = Rc::new(Cell::new(false));
    let (in_body, at_end) = (Rc::clone(&is_added), Rc::clone(&is_added));
    let at_body_end = added.clone();
    let settings = Settings::new()
        .append_element_content_handler(element!("body", move |body| {
            let (is_added, line) = (Rc::clone(&in_body), at_body_end.clone());
            body.on_end_tag(end_tag!(move |tag| {
                if !is_added.replace(true) {
                    tag.before(&line, ContentType::Html);
                }
                Ok(())
            }))
        }))
        .append_document_content_handler(end!(move |document| {
            // The end tag of the body may be left out.
            if !at_end.get() {
                document.append(&added, ContentType::Html);
            }
            Ok(())
        }));
    rewrite(&page, settings)
}

/// The page without what was added to it.
pub(super) fn without_line(page: &[u8]) -> Vec<u8> {
    let find = |bytes: &[u8], mark: &str| {
        bytes
            .windows(mark.len())
            .position(|window| window == mark.as_bytes())
    };
    let mut kept = Vec::with_capacity(page.len());
    let mut rest = page;
    while let Some(start) = find(rest, OPEN) {
        let Some(length) = find(&rest[start..], CLOSE) else {
            break;
        };
        kept.extend_from_slice(&rest[..start]);
        rest = &rest[start + length + CLOSE.len()..];
    }
    kept.extend_from_slice(rest);
    kept
}

/// The page with other addresses for its links: `change` says which, or `None` to leave one as it is.
pub(super) fn with_links(
    page: &[u8],
    change: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<Vec<u8>> {
    let settings = Settings::new().append_element_content_handler(element!("a[href]", |link| {
        if let Some(href) = href(link).as_deref().and_then(change) {
            link.set_attribute("href", &href.replace('&', "&amp;"))?;
        }
        Ok(())
    }));
    rewrite(page, settings)
}

/// The addresses of a page's links, in their order.
pub(super) fn links(page: &str) -> anyhow::Result<Vec<String>> {
    let found = Rc::new(std::cell::RefCell::new(Vec::new()));
    let all = Rc::clone(&found);
    let settings =
        Settings::new().append_element_content_handler(element!("a[href]", move |link| {
            all.borrow_mut().extend(href(link));
            Ok(())
        }));
    rewrite(page.as_bytes(), settings)?;
    Ok(found.take())
}

/// The address of a link. Of the characters that may be escaped, only this one is common in addresses.
fn href(link: &Element<'_, '_>) -> Option<String> {
    Some(link.get_attribute("href")?.replace("&amp;", "&"))
}

fn rewrite(page: &[u8], settings: Settings<'_, '_>) -> anyhow::Result<Vec<u8>> {
    let mut rewritten = Vec::with_capacity(page.len());
    let mut rewriter = HtmlRewriter::new(settings.with_strict(false), |bytes: &[u8]| {
        rewritten.extend_from_slice(bytes);
    });
    rewriter.write(page).context("could not read the page")?;
    rewriter.end().context("could not read the page")?;
    Ok(rewritten)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(page: &str) -> String {
        let page = with_line(page.as_bytes(), "<i></i>").expect("a page");
        String::from_utf8(page).expect("text")
    }

    #[test]
    fn the_line_stands_at_the_end_of_the_body_and_can_be_taken_out() {
        const LINE: &str = "<!-- anchorite --><i></i><!-- /anchorite -->";
        for (before, after) in [
            ("<html><body><p>a</p>", "</body></html>\n"),
            (
                "<body class=x>a<script>'</body>'</script><!-- </body> -->",
                "</BODY >",
            ),
            // The end tag alone is not the end: text after it is in the body too.
            ("<p>a</p></body>", ""),
            // Neither tag of the body has to be written.
            ("<!doctype html><title>t</title><p>a</p>\n", ""),
            ("<body>a", ""),
            ("", ""),
        ] {
            let page = format!("{before}{after}");
            assert_eq!(added(&page), format!("{before}{LINE}{after}"));
            assert_eq!(added(&added(&page)), added(&page), "twice is once");
            assert_eq!(without_line(added(&page).as_bytes()), page.as_bytes());
        }
        let latin = b"<body>caf\xe9 \xff</body>";
        let page = with_line(latin, "<i></i>").expect("a page");
        assert_eq!(without_line(&page), latin, "no other byte changes");
        assert_eq!(
            without_line(b"a <!-- anchorite --> b"),
            b"a <!-- anchorite --> b"
        );
    }

    #[test]
    fn only_chosen_links_change() {
        let page = b"<a href='a.md#b'>x</a><a href=\"c.html\">y</a><a id=d>z</a>";
        let change = |href: &str| href.contains(".md").then(|| href.replace(".md", ".html"));
        let changed = with_links(page, &change).expect("a page");
        assert_eq!(
            String::from_utf8(changed).expect("text"),
            "<a href=\"a.html#b\">x</a><a href=\"c.html\">y</a><a id=d>z</a>"
        );
        assert_eq!(
            links("<p><a href='1'></a><b><a href='2&amp;3'></a></b>").expect("a page"),
            ["1", "2&3"]
        );
    }
}

//! Changes HTML pages in place, byte for byte the same elsewhere: the line that puts search and chat on a page, and links.

use std::cell::Cell;
use std::rc::Rc;

use anyhow::Context;
use lol_html::html_content::{ContentType, Element};
use lol_html::{HtmlRewriter, Settings, element, end, end_tag};

/// Opens and closes what was added to a page, so that it can be found again.
const OPEN: &str = "<!-- anchorite -->";
const CLOSE: &str = "<!-- /anchorite -->";
/// The text around the address in a line.
const SCRIPT: &str = "<script type=\"module\" src=\"";
const SCRIPT_END: &str = "\"></script>";

/// The line that puts search and chat on a page.
pub(super) fn line(script: &str) -> String {
    let script = script.replace('&', "&amp;").replace('"', "&quot;");
    format!("{SCRIPT}{script}{SCRIPT_END}")
}

/// The page with a line at the end of its body, in place of the one that an earlier build added. A page in UTF-16 gets none.
pub(super) fn with_line(page: &[u8], line: &str) -> anyhow::Result<Vec<u8>> {
    let page = without_line(page);
    if !is_ascii_compatible(&page) {
        return Ok(page);
    }
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

/// The page without what was added to it: only the exact form of a line is taken out, not a comment of the author's.
pub(super) fn without_line(page: &[u8]) -> Vec<u8> {
    let (before, after) = (format!("{OPEN}{SCRIPT}"), format!("{SCRIPT_END}{CLOSE}"));
    let find = |bytes: &[u8], text: &str| {
        bytes
            .windows(text.len())
            .position(|window| window == text.as_bytes())
    };
    let mut kept = Vec::with_capacity(page.len());
    let mut rest = page;
    while let Some(start) = find(rest, &before) {
        let address = &rest[start + before.len()..];
        let end = address.iter().position(|byte| matches!(byte, b'"' | b'<'));
        let line = end.filter(|end| address[*end..].starts_with(after.as_bytes()));
        let Some(end) = line else {
            kept.extend_from_slice(&rest[..start + before.len()]);
            rest = address;
            continue;
        };
        kept.extend_from_slice(&rest[..start]);
        rest = &address[end + after.len()..];
    }
    kept.extend_from_slice(rest);
    kept
}

/// True if the bytes can be changed as text: UTF-16 can't, as its characters have two bytes.
fn is_ascii_compatible(page: &[u8]) -> bool {
    !page.starts_with(&[0xff, 0xfe]) && !page.starts_with(&[0xfe, 0xff])
}

/// The page with other addresses for its links: `change` says which, or `None` to leave one as it is.
pub(super) fn with_links(
    page: &[u8],
    change: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<Vec<u8>> {
    // Addresses are read and written as UTF-8.
    if std::str::from_utf8(page).is_err() {
        return Ok(page.to_vec());
    }
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

    fn added(page: &str, line: &str) -> String {
        let page = with_line(page.as_bytes(), line).expect("a page");
        String::from_utf8(page).expect("text")
    }

    #[test]
    fn the_line_stands_at_the_end_of_the_body_and_can_be_taken_out() {
        let line = line("./x.js");
        let added = |page: &str| added(page, &line);
        let whole = format!("<!-- anchorite -->{line}<!-- /anchorite -->");
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
            assert_eq!(added(&page), format!("{before}{whole}{after}"));
            assert_eq!(added(&added(&page)), added(&page), "twice is once");
            assert_eq!(without_line(added(&page).as_bytes()), page.as_bytes());
        }
        let latin = b"<body>caf\xe9 \xff</body>";
        let page = with_line(latin, &line).expect("a page");
        assert_eq!(without_line(&page), latin, "no other byte changes");
        // Comments of the author's.
        for own in [
            "a <!-- anchorite --> b",
            "<!-- anchorite --><p>mine</p><!-- /anchorite -->",
            "<!-- anchorite --><script type=\"module\" src=\"a\">x</script><!-- /anchorite -->",
        ] {
            assert_eq!(without_line(own.as_bytes()), own.as_bytes(), "{own}");
        }
        let utf16 = b"\xff\xfe<\0p\0>\0";
        assert_eq!(with_line(utf16, &line).expect("a page"), utf16);
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

//! Turns file paths into addresses, and links into the pages that they point to.

use super::format::{Format, file_name, is_markdown, is_readme, stem};

/// How pages get their addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Addresses {
    /// As the files are laid out: `guide/index.html`. Markdown becomes `.html`, as site generators name it.
    #[default]
    Files,
    /// As `Files`, for a site on which plain text becomes HTML pages too: `notes.txt` is `notes.html`.
    Pages,
    /// As a host serves them: `guide/` for `guide/index.html`, and without `.html` where the page's canonical
    /// address has none.
    Served,
    /// As a host serves them, but with `index.html` at the end.
    ServedWithIndex,
}

/// The address of a page's file below the root of the site, before the base is prepended.
pub(super) fn path(
    source: &str,
    format: Format,
    addresses: Addresses,
    canonical: Option<&str>,
) -> String {
    let path = match format {
        Format::Markdown => html_path(source),
        Format::Text if addresses == Addresses::Pages => html_path(source),
        Format::Html | Format::Text => source.to_owned(),
    };
    if addresses != Addresses::Served {
        return path;
    }
    if let Some(own) = canonical.and_then(|canonical| own_form(&path, canonical)) {
        return own;
    }
    match path.strip_suffix("index.html") {
        Some(folder) if folder.is_empty() || folder.ends_with('/') => folder.to_owned(),
        _ => path,
    }
}

/// `base_url` followed by a path, escaped. The root page of a site without a base is `./`: an empty address would mean
/// the page that the link is on.
pub(super) fn url(path: &str, base_url: &str) -> String {
    relative(base_url, &percent_encode(path))
}

/// `base_url` followed by an escaped path. Without a base the path must not look absolute: text before a colon would be
/// read as a scheme, and text after two slashes as a host.
fn relative(base_url: &str, path: &str) -> String {
    let url = based(base_url, path);
    let is_elsewhere = base_url.is_empty() && (is_outside(&url) || url.starts_with('/'));
    if url.is_empty() || is_elsewhere {
        format!("./{}", url.trim_start_matches('/'))
    } else {
        url
    }
}

fn based(base_url: &str, path: &str) -> String {
    let slash = if base_url.is_empty() || base_url.ends_with('/') {
        ""
    } else {
        "/"
    };
    format!("{base_url}{slash}{path}")
}

/// True if an address has its own host or scheme.
fn is_outside(target: &str) -> bool {
    target.starts_with("//")
        || target
            .find([':', '/'])
            .is_some_and(|end| target[end..].starts_with(':'))
}

/// Resolves `target` as a link in the folder of `path`; `None` if it leads out of the site.
fn joined(path: &str, target: &str) -> Option<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    without_dots(&format!("{folder}/{target}"))
}

/// Resolves the `.` and `..` in a path; `None` if they lead out of it.
fn without_dots(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/").trim_start_matches('/').to_owned())
}

/// The URL of a file that a page refers to, relative in the same way as the page's own URL, so that pages in other
/// folders can use it. Addresses that start at the host, or have one, stay as they are.
pub(super) fn file_url(path: &str, base_url: &str, address: &str) -> String {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let (target, query) = address.split_at(end);
    if target.is_empty() || target.starts_with('/') || is_outside(target) {
        return address.to_owned();
    }
    match joined(&percent_encode(path), target) {
        Some(path) => relative(base_url, &path) + query,
        None => address.to_owned(),
    }
}

/// The end of a canonical address that denotes this very file, in the form that the site prefers
/// (`guide/a` for `guide/a.html`); `None` if the address is that of another page.
fn own_form(path: &str, canonical: &str) -> Option<String> {
    let wanted = page_key(path);
    let full = address_path(canonical);
    let key = page_key(&full);
    let is_own = key == wanted
        || wanted.is_empty()
        || key
            .strip_suffix(wanted)
            .is_some_and(|above| above.ends_with('/'));
    if !is_own {
        return None;
    }
    if wanted.is_empty() {
        return Some(String::new());
    }
    let start = key.len() - wanted.len();
    let form = full.get(start..)?;
    Some(form.strip_suffix("index.html").unwrap_or(form).to_owned())
}

/// The [`page_key`] of the page that a canonical address names, if that is a different page.
pub(super) fn copy_of(path: &str, canonical: &str) -> Option<String> {
    (own_form(path, canonical).is_none()).then(|| page_key(&address_path(canonical)).to_owned())
}

/// The unescaped path of an address, without scheme, host, query, fragment and leading slash.
fn address_path(address: &str) -> String {
    let rest = address.find("//").map_or(address, |start| {
        let rest = &address[start + 2..];
        rest.find('/').map_or("", |slash| &rest[slash..])
    });
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    percent_decode(rest[..end].trim_start_matches('/'))
}

/// The key that all addresses of one page share: `guide/a` for `guide/a.html`, `guide/a/` and `guide/a/index.html`.
pub fn page_key(path: &str) -> &str {
    let path = path.trim_start_matches("./").trim_start_matches('/');
    let path = ["index.html", "index.htm"]
        .iter()
        .find_map(|name| {
            path.strip_suffix(name)
                .filter(|folder| folder.is_empty() || folder.ends_with('/'))
        })
        .unwrap_or(path);
    [".html", ".htm"]
        .iter()
        .find_map(|extension| path.strip_suffix(extension))
        .unwrap_or(path)
        .trim_end_matches('/')
}

/// The page and the anchor that a link points to: `(page key, anchor)`, both unescaped. `None` for links out of the
/// site, links without an anchor, and links to the top of a page.
pub(super) fn anchor_link(path: &str, base_url: &str, href: &str) -> Option<(String, String)> {
    let (_, anchor) = href.split_once('#')?;
    let anchor = percent_decode(anchor);
    if anchor.is_empty() || anchor == "top" || anchor.contains(":~:") {
        return None;
    }
    Some((linked_page(path, base_url, href)?, anchor))
}

/// The [`page_key`] of the page that a link on the page at `path` leads to. `None` for links out of the site and links
/// with a query.
pub fn linked_page(path: &str, base_url: &str, href: &str) -> Option<String> {
    let target = href.split('#').next().unwrap_or_default();
    if target.contains(['?', '\\']) || is_outside(target) {
        return None;
    }
    let target = percent_decode(target);
    let target = if target.is_empty() {
        without_dots(path)?
    } else if let Some(absolute) = target.strip_prefix('/') {
        let base = address_path(base_url);
        without_dots(
            absolute
                .strip_prefix(base.trim_end_matches('/'))
                .unwrap_or(absolute),
        )?
    } else {
        joined(path, &target)?
    };
    let target = if is_markdown(&target) {
        html_path(&target)
    } else {
        target
    };
    Some(page_key(&target).to_owned())
}

/// The address of the page that is made of a Markdown file, for a link to that file; `None` for other links, and for those
/// that leave the site.
pub fn linked_html(href: &str) -> Option<String> {
    let split = href.find(['?', '#']).unwrap_or(href.len());
    let (path, suffix) = href.split_at(split);
    (is_markdown(path) && !is_outside(path)).then(|| format!("{}{suffix}", html_path(path)))
}

/// The path of a page's file below the root of its site, from the address that a build with this `base_url` gave the page.
pub fn page_file(url: &str, base_url: &str) -> String {
    let path = url.strip_prefix(base_url).unwrap_or(url);
    percent_decode(path.trim_start_matches("./").trim_start_matches('/'))
}

/// The path of the HTML page that a site generator makes from a page of text.
pub(super) fn html_path(source: &str) -> String {
    let name = file_name(source);
    let folder = &source[..source.len() - name.len()];
    let stem = if is_readme(name) { "index" } else { stem(name) };
    format!("{folder}{stem}.html")
}

/// Escapes characters that are not allowed in the path of an address; `/` stays.
pub fn percent_encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Decodes percent escapes. A malformed one stays as is, and so does the whole text if it would not be UTF-8.
fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| {
        bytes
            .get(at)
            .and_then(|byte| char::from(*byte).to_digit(16))
    };
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_addresses_give_the_form_and_name_copies() {
        let served = |file: &str, canonical: &str| {
            path(file, Format::Html, Addresses::Served, Some(canonical))
        };
        assert_eq!(
            served("guide/a.html", "https://x.org/docs/guide/a"),
            "guide/a"
        );
        assert_eq!(
            served("guide/a.html", "https://x.org/docs/guide/a/?q#f"),
            "guide/a/"
        );
        assert_eq!(served("guide/index.html", "/docs/guide"), "guide");
        assert_eq!(served("index.html", "https://x.org"), "");
        assert_eq!(
            served("guide/a.html", "https://x.org/guide/b"),
            "guide/a.html"
        );
        assert_eq!(
            copy_of("guide/a.html", "https://x.org/guide/b/").as_deref(),
            Some("guide/b")
        );
        assert_eq!(copy_of("guide/a.html", "guide/a.html"), None);
        assert_eq!(copy_of("ba.html", "https://x.org/a").as_deref(), Some("a"));
    }

    #[test]
    fn no_file_names_a_scheme_or_a_host() {
        for (path, base, expected) in [
            ("Note: one.html", "", "./Note:%20one.html"),
            ("javascript:alert(1).html", "", "./javascript:alert(1).html"),
            ("data:text/html,x/", "", "./data:text/html,x/"),
            ("std::fmt/a.html", "", "./std::fmt/a.html"),
            ("a/b:c.html", "", "a/b:c.html"),
            ("100%.html", "", "100%25.html"),
            ("50%3A1.html", "", "50%253A1.html"),
            ("what?.html", "", "what%3F.html"),
            ("c#.html", "", "c%23.html"),
            ("a\\b.html", "", "a%5Cb.html"),
            ("//evil.org/a.html", "", "./evil.org/a.html"),
            ("Note:a.html", "/docs", "/docs/Note:a.html"),
            ("Note:a.html", "https://x.org/", "https://x.org/Note:a.html"),
            ("", "", "./"),
        ] {
            assert_eq!(url(path, base), expected, "{path:?} under {base:?}");
        }
        let beside = file_url("a.html", "", "./Pic:1.png");
        assert_eq!(beside, "./Pic:1.png");
    }

    #[test]
    fn a_pages_file_is_found_again_from_its_address() {
        for (file, base) in [
            ("a.html", ""),
            ("my notes/c#.html", ""),
            ("Note: one.html", ""),
            ("50%3A1.html", ""),
            ("guide/\u{e9}t\u{e9}.html", "/docs"),
            ("a.html", "https://x.org/docs/"),
        ] {
            assert_eq!(page_file(&url(file, base), base), file, "under {base:?}");
        }
    }

    #[test]
    fn text_is_a_page_where_pages_are_made_of_it() {
        let of = |source: &str, format, addresses| path(source, format, addresses, None);
        assert_eq!(of("a/b.txt", Format::Text, Addresses::Files), "a/b.txt");
        assert_eq!(of("a/b.txt", Format::Text, Addresses::Pages), "a/b.html");
        assert_eq!(
            of("README.txt", Format::Text, Addresses::Pages),
            "README.html"
        );
        assert_eq!(
            of("README.md", Format::Markdown, Addresses::Pages),
            "index.html"
        );
    }

    #[test]
    fn anchors_are_found_from_where_the_link_stands() {
        let link = |href: &str| {
            anchor_link("guide/a.html", "/docs", href)
                .map(|(page, anchor)| format!("{page} {anchor}"))
        };
        assert_eq!(link("#b").as_deref(), Some("guide/a b"));
        assert_eq!(link("../index.html#c%20d").as_deref(), Some(" c d"));
        assert_eq!(link("/docs/x/#y").as_deref(), Some("x y"));
        assert_eq!(link("other.md#z").as_deref(), Some("guide/other z"));
        for outside in [
            "https://x.org/#a",
            "//x.org/#a",
            "mailto:a#b",
            "b.html",
            "b#",
            "#top",
            "../../x#y",
        ] {
            assert_eq!(link(outside), None, "{outside}");
        }
    }

    #[test]
    fn files_are_named_from_the_folder_of_the_site() {
        let file = |address: &str| file_url("guide/a b/c.html", "/docs", address);
        assert_eq!(file("d.png?x=1"), "/docs/guide/a%20b/d.png?x=1");
        assert_eq!(file("../../e%20f.png"), "/docs/e%20f.png");
        assert_eq!(file_url("c.html", "", "./d.png"), "d.png");
        for same in [
            "/d.png",
            "//x.org/d.png",
            "https://x.org/d.png",
            "../../../d.png",
            "",
        ] {
            assert_eq!(file(same), same);
        }
    }
}

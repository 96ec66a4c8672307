//! Turns the bytes of one Markdown or HTML page into a [`Document`].
//!
//! Each page is judged alone: a bad one is an error that names it, and never stops the others.

pub mod markdown;
pub mod html;
mod outline;
mod strip;

use std::collections::BTreeMap;

use crate::document::{Document, Section};
use crate::error::PageError;

/// How pages are read and where they will be found.
#[derive(Debug, Clone)]
pub struct ParseOptions {
    /// Put before each page's path to make its url; may be empty for addresses relative to the bundle's site.
    pub base_url: String,
    /// Larger pages are refused. Default 8 MiB: an order of magnitude above any page written by hand.
    pub max_bytes: usize,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            max_bytes: 8 << 20,
        }
    }
}

/// What both readers make of a page before it gets its address.
struct Parsed {
    title: Option<String>,
    sections: Vec<Section>,
}

/// Reads one page; its extension says whether it is Markdown (`.md`, `.markdown`) or HTML (`.html`, `.htm`).
///
/// `source` is the page's path from the root of the site. Its url is `base_url` and that path, where
/// Markdown's extension becomes `.html` and a `README` becomes `index.html`, as site generators do.
///
/// # Errors
/// See [`PageError`]; each variant is about this page only.
pub fn parse_page(
    source: &str,
    bytes: &[u8],
    options: &ParseOptions,
) -> Result<Document, PageError> {
    let source = source.replace('\\', "/");
    let source = source.strip_prefix("./").unwrap_or(&source);
    let kind = Kind::of(source)?;
    let text = decode(source, bytes, options.max_bytes)?;
    let parsed = match kind {
        Kind::Markdown => markdown::parse(text),
        Kind::Html => {
            let found = html::nesting(text);
            if found > html::MAX_DEPTH {
                return Err(PageError::TooDeep {
                    page: source.to_owned(),
                    max_depth: html::MAX_DEPTH,
                    found,
                });
            }
            html::parse(text)
        }
    };
    if parsed
        .sections
        .iter()
        .all(|section| section.text.is_empty())
    {
        return Err(PageError::NoText {
            page: source.to_owned(),
        });
    }
    Ok(Document {
        source: source.to_owned(),
        url: url(source, kind, &options.base_url),
        title: parsed.title.unwrap_or_else(|| title_from_path(source)),
        sections: parsed.sections,
        filters: BTreeMap::new(),
        weight: 1.0,
        language: None,
    })
}

/// Checks that `bytes` are a page's text and returns it without a byte order mark.
///
/// # Errors
/// [`PageError::Empty`], [`PageError::TooLarge`], [`PageError::Binary`] or [`PageError::NotUtf8`].
pub fn decode<'b>(source: &str, bytes: &'b [u8], max_bytes: usize) -> Result<&'b str, PageError> {
    let page = || source.to_owned();
    if bytes.is_empty() {
        return Err(PageError::Empty { page: page() });
    }
    if bytes.len() > max_bytes {
        return Err(PageError::TooLarge {
            page: page(),
            max_bytes,
            found: bytes.len(),
        });
    }
    if let Some(offset) = bytes.iter().position(|&byte| byte == 0) {
        return Err(PageError::Binary {
            page: page(),
            offset,
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| PageError::NotUtf8 {
        page: page(),
        offset: error.valid_up_to(),
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Markdown,
    Html,
}

impl Kind {
    fn of(source: &str) -> Result<Self, PageError> {
        let name = source.rsplit('/').next().unwrap_or(source);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension.to_ascii_lowercase().as_str() {
            "md" | "markdown" => Ok(Self::Markdown),
            "html" | "htm" => Ok(Self::Html),
            _ => Err(PageError::UnknownExtension {
                page: source.to_owned(),
                extension: extension.to_owned(),
            }),
        }
    }
}

fn url(source: &str, kind: Kind, base_url: &str) -> String {
    let path = match kind {
        Kind::Html => source.to_owned(),
        Kind::Markdown => html_path(source),
    };
    let slash = if base_url.is_empty() || base_url.ends_with('/') {
        ""
    } else {
        "/"
    };
    format!("{base_url}{slash}{}", percent_encode(&path))
}

/// The path of the HTML page that a site generator makes of a Markdown page.
fn html_path(source: &str) -> String {
    let (folder, name) = source
        .rsplit_once('/')
        .map_or(("", source), |(folder, name)| (folder, name));
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = if stem.eq_ignore_ascii_case("readme") {
        "index"
    } else {
        stem
    };
    let slash = if folder.is_empty() { "" } else { "/" };
    format!("{folder}{slash}{stem}.html")
}

/// Escapes what may not stand in the path of an address; `/` stays.
fn percent_encode(path: &str) -> String {
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

fn title_from_path(source: &str) -> String {
    let mut names = source.rsplit('/');
    let stem = |name: &str| {
        name.rsplit_once('.')
            .map_or(name, |(stem, _)| stem)
            .to_owned()
    };
    let mut title = stem(names.next().unwrap_or(source));
    if matches!(title.to_ascii_lowercase().as_str(), "index" | "readme")
        && let Some(folder) = names.next()
    {
        title = folder.to_owned();
    }
    title.replace(['-', '_'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(source: &str, bytes: &[u8]) -> Result<Document, PageError> {
        parse_page(
            source,
            bytes,
            &ParseOptions {
                base_url: "/book".to_owned(),
                max_bytes: 1000,
            },
        )
    }

    #[test]
    fn refuses_an_empty_page() {
        assert_eq!(
            parse("a.md", b""),
            Err(PageError::Empty {
                page: "a.md".to_owned()
            })
        );
    }

    #[test]
    fn refuses_a_binary_page() {
        let found = parse("a.md", b"# t\n\nab\0c");
        assert_eq!(
            found,
            Err(PageError::Binary {
                page: "a.md".to_owned(),
                offset: 7
            })
        );
    }

    #[test]
    fn refuses_text_that_is_not_utf8_and_says_where() {
        let found = parse("dir/a.html", b"<p>caf\xe9 noir</p>");
        assert_eq!(
            found,
            Err(PageError::NotUtf8 {
                page: "dir/a.html".to_owned(),
                offset: 6
            })
        );
    }

    #[test]
    fn refuses_a_page_over_the_limit() {
        let found = parse("a.md", &[b'a'; 1001]);
        let page = "a.md".to_owned();
        assert_eq!(
            found,
            Err(PageError::TooLarge {
                page,
                max_bytes: 1000,
                found: 1001
            })
        );
    }

    #[test]
    fn refuses_a_page_nested_absurdly_deep() {
        let options = ParseOptions::default();
        let found = parse_page("a.html", "<div>".repeat(100_000).as_bytes(), &options);
        assert!(
            matches!(found, Err(PageError::TooDeep { found: 100_000, .. })),
            "refused before parsing: {found:?}"
        );
    }

    #[test]
    fn refuses_pages_without_text() {
        let no_text = |page: &str| {
            Err(PageError::NoText {
                page: page.to_owned(),
            })
        };
        assert_eq!(
            parse("a.md", b"---\ntitle: T\n---\n\n<!-- later -->\n"),
            no_text("a.md")
        );
        assert_eq!(
            parse("a.html", b"<body><script>let a;</script></body>"),
            no_text("a.html")
        );
        assert_eq!(parse("b.md", b"  \n\n\t\n"), no_text("b.md"));
    }

    #[test]
    fn refuses_an_unknown_extension() {
        let unknown = |page: &str, extension: &str| {
            Err(PageError::UnknownExtension {
                page: page.to_owned(),
                extension: extension.to_owned(),
            })
        };
        assert_eq!(parse("a.png", b"x"), unknown("a.png", "png"));
        assert_eq!(parse("v1.2/notes", b"x"), unknown("v1.2/notes", ""));
    }

    #[test]
    fn every_refusal_has_a_hint_and_names_the_page() {
        for bytes in [&b""[..], b"\0", b"\xff", b"<!-- -->", &[b'a'; 1001]] {
            let error = parse("dir/page.md", bytes).expect_err("all of these are refused");
            assert!(
                error.to_string().contains("`dir/page.md`"),
                "message names the page: {error}"
            );
            assert!(!error.hint().is_empty(), "hint of {error}");
        }
    }

    #[test]
    fn urls_follow_site_generators() {
        let url = |source: &str| parse(source, b"text").expect("a good page").url;
        assert_eq!(url("guide/a.md"), "/book/guide/a.html");
        assert_eq!(url("guide/README.md"), "/book/guide/index.html");
        assert_eq!(url("index.markdown"), "/book/index.html");
        assert_eq!(url("./a b/\u{e9}.htm"), "/book/a%20b/%C3%A9.htm");
        assert_eq!(url("dir\\v1.2.md"), "/book/dir/v1.2.html");
    }

    #[test]
    fn titles_fall_back_to_the_file_name() {
        let title = |source: &str| parse(source, b"text").expect("a good page").title;
        assert_eq!(title("getting-started.md"), "getting started");
        assert_eq!(title("cargo_build/index.md"), "cargo build");
    }
}

//! Turns the bytes of one page (HTML, Markdown, plain text) into a [`Document`], and facts that are judged together
//! with those of all other pages.
//!
//! Each page is judged alone: a bad one is an error that names it, and never stops the others.

pub mod markdown;
mod address;
mod clean;
mod decode;
mod format;
mod html;
mod outline;
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;

use scraper::ElementRef;
use serde::{Deserialize, Serialize};

use crate::document::{Document, Section};
use crate::error::PageError;
pub use address::{Addresses, linked_html, linked_page, page_file, page_key, percent_encode};
use clean::clean;
pub use format::{Format, file_name, is_markdown, is_readme, stem};

/// How pages are read and addressed.
#[derive(Debug, Clone)]
pub struct ParseOptions {
    /// Prefix of each page's path in its URL; may be empty for addresses relative to the bundle's site.
    pub base_url: String,
    /// How a file's path becomes an address.
    pub addresses: Addresses,
    /// The rule by which headings of Markdown get their ids.
    pub anchors: markdown::Anchors,
    /// Larger pages are refused. Default 8 MiB: an order of magnitude above any page written by hand.
    pub max_bytes: usize,
    /// The element that counts as the whole page; pages without it are left out.
    pub root_selector: Option<Selector>,
    /// Elements whose content is not indexed, metadata included.
    pub exclude_selectors: Vec<Selector>,
    /// The language of all pages, whatever they say themselves.
    pub language: Option<String>,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            addresses: Addresses::default(),
            anchors: markdown::Anchors::default(),
            max_bytes: 8 << 20,
            root_selector: None,
            exclude_selectors: Vec::new(),
            language: None,
        }
    }
}

/// A CSS selector.
#[derive(Debug, Clone)]
pub struct Selector(scraper::Selector);

impl Selector {
    /// Reads one selector, or several separated by commas.
    ///
    /// # Errors
    /// A message that says what is wrong with the selector.
    pub fn parse(text: &str) -> Result<Self, String> {
        scraper::Selector::parse(text)
            .map(Self)
            .map_err(|error| error.to_string())
    }

    fn matches(&self, element: ElementRef<'_>) -> bool {
        self.0.matches(&element)
    }
}

/// A page as read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Its text and its address. There are no sections if [`PageFacts::left_out`] says why.
    pub document: Document,
    /// Facts that can only be judged together with the other pages.
    pub facts: PageFacts,
}

/// Facts that can only be judged together with the other pages of a site, or only reported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageFacts {
    /// Why the page asks not to be found, if it does.
    pub left_out: Option<LeftOut>,
    /// True if `data-pagefind-body` marks its text. If one page of a site has the mark, only pages that have it count.
    pub is_marked: bool,
    /// The key ([`page_key`]) of its own path.
    pub key: String,
    /// The key of the page that this one names as its original.
    pub copy_of: Option<String>,
    /// True if the title had to be made from the file's name.
    pub is_untitled: bool,
    /// `lang` if it is not a language tag.
    pub bad_language: Option<String>,
    /// True if parts of the page have a weight of their own, which counts for whole pages only.
    pub weighs_parts: bool,
    /// [`id_hash`] of each id that a link can open.
    pub ids: Vec<u64>,
    /// Links with an anchor, as `(page key, anchor)`.
    pub links: Vec<(String, String)>,
    /// The first words of skipped parts that may be text, such as a form or hidden elements.
    pub passed_over: Vec<String>,
}

/// Why visitors should not find a page of a deployed site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// It is the host's page for missing addresses.
    NotFound,
    /// It redirects visitors.
    Redirect,
    /// It asks search engines to skip it.
    NoIndex,
    /// Its front matter calls it a draft.
    Draft,
    /// The owner's root selector finds nothing in it.
    NoRoot,
    /// Other pages mark their text, and it does not.
    Unmarked,
    /// It names another page of the site as its original.
    Copy,
}

/// A parsed page, before it gets its address.
#[derive(Default)]
struct Parsed {
    title: Option<String>,
    sections: Vec<Section>,
    weight: Option<f32>,
    filters: BTreeMap<String, Vec<String>>,
    meta: BTreeMap<String, String>,
    sort: BTreeMap<String, String>,
    language: Option<String>,
    canonical: Option<String>,
    /// The address that the page loads automatically.
    refresh: Option<String>,
    left_out: Option<LeftOut>,
    is_marked: bool,
    weighs_parts: bool,
    ids: Vec<u64>,
    links: Vec<String>,
    passed_over: Vec<String>,
}

/// Reads one page as a document even if it asks not to be found; see [`read_page`].
///
/// # Errors
/// See [`PageError`]; each variant is about this page only.
pub fn parse_page(
    source: &str,
    bytes: &[u8],
    options: &ParseOptions,
) -> Result<Document, PageError> {
    Ok(read_page(source, bytes, options)?.document)
}

/// Reads one page; its extension says whether it is Markdown (`.md`, `.markdown`, `.mdx`), HTML (`.html`, `.htm`) or plain
/// text (`.txt`, `.text`).
///
/// `source` is the page's path from the root of the site. [`Addresses`] decides its URL; Markdown's extension becomes
/// `.html` and a `README` becomes `index.html`, as with site generators.
///
/// # Errors
/// See [`PageError`]; each variant is about this page only. A page of a deployed site that is not to be found (its address
/// is [`Addresses::Served`], and [`PageFacts::left_out`] says why) needs no text.
pub fn read_page(source: &str, bytes: &[u8], options: &ParseOptions) -> Result<Page, PageError> {
    let source = source.replace('\\', "/");
    let source = source.strip_prefix("./").unwrap_or(&source);
    let format = Format::of(source)?;
    let text = decode::decode(source, bytes, format == Format::Html, options.max_bytes)?;
    let too_complex = |(what, max, found)| PageError::TooComplex {
        page: source.to_owned(),
        what,
        max,
        found,
    };
    let mut parsed = match format {
        Format::Markdown => markdown::parse(&text, options).map_err(too_complex)?,
        Format::Text => text::parse(&text),
        Format::Html => match html::excess(&text) {
            Some(excess) => return Err(too_complex(excess)),
            None => html::parse(&text, options),
        },
    };
    let is_site = !matches!(options.addresses, Addresses::Files | Addresses::Pages);
    let is_sent_on = || {
        parsed
            .refresh
            .as_deref()
            .is_some_and(|target| !is_itself(source, &options.base_url, target))
    };
    let left_out = match parsed.left_out {
        Some(always @ (LeftOut::NoRoot | LeftOut::Draft)) => Some(always),
        _ if is_site && is_not_found(source, parsed.language.as_deref()) => Some(LeftOut::NotFound),
        Some(other) if is_site => Some(other),
        _ if is_site && is_sent_on() => Some(LeftOut::Redirect),
        _ => None,
    };
    if left_out.is_some() {
        parsed.sections.clear();
    } else if parsed
        .sections
        .iter()
        .all(|section| section.text.is_empty())
    {
        return Err(PageError::NoText {
            page: source.to_owned(),
        });
    }
    let canonical = parsed.canonical.as_deref().filter(|_| is_site);
    let path = address::path(source, format, options.addresses, canonical);
    if let Some(image) = parsed.meta.get_mut("image") {
        *image = address::file_url(&path, &options.base_url, image);
    }
    let said = options.language.clone().or(parsed.language);
    let (language, bad_language) = match said {
        Some(tag) if is_language(&tag) => (Some(tag), None),
        other => (None, other),
    };
    let facts = PageFacts {
        left_out,
        is_marked: parsed.is_marked,
        key: page_key(&path).to_owned(),
        copy_of: canonical.and_then(|canonical| address::copy_of(&path, canonical)),
        is_untitled: parsed.title.is_none(),
        bad_language,
        weighs_parts: parsed.weighs_parts,
        links: links(&path, &options.base_url, &parsed.links),
        ids: parsed.ids,
        passed_over: parsed.passed_over,
    };
    let document = Document {
        source: source.to_owned(),
        url: address::url(&path, &options.base_url),
        title: parsed
            .title
            .map(|title| clean(&title).into_owned())
            .unwrap_or_else(|| title_from_path(source)),
        sections: parsed.sections,
        filters: parsed.filters,
        meta: parsed.meta,
        sort: parsed.sort,
        weight: parsed.weight.unwrap_or(1.0),
        language,
    };
    Ok(Page { document, facts })
}

/// The text of a page that was read before, without a byte order mark.
///
/// # Errors
/// As [`read_page`] has them for bytes that are no text.
pub fn text_of<'b>(source: &str, bytes: &'b [u8]) -> Result<Cow<'b, str>, PageError> {
    let is_html = Format::of(source)? == Format::Html;
    decode::decode(source, bytes, is_html, usize::MAX)
}

/// The links of a page that open a heading, each once.
fn links(path: &str, base_url: &str, hrefs: &[String]) -> Vec<(String, String)> {
    let mut links: Vec<(String, String)> = hrefs
        .iter()
        .filter_map(|href| address::anchor_link(path, base_url, href))
        .collect();
    links.sort_unstable();
    links.dedup();
    links
}

/// FNV-1a of an id: enough to know whether a page has it.
pub fn id_hash(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// `404.html` or `404/index.html` in the root, where hosts look for it, or in a language's folder, as on sites in
/// several languages. Elsewhere it is a page about that status.
fn is_not_found(source: &str, language: Option<&str>) -> bool {
    let key = page_key(source);
    let Some((folder, name)) = key.rsplit_once('/') else {
        return key == "404";
    };
    let folder = folder
        .rsplit('/')
        .next()
        .unwrap_or(folder)
        .replace('_', "-");
    let primary = |tag: &str| tag.split('-').next().unwrap_or(tag).to_ascii_lowercase();
    let is_of_language = is_language(&folder)
        && match language {
            Some(language) => primary(language) == primary(&folder),
            None => primary(&folder).len() == 2,
        };
    name == "404" && is_of_language
}

/// True if a page loads its own address, and so merely reloads itself.
fn is_itself(source: &str, base_url: &str, target: &str) -> bool {
    let end = target.find(['?', '#']).unwrap_or(target.len());
    let target = &target[..end];
    if target.is_empty() {
        return true;
    }
    let key = page_key(source);
    if let Some((_, rest)) = target.split_once("//") {
        // On another host, only the end of the path can be compared, and the root page has none.
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        let path = page_key(path);
        let path = path.strip_suffix(key).unwrap_or("/");
        return path.is_empty() || (!key.is_empty() && path.ends_with('/') && path != "/");
    }
    address::anchor_link(source, base_url, &format!("{target}#x"))
        .is_some_and(|(found, _)| found == key)
}

/// True if a text has the form of a BCP 47 tag: `de`, `pt-BR`, `zh-Hant-TW`.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let is_first = parts.next().is_some_and(|part| {
        (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
    });
    is_first
        && tag.len() <= 35
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

fn title_from_path(source: &str) -> String {
    let mut names = source.rsplit('/');
    let mut title = stem(names.next().unwrap_or(source)).to_owned();
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
                ..ParseOptions::default()
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
            matches!(found, Err(PageError::TooComplex { found: 100_000, .. })),
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
    fn a_site_says_which_pages_are_none() {
        let left_out = |source: &str, html: &str| {
            let options = ParseOptions {
                addresses: Addresses::Served,
                ..ParseOptions::default()
            };
            let page = read_page(source, format!("{html}<p>x").as_bytes(), &options);
            page.expect("a good page").facts.left_out
        };
        for (source, html, expected) in [
            ("404.html", "", Some(LeftOut::NotFound)),
            ("404/index.html", "", Some(LeftOut::NotFound)),
            ("pt-BR/404.html", "", Some(LeftOut::NotFound)),
            (
                "docs/fr/404/index.html",
                "<html lang=fr>",
                Some(LeftOut::NotFound),
            ),
            ("errors/404.html", "<html lang=en>", None),
            ("api/404.html", "<html lang=en>", None),
            ("http/404/index.html", "", None),
            (
                "a/b.html",
                "<meta http-equiv=refresh content='60; url=b.html'>",
                None,
            ),
            (
                "a/b.html",
                "<meta http-equiv=refresh content='60;URL=\"/a/b?t=1\"'>",
                None,
            ),
            (
                "a/b.html",
                "<meta http-equiv=refresh content='9; url=https://x.org/d/a/b/'>",
                None,
            ),
            ("a/b.html", "<meta http-equiv=refresh content='9'>", None),
            (
                "a/b.html",
                "<meta http-equiv=refresh content='0; url=c.html'>",
                Some(LeftOut::Redirect),
            ),
            (
                "a/b.html",
                "<meta http-equiv=refresh content='0; c.html'>",
                Some(LeftOut::Redirect),
            ),
            (
                "a/b.html",
                "<meta http-equiv=refresh content='0; url=https://x.org/'>",
                Some(LeftOut::Redirect),
            ),
            (
                "index.html",
                "<meta http-equiv=refresh content='0; url=en/'>",
                Some(LeftOut::Redirect),
            ),
            (
                "index.html",
                "<meta http-equiv=refresh content='0; url=https://x.org/en'>",
                Some(LeftOut::Redirect),
            ),
        ] {
            assert_eq!(left_out(source, html), expected, "{source} {html}");
        }
        for canonical in ["", "#", "https://", "./", "?a"] {
            let html = format!("<link rel=canonical href='{canonical}'><p>x");
            let options = ParseOptions {
                addresses: Addresses::Served,
                ..ParseOptions::default()
            };
            let page = read_page("a.html", html.as_bytes(), &options).expect("a good page");
            assert_eq!(page.facts.copy_of, None, "{html}");
        }
    }

    #[test]
    fn titles_fall_back_to_the_file_name() {
        let title = |source: &str| parse(source, b"text").expect("a good page").title;
        assert_eq!(title("getting-started.md"), "getting started");
        assert_eq!(title("cargo_build/index.md"), "cargo build");
    }
}

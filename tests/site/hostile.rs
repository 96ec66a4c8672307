//! Pages made to break a build: each is indexed or named, in bounded time and memory, and no markup gets through.

use std::os::unix::fs::symlink;
use std::process::Command;

use harness::{Run, Site, anchorite_limited, path_text};
use serde_json::Value;

/// Seconds of processor time, and kilobytes of address space, that a whole hostile site may take.
const LIMITS: (u32, u32) = (400, 4_000_000);

fn build(site: &Site, extra: &[&str]) -> Value {
    let (pages, bundle) = (site.pages(), site.bundle());
    let arguments = [
        "build",
        path_text(&pages),
        "--bundle",
        path_text(&bundle),
        "--no-generator",
    ];
    let fixed = ["--no-cache", "--json", "--max-page-chunks", "8"];
    let run = anchorite_limited(LIMITS, &[&arguments[..], &fixed, extra].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("a JSON summary")
}

/// Paths of the pages in a kind of warning.
fn paths<'s>(summary: &'s Value, kind: &str) -> Vec<&'s str> {
    let groups = summary["warnings"].as_array().expect("warnings");
    let group = groups.iter().find(|group| group["kind"] == kind);
    let examples = group.and_then(|group| group["examples"].as_array());
    examples
        .into_iter()
        .flatten()
        .filter_map(|example| example["path"].as_str())
        .collect()
}

fn search(site: &Site, query: &str) -> Run {
    let run = site.run("search", &[query, "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run
}

fn numbered(n: usize, line: impl Fn(usize) -> String) -> Vec<u8> {
    (0..n).map(line).collect::<String>().into_bytes()
}

#[test]
fn pages_without_end_are_cut_or_refused() {
    let word_line = b"aardvark ".repeat(800_000);
    let site = Site::new(&[
        ("good.md", b"# Good\n\nA capybara swims.\n"),
        ("line50.md", &b"word ".repeat(10 << 20)),
        ("line7-markdown.md", &word_line),
        (
            "line7.html",
            &[b"<html lang=en><h1>L</h1><p>", word_line.as_slice()].concat(),
        ),
        ("line7.txt", &word_line),
        ("unbroken-markdown.md", &b"x".repeat(7 << 20)),
        (
            "unbroken.html",
            &[b"<h1>U</h1><p>", "\u{6c34}".repeat(1 << 20).as_bytes()].concat(),
        ),
        (
            "code.md",
            &[
                b"# C\n\n```\n",
                b"y;".repeat(2 << 20).as_slice(),
                b"\n```\n",
            ]
            .concat(),
        ),
        (
            "headings-markdown.md",
            &b"# Same heading\n\ntext\n\n".repeat(100_000),
        ),
        (
            "headings.html",
            &numbered(100_000, |n| format!("<h2 id=h{n}>Heading {n}</h2>text {n}")),
        ),
    ]);
    let summary = build(&site, &[]);
    assert_eq!(summary["documents"], 9, "{summary}");
    assert_eq!(paths(&summary, "too_large"), ["line50.md"], "{summary}");
    assert_eq!(paths(&summary, "page_cut").len(), 8, "{summary}");
    assert!(
        search(&site, "capybara").stdout.contains("good.html"),
        "the good page is found"
    );
}

#[test]
fn markup_nested_without_end_is_read_or_refused() {
    let nested = |open: &str, n: usize, text: &str| {
        format!("<h1>N</h1>{}{text}", open.repeat(n)).into_bytes()
    };
    let deep_quotes = format!("# Q\n\n{} quoted\n", ">".repeat(50_000));
    let deep_lists = numbered(2000, |n| format!("{}- item {n}\n", " ".repeat(2 * n)));
    let site = Site::new(&[
        (
            "tables.html",
            &nested("<table><tr><td>", 1000, "An axolotl in a cell."),
        ),
        ("divs.html", &nested("<div>", 4000, "A wallaby far down.")),
        ("too-deep.html", &nested("<div>", 100_000, "never")),
        (
            "formatting.html",
            &[
                numbered(4000, |n| format!("<b id={n}>")),
                b"<p>x".repeat(100_000),
            ]
            .concat(),
        ),
        (
            "attributes.html",
            &[
                b"<p ".to_vec(),
                numbered(1_000_000, |n| format!("a{n} ")),
                b">x".to_vec(),
            ]
            .concat(),
        ),
        ("unclosed.html", &b"<a href=\"<b title='<i ".repeat(100_000)),
        (
            "headers.html",
            &[
                b"<main>".to_vec(),
                b"<header>".repeat(3000),
                b"<h1>A tapir</h1>text".to_vec(),
            ]
            .concat(),
        ),
        ("quotes.md", deep_quotes.as_bytes()),
        ("lists.md", &deep_lists),
        (
            "brackets.md",
            &[
                b"# B\n\n".to_vec(),
                b"[".repeat(200_000),
                b"](".repeat(100_000),
            ]
            .concat(),
        ),
        (
            "stars.md",
            &[b"# S\n\n".to_vec(), b"*a _b ".repeat(100_000)].concat(),
        ),
        (
            "ticks.md",
            &numbered(2000, |n| format!("{} x ", "`".repeat(n % 700 + 1))),
        ),
        (
            "directives.md",
            &[b"# D\n\n".to_vec(), b"{{#".repeat(1_000_000)].concat(),
        ),
        ("markup.md", &b"<A <b \"<c '<!-- ".repeat(100_000)),
    ]);
    let summary = build(&site, &[]);
    let refused = paths(&summary, "too_complex");
    assert_eq!(
        refused,
        [
            "attributes.html",
            "formatting.html",
            "quotes.md",
            "too-deep.html",
            "unclosed.html"
        ],
        "{summary}"
    );
    for (query, page) in [
        ("axolotl", "tables.html"),
        ("wallaby", "divs.html"),
        ("tapir", "headers.html"),
    ] {
        let found = search(&site, query);
        assert!(
            found.stdout.contains(page),
            "`{query}` is in {page}: {}",
            found.stdout
        );
    }
}

#[test]
fn text_that_acts_is_only_text() {
    let utf16: Vec<u8> = "\u{feff}<html lang=en><h1>Breit</h1><p>A \u{1f9a5} sloth hangs."
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let site = Site::new(&[
        ("utf16.html", &utf16),
        ("null.html", b"<h1>N</h1>a\0b"),
        ("broken.html", b"<h1>B</h1>\xff\xfe\xfa"),
        ("surrogate.html", b"\xff\xfe\x00\xd8\x00\xd8"),
        (
            "title.html",
            "<title>x</title><h1>Evil &lt;script&gt;alert(1)&lt;/script&gt;<script>alert(2)</script></h1>\
             <p onclick=alert(3)>An ibex climbs.<img src=x onerror=alert(4) alt='&lt;svg onload=alert(5)&gt;'>\
             <a href='javascript:alert(6)'>y</a>"
                .as_bytes(),
        ),
        (
            "front-matter.md",
            b"---\ntitle: \"</title><script>alert(7)</script>\"\n---\n# H {onclick=alert(8)}\n\nA <img src=x \
onerror=alert(9)> jackal runs. [z](javascript:alert(10))\n\n<script>alert(11)</script>\n",
        ),
        (
            "bidi.md",
            "# Safe\u{202e}txt.exe\u{202c} \u{1b}[31mred\n\nA \u{2067}kudu\u{2069} grazes \u{e0041}\u{e0042}.\n".as_bytes(),
        ),
        ("emoji.md", "# \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} Family\n\nAn emu \u{1f1e6}\u{1f1fa} runs. ".repeat(300).as_bytes()),
    ]);
    let summary = build(&site, &[]);
    assert_eq!(summary["documents"], 5, "{summary}");
    assert_eq!(paths(&summary, "binary"), ["null.html"], "{summary}");
    assert_eq!(paths(&summary, "not_utf8"), ["broken.html"], "{summary}");
    assert_eq!(paths(&summary, "damaged"), ["surrogate.html"], "{summary}");
    assert!(
        search(&site, "sloth").stdout.contains("utf16.html"),
        "UTF-16 is read"
    );
    for query in ["ibex", "jackal", "kudu", "emu"] {
        let found = search(&site, query).stdout;
        for markup in [
            "onerror",
            "onclick",
            "alert(2)",
            "alert(11)",
            "javascript:",
            "\u{202e}",
            "\u{2067}",
            "\u{e0041}",
            "\\u001b",
        ] {
            assert!(
                !found.contains(markup),
                "`{markup}` for `{query}` in: {found}"
            );
        }
    }
    let root = site.beside("site");
    let pages = site.pages();
    let run = harness::anchorite(&[
        "build",
        path_text(&pages),
        "--no-cache",
        "--no-calibration",
        "--out",
        path_text(&root),
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for page in ["front-matter.html", "bidi.html"] {
        let rendered = std::fs::read_to_string(root.join(page)).expect("a page");
        let rendered = rendered.replace(
            "<script type=\"module\" src=\"./anchorite/anchorite.js\"></script>",
            "",
        );
        for markup in ["<script", "onclick", "onerror", "javascript:"] {
            assert!(
                !rendered.contains(markup),
                "`{markup}` in {page}: {rendered}"
            );
        }
    }
}

#[test]
fn what_is_no_page_stops_nothing() {
    let site = Site::new(&[("good.md", b"# Good\n\nA lynx waits.\n")]);
    let pages = site.pages();
    symlink(&pages, pages.join("around")).expect("a circle of folders");
    symlink(pages.join("self.md"), pages.join("self.md")).expect("a link to itself");
    symlink("/dev/zero", pages.join("endless.md")).expect("a link to a device");
    symlink(&pages, pages.join("folder.md")).expect("a link to a folder");
    let pipe = pages.join("pipe.md");
    let made = Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .expect("mkfifo runs");
    assert!(made.success(), "a pipe that nobody writes into");
    let summary = build(&site, &[]);
    assert_eq!(summary["documents"], 1, "{summary}");
    let expected = ["endless.md", "folder.md", "pipe.md", "self.md"];
    assert_eq!(paths(&summary, "unreadable"), expected, "{summary}");
}

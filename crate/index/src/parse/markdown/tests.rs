//! Checks sections, anchors and safe rendering of Markdown.

use super::*;
use crate::document::Section;

fn read(text: &str) -> Parsed {
    parse(text, &ParseOptions::default()).expect("a page that costs little")
}

fn sections(text: &str) -> Vec<Section> {
    read(text).sections
}

fn text(markdown: &str) -> String {
    sections(markdown)
        .into_iter()
        .map(|section| section.text)
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn anchors(markdown: &str) -> Vec<String> {
    sections(markdown)
        .into_iter()
        .filter_map(|section| section.anchor)
        .collect()
}

#[test]
fn sections_carry_heading_path_and_anchor() {
    let found = sections("intro\n\n# One\n\na\n\n## Two `x`\n\nb\n\n> ### Three\n>\n> c\n");
    let shown: Vec<_> = found
        .iter()
        .map(|s| (s.anchor.as_deref(), s.headings.join(" > "), s.text.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            (None, String::new(), "intro"),
            (Some("one"), "One".to_owned(), "a"),
            (Some("two-x"), "One > Two x".to_owned(), "b"),
            (Some("three"), "One > Two x > Three".to_owned(), "c"),
        ]
    );
}

#[test]
fn duplicate_headings_get_numbers() {
    let found = anchors("# Use\na\n# Use\nb\n# Use 1\nc\n# Use\nd\n# B {#use}\ne");
    assert_eq!(found, ["use", "use-1", "use-1-1", "use-2", "use-3"]);
}

#[test]
fn headings_have_ids_as_sites_make_them() {
    let found = anchors(
        "# What `impl Trait` does: C++ & Rust?\n# Caf\u{e9} _x_\n# Set {#my-id .wide}\n# ???\n",
    );
    assert_eq!(
        found,
        ["what-impl-trait-does-c--rust", "caf\u{e9}-x", "my-id"]
    );
}

#[test]
fn blocks_become_readable_text() {
    let found = text(
        "A *soft*\nbreak, [link](x.md), ![alt](y.png) and `code`.\n\n- one\n- two\n  1. deep\n\n3. loose\n\n4. list\n\n\
         | Op | Use |\n|---|---|\n| `?` | error |\n| `!` | not |\n",
    );
    assert_eq!(
        found,
        "A soft break, link, alt and code.\n\n- one\n- two\n  1. deep\n\n3. loose\n4. list\n\nOp | Use\n? | error\n! | not"
    );
}

#[test]
fn code_is_fenced_and_hidden_lines_are_dropped() {
    let found = text(
        "```rust,ignore\n# use std::io;\n#\n#[derive(Debug)]\n    ## shown\nfn main() {}\n```\n\n    indented\n\n```sh\n# kept\n```",
    );
    assert_eq!(
        found,
        "```rust\n#[derive(Debug)]\n    # shown\nfn main() {}\n```\n\n```\nindented\n```\n\n```sh\n# kept\n```"
    );
}

#[test]
fn a_list_keeps_its_code() {
    assert_eq!(
        text("- do this:\n\n  ```sh\n  ls\n  ```\n\n- then that"),
        "- do this:\n\n```sh\nls\n```\n\n- then that"
    );
}

#[test]
fn includes_comments_and_tags_are_dropped() {
    let found = text(
        "See [x]<!--\nignore --> now <kbd>Ctrl</kbd>.<br>Next\n\n```rust\n{{#rustdoc_include ../a_b/c_d.rs:here}}\n```\n\n\
         {{#include ../x.md}}\n\n\\{{#include kept}}\n\n<!-- a\n\nb -->\n\n<div class=\"a>b\">In <b>div</b> &amp; out\n\
         <script>no()</script></div>\n\n<Listing number=\"1\" caption=\"Opening a file\">\n\nend\n\n</Listing>\n",
    );
    assert_eq!(
        found,
        "See [x] now Ctrl.\nNext\n\n{{#include kept}}\n\nIn div & out\n\nOpening a file\n\nend"
    );
}

#[test]
fn front_matter_names_the_page() {
    let title = |text: &str| read(text).title;
    assert_eq!(
        title("---\nlayout: x\ntitle: \"A: b\" # c\n---\n# H\n"),
        Some("A: b".to_owned())
    );
    assert_eq!(title("+++\ntitle = 'T'\n+++\nx"), Some("T".to_owned()));
    assert_eq!(
        title("---\nkind: x\n---\n\n## First\n\n# Main\n"),
        Some("Main".to_owned())
    );
    assert_eq!(title("{{#title Told}}\n\n# H"), Some("Told".to_owned()));
    assert_eq!(text("---\n\nnever closed"), "never closed");
    assert_eq!(text("---\r\ntitle: T\r\n---\r\nbody"), "body");
}

#[test]
fn every_anchor_is_an_id_of_the_rendered_page() {
    let page = "# A & B\nx\n## A & B\ny\n## \"Q\" <T> {#q}\nz\n> # In quote\n> z\n\n1. # In list\n   z\n\nSetext `c`\n---\nz\n";
    let rendered = to_html(page, Anchors::GitHub);
    let found = anchors(page);
    assert_eq!(found.len(), 6, "all headings have anchors: {found:?}");
    for anchor in found {
        assert!(
            rendered.contains(&format!("id=\"{anchor}\"")),
            "`{anchor}` is in {rendered}"
        );
    }
}

#[test]
fn rendered_html_is_safe() {
    let rendered = to_html(
        "# T {#i onclick=alert(1) .c}\n\na <img src=x onerror=alert(1)> b\n\n<script>alert(1)</script>\n\n<div onclick=\"x\">d\n</div>\n\n\
         [x](javascript:alert(1)) [y](JAVA&#x0A;SCRIPT:alert) [z](data:text/html,x) ![i](vbscript:x)\n\n\
         ```\"><script>\n</code><script>alert(1)</script>\n```\n\n<a href=\"javascript:x\">l</a>\n",
        Anchors::GitHub,
    );
    let lowercase = rendered.to_ascii_lowercase();
    for bad in [
        "<script",
        "onclick",
        "onerror",
        "javascript",
        "href=\"data:",
        "vbscript",
        "<div",
    ] {
        assert!(!lowercase.contains(bad), "`{bad}` is not in {rendered}");
    }
}

#[test]
fn rendered_links_reach_the_rendered_pages() {
    let rendered = to_html(
        "[a](../ch01.md#x) [b](guide/README.md) [c](https://e.org/a.md:b) [d](#here) [e](ch.md?q=1)",
        Anchors::GitHub,
    );
    for address in [
        "../ch01.html#x",
        "guide/index.html",
        "https://e.org/a.md:b",
        "#here",
        "ch.html?q=1",
    ] {
        assert!(
            rendered.contains(&format!("href=\"{address}\"")),
            "`{address}` is in {rendered}"
        );
    }
}

#[test]
fn attributes_of_headings_only_name_them() {
    let page = "# One {hidden}\n\na\n\n## Two {.toc #t}\n\nb\n\n## Three {: #u }\n\nc\n\n## Four\n{: #v }\n\nd\n";
    let found = sections(page);
    let shown: Vec<_> = found
        .iter()
        .map(|s| (s.anchor.as_deref().unwrap_or(""), s.text.as_str()))
        .collect();
    assert_eq!(shown, [("one", "a"), ("t", "b"), ("u", "c"), ("v", "d")]);
}

#[test]
fn footnotes_notes_and_links_read_as_on_the_page() {
    for (page, expected) in [
        (
            "It dives[^1] deep.\n\n[^1]: Up to ten metres.",
            "It dives deep.\n\nUp to ten metres.",
        ),
        ("> [!WARNING]\n> Mind the eel.", "Mind the eel."),
        (
            "> [!abstract] In short\n> Mind the eel.",
            "In short\n\nMind the eel.",
        ),
        (
            ":::danger[Beware]\n\nOf **eels**.\n\n:::",
            "Beware\n\nOf eels.",
        ),
        ("- [ ] todo\n- [x] done", "- todo\n- done"),
        (
            "See [[Eels|the eels]] and [[1]](x.md).",
            "See the eels and [1].",
        ),
        (
            "<Tabs>\n  <TabItem label=\"Sea\">\n\n    - eels\n\n  </TabItem>\n</Tabs>",
            "Sea\n\n- eels",
        ),
        ("~~old~~ and x^2^", "old and x^2^"),
    ] {
        assert_eq!(text(page), expected, "{page}");
    }
}

#[test]
fn other_languages_hide_lines_where_the_block_says_so() {
    let found = text("```python,hidelines=~\n~import os\nprint(1)\n```\n\n```sh\n~ x\n```");
    assert_eq!(found, "```python\nprint(1)\n```\n\n```sh\n~ x\n```");
}

#[test]
fn the_owner_s_selectors_count_in_markdown_too() {
    let options = ParseOptions {
        exclude_selectors: vec![crate::parse::Selector::parse(".aside").expect("a selector")],
        anchors: Anchors::MdBook,
        ..ParseOptions::default()
    };
    let found = parse("# नमस्ते\n\n<div class=\"aside\">no</div>\n\nyes", &options).expect("a page");
    assert_eq!(found.sections[0].text, "yes");
    assert_eq!(
        found.sections[0].anchor.as_deref(),
        Some("नमसते"),
        "mdBook's rule"
    );
}

#[test]
fn hostile_pages_end_in_time() {
    for piece in [
        "> ",
        "- ",
        "<div>",
        "<b>",
        "[",
        "![",
        "*a_",
        "<h1>",
        "&",
        "<!--",
        "# a\n",
        "[^1]",
        "<script>",
        "</p>",
        "<A>\n\n",
        "|a",
        "<p><b>\n\n",
        "\u{202e}א ",
        "```\n",
        "😀",
    ] {
        let page = piece.repeat(200_000 / piece.len());
        let found = parse(&page, &ParseOptions::default());
        assert!(
            found.is_ok() || !matches!(found, Err((_, max, n)) if n <= max),
            "{piece}"
        );
        assert!(
            to_html(&page, Anchors::GitHub).len() < 40 * page.len(),
            "{piece}"
        );
    }
}

//! `anchorite build --site`: sites as hosts serve them, with and without Pagefind's attributes.

use harness::{Run, Site};
use serde_json::Value;

fn summary(run: &Run) -> Value {
    assert_eq!(run.code, 0, "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("a JSON summary")
}

/// A page with a title and one paragraph.
fn page(head: &str, body: &str) -> Vec<u8> {
    format!(
        "<!doctype html><html lang=en><head>{head}</head><body><main>{body}</main></body></html>"
    )
    .into_bytes()
}

fn first_url(site: &Site, query: &str) -> String {
    let run = site.run("search", &[query, "--limit", "1", "--json"]);
    let found: Value = serde_json::from_str(&run.stdout).expect("JSON");
    found[0]["url"].as_str().unwrap_or("nothing").to_owned()
}

#[test]
fn addresses_are_those_of_the_host() {
    let site = Site::new(&[
        (
            "index.html",
            &page("", "<h1>Start</h1><p>The zebra lives here."),
        ),
        (
            "guide/index.html",
            &page("", "<h1>Guide</h1><p>An okapi eats leaves."),
        ),
        (
            "guide/plain.html",
            &page("", "<h1>Plain</h1><p>A walrus swims."),
        ),
        (
            "guide/clean.html",
            &page(
                "<link rel=canonical href='https://example.org/docs/guide/clean'>",
                "<h1 id=top-of-it>Clean</h1><p>A gecko climbs.",
            ),
        ),
    ]);
    assert_eq!(summary(&site.build_site(&["--json"]))["documents"], 4);
    assert_eq!(first_url(&site, "zebra"), "./");
    assert_eq!(first_url(&site, "okapi"), "guide/");
    assert_eq!(first_url(&site, "walrus"), "guide/plain.html");
    assert_eq!(first_url(&site, "gecko"), "guide/clean#top-of-it");
    assert_eq!(
        site.build_site(&["--base-url", "/docs", "--keep-index-url"])
            .code,
        0
    );
    assert_eq!(first_url(&site, "okapi"), "/docs/guide/index.html");
}

#[test]
fn pages_that_are_not_to_be_found_are_left_out_and_counted() {
    let site = Site::new(&[
        ("a.html", &page("", "<h1>A</h1><p>The true page.")),
        ("404.html", &page("", "<h1>Nothing here</h1><p>Lost.")),
        (
            "old.html",
            &page(
                "<meta http-equiv=refresh content='0; url=a.html'>",
                "<p>Moved.",
            ),
        ),
        (
            "print.html",
            &page(
                "<meta name=robots content='noindex, follow'>",
                "<h1>A</h1><p>The true page.",
            ),
        ),
        (
            "v1/a.html",
            &page(
                "<link rel=canonical href=https://example.org/x/a.html>",
                "<h1>A</h1><p>An old page.",
            ),
        ),
    ]);
    let summary = summary(&site.build_site(&["--json"]));
    assert_eq!(summary["documents"], 1, "{summary}");
    let expected = serde_json::json!({ "not_found": 1, "redirect": 1, "no_index": 1, "copy": 1 });
    assert_eq!(summary["left_out"], expected, "{summary}");
    assert_eq!(summary["n_warnings"], 0, "none of this is wrong: {summary}");
}

#[test]
fn a_site_that_is_ignored_by_git_is_read_all_the_same() {
    let site = Site::new(&[("a.html", &page("", "<h1>A</h1><p>Text."))]);
    site.write(".gitignore", b"*\n");
    std::fs::write(site.beside(".gitignore"), "pages/\n").expect("written");
    assert_eq!(summary(&site.build_site(&["--json"]))["documents"], 1);
}

#[test]
fn landmarks_and_decoration_are_told_apart() {
    let themed = |content: &str| {
        format!(
            "<html lang=en><body class='sidebar'><header><h1>Brand quokka</h1></header><div class=sidebar>Menu \
             quokka</div><div id=content><nav>Crumbs quokka</nav><h1>Page</h1>{content}<div class='toc'>On this \
             page quokka</div></div><footer>Foot quokka</footer></body></html>"
        )
        .into_bytes()
    };
    let site = Site::new(&[
        ("a.html", &themed("<p>Narwhals have a tooth.")),
        ("b.html", &themed("<p>Pangolins have scales.")),
    ]);
    assert_eq!(site.build_site(&[]).code, 0);
    let run = site.run("search", &["quokka narwhals", "--json", "--limit", "9"]);
    assert!(
        run.stdout.contains("Narwhals have a tooth"),
        "{}",
        run.stdout
    );
    assert!(
        !run.stdout.contains("quokka"),
        "decoration is no text: {}",
        run.stdout
    );
}

#[test]
fn a_site_marked_for_pagefind_works_untouched() {
    let site = Site::new(&[
        (
            "marked.html",
            br#"<html lang="de-AT" data-pagefind-default-meta="image:/social.png"><body>
<h1>Page title</h1>
<div data-pagefind-ignore><span data-pagefind-filter="topic">pumps</span> invisible numbat</div>
<div data-pagefind-ignore="all"><span data-pagefind-filter="topic">hidden</span></div>
<article data-pagefind-body data-pagefind-weight="2.5" data-pagefind-meta="author[data-by], date:2026-03-01, a" data-by="Ann">
<h2 id="s">Section</h2><p data-pagefind-filter="kind:how, to">A quoll hunts at night.
<img data-pagefind-index-attrs="title,alt" title="a dugong" alt="a manatee" src="/pic.png"></p></article></body></html>"#,
        ),
        ("unmarked.html", &page("", "<h1>Other</h1><p>A quoll again.")),
    ]);
    let summary = summary(&site.build_site(&["--json"]));
    assert_eq!(
        summary["documents"], 1,
        "only marked pages count: {summary}"
    );
    assert_eq!(summary["left_out"]["unmarked"], 1, "{summary}");
    assert_eq!(first_url(&site, "quoll"), "marked.html#s");
    assert_eq!(
        first_url(&site, "dugong"),
        "marked.html#s",
        "attributes that are named are text"
    );
    let run = site.run("search", &["numbat", "--json"]);
    assert!(
        !run.stdout.contains("numbat"),
        "what is ignored is no text: {}",
        run.stdout
    );
}

#[test]
fn pagefind_attributes_become_fields_of_the_document() {
    use anchorite_index::parse::{Addresses, ParseOptions, read_page};
    let options = ParseOptions {
        addresses: Addresses::Served,
        ..ParseOptions::default()
    };
    let html = br#"<html lang="pt-BR"><head><meta data-pagefind-default-meta="image[content]" content="/social.png">
<meta data-pagefind-filter="section[content]" content="Guide"></head><body data-pagefind-weight="3">
<h1 data-pagefind-meta="title">Taps, <em>and more</em></h1><main>
<p data-pagefind-filter="tag, tag:b, c" data-pagefind-sort="date[data-d]" data-d="2026-01-02">a</p>
<div data-pagefind-ignore=all data-pagefind-filter="tag:never"><b data-pagefind-filter="tag:never"></b></div>
<p data-pagefind-weight=9>text</p></main></body></html>"#;
    let page = read_page("a.html", html, &options).expect("a good page");
    let document = &page.document;
    assert_eq!(document.title, "Taps, and more");
    assert_eq!(document.language.as_deref(), Some("pt-BR"));
    assert!(
        (document.weight - 3.0).abs() < 1e-6,
        "weight of the page: {}",
        document.weight
    );
    let filters = serde_json::to_value(&document.filters).expect("JSON");
    assert_eq!(
        filters,
        serde_json::json!({ "section": ["Guide"], "tag": ["a", "b, c"] })
    );
    let meta = serde_json::to_value(&document.meta).expect("JSON");
    assert_eq!(
        meta,
        serde_json::json!({ "image": "/social.png", "title": "Taps, and more" })
    );
    assert_eq!(
        document.sort.get("date").map(String::as_str),
        Some("2026-01-02")
    );
    assert!(
        page.facts.weighs_parts,
        "a part has a weight, which is told"
    );
}

#[test]
fn metadata_is_shown_and_sorts() {
    let dated = |date: &str, author: &str| {
        page(
            "",
            &format!(
                "<h1>Of {author}</h1><p data-pagefind-sort='date:{date}' data-pagefind-meta='author:{author}'>A quoll \
                 hunts at night. <img src='../quoll.png' alt='A quoll'>"
            ),
        )
    };
    let site = Site::new(&[
        ("a/old.html", &dated("2025-03-04", "Ann")),
        ("a/new.html", &dated("2026-01-02", "Bob")),
        ("a/none.html", &page("", "<h1>Quoll</h1><p>A quoll.")),
    ]);
    assert_eq!(site.build_site(&[]).code, 0);
    let found = |order: &str| -> Vec<Value> {
        let run = site.run("search", &["quoll", "--sort", order, "--json"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        serde_json::from_str(&run.stdout).expect("JSON")
    };
    let urls = |order: &str| -> Vec<String> {
        let found = found(order).into_iter();
        found
            .map(|hit| hit["url"].as_str().unwrap_or("").to_owned())
            .collect()
    };
    assert_eq!(
        urls("date:desc"),
        ["a/new.html", "a/old.html", "a/none.html"]
    );
    assert_eq!(urls("date"), ["a/old.html", "a/new.html", "a/none.html"]);
    assert_eq!(
        found("date")[0]["meta"],
        serde_json::json!({ "author": "Ann", "image": "quoll.png", "image_alt": "A quoll" })
    );
    let shown = site.run("search", &["quoll", "--limit", "9"]).stdout;
    assert!(shown.contains("author: Ann"), "{shown}");
    let inspected = site.run("inspect", &[]).stdout;
    assert!(inspected.contains("sort key    date"), "{inspected}");
    let refused = site.run("search", &["quoll", "--sort", "size"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("expected one of `date`"),
        "{}",
        refused.stderr
    );
}

#[test]
fn what_is_odd_is_reported_by_kind() {
    let site = Site::new(&[
        ("a.html", &page("", "<h1 id=here>A</h1><p><a href='#gone'>x</a> <a href='b.html#there'>y</a> text")),
        ("b.html", b"<html lang='elvish language'><body><p id=there>No title here, <a href=a.html#here>but text</a>."),
        ("README.html", &page("", "<h1>R</h1><p>Text.")),
        ("c/index.html", &page("", "<h1>C</h1><p>Text.")),
        ("c.html", &page("<link rel=canonical href=/c/>", "<h1>C</h1><p>Text.")),
    ]);
    let run = site.build_site(&["--json"]);
    let summary = summary(&run);
    let kinds: Vec<(&str, u64)> = summary["warnings"]
        .as_array()
        .expect("warnings")
        .iter()
        .map(|group| {
            (
                group["kind"].as_str().unwrap_or(""),
                group["count"].as_u64().unwrap_or(0),
            )
        })
        .collect();
    let expected = [
        ("broken_anchor", 1),
        ("duplicate_url", 1),
        ("no_title", 1),
        ("unknown_language", 1),
    ];
    assert_eq!(kinds, expected, "{summary}");
    assert!(run.stderr.contains("links to `a#gone`"), "{}", run.stderr);
    assert_eq!(
        site.build_site(&["--strict"]).code,
        1,
        "warnings count under --strict"
    );
}

#[test]
fn the_owner_can_choose_what_counts() {
    let site = Site::new(&[
        ("api/x.html", &page("", "<h1>X</h1><p>Generated.")),
        ("guide/a.html", b"<html lang=en><body><div class=doc><h1>A</h1><p>A bilby digs. <span class=ad>Buy a wombat</span></div><p>An echidna."),
        ("guide/b.html", &page("", "<h1>B</h1><p>No such element.")),
    ]);
    let run = site.build_site(&[
        "--json",
        "--exclude",
        "api/**",
        "--root-selector",
        ".doc",
        "--exclude-selectors",
        ".ad, .x",
    ]);
    let summary = summary(&run);
    assert_eq!(summary["documents"], 1, "{summary}");
    assert_eq!(summary["left_out"]["no_root"], 1, "{summary}");
    let run = site.run("search", &["bilby wombat echidna", "--json"]);
    assert!(run.stdout.contains("bilby"), "{}", run.stdout);
    assert!(
        !run.stdout.contains("wombat") && !run.stdout.contains("echidna"),
        "{}",
        run.stdout
    );
    let run = site.build_site(&["--exclude-selectors", "[["]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("`[[` is not a CSS selector"),
        "{}",
        run.stderr
    );
}

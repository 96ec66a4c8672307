//! Checks what is read of HTML pages, by hand-worked examples.

use super::cost::Cost;
use super::*;
use crate::document::Section;

fn parse(html: &str) -> Parsed {
    super::parse(html, &ParseOptions::default())
}

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
fn permalinks_are_no_part_of_texts() {
    assert_eq!(
        text(
            "<section id=a><a class=anchor href=#a>\u{a7}</a>Words, <a href=#b>more</a> <a href=b>!</a></section>"
        ),
        "Words, more !"
    );
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
        "One two\nthree four.\n\n- a\n- b\n  3. c\n\nOp | Use\n? | error\n\nterm\n  meaning\n\n```rust\nfn a() {\n\n}\n```\n\ntail"
    );
}

#[test]
fn a_definition_is_a_block_with_its_term() {
    let cases = [
        (
            "<dl><dt>a<dd>b<dt>c<dt>d<dd>e<dd>f</dl>g",
            "a\n  b\n\nc\nd\n  e\n  f\n\ng",
        ),
        (
            "<dl><dt><p>a</p></dt><dd><p>b</p><p>c</p></dd><dt>d</dt><dd><p>e</p></dd></dl>",
            "a\n  b\n\n  c\n\nd\n  e",
        ),
        (
            "<dl><div><dt>a</dt><dd>b</dd></div><div><dt>c</dt><dd>d<br>e</dd></div></dl>",
            "a\n  b\n\nc\n  d\n  e",
        ),
        (
            "<dl><dt>a<dd><p>b</p><dl><dt>c<dd>d</dl><p>e</dl>f",
            "a\n  b\n\n  c\n    d\n\n  e\n\nf",
        ),
        (
            "<p>x</p><dl><dt>a<dd><ul><li>b<li>c</ul>d</dl>",
            "x\n\na\n\n- b\n- c\n\n  d",
        ),
        ("<dt>a</dt><dd>b</dd><p>c", "a\nb\n\nc"),
    ];
    for (html, expected) in cases {
        assert_eq!(text(html), expected, "{html}");
    }
}

#[test]
fn a_row_of_facts_is_a_line() {
    let cases = [
        (
            "<table><tr><th><p>Op</p><th>Use</tr><tr><td><p>a</p><p>b</p><td><ul><li>c<li>d</ul></tr><tr><td>e<br>f<td><div>g</div></table>h",
            "Op | Use\na b | - c - d\ne f | g\n\nh",
        ),
        (
            "<table><tr><td><h2>A</h2><p>b</p><p>c</p></table>d",
            "b\n\nc\n\nd",
        ),
        (
            "<table><tr><td>a<td><table><tr><td><p>b<td>c</table></table>",
            "a |\n\nb | c",
        ),
    ];
    for (html, expected) in cases {
        assert_eq!(text(html), expected, "{html}");
    }
}

#[test]
fn a_page_nested_deep_is_read() {
    let page = format!("{}deep", "<div>".repeat(Cost::MAX.depth));
    assert_eq!(text(&page), "deep");
}

//! Checks how HTML pages are read, with examples worked out by hand.

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
        <main><header><h1 id=t>Page</h1></header><p>Text<script>x</script></p><aside><a href=x>One</a> <a href=y>Two</a></aside><footer>foot</footer>\
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
fn a_part_that_is_called_content_is_not_the_page() {
    let bar = "<header><div class=content><nav><a href=x>Loom</a></nav><p class=label>Colours</p></div></header>";
    let front = format!(
        "{bar}<div class=front><div class=main><h1>Weft</h1><p>A loom for two.</p></div>\
         <a href=y><h2>Warp</h2><p>Threads that stay where they are.</p></a>\
         <div><h2>Shuttle</h2><p>It carries the yarn through.</p></div></div>"
    );
    let headings: Vec<_> = sections(&front)
        .into_iter()
        .map(|section| section.headings.join("/"))
        .collect();
    assert_eq!(
        headings,
        ["Weft", "Weft/Warp", "Weft/Shuttle"],
        "the upper part of a front page is not all of it"
    );
    assert_eq!(
        text(&format!(
            "{bar}<div class=page><p>Yarn breaks at noon.</p></div>"
        )),
        "Yarn breaks at noon.",
        "nor is a part of the bar above it"
    );
    let side = "<div><a href=a>A long list of</a> <a href=b>links that lead to</a> <a href=c>all other pages</a></div>";
    assert_eq!(
        text(&format!("{side}<div class=content><p>Short.</p></div>")),
        "Short.",
        "links beside a short text don't count"
    );
}

#[test]
fn a_link_that_skips_menus_is_no_text() {
    let body = "<a class='VeilSkipTo hidden-visually' href=#page>Skip to the page</a>\
        <p>Knots hold. <a href=#knots>Skip the knots</a></p>";
    assert_eq!(text(body), "Knots hold. Skip the knots");
}

#[test]
fn a_button_that_says_copy_is_read_in_a_sentence_only() {
    let body = "<div data-pagefind-body><p>Press <button>Copy</button> twice.</p>\
        <div><pre>weave()</pre><button> Copy <svg></svg></button><button>Weave</button></div></div>";
    assert_eq!(
        text(body),
        "Press Copy twice.\n\n```\nweave()\n```\n\nWeave"
    );
}

#[test]
fn a_caption_of_code_that_is_only_spoken_is_no_text() {
    let figure = |caption: &str| {
        let caption = format!("<figcaption>{caption}</figcaption>");
        format!("<main data-pagefind-body><figure>{caption}<pre>card\n</pre></figure></main>")
    };
    let spoken = "<span class=sr-only>Loom window</span>";
    assert_eq!(
        text(&figure(&format!("<span class=title></span>{spoken}"))),
        "```\ncard\n```"
    );
    assert_eq!(
        text(&figure(&format!(
            "<span class=title>card.sh</span> {spoken}"
        ))),
        "card.sh Loom window\n\n```\ncard\n```",
        "what goes on with words that are seen is text"
    );
}

#[test]
fn boring_lines_are_hidden_in_code_only() {
    let body = "<main><p><span class=boring>Grey</span> yarn</p>\
        <pre><code><span class=boring>use loom;\n</span>weave();</code></pre></main>";
    assert_eq!(text(body), "Grey yarn\n\n```\nweave();\n```");
}

#[test]
fn a_picture_says_once_what_it_shows() {
    let zoom = "<p><label><input type=checkbox><img src=a.png alt='A loom'>\
        <span><img src=a.png alt='A loom'></span></label></p>";
    assert_eq!(text(&format!("<main>{zoom}</main>")), "A loom");
    let rows = "<p><img src=a.png alt=Warp><img src=b.png alt=Weft><img src=b.png alt=Weft></p>\
        <table><tr><td><img src=y.png alt=yes></td><td><img src=y.png alt=yes></td></tr></table>";
    assert_eq!(
        text(&format!("<main>{rows}</main>")),
        "Warp Weft Weft\n\nyes | yes",
        "pictures side by side stand apart, and are told as often as they are seen"
    );
    let asked = "<p data-pagefind-body><img src=a.png alt=Warp title=Threads \
        data-pagefind-index-attrs='title, alt'></p>";
    assert_eq!(text(asked), "Threads Warp");
}

#[test]
fn a_heading_above_nothing_is_text() {
    let found = |html: &str| -> Vec<(String, String)> {
        sections(html)
            .into_iter()
            .map(|section| (section.headings.join("/"), section.text))
            .collect()
    };
    let pair = |headings: &str, text: &str| (headings.to_owned(), text.to_owned());
    assert_eq!(
        found(
            "<main><h1>Loom</h1><h2>Plan</h2><svg></svg><h2>Parts</h2><h3>Beam</h3><p>Oak.</p><h2>Sketch</h2></main>"
        ),
        [
            pair("Loom", ""),
            pair("Loom/Plan", "Plan"),
            pair("Loom/Parts", ""),
            pair("Loom/Parts/Beam", "Oak."),
            pair("Loom/Sketch", "Sketch"),
        ],
        "a heading that is in the path of others needs no text"
    );
    assert_eq!(
        found("<main><h1>Loom</h1><h2>Plan</h2></main>"),
        [pair("Loom", ""), pair("Loom/Plan", "")],
        "a page of headings alone has none"
    );
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

/// The text of a page that marks it for Pagefind, and of one that only has a landmark.
fn both(html: &str) -> [String; 2] {
    [
        text(&format!("<main data-pagefind-body>{html}</main>")),
        text(&format!("<main>{html}</main>")),
    ]
}

#[test]
fn what_a_reader_can_open_or_see_beside_the_text_is_text() {
    let cases = [
        (
            "<aside class=callout><p>Mind the newt.</p></aside>x",
            "Mind the newt.\n\nx",
        ),
        (
            "<aside class=sidebar><p class=sidebar-title>More</p><p>Beside.</p></aside>",
            "More\n\nBeside.",
        ),
        (
            "<ul role=tablist><li><button role=tab aria-controls=b>Two</button></ul><div hidden id=b>Hidden two.</div>",
            "- Two\n\nHidden two.",
        ),
        (
            "<div class=tab-pane style='display: none'>Pane.</div>",
            "Pane.",
        ),
        ("<dialog><p>Opened later.</p></dialog>", "Opened later."),
        (
            "<form><h2>Head</h2><p>Text of it.</p></form>",
            "Text of it.",
        ),
        (
            "<form><div>Only words stand here</div></form>",
            "Only words stand here",
        ),
        (
            "<details><summary><button>More</button></summary><p>y</details>",
            "More\n\ny",
        ),
        (
            "<dl><dt><button>Term</button><dd>Meaning</dl>",
            "Term\n  Meaning",
        ),
        ("<p>Press <button>Save all</button>.</p>", "Press Save all."),
        (
            "<blockquote><p>Said</p><footer>Ada</footer></blockquote>",
            "Said\n\nAda",
        ),
        ("<label>Name</label><label>Place</label>", "Name Place"),
        (
            "<fieldset><legend>Kind</legend>a<center>b</center></fieldset>",
            "Kind\n\na\n\nb",
        ),
        ("<my-tag>a</my-tag><my-tag>b</my-tag>", "a b"),
        ("<menu><li>Cut<li>Paste</menu>", "- Cut\n- Paste"),
    ];
    for (html, expected) in cases {
        assert_eq!(both(html), [expected, expected], "{html}");
    }
}

#[test]
fn what_is_hidden_counts_only_where_pagefind_reads_it() {
    let cases = [
        ("<p hidden>a</p>b", "a\n\nb"),
        (
            "<p style='color:red;display:none !important'>a</p>b",
            "a\n\nb",
        ),
        ("<div inert>a</div>b", "a\n\nb"),
        ("<div class=toc>a</div>b", "a\n\nb"),
        ("<select><option>a<option>b</select>", "a b"),
    ];
    for (html, marked) in cases {
        let [found, unmarked] = both(html);
        assert_eq!(found, marked, "{html}");
        assert_ne!(unmarked, marked, "{html}");
    }
    for gone in [
        "<nav>a</nav>",
        "<footer>a</footer>",
        "<template>a</template>",
        "<svg><text>a</text></svg>",
        "<form><input></form>",
    ] {
        assert_eq!(both(gone), ["", ""], "{gone}");
    }
}

#[test]
fn what_is_passed_over_is_told() {
    let told = |html: &str| parse(html).passed_over;
    assert_eq!(
        told("<main>x<div hidden>The first of many words</div><p hidden>two words</p></main>"),
        ["`div`: The first of many words"]
    );
    assert_eq!(
        told("<main data-pagefind-body>x<form class=search-form><p>Search in all of the pages</form></main>").len(),
        1
    );
    assert_eq!(
        told("<main>x<nav>a b c d e f</nav><script>a b c d e f</script></main>").len(),
        0
    );
}

#[test]
fn headings_are_read_however_they_are_made() {
    let cases = [
        (
            "<section><header><h2 id=a>H</h2><p>In</p></header>x</section>",
            "H",
            Some("a"),
            "In\n\nx",
        ),
        (
            "<h2 id=a><button>Ask <b>it</b></button></h2>x",
            "Ask it",
            Some("a"),
            "x",
        ),
        (
            "<h2 id=a><div>One</div><div>two</div></h2>x",
            "One two",
            Some("a"),
            "x",
        ),
        ("<h2 id=a>One<p>two</h2>x", "One two", Some("a"), "x"),
        (
            "<div role=heading aria-level=3 id=a>H</div>x",
            "H",
            Some("a"),
            "x",
        ),
        (
            "<div role=heading id=a><h2>Inner</h2></div>x",
            "Inner",
            Some("a"),
            "x",
        ),
        (
            "<h2 id=a>H <a class=header-anchor href=#a>Permalink</a></h2>x",
            "H",
            Some("a"),
            "x",
        ),
        (
            "<h2 id=a><a class=header-anchor href=#a><span>H</span></a></h2>x",
            "H",
            Some("a"),
            "x",
        ),
        (
            "<div><h2 id=a>H</h2><a href=#a><span aria-hidden=true>#</span><span class=sr-only>Section called H</span></a></div>x",
            "H",
            Some("a"),
            "x",
        ),
        (
            "<h2 id=a><img alt=Logo src=x></h2>x",
            "Logo",
            Some("a"),
            "x",
        ),
    ];
    for (html, heading, anchor, expected) in cases {
        for open in ["<main>", "<main data-pagefind-body>"] {
            let section = sections(&format!("{open}{html}</main>"))
                .pop()
                .unwrap_or_default();
            let found = (
                section.headings.join("/"),
                section.anchor.as_deref(),
                section.text.as_str(),
            );
            assert_eq!(
                found,
                (heading.to_owned(), anchor, expected),
                "{open}{html}"
            );
        }
    }
}

#[test]
fn a_term_with_an_id_is_an_anchor() {
    let found = sections(
        "<h2 id=h>Api</h2><dl><dt id=f>f(x)</dt><dd>Does f.<dl><dt id=f.g>g</dt><dd>Does g.</dd></dl>Then.</dd></dl><p>End.",
    );
    let shown: Vec<_> = found
        .iter()
        .map(|s| {
            (
                s.anchor.as_deref().unwrap_or(""),
                s.headings.join("/"),
                s.text.as_str(),
            )
        })
        .collect();
    let api = || "Api".to_owned();
    assert_eq!(
        shown,
        [
            ("h", api(), ""),
            ("f", api(), "f(x)\n  Does f."),
            ("f.g", api(), "  g\n    Does g."),
            ("f", api(), "  Then."),
            ("h", api(), "End."),
        ]
    );
}

#[test]
fn how_characters_are_read_stands_behind_them() {
    let body = "<main><h1><ruby>\u{6771}<rp>(</rp><rt>to</rt><rp>)</rp>\u{4eac}<rt>kyo</rt></ruby>\u{90fd}</h1>\
        <p>In <ruby>\u{7dba}\u{9e97}<rt>ki rei</rt></ruby>.</p></main>";
    let found = sections(body);
    assert_eq!(found[0].headings, ["\u{6771}\u{4eac} (tokyo) \u{90fd}"]);
    assert_eq!(found[0].text, "In \u{7dba}\u{9e97} (kirei) .");
}

#[test]
fn brackets_above_the_line_are_a_notes() {
    let body = "<main><p>Tin<sup>[4]</sup> melts<sup class=reference>[note 2]</sup> at 5<sup>2</sup> and \
        x<sup>[a+b+c]</sup>.</p></main>";
    assert_eq!(text(body), "Tin melts at 52 and x[a+b+c].");
}

#[test]
fn marks_of_footnotes_are_no_part_of_words() {
    let cases = [
        (
            "owl<sup id=r><a href=#n role=doc-noteref>1</a></sup> flies",
            "owl flies",
        ),
        (
            "owl<a href=#n class=footnote-ref><sup>2</sup></a> flies",
            "owl flies",
        ),
        (
            "owl<sup class=reference><a href=#cite><span>[</span>3<span>]</span></a></sup> flies",
            "owl flies",
        ),
        (
            "owl <a class='footnote-reference brackets' href=#n role=doc-noteref><span class=fn-bracket>[</span>4<span class=fn-bracket>]</span></a>.",
            "owl .",
        ),
        (
            "<li>A note. <a href=#r role=doc-backlink>back</a></li>",
            "- A note.",
        ),
        ("x<sup>2</sup> and <a href=#s>step 2</a>", "x2 and step 2"),
        (
            "brand<sup><a href=#tm>trade mark</a></sup>",
            "brandtrade mark",
        ),
    ];
    for (html, expected) in cases {
        assert_eq!(both(html), [expected, expected], "{html}");
    }
}

#[test]
fn what_is_only_spoken_is_read_unless_it_repeats() {
    let cases = [
        (
            "<p><span class=sr-only>Caution:</span> hot</p>",
            "Caution: hot",
        ),
        (
            "<a href=x>Read on<span class=visually-hidden> Read on about owls</span></a>",
            "Read on",
        ),
        (
            "<p>About owls <span class=sr-only>owls</span></p>",
            "About owls",
        ),
    ];
    for (html, expected) in cases {
        assert_eq!(both(html), [expected, expected], "{html}");
    }
}

#[test]
fn a_formula_is_read_once() {
    let math = "<math><semantics><mrow><mi>E</mi><mo>=</mo><mi>m</mi></mrow><annotation encoding=application/x-tex>E=m</annotation></semantics></math>";
    let cases = [
        format!(
            "<span class=katex><span class=katex-mathml>{math}</span><span class=katex-html aria-hidden=true>E=m</span></span>"
        ),
        format!(
            "<mjx-container><mjx-math aria-hidden=true>E=m</mjx-math><mjx-assistive-mml>{math}</mjx-assistive-mml></mjx-container>"
        ),
        "<span class=katex><span class=katex-html aria-hidden=true>E=m</span></span>".to_owned(),
        format!("<span style='display:none'>{math}</span>"),
        "<math><semantics><annotation>E=m</annotation></semantics></math>".to_owned(),
    ];
    for html in cases {
        assert_eq!(both(&html), ["E=m", "E=m"], "{html}");
    }
}

#[test]
fn code_keeps_its_lines_and_indents() {
    let cases = [
        "<pre><code>a\n  b\n\nc</code></pre>",
        "<pre><div>a</div><div>  b</div><div></div><div>c</div></pre>",
        "<pre><code><div class=l><div class=gutter><div class=ln>1</div></div><div class=code>a</div></div><div class=l><div class=code>  b</div></div>\
         <div class=l><div class=code>\n</div></div><div class=l><div class=code>c</div></div></code></pre>",
        "<pre><code><span class=line>a</span><span class=line>  b</span><span class=line></span><span class=line>c</span></code></pre>",
        "<pre><code><span class=line>a</span>\n<span class=line>  b</span>\n<span class=line></span>\n<span class=line>c</span></code></pre>",
        "<pre><span class=line>a</span><br><span class=line>  b</span><br><br><span class=line>c</span><br></pre>",
        "<pre><ol>\n<li>a</li>\n<li>&nbsp; b</li>\n<li></li>\n<li>c</li></ol></pre>",
        "<pre><p>a</p><p>  b\n</p><p>\n</p><p>c</p></pre>",
        "<pre><table><tr><td data-line-number=1>1</td><td>a</td></tr><tr><td class=gutter>2</td><td>  b</td></tr><tr><td></td></tr><tr><td>c</td></tr></table></pre>",
        "<table class=lntable><tr><td><pre><code><span class=lnt>1\n</span><span class=lnt>2\n</span></code></pre><td><pre><code>a\n  b\n\nc\n</code></pre></table>",
        "<pre><code><table><tr><td class='rouge-gutter gl'><pre class=lineno>1\n2</pre></td><td><pre>a\n  b\n\nc\n</pre></td></tr></table></code></pre>",
        "<code class=block><div>a</div><div>  b</div><div></div><div>c</div></code>",
        "<pre><button class=copy>Copy</button><code><span style='display:block'>a</span><span style='display:block'>  b</span>\n\n<span style='display:block'>c</span></code></pre>",
        "<pre><code>a</code><code>  b</code>\n\n<code>c</code></pre>",
        "<textarea readonly>a\n  b\n\nc</textarea>",
    ];
    for html in cases {
        let expected = "```\na\n  b\n\nc\n```";
        let html = html.replace("\\n", "\n");
        assert_eq!(both(&html), [expected, expected], "{html}");
    }
    assert_eq!(
        text("<pre>let <span class=line>a</span> = 1</pre>"),
        "```\nlet a = 1\n```"
    );
    assert_eq!(
        text("<pre class=line-numbers data-lang=js>42</pre>"),
        "```js\n42\n```"
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "this test runs natively, where there is a clock"
)]
#[test]
fn hostile_pages_take_no_more_time_than_others() {
    let many = |piece: &str, n: usize| piece.repeat(n);
    for page in [
        many("<pre><div>", 1500),
        format!("<pre>{}</pre>", many("<span class=line></span>", 50_000)),
        format!("<main>{}", many("<aside class=sidebar>", 2000)),
        format!("<p>{}", many("<span class=sr-only>x</span>", 50_000)),
        format!("<h2>{}", many("<a class=permalink href=#x>y</a>", 20_000)),
        format!("<dl>{}", many("<dt id=a>b<dd><dl>", 500)),
        format!("<math>{}", many("<annotation>x</annotation>", 20_000)),
    ] {
        let started = std::time::Instant::now();
        parse(&page);
        let seconds = started.elapsed().as_secs_f32();
        assert!(seconds < 10.0, "{seconds} s for {}", &page[..60]);
    }
}

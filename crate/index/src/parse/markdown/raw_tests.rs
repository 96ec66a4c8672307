//! Checks that HTML in Markdown means the same as on a page of its own, and hides nothing else.

use super::super::parse;
use crate::parse::{ParseOptions, Parsed};

fn read(text: &str) -> Parsed {
    parse(text, &ParseOptions::default()).expect("a page that costs little")
}

fn text(markdown: &str) -> String {
    let sections = read(markdown).sections.into_iter();
    sections
        .map(|section| section.text)
        .collect::<Vec<_>>()
        .join("\n\n")
}

#[test]
fn raw_html_says_what_it_says_on_a_page_of_its_own() {
    let page = "<h1 align=\"center\">Otter Kit</h1>\n\n<p align=\"center\"><img alt=\"an otter\" src=\"o.svg\"></p>\n\nSwims.\n\n\
                <h2 id=\"use\">Use\nit</h2>\n\nDive.\n\n<h3>Plain one</h3>\n\nDown.\n\n<section id=\"end\"><h2>The end</h2>Up.</section>\n";
    let found = read(page);
    assert_eq!(found.title.as_deref(), Some("Otter Kit"));
    let shown: Vec<_> = found
        .sections
        .iter()
        .map(|s| {
            (
                s.anchor.as_deref().unwrap_or(""),
                s.headings.join(" > "),
                s.text.as_str(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("otter-kit", "Otter Kit".to_owned(), "an otter\n\nSwims."),
            ("use", "Otter Kit > Use it".to_owned(), "Dive."),
            (
                "plain-one",
                "Otter Kit > Use it > Plain one".to_owned(),
                "Down."
            ),
            ("end", "Otter Kit > The end".to_owned(), "Up."),
        ]
    );
}

#[test]
fn html_blocks_keep_their_lines_and_their_signs() {
    for (page, expected) in [
        (
            "<p>na&iuml;ve &mdash; &#x201c;x&#8221; &hearts; &amp;lt;</p>",
            "naïve — “x” ♥ &lt;",
        ),
        (
            "<pre><code class=\"language-sh\">one &lt;x&gt;\n  two\n\nthree</code></pre>",
            "```sh\none <x>\n  two\n\nthree\n```",
        ),
        ("<pre>a\n *b*\n</pre>", "```\na\n *b*\n```"),
        (
            "<table>\n<tr><th>Flag</th><th>Use</th></tr>\n<tr><td>-q</td><td>quiet</td></tr>\n</table>",
            "Flag | Use\n-q | quiet",
        ),
        ("<ul>\n<li>a\n<li>b\n</ul>", "- a\n- b"),
        ("<dl><dt>Term</dt><dd>Meaning</dd></dl>", "Term\n  Meaning"),
        (
            "<details>\n<summary>More</summary>\n\nInside **it**.\n\n</details>",
            "More\n\nInside it.",
        ),
        ("a &copy; b &nbsp;c `&copy;`", "a © b c &copy;"),
        (
            "H<sub>2</sub>O and <kbd>Ctrl</kbd>+<kbd>C</kbd>",
            "H2O and Ctrl+C",
        ),
    ] {
        assert_eq!(text(page), expected, "{page}");
    }
}

#[test]
fn what_html_does_not_show_is_no_text() {
    for page in [
        "<div hidden>no</div>",
        "<template>no</template>",
        "<nav>no</nav>",
        "<script>\n\nno()\n\n</script>",
        "<style>no {}</style>",
        "<div style=\"display: none\">\n\nno\n\n</div>",
        "<SCRIPT>no</SCRIPT>",
        "<noscript>no</noscript>",
        "<div data-pagefind-ignore>\n\n**no**\n\n</div>",
        "<!-- no\n\nno -->",
    ] {
        assert_eq!(text(&format!("{page}\n\nyes")), "yes", "{page}");
    }
    for inline in [
        "<script>no(1)</script>",
        "<span hidden>no</span>",
        "<template>no *x*</template>",
        "<style>p{}</style>",
        "<!-- no -->",
    ] {
        assert_eq!(text(&format!("A {inline} b")), "A b", "{inline}");
    }
}

#[test]
fn a_tag_that_is_only_spoken_of_hides_nothing() {
    for (page, expected) in [
        (
            "Set <title> first.\n\nThen go on.",
            "Set <title> first.\n\nThen go on.",
        ),
        (
            "Put <script> into it.\n\nThen go on.",
            "Put <script> into it.\n\nThen go on.",
        ),
        ("<form action=\"/x\">\n\nGo on and on.", "Go on and on."),
        ("<svg width=\"1\">\n\nGo on.", "Go on."),
        ("A <body> or a </html> and on.", "A or a and on."),
        ("a <b c.", "a <b c."),
        ("<plaintext>\n\nGo on.", "<plaintext>\n\nGo on."),
    ] {
        assert_eq!(text(page), expected, "{page}");
    }
}

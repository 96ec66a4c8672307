//! Checks how syntax that is not Markdown is rewritten.

use super::plain;

/// The paragraphs that remain.
fn lines(text: &str) -> String {
    let plain = plain(text);
    let lines: Vec<&str> = plain
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines.join("\n")
}

#[test]
fn containers_leave_their_titles_and_their_text() {
    for (text, expected) in [
        (":::note\nBody.\n:::\nAfter.", "Body.\nAfter."),
        (
            "::: warning Mind the gap\nBody.\n:::",
            "Mind the gap\nBody.",
        ),
        (":::tip[A `b` c]\nBody.\n:::", "A `b` c\nBody."),
        (
            "::::{tab-set}\n:::{tab-item} Linux\nBody.\n:::\n::::",
            "Linux\nBody.",
        ),
        (":::{.callout title=\"Look\"}\nBody.\n:::", "Look\nBody."),
        ("- item\n\n  :::note\n  Body.\n  :::", "- item\n  Body."),
        (
            "!!! note \"Read this\"\n    Body.\n\n    More.\nAfter.",
            "Read this\nBody.\nMore.\nAfter.",
        ),
        ("??? tip inline end\n    Body.", "Body."),
        ("???+ example \"\"\n\tBody.", "Body."),
        (
            "=== \"Linux\"\n\n    === \"Shell\"\n        Body.\n\n=== \"Mac\"\n    Two.",
            "Linux\nShell\nBody.\nMac\nTwo.",
        ),
        (
            "1. one\n\n    !!! note\n        Body.\n\n    after",
            "1. one\n    Body.\n    after",
        ),
        ("/// admonition | Look\nBody.\n///", "Look\nBody."),
        ("> [!IMPORTANT]\n> Body.", "> \n>\n> Body."),
        ("> [!info]- Folded `x`\n> Body.", "> Folded `x`\n>\n> Body."),
    ] {
        assert_eq!(lines(text), expected, "{text}");
    }
}

#[test]
fn sentences_that_look_like_containers_stay() {
    for text in [
        "!!! Stop, that is wrong.",
        "!!! warning without content",
        "??? what is that",
        "=== equals ===",
        "::  two colons",
        ":::!",
        "/// a comment, as in Rust",
        "///",
        "> [!] nothing",
        "> [a]: b",
    ] {
        assert_eq!(lines(text), text);
    }
}

#[test]
fn scripts_of_mdx_are_left_out() {
    for (text, expected) in [
        (
            "import A from './a'\nimport {b, c as d} from \"b\";\n\nText.",
            "Text.",
        ),
        (
            "import './style.css';\nexport const x = 1\n\nText.",
            "Text.",
        ),
        ("import {\n  a,\n  b,\n} from 'c'\n\nText.", "Text."),
        ("import * as D from 'd'\n\nText.", "Text."),
        (
            "import data from './d.json' with { type: 'json' }\n\nText.",
            "Text.",
        ),
        (
            "export const meta = {\n  a: [1,\n    2],\n};\n\nText.",
            "Text.",
        ),
        (
            "export default function F({ children }) {\n  return <p>{children}</p>\n}\n\nText.",
            "Text.",
        ),
        ("export { a } from './a'\n\nText.", "Text."),
        ("One {/* two */} three.", "One  three."),
        ("{/* one\n\ntwo */}\n\nText.", "Text."),
        ("Text {/* one\ntwo */} more.", "Text  more."),
    ] {
        assert_eq!(lines(text), expected, "{text}");
    }
    for text in [
        "import the module called 'x'",
        "import duties from \"Canada\" are low.",
        "import goods, sugar and tea from 'India'",
        "export const is a keyword.",
        "export default values.",
        "Words.\nimport A from './a'",
        "Words {/* without an end",
        "`{/* code */}` stays",
    ] {
        assert_eq!(lines(text), text);
    }
}

#[test]
fn components_leave_their_words() {
    for (text, expected) in [
        (
            "<Tabs>\n  <TabItem value=\"a\" label=\"Apple\">\n    Red.\n\n    Round.\n  </TabItem>\n</Tabs>",
            "Apple\nRed.\nRound.",
        ),
        (
            "<Card\n  title=\"One\"\n  href=\"/x\"\n/>\nText.",
            "One\nText.",
        ),
        (
            "<Note>Mind **this**.</Note>\nText.",
            "Mind **this**.\nText.",
        ),
        (
            "<Steps>\n<Step title='A'>One.</Step>\n<Step>Two.</Step>\n</Steps>",
            "A\nOne.\nTwo.",
        ),
        ("<>\nText.\n</>", "Text."),
        (
            "<Code>\n    ```sh\n    ls\n      -l\n    ```\n</Code>",
            "```sh\nls\n  -l\n```",
        ),
    ] {
        assert_eq!(lines(text), expected, "{text}");
    }
    for text in [
        "<Https://x.org> is an address.",
        "a < B and c > D",
        "<Unended title=\"x\"",
    ] {
        assert_eq!(lines(text), text);
    }
}

#[test]
fn shortcodes_and_links_leave_their_words() {
    for (text, expected) in [
        ("{{< note >}}\nBody.\n{{< /note >}}", "Body."),
        (
            "{{% notice title=\"Look\" %}}\nBody.\n{{% /notice %}}",
            "Look\nBody.",
        ),
        ("{% tip %}Body.{% endtip %}", "Body."),
        (
            "{{< figure\n  src=\"a.png\"\n  caption=\"A kite\" >}}\nText.",
            "A kite\nText.",
        ),
        ("{{< tab \"Linux\" >}}Body.{{< /tab >}}", "LinuxBody."),
        (
            "Write {{</* note */>}} for a note.",
            "Write {{< note >}} for a note.",
        ),
        ("{% comment %}\nno\n{% endcomment %}\nText.", "Text."),
        (
            "{% highlight ruby %}\nputs {{< x >}}\n{% endhighlight %}",
            "~~~~~~~~\nputs {{< x >}}\n~~~~~~~~",
        ),
        (
            "See [[Other Page]], [[target|the alias]] and ![[a.png]].",
            "See Other Page, the alias and a.png.",
        ),
        (
            "[Button](x){ .md-button } and ![a](b){: width=20 } end",
            "[Button](x) and ![a](b) end",
        ),
        ("Text.\n{: .lead #x }", "Text."),
        ("[TOC]\nText.\n[[_TOC_]]", "Text."),
    ] {
        assert_eq!(lines(text), expected, "{text}");
    }
    for text in [
        "`{{< note >}}` and ``[[a]] ` {% b %}`` are code",
        "{{ variable }} and {% without an end",
        "[[1]](#ref), [[1][x]], a[[0]], [[ -f x ]], [[^1]], [[1, 2], [3]]",
        "A set {a, b} and (c){d}",
    ] {
        assert_eq!(lines(text), text);
    }
}

#[test]
fn headings_keep_the_ids_that_are_written() {
    for (text, expected) in [
        ("## One {#a}", "## One {#a}"),
        ("## One {: #a .b }", "## One {#a}"),
        ("## One { #a }", "## One {#a}"),
        ("## One {/* #a */}", "## One {#a}"),
        ("## [One](x) {#a}", "## [One](x) {#a}"),
        ("## One\n{: #a }", "## One {#a}"),
        ("## One\n{#a}", "## One {#a}"),
        ("## One {.b}", "## One"),
        ("## The {braces}", "## The {braces}"),
    ] {
        assert_eq!(lines(text), expected, "{text}");
    }
}

#[test]
fn code_stays_as_it_is() {
    for text in [
        "```md\n:::note\n{{< x >}} [[y]]\n!!! z\n    q\n```",
        "~~~~\n```\n{% a %}\n~~~~",
        "- ```\n  :::note\n  ```",
        "> ```\n> {% a %}\n> ```",
        "    {% indented %}\n    :::note",
        "<pre>\n:::note\n\n{% a %}\n</pre>",
        "<script>\nimport a from 'b'\n</script>",
        "<!--\n{% a %}\n-->",
        "Words.\n\n    :::note\n\n    {% b %}",
    ] {
        let plain = plain(text);
        assert_eq!(plain.trim_end(), text, "as it was");
    }
    // A quotation that ends takes its fence with it.
    assert_eq!(lines("> ```\n> a\n\n{% b %}\nText."), "> ```\n> a\nText.");
    // Indented text in a list is not code.
    assert_eq!(lines("1. one\n\n    {% b %}Text."), "1. one\n    Text.");
}

#[test]
fn hostile_lines_take_no_time() {
    for piece in [
        "{{<",
        "{%",
        "{/*",
        "[[",
        "[[a",
        "<A ",
        "<A>",
        "</A>",
        "`",
        "{:",
        "){",
        ":::",
        "!!! a\n",
        "<pre",
        "=== \"a\"\n    ",
        "> [!",
        "export {\n",
        "import {\n",
        "{% comment %}\n",
        "<A\n",
        "(",
        "{% a\n",
        "``` \n",
        "- ",
        "/// a\n",
    ] {
        let text = piece.repeat(600_000 / piece.len());
        assert!(plain(&text).len() < 4 * text.len() + 100, "{piece}");
    }
    let deep: String = (0..500)
        .map(|depth| format!("{}!!! a\n", "    ".repeat(depth)))
        .collect();
    assert!(plain(&deep).len() < 2 * deep.len());
}

//! Checks which files are inserted into a page, and which are not.

use super::*;

const CODE: &str = "fn a() {}\n// ANCHOR: part\nlet b = 1;\n// ANCHOR: inner\nlet c = 2;\n// ANCHOR_END: inner\n\
                    // ANCHOR_END: part\nfn d() {}\n";

fn read(path: &str) -> Option<String> {
    let text = match path {
        "code.rs" | "lib/code.rs" => CODE,
        "part.md" => "Part of {{#include lib/deep.md}}.\n",
        "lib/deep.md" => "the deep\n",
        "self.md" => "me {{#include self.md}}",
        "one.md" => "1 {{#include two.md}}",
        "two.md" => "2 {{#include one.md}}",
        "empty.md" => "",
        _ => return None,
    };
    Some(text.to_owned())
}

fn insert(source: &str, text: &str) -> Included {
    insert_includes(source, text, &read).expect("something to put in")
}

#[test]
fn files_stand_where_they_are_named() {
    for (source, text, expected) in [
        ("a.md", "x {{#include part.md}} y", "x Part of the deep. y"),
        ("a.md", "{{ #include part.md }}", "Part of the deep."),
        ("lib/a.md", "{{#include ../code.rs:1}}", "fn a() {}"),
        (
            "a.md",
            "{{#include code.rs:part}}",
            "let b = 1;\nlet c = 2;",
        ),
        ("a.md", "{{#rustdoc_include code.rs:inner}}", "let c = 2;"),
        ("a.md", "{{#include code.rs:8:}}", "fn d() {}"),
        ("a.md", "{{#include code.rs::3}}", "fn a() {}\nlet b = 1;"),
        (
            "a.md",
            "{{#playground code.rs:3 editable}}",
            "```rust\nlet b = 1;\n```",
        ),
        ("a.md", "{{#title T}}{{#include empty.md}}", "{{#title T}}"),
        (
            "a.md",
            "\\{{#include x}} {{#include lib/deep.md}}",
            "\\{{#include x}} the deep",
        ),
    ] {
        let found = insert(source, text);
        assert_eq!(
            (found.text.as_str(), found.problems.len()),
            (expected, 0),
            "{text}"
        );
    }
    for none in [
        "{{#title T}} {{x}} {{#if}}",
        "`{{#include part.md}}` names a file",
    ] {
        assert_eq!(insert_includes("a.md", none, &read), None, "{none}");
    }
    let found = insert(
        "a.md",
        "```\n{{#include lib/deep.md}}\n``` `x` {{#include lib/deep.md}}",
    );
    assert_eq!(found.text, "```\nthe deep\n``` `x` the deep");
}

#[test]
fn what_cannot_be_put_in_is_told() {
    use IncludeProblem::*;
    for (source, text, problem) in [
        ("a.md", "{{#include none.md}}", Missing),
        ("a.md", "{{#include ../part.md}}", Outside),
        ("lib/a.md", "{{#include ../../part.md}}", Outside),
        ("a.md", "{{#include /etc/passwd}}", Outside),
        ("a.md", "{{#include}}", Outside),
        ("self.md", "{{#include ./self.md}}", Cycle),
        ("a.md", "{{#include self.md}}", Cycle),
        ("a.md", "{{#include one.md}}", Cycle),
        ("a.md", "{{#include code.rs:nothing}}", NoLines),
        ("a.md", "{{#include code.rs:100:}}", NoLines),
    ] {
        let found = insert(source, text);
        let problems: Vec<_> = found.problems.iter().map(|(_, problem)| *problem).collect();
        assert_eq!(problems, [problem], "{text}: {found:?}");
    }
}

#[test]
fn no_page_grows_without_end() {
    let deep = |path: &str| {
        let n: usize = path.parse().ok()?;
        Some(format!("{{{{#include {}}}}}", n + 1))
    };
    let found = insert_includes("0", "{{#include 1}}", &deep).expect("an include");
    assert_eq!(
        found.problems.first().map(|(_, why)| *why),
        Some(IncludeProblem::TooDeep)
    );
    let long = |_: &str| Some("x".repeat(1 << 20));
    let found = insert_includes("a", &"{{#include b}}".repeat(3000), &long).expect("includes");
    assert!(
        found.text.len() < MAX_BYTES + 100_000,
        "{} bytes",
        found.text.len()
    );
    assert_eq!(
        found.problems.first().map(|(_, why)| *why),
        Some(IncludeProblem::TooMuch)
    );
    let hostile = "{{#".repeat(200_000);
    assert_eq!(insert_includes("a", &hostile, &read), None);
    // Two files that name each other twice make a tree of every depth.
    let twice = |path: &str| {
        Some(format!(
            "{path} {{{{#include {path}x}}}} {{{{#include {path}y}}}}"
        ))
    };
    let found = insert_includes("a", "{{#include b}}", &twice).expect("an include");
    assert!(found.text.len() < MAX_BYTES, "{} bytes", found.text.len());
}

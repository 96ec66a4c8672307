//! Lists broken house rules: formatting, lints, boundaries, file and comment openings, lengths.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use crate::wasm::{self, Instructions};
use crate::{circles, docs, licences, run, setup};

/// Maximum lines of a file, to be read in one sitting.
const MAX_LINES: usize = 800;
const MAX_WGSL_LINES: usize = 250;
/// Openings of a comment that don't name the thing.
const VAGUE_OPENINGS: [&str; 4] = ["What", "Whether", "Of", "So many"];

pub(crate) fn run() -> anyhow::Result<()> {
    rules()?;
    docs::run(false)?;
    lints()
}

/// House rules and formatting: seconds, nothing is built.
pub(crate) fn rules() -> anyhow::Result<()> {
    let files = run::tracked_files()?;
    let broken: Vec<String> = files
        .iter()
        .map(|path| broken_rules(path))
        .collect::<anyhow::Result<Vec<_>>>()?
        .concat();
    for rule in &broken {
        eprintln!("{rule}");
    }
    if !broken.is_empty() {
        bail!("{} house rule(s) broken", broken.len());
    }
    circles::run()?;
    run::run(run::cargo().args(["fmt", "--all", "--check"]))
}

/// Licences of dependencies, Clippy for every target and for the modules that run in the browser, and documentation.
pub(crate) fn lints() -> anyhow::Result<()> {
    licences::check()?;
    let lints = ["--quiet", "--", "--deny", "warnings"];
    run::run(
        run::cargo()
            .args(["clippy", "--workspace", "--all-targets"])
            .args(lints),
    )?;
    // Links in documentation that lead nowhere, for one.
    run::run(
        run::cargo()
            .args([
                "doc",
                "--quiet",
                "--no-deps",
                "--lib",
                "--document-private-items",
            ])
            .env(
                "RUSTDOCFLAGS",
                "--deny warnings --allow rustdoc::private_intra_doc_links",
            ),
    )?;
    setup::wasm_target()?;
    for instructions in Instructions::ALL {
        let (name, flags) = instructions.environment();
        let packages = wasm::PACKAGES.iter().chain(&["anchorite-bench"]);
        run::run(
            run::cargo()
                .args(["clippy", "--lib"])
                .args(packages.flat_map(|package| ["--package", package]))
                .arg("--target=wasm32-unknown-unknown")
                .args(lints)
                .env(name, flags),
        )?;
    }
    Ok(())
}

fn broken_rules(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(run::root().join(path))
        .with_context(|| format!("could not read `{}`", path.display()))?;
    let name = path.display();
    let mut broken = Vec::new();
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    let openings: &[&str] = match extension {
        "rs" => &["//!"],
        "py" => &["\"\"\"", "#!"],
        _ => &["//", "/*", "#!"],
    };
    if !openings.iter().any(|opening| text.starts_with(opening)) {
        broken.push(format!(
            "{name}: opens without a sentence that says what it turns into what"
        ));
    }
    let limit = if extension == "wgsl" {
        MAX_WGSL_LINES
    } else {
        MAX_LINES
    };
    let n_lines = text.lines().count();
    if n_lines > limit {
        broken.push(format!(
            "{name}: {n_lines} lines, at most {limit} are read in one sitting"
        ));
    }
    if extension != "py" {
        broken.extend(vague_comments(&text).into_iter().map(|(line, opening)| {
            format!(
                "{name}:{line}: say why, or give shape and unit: a comment doesn't begin with `{opening}`"
            )
        }));
    }
    if extension == "rs" {
        broken.extend(
            boundaries(path, &text)
                .into_iter()
                .map(|rule| format!("{name}: {rule}")),
        );
    }
    Ok(broken)
}

/// Numbers, from 1, of the comment lines with a vague opening, each with that opening.
fn vague_comments(text: &str) -> Vec<(usize, &'static str)> {
    let mut is_block = false;
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let comment = if is_block { line } else { comment_in(line) };
        is_block = (is_block || line.trim_start().starts_with("/*")) && !line.contains("*/");
        let words = comment.trim_start_matches([' ', '/', '*', '!']);
        let opening = VAGUE_OPENINGS.into_iter().find(|opening| {
            words
                .strip_prefix(*opening)
                .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        });
        found.extend(opening.map(|opening| (number, opening)));
    }
    found
}

/// The comment on a line, empty if there is none. After an odd number of quotation marks `//` is part of a literal.
fn comment_in(line: &str) -> &str {
    line.match_indices('/')
        .map(|(at, _)| line.split_at(at))
        .find(|(code, rest)| {
            let n_quotes = code.matches('"').count() - code.matches("\\\"").count();
            n_quotes.is_multiple_of(2) && ["//", "/*"].iter().any(|mark| rest.starts_with(mark))
        })
        .map_or("", |(_, comment)| comment)
}

/// The boundaries that a file crosses: names that are allowed only in some folders; see ARCHITECTURE.md.
fn boundaries(path: &Path, text: &str) -> Vec<String> {
    let path = path.to_string_lossy();
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let in_library = ["crate/index/", "crate/model/", "crate/engine/"]
        .iter()
        .any(|library| path.starts_with(library));
    let is_tests_beside =
        path.contains("/tests") || path.contains("/examples/") || path.ends_with("_tests.rs");
    let rules: [(&str, bool, &str); 6] = [
        (
            "wasm_bindgen",
            ["crate/web/", "crate/xtask/", "tests/bench/wasm/"]
                .iter()
                .any(|room| path.starts_with(room)),
            "only crate/web and the benchmarks' module name wasm-bindgen",
        ),
        (
            "std::fs",
            !in_library || is_tests_beside,
            "a library takes bytes: only the tools touch the file system",
        ),
        (
            "instant_distance",
            path == "crate/index/src/vector/graph.rs" || path.starts_with("crate/xtask/"),
            "only crate/index/src/vector/graph.rs names instant-distance",
        ),
        (
            "ureq",
            path.starts_with("crate/cli/src/models/pull") || path.starts_with("crate/xtask/"),
            "only crate/cli/src/models/pull opens connections",
        ),
        (
            "anchorite_model",
            !path.starts_with("crate/index/"),
            "index and model don't know each other",
        ),
        (
            "crate::reference",
            !path.starts_with("crate/model/src")
                || path.starts_with("crate/model/src/reference")
                || is_tests_beside,
            "a product does not run its own reference: what both need is in crate/model/src/ops",
        ),
    ];
    let library_code = without_tests(&code);
    rules
        .into_iter()
        .filter(|(word, allowed, _)| !allowed && library_code.contains(word))
        .map(|(_, _, rule)| rule.to_owned())
        .collect()
}

/// The code without the items that only tests compile. rustfmt ends an item at the indentation at which it began.
fn without_tests(code: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push(line);
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let closes = |line: &str| {
            let rest = line.strip_prefix(indent);
            rest.is_some_and(|rest| rest.starts_with(['}', ']', ')']))
        };
        let mut first = lines.next();
        while let Some(attribute) = first.filter(|line| line.trim_start().starts_with("#[")) {
            if !attribute.ends_with(']') {
                lines.by_ref().find(|line| closes(line));
            }
            first = lines.next();
        }
        if first.is_some_and(|first| !first.ends_with([';', '}', ','])) {
            lines.by_ref().find(|line| closes(line));
        }
    }
    kept.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_tests_may_cross_boundaries_and_code_behind_it_may_not() {
        let path = Path::new("crate/index/src/words.rs");
        let tests = "#[cfg(test)]\nmod tests {\n    use std::fs;\n    fn f() {\n    }\n}\n";
        let declared = "#[cfg(test)]\n#[path = \"a_tests.rs\"]\nmod tests;\n";
        let inner =
            "impl A {\n    #[cfg(test)]\n    fn f() -> B {\n        std::fs::read()\n    }\n}\n";
        let attributed = "#[cfg(test)]\n#[expect(\n    dead_code,\n    reason = \"a\"\n)]\nmod tests {\n    use std::fs;\n}\n";
        let table = "#[cfg(test)]\nconst A: [&str; 1] = [\n    \"std::fs\",\n];\n";
        for (code, n_broken) in [
            (tests.to_owned(), 0),
            (format!("{tests}{declared}{inner}"), 0),
            (format!("{tests}use std::fs;\n"), 1),
            (format!("{declared}use std::fs;\n"), 1),
            (format!("{inner}use anchorite_model::A;\n"), 1),
            (format!("{attributed}use std::fs;\n"), 1),
            (format!("{table}use std::fs;\n"), 1),
            ("// use std::fs;\n".to_owned(), 0),
        ] {
            assert_eq!(boundaries(path, &code).len(), n_broken, "{code}");
        }
    }

    #[test]
    fn comments_that_begin_vaguely_are_found_by_line() {
        let cases: &[(&str, &[(usize, &str)])] = &[
            ("/// What it holds.", &[(1, "What")]),
            ("fn f() {\n    // Whether it fits.\n}", &[(2, "Whether")]),
            (
                "//! Of it.\n//!\n//! So many.",
                &[(1, "Of"), (3, "So many")],
            ),
            ("/**\n * What it is.\n */\nWhat", &[(2, "What")]),
            ("/** What it is. */", &[(1, "What")]),
            ("x: u32,  // Of a word", &[(1, "Of")]),
            ("open(\"https://a.example\"); // What it is", &[(1, "What")]),
            ("let text = \"// What it is\";", &[]),
            ("// Whatever it is, by what it holds", &[]),
            ("What * 2;\n* What\nOf { kind }", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(vague_comments(text), *expected, "{text}");
        }
    }
}

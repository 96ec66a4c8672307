//! Renders the Rust types that cross into JavaScript as TypeScript.

use std::fmt::Write;

use anchorite::answer::{Mark, Timing, Window};
use anchorite::follow_up::Turn;
use anchorite::gate::Evidence;
use anchorite::index::bundle::{
    Calibration, FileEntry, Manifest, PartEntry, ReliabilityBin, Role, ShardTotals,
};
use anchorite::index::{Shard, ShardId, Similarity};
use anchorite::model::generate::Backend;
use anchorite::prompt::Form;
use anchorite::read::Signs;
use anchorite::{
    Answer, AskEvent, AskOptions, FilterValues, Found, Outcome, Passage, Quote, SearchResult,
    Sentence, Written,
};
use ts_rs::{Config, TS};

/// The file that the page imports.
pub(crate) const FILE: &str = "www/src/engine/wire.ts";

const HEAD: &str = "// Types of everything that crosses between Rust and JavaScript, made from the Rust types by `cargo xtask contract`.
";

/// The whole file.
pub(crate) fn render() -> String {
    let config = Config::new().with_large_int("number");
    let mut file = HEAD.to_owned();
    macro_rules! declare {
        ($($type:ty),* $(,)?) => {
            $(declaration::<$type>(&config, &mut file);)*
        };
    }
    declare!(
        Manifest,
        ShardTotals,
        Similarity,
        Calibration,
        ReliabilityBin,
        FileEntry,
        Role,
        PartEntry,
        Found,
        SearchResult,
        FilterValues<'static>,
        Shard,
        ShardId,
        AskOptions,
        Form,
        Turn,
        AskEvent,
        Answer,
        Passage,
        Outcome,
        Evidence,
        Signs,
        Quote,
        Mark,
        Sentence,
        Written,
        Window,
        Timing,
        Backend,
    );
    file
}

fn declaration<T: TS>(config: &Config, file: &mut String) {
    let docs = T::docs().unwrap_or_default();
    let text = format!("{docs}export {}", T::decl(config));
    let _ = write!(file, "\n{}", layout(&text));
}

/// One field or variant a line, read-only, with comments as the page's sources have them.
fn layout(declaration: &str) -> String {
    let mut lines = vec![String::new()];
    let mut depth = 0usize;
    let mut comments = declaration.split("/**");
    push_code(&mut lines, &mut depth, comments.next().unwrap_or_default());
    for rest in comments {
        let (comment, code) = rest.split_once("*/").expect("a comment ends");
        push_comment(&mut lines, depth, comment);
        push_code(&mut lines, &mut depth, code);
    }
    let lines = lines.iter().map(|line| line.trim_end());
    let kept: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    kept.join("\n") + "\n"
}

fn new_line(lines: &mut Vec<String>, depth: usize) {
    if lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    lines.push("  ".repeat(depth));
}

fn push_comment(lines: &mut Vec<String>, depth: usize, comment: &str) {
    let text: Vec<String> = comment
        .lines()
        .map(|line| plain(line.trim().trim_start_matches('*').trim()))
        .collect();
    let text = text.join("\n");
    let text: Vec<&str> = text.trim().lines().collect();
    new_line(lines, depth);
    let indent = "  ".repeat(depth);
    match text.as_slice() {
        [line] => lines.push(format!("{indent}/** {line} */")),
        text => {
            lines.push(format!("{indent}/**"));
            lines.extend(text.iter().map(|line| format!("{indent} * {line}")));
            lines.push(format!("{indent} */"));
        }
    }
    lines.push(indent);
}

/// A line of Rust's documentation as TypeScript's: no links or paths, `null` for `None`, and variants as they are sent.
fn plain(line: &str) -> String {
    let mut line = line.replace("`None`", "`null`");
    while let Some(start) = line.find("`](crate::") {
        let end = line[start..].find(')').expect("a link ends on its line");
        line.replace_range(start + 1..=start + end, "");
    }
    let line = line.replace("[`", "`").replace("`]", "`");
    let parts = line.split('`').enumerate();
    let named = parts.map(|(idx, part)| match part.rsplit_once("::") {
        // Every other part is between backticks.
        Some((_, name)) if idx % 2 == 1 => {
            let mut letters = name.chars();
            let first = letters.next().into_iter().flat_map(char::to_lowercase);
            first.chain(letters).collect()
        }
        _ => part.to_owned(),
    });
    named.collect::<Vec<String>>().join("`")
}

fn push_code(lines: &mut Vec<String>, depth: &mut usize, code: &str) {
    let code = arrays(&code.replace("\"kind\":", "kind:"));
    let (mut at_name, mut n_brackets) = (true, 0);
    for token in tokens(&code) {
        match token {
            "{" => {
                push(lines, "{");
                *depth += 1;
                new_line(lines, *depth);
                at_name = true;
                continue;
            }
            "}" => {
                *depth -= 1;
                new_line(lines, *depth);
                push(lines, "}");
            }
            "," if *depth > 0 && n_brackets == 0 => {
                push(lines, ";");
                new_line(lines, *depth);
                at_name = true;
                continue;
            }
            name if at_name && *depth > 0 && name.starts_with(char::is_alphabetic) => {
                push(lines, "readonly ");
                push(lines, name);
            }
            " " if at_name => continue,
            other => {
                n_brackets += i32::from(other == "<") - i32::from(other == ">");
                push(lines, other);
            }
        }
        at_name = false;
    }
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

/// `Array<T>` as `readonly T[]`.
fn arrays(text: &str) -> String {
    let mut text = text.to_owned();
    // Innermost first, so that every argument is free of brackets.
    while let Some(at) = text.rfind("Array<") {
        let end = at + text[at..].find('>').expect("an array's argument ends");
        let inner = text[at + "Array<".len()..end].to_owned();
        text.replace_range(at..=end, &format!("readonly {inner}[]"));
    }
    text
}

/// Words, quoted texts and single marks.
fn tokens(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = code.trim_start_matches('\n');
    while let Some(first) = rest.chars().next() {
        let len = if first == '"' {
            rest[1..].find('"').map_or(rest.len(), |end| end + 2)
        } else if first.is_alphanumeric() {
            rest.find(|c: char| !c.is_alphanumeric())
                .unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(len);
        if token != "\n" {
            found.push(token);
        }
        rest = after;
    }
    found
}

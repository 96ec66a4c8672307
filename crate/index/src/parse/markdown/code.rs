//! Turns blocks of code into the lines that a page shows of them: mdBook and rustdoc hide some.

use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

/// Drops hidden lines of code, and blocks that become empty. Only the language stays after a fence: the rest is for the
/// site generator.
pub(super) fn without_hidden<'t>(events: impl Iterator<Item = Event<'t>>) -> Vec<Event<'t>> {
    let mut kept: Vec<Event<'t>> = Vec::new();
    let mut block: Option<(CodeBlockKind<'t>, String)> = None;
    for event in events {
        match (event, &mut block) {
            (Event::Start(Tag::CodeBlock(kind)), _) => block = Some((kind, String::new())),
            (Event::Text(text), Some((_, code))) => code.push_str(&text),
            (Event::End(TagEnd::CodeBlock), _) => {
                let Some((kind, code)) = block.take() else {
                    continue;
                };
                let code = match hidden_mark(&kind) {
                    Some("# ") => visible_rust(&code),
                    Some(mark) => visible(&code, mark),
                    None => code,
                };
                if !code.trim().is_empty() {
                    let kind = CodeBlockKind::Fenced(language(&kind).to_owned().into());
                    kept.push(Event::Start(Tag::CodeBlock(kind)));
                    kept.push(Event::Text(code.into()));
                    kept.push(Event::End(TagEnd::CodeBlock));
                }
            }
            (other, None) => kept.push(other),
            (_, Some(_)) => {}
        }
    }
    kept
}

fn info<'k>(kind: &'k CodeBlockKind<'_>) -> &'k str {
    match kind {
        CodeBlockKind::Indented => "",
        CodeBlockKind::Fenced(info) => info,
    }
}

fn language<'k>(kind: &'k CodeBlockKind<'_>) -> &'k str {
    info(kind).split([',', ' ', '{', '\t']).next().unwrap_or("")
}

/// The prefix of a block's hidden lines: the one that the block names (`hidelines=~`), else Rust's.
fn hidden_mark<'k>(kind: &'k CodeBlockKind<'_>) -> Option<&'k str> {
    let mut words = info(kind).split([',', ' ', '\t']);
    let said = words.find_map(|word| word.strip_prefix("hidelines="));
    let is_rust = language(kind) == "rust";
    said.filter(|mark| !mark.is_empty())
        .or_else(|| is_rust.then_some("# "))
}

fn visible(code: &str, mark: &str) -> String {
    code.split_inclusive('\n')
        .filter(|line| !line.trim_start().starts_with(mark))
        .collect()
}

fn visible_rust(code: &str) -> String {
    let mut visible = String::with_capacity(code.len());
    for line in code.split_inclusive('\n') {
        let content = line.trim();
        if content == "#" || content.starts_with("# ") {
            continue;
        }
        match line.trim_start().strip_prefix("##") {
            // A doubled mark stands for one that is shown.
            Some(rest) => {
                visible.push_str(&line[..line.len() - line.trim_start().len()]);
                visible.push('#');
                visible.push_str(rest);
            }
            None => visible.push_str(line),
        }
    }
    visible
}

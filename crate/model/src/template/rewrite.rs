//! Turns syntax of Python's Jinja that `minijinja` lacks into syntax that both read: `%` after a text, and the tags
//! that mark text to train on.
//!
//! Only expressions are rewritten: text, comments and raw blocks stay as they are, and so do line numbers in errors.

use std::ops::Range;

/// The filter that stands for `%`: [`super::filters::percent`].
pub(super) const PERCENT: &str = "__mod__";

/// Words that end an operand or precede one.
const KEYWORDS: [&str; 16] = [
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "elif",
    "else",
    "for",
    "set",
    "do",
    "call",
    "filter",
    "with",
    "recursive",
    "print",
];

/// `source` in the syntax that `minijinja` reads.
pub(super) fn rewrite(source: &str) -> String {
    let mut rewritten = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find('{') {
        let (before, tag) = rest.split_at(start);
        rewritten.push_str(before);
        let end = match tag.as_bytes().get(1) {
            Some(b'#') => tag.find("#}").map_or(tag.len(), |end| end + 2),
            Some(b'%') => {
                let end = push_expression(tag, "%}", &mut rewritten);
                match name(tag) {
                    "raw" => end + push_raw(&tag[end..], &mut rewritten),
                    _ => end,
                }
            }
            Some(b'{') => push_expression(tag, "}}", &mut rewritten),
            _ => 1,
        };
        if !matches!(tag.as_bytes().get(1), Some(b'%' | b'{')) {
            rewritten.push_str(&tag[..end]);
        }
        rest = &tag[end..];
    }
    rewritten.push_str(rest);
    rewritten
}

/// The first word of a tag.
fn name(tag: &str) -> &str {
    let inside = tag[2..].trim_start_matches(['-', '+']).trim_start();
    let end = inside.find(|c: char| !is_word(c)).unwrap_or(inside.len());
    &inside[..end]
}

/// Copies the contents of a raw block, up to its closing tag; returns their length.
fn push_raw(inside: &str, rewritten: &mut String) -> usize {
    let mut ends = inside.match_indices("{%").map(|(at, _)| at);
    let end = ends.find(|&at| name(&inside[at..]) == "endraw");
    let end = end.unwrap_or(inside.len());
    rewritten.push_str(&inside[..end]);
    end
}

/// Rewrites the expression or statement at the start of `tag`; returns its length, or the rest's if it is not closed.
fn push_expression(tag: &str, closing: &str, rewritten: &mut String) -> usize {
    let (tokens, end) = tokens(tag, closing);
    let brackets = closing_brackets(&tokens, tag);
    let mut pending: Vec<usize> = Vec::new();
    let mut levels = vec![Level::default()];
    let mut copied = 0;
    for (idx, token) in tokens.iter().enumerate() {
        while pending.last() == Some(&idx) {
            pending.pop();
            levels.pop();
            // Right after the operand, before any space that follows.
            let operand = tokens[idx - 1].end;
            rewritten.push_str(&tag[copied..operand]);
            rewritten.push(')');
            copied = operand;
        }
        let text = &tag[token.clone()];
        let Some(level) = levels.last_mut() else {
            break;
        };
        match text {
            "(" | "[" | "{" => {
                levels.push(Level::default());
                continue;
            }
            ")" | "]" | "}" => {
                levels.pop();
                if levels.is_empty() {
                    break;
                }
                if let Some(outer) = levels.last_mut() {
                    outer.has_operand = true;
                }
                continue;
            }
            "*" | "/" | "//" | "**" => *level = Level::multiplied(),
            "-" | "+" if !level.has_operand => *level = Level::multiplied(),
            "%" if level.has_operand && !level.is_multiplied => {
                if let Some(end) = operand_end(&tokens, &brackets, idx + 1, tag) {
                    rewritten.push_str(&tag[copied..token.start]);
                    rewritten.push('|');
                    rewritten.push_str(PERCENT);
                    rewritten.push('(');
                    copied = token.end;
                    pending.push(end);
                    levels.push(Level::default());
                }
            }
            "%" => *level = Level::multiplied(),
            "generation" | "endgeneration" if idx == 0 && closing == "%}" => {
                let replaced = if text == "generation" {
                    "if true"
                } else {
                    "endif"
                };
                rewritten.push_str(&tag[copied..token.start]);
                rewritten.push_str(replaced);
                copied = token.end;
            }
            "." | "|" => {}
            _ if is_operand(text) => level.has_operand = true,
            // An attribute's name may be any word, even a keyword; any other word or sign starts over.
            _ if idx > 0 && &tag[tokens[idx - 1].clone()] == "." => {}
            _ => *level = Level::default(),
        }
    }
    let last = tokens.last().map_or(2, |token| token.end);
    rewritten.push_str(&tag[copied..last.max(copied)]);
    for _ in pending {
        rewritten.push(')');
    }
    rewritten.push_str(&tag[last.max(copied)..end]);
    end
}

/// The state of the expression between two brackets.
#[derive(Default)]
struct Level {
    /// The previous token ends an operand.
    has_operand: bool,
    /// The operator before that operand binds at least as tightly as `%`.
    is_multiplied: bool,
}

impl Level {
    fn multiplied() -> Self {
        Self {
            has_operand: false,
            is_multiplied: true,
        }
    }
}

/// The tokens inside the tag, without spaces, and where the tag ends.
fn tokens(tag: &str, closing: &str) -> (Vec<Range<usize>>, usize) {
    let mut tokens: Vec<Range<usize>> = Vec::new();
    let mut depth = 0usize;
    // `-` and `+` that control white space are not operators.
    let mut at = 2 + usize::from(tag[2..].starts_with(['-', '+']));
    while let Some(first) = tag[at..].chars().next() {
        let rest = &tag[at..];
        if depth == 0 {
            let sign = rest.strip_prefix(['-', '+']).unwrap_or(rest);
            if sign.starts_with(closing) {
                return (tokens, at + rest.len() - sign.len() + closing.len());
            }
        }
        let len = if first == '\'' || first == '"' {
            string_len(rest)
        } else if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if ["**", "//", "==", "!=", "<=", ">="]
            .iter()
            .any(|sign| rest.starts_with(sign))
        {
            2
        } else {
            first.len_utf8()
        };
        match first {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !first.is_whitespace() {
            tokens.push(at..at + len);
        }
        at += len;
    }
    (tokens, tag.len())
}

/// Length in bytes of the string literal at the start of `rest`.
fn string_len(rest: &str) -> usize {
    let quote = rest.as_bytes()[0];
    let mut is_escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            _ if byte == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The index after the operand that starts with token `idx`: a value with its attributes, calls and filters.
fn operand_end(
    tokens: &[Range<usize>],
    closing: &[Option<usize>],
    mut idx: usize,
    tag: &str,
) -> Option<usize> {
    let text = |idx: usize| tokens.get(idx).map(|token| &tag[token.clone()]);
    let group_end = |idx: usize| closing[idx].map(|closing| closing + 1);
    loop {
        while matches!(text(idx), Some("-" | "+")) {
            idx += 1;
        }
        let first = text(idx)?;
        idx = match first {
            "(" | "[" | "{" => group_end(idx)?,
            _ if is_operand(first) => idx + 1,
            _ => return None,
        };
        loop {
            idx = match text(idx) {
                Some("(" | "[") => group_end(idx)?,
                Some("." | "|") => idx + 2,
                // Adjacent string literals are one operand.
                Some(text) if text.starts_with(['\'', '"']) => idx + 1,
                _ => break,
            };
        }
        match text(idx) {
            Some("**") => idx += 1,
            _ => return Some(idx.min(tokens.len())),
        }
    }
}

/// For each bracket that opens, the index of the one that closes it.
fn closing_brackets(tokens: &[Range<usize>], tag: &str) -> Vec<Option<usize>> {
    let mut closing = vec![None; tokens.len()];
    let mut open = Vec::new();
    for (idx, token) in tokens.iter().enumerate() {
        match &tag[token.clone()] {
            "(" | "[" | "{" => open.push(idx),
            ")" | "]" | "}" => {
                if let Some(opened) = open.pop() {
                    closing[opened] = Some(idx);
                }
            }
            _ => {}
        }
    }
    closing
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_operand(text: &str) -> bool {
    text.starts_with(|c| is_word(c) || matches!(c, '\'' | '"')) && !KEYWORDS.contains(&text)
}

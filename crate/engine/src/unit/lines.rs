//! Splits a section's text into blocks, and prose into lines without their markers.

use std::ops::Range;

/// The lines between two empty ones, or between two fences.
pub(super) enum Block {
    /// A block of code: the bytes between its fences.
    Code(Range<usize>),
    /// Anything else.
    Lines(Vec<Line>),
}

/// A line of prose.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Where it begins, with the marker of an item but without white space.
    pub(super) start: usize,
    /// Its words.
    pub(super) range: Range<usize>,
    /// Its indent, in bytes.
    pub(super) indent: usize,
    /// True for the first line of an item.
    pub(super) is_item: bool,
}

/// The blocks of `text`; none if it has no words.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Vec<Line> = Vec::new();
    let mut fence: Option<(&str, usize)> = None;
    let mut position = 0;
    for with_end in text.split_inclusive('\n') {
        let start = position;
        position += with_end.len();
        if let Some((mark, from)) = fence {
            if with_end.trim() == mark {
                push_code(text, from..start, &mut blocks);
                fence = None;
            }
            continue;
        }
        let mark = opening_fence(with_end);
        if mark.is_some() || with_end.trim().is_empty() {
            push_lines(&mut open, &mut blocks);
            fence = mark.map(|mark| (mark, position));
        } else {
            open.extend(line(with_end, start));
        }
    }
    if let Some((_, from)) = fence {
        push_code(text, from..text.len(), &mut blocks);
    }
    push_lines(&mut open, &mut blocks);
    blocks
}

fn push_lines(open: &mut Vec<Line>, blocks: &mut Vec<Block>) {
    if !open.is_empty() {
        blocks.push(Block::Lines(std::mem::take(open)));
    }
}

/// Adds a block of code. The first line keeps its indent, for code that begins further in.
fn push_code(text: &str, range: Range<usize>, blocks: &mut Vec<Block>) {
    let code = text[range.clone()].trim_end();
    let first = code.len() - code.trim_start().len();
    let start = code[..first].rfind('\n').map_or(0, |end| end + 1);
    if start < code.len() {
        blocks.push(Block::Code(range.start + start..range.start + code.len()));
    }
}

/// The backticks that open a block of code; a line with more of them later is code inside prose.
fn opening_fence(line: &str) -> Option<&str> {
    let line = line.trim();
    let behind = line.trim_start_matches('`');
    let mark = &line[..line.len() - behind.len()];
    (mark.len() >= 3 && !behind.contains('`')).then_some(mark)
}

fn line(with_end: &str, start: usize) -> Option<Line> {
    let content = with_end.trim();
    let indent = with_end.len() - with_end.trim_start().len();
    let marker = item_marker_len(content);
    let words = content[marker..].trim_start();
    let end = start + indent + content.len();
    has_words(words).then(|| Line {
        start: start + indent,
        range: end - words.len()..end,
        indent,
        is_item: marker > 0,
    })
}

/// Length in bytes of `- `, `* `, `+ ` or `12. ` at the start of `line`; 0 if there is none.
fn item_marker_len(line: &str) -> usize {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &line[digits..];
    let bullet = digits == 0
        && ["- ", "* ", "+ ", "\u{2022} "]
            .iter()
            .any(|marker| rest.starts_with(marker));
    let number = (1..=4).contains(&digits) && (rest.starts_with(". ") || rest.starts_with(") "));
    match (bullet, number) {
        (true, _) => rest.find(' ').map_or(0, |space| space + 1),
        (_, true) => digits + 2,
        _ => 0,
    }
}

/// True if `text` holds more than layout: rules, markers, fences and the separator lines of tables.
pub(super) fn has_words(text: &str) -> bool {
    text.chars()
        .any(|c| !c.is_whitespace() && !"-|+=_*:`.".contains(c))
        && !text.lines().all(is_layout)
}

/// True for a fence, or a marker alone.
fn is_layout(line: &str) -> bool {
    let line = line.trim();
    let number = line.strip_suffix(['.', ')']).unwrap_or(line);
    opening_fence(line).is_some()
        || number.bytes().all(|byte| byte.is_ascii_digit()) && number.len() < line.len()
}

/// The lines of `text` that are not code, without markers, ready to be split into sentences.
pub(crate) fn prose(text: &str) -> Vec<Range<usize>> {
    let lines = blocks(text).into_iter().flat_map(|block| match block {
        Block::Code(_) => Vec::new(),
        Block::Lines(lines) => lines,
    });
    lines.map(|line| line.range).collect()
}

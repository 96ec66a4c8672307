//! Turns the marks inside a line into the words that they show: shortcodes, comments, wiki links and attribute lists.

use std::ops::Range;

use super::super::words;
use super::MAX_LINES;

/// Opening and closing of each mark; a longer opening comes before its prefixes.
const MARKS: [(Kind, &str, &str); 7] = [
    (Kind::Escaped("{{<", ">}}"), "{{</*", "*/>}}"),
    (Kind::Escaped("{{%", "%}}"), "{{%/*", "*/%}}"),
    (Kind::Shortcode, "{{<", ">}}"),
    (Kind::Shortcode, "{{%", "%}}"),
    (Kind::Comment, "{/*", "*/}"),
    (Kind::Shortcode, "{%", "%}"),
    (Kind::WikiLink, "[[", "]]"),
];
/// Maximum length of a wiki link, in bytes.
const MAX_LINK_BYTES: usize = 300;
/// Shortcodes whose first value in quotes is a title.
const TITLED: [&str; 7] = [
    "tab",
    "details",
    "expand",
    "collapse",
    "button",
    "admonition",
    "step",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An escaped shortcode, shown as its source.
    Escaped(&'static str, &'static str),
    Shortcode,
    Comment,
    WikiLink,
}

/// Removes the marks from a line, except inside code.
pub(super) fn line(line: &str) -> String {
    if !line.trim_start().starts_with('#') {
        return plain(line);
    }
    let text = line.trim_end();
    let list = text
        .rfind('{')
        .map(|at| text.split_at(at))
        .filter(|(_, list)| is_attributes(&list.replace("/*", "").replace("*/", "")));
    match list {
        Some((heading, list)) => {
            let id = id(list).map_or(String::new(), |id| format!(" {{#{id}}}"));
            plain(heading.trim_end()) + &id
        }
        None => plain(line),
    }
}

/// Removes the marks from a text.
pub(super) fn plain(text: &str) -> String {
    if !text.contains(['{', '[']) {
        return text.to_owned();
    }
    let code = code_spans(text);
    let mut ends = [None; MARKS.len()];
    let mut kept = String::with_capacity(text.len());
    let mut spans = code.iter().peekable();
    let mut from = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find(['{', '[']) {
        at += found;
        while spans.next_if(|span| span.end <= at).is_some() {}
        if let Some(span) = spans.peek()
            && span.start <= at
        {
            at = span.end;
            continue;
        }
        let mark = mark_at(text, at, &mut ends).or_else(|| attributes_at(text, at));
        let Some((words, end)) = mark else {
            at += 1;
            continue;
        };
        kept.push_str(&text[from..at]);
        // An exclamation mark before the brackets embeds a page.
        if text[at..].starts_with("[[") && kept.ends_with('!') {
            kept.pop();
        }
        kept.push_str(&words);
        from = end;
        at = end;
    }
    kept.push_str(&text[from..]);
    kept
}

/// The words of the mark at `at`, and where it ends. `ends` caches the next end of each kind, so a line of unclosed
/// marks is not searched again from each of them.
fn mark_at(
    text: &str,
    at: usize,
    ends: &mut [Option<Option<usize>>; MARKS.len()],
) -> Option<(String, usize)> {
    let mut marks = MARKS.iter().zip(ends);
    let ((kind, open, close), end) =
        marks.find(|((_, open, _), _)| text[at..].starts_with(open))?;
    let start = at + open.len();
    let is_known = end.is_some_and(|end| end.is_none_or(|end| end >= start));
    if !is_known {
        *end = Some(text[start..].find(close).map(|found| start + found));
    }
    let end = (*end)??;
    let inner = &text[start..end];
    let after = end + close.len();
    let words = match kind {
        Kind::Escaped(open, close) => format!("{open}{inner}{close}"),
        Kind::Comment => String::new(),
        Kind::Shortcode => shortcode(inner),
        Kind::WikiLink => wiki_link(&text[..at], inner, &text[after..])?.to_owned(),
    };
    Some((words, after))
}

/// The words that a shortcode shows.
fn shortcode(inner: &str) -> String {
    let shown = words::shown(inner);
    let name = inner.split_whitespace().next().unwrap_or("");
    if shown.is_empty() && TITLED.contains(&name) {
        let value = inner.split('"').nth(1).unwrap_or("");
        let is_named = inner.split('"').next().unwrap_or("").contains('=');
        return if is_named {
            String::new()
        } else {
            value.trim().to_owned()
        };
    }
    shown
}

/// The text of `[[page|text]]` or `[[page]]`. A Markdown link may have such brackets too, and so may code.
fn wiki_link<'t>(before: &str, inner: &'t str, after: &str) -> Option<&'t str> {
    let is_link = inner.len() <= MAX_LINK_BYTES
        && !inner.contains(['[', ']', '\n'])
        && !inner.starts_with([' ', '^', '-', ':'])
        && !after.starts_with(['(', '[', ':', ']'])
        && !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, ']' | '[' | '\\' | '_'));
    let text = inner.rsplit('|').next().unwrap_or(inner).trim();
    (is_link && !text.is_empty()).then_some(text)
}

/// The attribute list at `at`, right after a link or a picture, or with a colon.
fn attributes_at(text: &str, at: usize) -> Option<(String, usize)> {
    let rest = &text[at..];
    let is_behind = text[..at].ends_with([')', ']']);
    if !(is_behind || rest.starts_with("{:")) {
        return None;
    }
    let near = &rest[..rest.floor_char_boundary(MAX_LINK_BYTES)];
    let end = near.find('}')? + 1;
    is_attributes(&near[..end]).then(|| (String::new(), at + end))
}

/// True if a text is an attribute list: `{: .note }`, `{#id}`, `{ width="20" }`.
pub(super) fn is_attributes(text: &str) -> bool {
    let inner = text
        .trim()
        .strip_prefix('{')
        .and_then(|inner| inner.strip_suffix('}'))
        .map(|inner| inner.strip_prefix(':').unwrap_or(inner).trim());
    let Some(inner) = inner.filter(|inner| !inner.contains(['{', '}'])) else {
        return false;
    };
    let mut all = inner.split_whitespace();
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ':' | '.'))
    };
    all.next().is_some_and(|word| {
        let is_named = word.split_once('=').is_some_and(|(name, _)| is_name(name));
        word.strip_prefix(['#', '.']).is_some_and(is_name) || is_named
    })
}

/// The id in an attribute list.
pub(super) fn id(list: &str) -> Option<&str> {
    let names = list.split(|c: char| c.is_whitespace() || "{}:".contains(c));
    names
        .filter_map(|name| name.strip_prefix('#'))
        .find(|id| !id.is_empty())
}

/// A line joined with the lines that its mark continues on, and the number of these.
pub(super) fn whole<'t>(line: &'t str, lines: &[&str]) -> (std::borrow::Cow<'t, str>, usize) {
    let open = MARKS.iter().filter_map(|(kind, open, close)| {
        let at = line.rfind(open)?;
        let is_open = !matches!(kind, Kind::WikiLink) && !line[at..].contains(close);
        is_open.then_some((at, *kind, *close))
    });
    let Some((at, kind, close)) = open.max_by_key(|(at, ..)| *at) else {
        return (line.into(), 1);
    };
    if code_spans(line).iter().any(|span| span.contains(&at)) {
        return (line.into(), 1);
    }
    let mut joined = line.to_owned();
    for (number, more) in (2..).zip(lines.iter().skip(1).take(MAX_LINES)) {
        // Only a comment has paragraphs.
        if more.trim().is_empty() && kind != Kind::Comment {
            break;
        }
        joined.push('\n');
        joined.push_str(more);
        if more.contains(close) {
            return (joined.into(), number);
        }
    }
    (line.into(), 1)
}

/// Number of lines in the shortcode comment that starts here; 0 if there is none.
pub(super) fn hidden_lines(lines: &[&str]) -> usize {
    let name = |line: &str| {
        let line = line.trim();
        let is_mark = line.starts_with("{%") || line.starts_with("{{<") || line.starts_with("{{%");
        let name = line.trim_matches(['{', '}', '%', '<', '>', '-', ' ']);
        is_mark.then(|| name.to_owned())
    };
    let first = lines.first().and_then(|line| name(line));
    if first.as_deref() != Some("comment") {
        return 0;
    }
    let ends = ["endcomment", "/comment"];
    let mut more = lines.iter().take(MAX_LINES);
    let last = more.position(|line| name(line).is_some_and(|name| ends.contains(&name.as_str())));
    last.map_or(0, |last| last + 1)
}

/// The spans of code in a line, between equal numbers of backticks.
fn code_spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        at += found;
        let n = text[at..].bytes().take_while(|byte| *byte == b'`').count();
        match open {
            Some((start, n_open)) if n_open == n => {
                spans.push(start..at + n);
                open = None;
            }
            None => open = Some((at, n)),
            Some(_) => {}
        }
        at += n;
    }
    spans
}

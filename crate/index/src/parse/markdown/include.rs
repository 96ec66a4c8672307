//! Replaces mdBook's directives with the text of the files that they name, or with nothing.

use std::fmt;

use crate::parse::outline::collapse;

/// mdBook's directives for including other files, and the one for naming the page.
const DIRECTIVES: [&str; 5] = [
    "include",
    "rustdoc_include",
    "playground",
    "playpen",
    "title",
];

/// Maximum length of a directive, in bytes.
const MAX_DIRECTIVE_BYTES: usize = 1000;
/// Maximum nesting of included files.
const MAX_DEPTH: usize = 10;
/// Maximum directives of one page, including those of its included files.
const MAX_DIRECTIVES: usize = 1000;
/// Maximum text of one page with its included files, in bytes.
const MAX_BYTES: usize = 4 << 20;
/// Maximum text read for one page, in bytes; ranges may keep little of it.
const MAX_READ_BYTES: usize = 64 << 20;
/// Maximum problems reported for one page.
const MAX_PROBLEMS: usize = 20;

/// A page with the files that it includes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Included {
    /// Its text.
    pub text: String,
    /// Each file that could not be inserted, by the name that the page uses, and why.
    pub problems: Vec<(String, IncludeProblem)>,
}

/// Why a file was not inserted into a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IncludeProblem {
    /// The file does not exist, or is not text.
    Missing,
    /// The path leads out of the folder of the pages, or is not a path.
    Outside,
    /// The file is already being inserted: it includes itself, directly or through others.
    Cycle,
    /// Files include each other deeper than the limit.
    TooDeep,
    /// The page would exceed a limit on text, directives or reading.
    TooMuch,
    /// The file lacks these lines, or an anchor of that name.
    NoLines,
}

impl fmt::Display for IncludeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "there is no such text file",
            Self::Outside => "it is outside of the folder of the pages",
            Self::Cycle => "it includes itself",
            Self::TooDeep => "files include files too deeply",
            Self::TooMuch => "the page would become too long",
            Self::NoLines => "the file has no such lines or anchor",
        })
    }
}

/// Inserts files into a Markdown page where `{{#include path}}` and its variants name them, limited to the lines
/// (`path:2:10`) or the anchor (`path:name`) that they ask for. `source` is the page's path from the root of the pages,
/// and `read` returns the text of another file by such a path; it is never called with a path that leads out of the
/// root. `None` if there is nothing to insert.
pub fn insert_includes(
    source: &str,
    text: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Option<Included> {
    let is_asked = |part| matches!(part, Part::Directive { name, .. } if name != "title");
    if !parts(text).any(is_asked) {
        return None;
    }
    let mut inserter = Inserter {
        read,
        included: Included::default(),
        open: vec![source.to_owned()],
        n_directives: 0,
        n_read: 0,
    };
    inserter.insert(text);
    Some(inserter.included)
}

struct Inserter<'a> {
    read: &'a dyn Fn(&str) -> Option<String>,
    included: Included,
    /// The files being inserted, the page first.
    open: Vec<String>,
    n_directives: usize,
    n_read: usize,
}

impl Inserter<'_> {
    fn insert(&mut self, text: &str) {
        for part in parts(text) {
            match part {
                Part::Text(text) => self.included.text.push_str(text),
                Part::Directive {
                    name: "title",
                    whole,
                    ..
                } => self.included.text.push_str(whole),
                Part::Directive { name, words, whole } => {
                    let target = words.split_whitespace().next().unwrap_or("");
                    if let Err(problem) = self.file(name, target) {
                        if self.included.problems.len() < MAX_PROBLEMS {
                            self.included.problems.push((target.to_owned(), problem));
                        }
                        // Left in place, as the page would be read without its files.
                        self.included.text.push_str(whole);
                    }
                }
            }
        }
    }

    fn file(&mut self, name: &str, target: &str) -> Result<(), IncludeProblem> {
        self.n_directives += 1;
        let (path, range) = target.split_once(':').unwrap_or((target, ""));
        let page = self.open.last().map_or("", String::as_str);
        let path = beside(page, path).ok_or(IncludeProblem::Outside)?;
        if self.open.contains(&path) {
            return Err(IncludeProblem::Cycle);
        }
        if self.open.len() > MAX_DEPTH {
            return Err(IncludeProblem::TooDeep);
        }
        if self.n_directives > MAX_DIRECTIVES || self.n_read > MAX_READ_BYTES {
            return Err(IncludeProblem::TooMuch);
        }
        let found = (self.read)(&path).ok_or(IncludeProblem::Missing)?;
        self.n_read += found.len();
        let lines = lines_of(&found, range);
        if lines.is_empty() && !range.is_empty() {
            return Err(IncludeProblem::NoLines);
        }
        let lines = lines.trim_end_matches('\n');
        if self.included.text.len() + lines.len() > MAX_BYTES {
            return Err(IncludeProblem::TooMuch);
        }
        if matches!(name, "playground" | "playpen") {
            self.included
                .text
                .push_str(&format!("```rust\n{lines}\n```"));
        } else {
            self.open.push(path);
            self.insert(lines);
            self.open.pop();
        }
        Ok(())
    }
}

/// The path of a file that a page names, from the root; `None` if it leads outside.
fn beside(page: &str, path: &str) -> Option<String> {
    if path.is_empty() || path.starts_with('/') || path.contains(['\\', '\0']) {
        return None;
    }
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut names: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

/// The lines of a file selected by `2:10`, `2:`, `:10`, `2` or the name of an anchor. Anchor marks are always dropped.
fn lines_of(text: &str, range: &str) -> String {
    let is_numbers = range.chars().all(|c| c.is_ascii_digit() || c == ':');
    let (first, last) = match range.split_once(':') {
        Some((first, last)) => (
            first.parse().unwrap_or(1),
            last.parse().unwrap_or(usize::MAX),
        ),
        None if range.is_empty() => (1, usize::MAX),
        None => {
            let line = range.parse().unwrap_or(1);
            (line, line)
        }
    };
    let mut kept = String::new();
    let mut is_inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        let is_asked = match is_numbers {
            true => (first..=last).contains(&number),
            false => is_inside,
        };
        if let Some(name) = mark(line, "ANCHOR:") {
            is_inside |= name == range;
        } else if let Some(name) = mark(line, "ANCHOR_END:") {
            is_inside &= name != range;
        } else if is_asked {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The name in a line that marks an anchor.
fn mark<'l>(line: &'l str, mark: &str) -> Option<&'l str> {
    let (_, rest) = line.split_once(mark)?;
    rest.split_whitespace().next()
}

/// A piece of a page.
enum Part<'t> {
    Text(&'t str),
    Directive {
        name: &'t str,
        /// The text after the name.
        words: &'t str,
        whole: &'t str,
    },
}

/// Splits a page into text and directives. A directive that is escaped by a backslash, or between backticks on its
/// line, is text; blocks of code often consist of directives.
fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    let mut next = None;
    std::iter::from_fn(move || {
        if next.is_some() {
            return next.take();
        }
        if rest.is_empty() {
            return None;
        }
        let whole = rest;
        let starts = whole.match_indices("{{").map(|(at, _)| at);
        for at in starts {
            if whole[..at].ends_with('\\') {
                continue;
            }
            if let Some((directive, length)) = directive(&whole[at..])
                && !is_in_code(whole, at, at + length)
            {
                rest = &whole[at + length..];
                next = Some(directive);
                return Some(Part::Text(&whole[..at]));
            }
        }
        rest = "";
        Some(Part::Text(whole))
    })
}

/// True if backticks surround a span in its line, at most the length of a directive away.
fn is_in_code(text: &str, start: usize, end: usize) -> bool {
    let before = &text[text.floor_char_boundary(start.saturating_sub(MAX_DIRECTIVE_BYTES))..start];
    let before = before.rsplit('\n').next().unwrap_or("");
    let after = &text[end..text.floor_char_boundary(end + MAX_DIRECTIVE_BYTES)];
    let after = after.split('\n').next().unwrap_or("");
    before.matches('`').count() % 2 == 1 && after.contains('`')
}

/// The directive that a text starts with, and its length.
fn directive(text: &str) -> Option<(Part<'_>, usize)> {
    // A directive is short; looking further at each start would take quadratic time on a hostile line.
    let near = &text[..text.floor_char_boundary(MAX_DIRECTIVE_BYTES)];
    let line = near.lines().next()?;
    let end = line.find("}}")?;
    let words = line[2..end].trim_start().strip_prefix('#')?.trim_start();
    let name = words.split_whitespace().next()?;
    DIRECTIVES.contains(&name).then(|| {
        let directive = Part::Directive {
            name,
            words: &words[name.len()..],
            whole: &line[..end + 2],
        };
        (directive, end + 2)
    })
}

/// Drops directives before Markdown is read; `{{#title ..}}` names the page.
pub(super) fn drop_directives(text: &str, title: &mut Option<String>) -> String {
    let mut kept = String::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Text(text) => kept.push_str(text),
            Part::Directive {
                name: "title",
                words,
                ..
            } => {
                title.get_or_insert_with(|| collapse(words));
            }
            Part::Directive { .. } => {}
        }
    }
    // A backslash before a directive only escapes it.
    kept.replace("\\{{#", "{{#").replace("\\{{ #", "{{ #")
}

#[cfg(test)]
#[path = "include_tests.rs"]
mod tests;

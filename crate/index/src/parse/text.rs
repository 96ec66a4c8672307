//! Turns a plain text file into one section: its paragraphs, under a title if its first line is one.

use super::Parsed;
use super::outline::collapse;
use crate::document::Section;

/// Maximum length of a first line that counts as a title, in characters.
const MAX_TITLE_CHARS: usize = 100;

/// The section and title of a file. A line under the title that only underlines it is dropped.
pub(super) fn parse(text: &str) -> Parsed {
    let mut lines = text.lines().skip_while(|line| line.trim().is_empty());
    let first = lines.next().unwrap_or("");
    let rest: Vec<&str> = lines.collect();
    let is_underline = |line: &str| {
        let line = line.trim();
        line.len() >= 3 && line.bytes().all(|byte| b"=-~*#".contains(&byte))
    };
    let is_short = first.chars().nth(MAX_TITLE_CHARS).is_none() && !first.trim_end().ends_with('.');
    let is_underlined = rest.first().is_some_and(|line| is_underline(line));
    let stands_alone = rest.first().is_some_and(|line| line.trim().is_empty());
    let has_more = rest
        .iter()
        .any(|line| !line.trim().is_empty() && !is_underline(line));
    let title = (is_short && has_more && (is_underlined || stands_alone))
        .then(|| collapse(first))
        .filter(|title| !title.is_empty());
    let mut blocks: Vec<String> = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    let body = rest.iter().skip(usize::from(is_underlined));
    let head = if title.is_some() { None } else { Some(&first) };
    for line in head.into_iter().chain(body).chain([&""]) {
        if !line.trim().is_empty() {
            open.push(line.trim_end());
        } else if !open.is_empty() {
            blocks.push(paragraph(&open));
            open.clear();
        }
    }
    let section = Section {
        anchor: None,
        headings: Vec::new(),
        text: super::clean(&blocks.join("\n\n")).into_owned(),
    };
    Parsed {
        title,
        sections: vec![section],
        ..Parsed::default()
    }
}

/// Joins wrapped lines; indented ones (lists, tables, code) keep their line ends.
fn paragraph(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        let starts_own = line.starts_with([' ', '\t', '-', '*', '|', '+'])
            || line.starts_with(|c: char| c.is_ascii_digit());
        if !text.is_empty() {
            text.push(if starts_own { '\n' } else { ' ' });
        }
        // Chunking would take a fence for code.
        text.push_str(line.trim_start_matches('`'));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> (Option<String>, String) {
        let parsed = parse(text);
        (parsed.title, parsed.sections[0].text.clone())
    }

    #[test]
    fn a_first_line_that_stands_alone_is_the_title() {
        let expected = (
            Some("Pumps".to_owned()),
            "A pump moves water uphill.".to_owned(),
        );
        assert_eq!(
            found("\n Pumps \n\nA pump moves\nwater uphill.\n"),
            expected
        );
        assert_eq!(
            found("Pumps\n=====\nA pump moves\nwater uphill.\n"),
            expected
        );
    }

    #[test]
    fn text_without_a_title_keeps_its_first_line() {
        assert_eq!(found("One line."), (None, "One line.".to_owned()));
        assert_eq!(
            found("A sentence.\n\nAnother."),
            (None, "A sentence.\n\nAnother.".to_owned())
        );
    }

    #[test]
    fn lists_keep_their_lines() {
        assert_eq!(found("x:\n- a\n  b\n- c\nd").1, "x:\n- a\n  b\n- c d");
    }
}

//! Turns generated text into sentences and the passage numbers that each cites; brackets that belong to code stay.

use unicode_segmentation::UnicodeSegmentation;

/// Most bytes of a text that are checked: no window lets a generator write more.
pub(super) const MAX_TEXT_BYTES: usize = 1 << 20;

/// A sentence with the numbers it cites, in order and once each.
#[derive(Debug, PartialEq)]
pub(super) struct Cited {
    /// The sentence without its markers.
    pub(super) text: String,
    pub(super) numbers: Vec<usize>,
}

/// Before a capital, Unicode's rule splits after these, but the sentence continues.
const ABBREVIATIONS: [&str; 16] = [
    "e.g.", "i.e.", "etc.", "vs.", "cf.", "mr.", "mrs.", "ms.", "dr.", "st.", "no.", "fig.",
    "approx.", "jr.", "sr.", "prof.",
];

/// The sentences of `text` with their citations; a citation after the full stop belongs to the sentence before it.
pub(super) fn cited_sentences(text: &str) -> Vec<Cited> {
    let mut found: Vec<Cited> = Vec::new();
    for mut rest in sentences(text) {
        while !rest.is_empty() {
            let (late, piece) = leading_markers(rest);
            let (mut cited, behind) = take_citations(piece);
            rest = behind;
            match found.last_mut() {
                Some(last) => last.numbers.extend(late),
                None => cited.numbers.extend(late),
            }
            if !cited.text.is_empty() {
                found.push(cited);
            } else if let Some(last) = found.last_mut() {
                last.numbers.extend(cited.numbers);
            }
        }
    }
    for cited in &mut found {
        cited.numbers.sort_unstable();
        cited.numbers.dedup();
    }
    found
}

/// The sentences of `text`, not split after an abbreviation or an initial, nor inside code.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut end = 0;
    let mut code = Code::default();
    for piece in text.split_sentence_bounds() {
        end += piece.len();
        code.read(piece);
        let goes_on = match code {
            Code::Outside => goes_on(piece),
            // A lone backtick is more likely a typo than code over several lines.
            Code::Span => !piece.ends_with('\n'),
            Code::Fence => true,
        };
        if goes_on {
            continue;
        }
        code = Code::Outside;
        found.push(&text[start..end]);
        start = end;
    }
    if start < text.len() {
        found.push(&text[start..]);
    }
    found
}

/// The state of a scan through the text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Code {
    #[default]
    Outside,
    /// Between single backticks.
    Span,
    /// Between lines of three backticks.
    Fence,
}

impl Code {
    fn read(&mut self, piece: &str) {
        let mut rest = piece;
        while let Some(tick) = rest.find('`') {
            let run = rest[tick..]
                .bytes()
                .take_while(|byte| *byte == b'`')
                .count();
            *self = match (*self, run >= 3) {
                (Code::Outside, true) => Code::Fence,
                (Code::Outside, false) => Code::Span,
                (Code::Fence, false) => Code::Fence,
                _ => Code::Outside,
            };
            rest = &rest[tick + run..];
        }
    }
}

fn goes_on(piece: &str) -> bool {
    if piece.ends_with('\n') {
        return false;
    }
    // Unicode splits `works.[1]` after the bracket.
    if piece.ends_with('[') {
        return true;
    }
    let Some(word) = piece.split_whitespace().next_back() else {
        return false;
    };
    let word = word.trim_start_matches(['(', '[', '"']);
    let mut letters = word.chars();
    let initial = letters.next().is_some_and(char::is_uppercase)
        && letters.next() == Some('.')
        && letters.next().is_none_or(char::is_alphabetic);
    // `word` may be long, but no abbreviation is.
    initial || (word.len() <= 8 && ABBREVIATIONS.contains(&word.to_lowercase().as_str()))
}

/// The markers that a piece opens with, and what follows them.
fn leading_markers(piece: &str) -> (Vec<usize>, &str) {
    let mut cited = Vec::new();
    let mut rest = piece;
    while let Some((numbers, behind)) = marker(rest.trim_start()) {
        cited.extend(numbers);
        rest = behind;
    }
    (cited, rest)
}

/// Separates `[1]`, `[1, 2]` and `[1][2]` from a sentence's words.
///
/// A bracket that touches the word before it (`ports[1]`) and one between backticks are code. A full stop after a
/// marker ends the sentence even before a lower-case word, where Unicode's rule does not split; the rest is returned.
fn take_citations(sentence: &str) -> (Cited, &str) {
    let mut text = String::with_capacity(sentence.len());
    let mut numbers = Vec::new();
    let mut code = Code::Outside;
    let mut rest = sentence;
    // A marker may directly follow another marker or a closing backtick.
    let mut may_follow = true;
    while let Some(letter) = rest.chars().next() {
        if code == Code::Outside
            && may_follow
            && let Some((cited, behind)) = marker(rest)
        {
            text.truncate(text.trim_end().len());
            numbers.extend(cited);
            rest = behind;
            let stop = rest.starts_with(['.', '!', '?']);
            if stop && rest[1..].starts_with(char::is_whitespace) {
                text.push_str(&rest[..1]);
                rest = &rest[1..];
                break;
            }
            continue;
        }
        let run = rest.bytes().take_while(|byte| *byte == b'`').count();
        let width = run.max(letter.len_utf8());
        code.read(&rest[..run]);
        may_follow = !(letter.is_alphanumeric() || matches!(letter, '_' | ')' | ']' | '}' | '>'));
        text.push_str(&rest[..width]);
        rest = &rest[width..];
    }
    let cited = Cited {
        text: text.trim().to_owned(),
        numbers,
    };
    (cited, rest)
}

/// The numbers of the marker that `text` opens with, and the text after it.
fn marker(text: &str) -> Option<(Vec<usize>, &str)> {
    /// Longest marker, in bytes: a longer list can't match the sources of any prompt.
    const MAX_BYTES: usize = 100;
    let inner = text.strip_prefix('[')?;
    let close = inner
        .bytes()
        .take(MAX_BYTES)
        .position(|byte| byte == b']')?;
    let numbers = inner[..close]
        .split(',')
        .map(|number| number.trim().parse().ok())
        .collect::<Option<Vec<usize>>>()?;
    Some((numbers, &inner[close + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &[usize])]) {
        let found = cited_sentences(text);
        let found: Vec<(&str, &[usize])> = found
            .iter()
            .map(|cited| (cited.text.as_str(), cited.numbers.as_slice()))
            .collect();
        assert_eq!(found, expected, "sentences and citations of {text:?}");
    }

    #[test]
    fn markers_stand_before_or_behind_the_full_stop() {
        check("It works [1].", &[("It works.", &[1])]);
        check("It works. [1]", &[("It works.", &[1])]);
        check("It works.[2][1]", &[("It works.", &[1, 2])]);
        check("It works [1, 3][2]!", &[("It works!", &[1, 2, 3])]);
        check("It [2] works [2].", &[("It works.", &[2])]);
        check("[1] It works.", &[("It works.", &[1])]);
    }

    #[test]
    fn a_marker_behind_the_full_stop_does_not_join_two_sentences() {
        check(
            "It works. [1] It also runs. [2] Nothing else",
            &[
                ("It works.", &[1]),
                ("It also runs.", &[2]),
                ("Nothing else", &[]),
            ],
        );
    }

    #[test]
    fn a_full_stop_behind_a_marker_ends_the_sentence() {
        check(
            "It works [1]. cargo builds [2]. [3] `x` too.",
            &[
                ("It works.", &[1]),
                ("cargo builds.", &[2, 3]),
                ("`x` too.", &[]),
            ],
        );
    }

    #[test]
    fn a_bracket_of_code_stays() {
        check(
            "Read ports[1] first [2].",
            &[("Read ports[1] first.", &[2])],
        );
        check(
            "Use a[i] and f()[1] here [1].",
            &[("Use a[i] and f()[1] here.", &[1])],
        );
        check(
            "Write `[1]` or `x [2]` [3].",
            &[("Write `[1]` or `x [2]`.", &[3])],
        );
        check("Set `--release`[1].", &[("Set `--release`.", &[1])]);
        check("m[1][2] is one cell.", &[("m[1][2] is one cell.", &[])]);
        check("See [here] and [a, 1].", &[("See [here] and [a, 1].", &[])]);
    }

    #[test]
    fn code_names_and_abbreviations_do_not_end_a_sentence() {
        for text in [
            "Call `a. B` twice.",
            "John F. Kennedy spoke.",
            "Some types, e.g. Vectors, own data.",
            "```\na. B\nc\n```",
        ] {
            assert_eq!(sentences(text), [text], "one sentence in {text:?}");
        }
        assert_eq!(
            sentences("A lone ` tick.\nNext one. Last one."),
            ["A lone ` tick.\n", "Next one. ", "Last one."],
            "an unclosed backtick ends with its line"
        );
    }
}

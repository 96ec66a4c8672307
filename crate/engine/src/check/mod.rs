//! Turns generated text into sentences that are matched with the passages they cite.
//!
//! A sentence is supported when one sentence of a cited passage, or two that follow each other, hold most of its content
//! words and every hard fact in it: numbers with their units, versions, flags, paths, identifiers and names, all as whole
//! tokens, without saying the opposite or less. This is a floor, not a proof: it reads words, not meaning.

mod citation;
mod contrast;
mod facts;
mod number;
mod polarity;
mod support;
mod token;

use anchorite_index::lexical;

use crate::answer::Sentence;
use crate::prompt::ABSTENTION;

use citation::Cited;
use support::{Read, Text};

/// Longer text is checked to here: no window lets a generator write more.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// A passage as it stood in the prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The number that citations use, from 1.
    pub number: usize,
    /// The document's title and headings, as the prompt wrote them.
    pub heading_path: String,
    /// The text, cut where the prompt cut it: what was not read can't be cited.
    pub text: String,
}

/// Divides `text` into sentences, reads their citations and checks each against `sources`.
///
/// A citation that names no source, or one that does not support the sentence, is dropped; a sentence that keeps none is
/// unsupported. A sentence without a citation gets the first source that supports it, and is unsupported without one.
/// Abstentions are left out: see [`is_abstention`].
pub fn check(text: &str, sources: &[Source]) -> Vec<Sentence> {
    let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
    let read: Vec<(usize, Read)> = sources
        .iter()
        .map(|source| (source.number, Read::new(&source.heading_path, &source.text)))
        .collect();
    citation::cited_sentences(text)
        .into_iter()
        .filter(|cited| {
            cited.text.chars().any(char::is_alphanumeric) && !is_abstention(&cited.text)
        })
        .map(|cited| check_one(cited, &read))
        .collect()
}

/// How well `source` supports `claim`, from 0 to 1: the share of words that one or two sentences of it hold, lowered by
/// every fact that they lack or contradict. Comparable between pairs, so that a threshold can be chosen.
pub fn support(claim: &str, source: &str) -> f32 {
    Read::new("", source).judge(&Text::claim(claim)).score
}

/// Whether `source` supports `claim` as [`check`] asks for it.
pub fn supports(claim: &str, source: &str) -> bool {
    Read::new("", source)
        .judge(&Text::claim(claim))
        .faults
        .is_empty()
}

#[doc(hidden)]
pub fn debug(claim: &str, source: &str) -> String {
    format!("{:?}", Read::new("", source).judge(&Text::claim(claim)))
}

/// Share of `claim`'s content terms that stand anywhere in `source`: the measure that [`support`] is compared with.
pub fn term_share(claim: &str, source: &str) -> f32 {
    let held = lexical::terms(source);
    let said = lexical::terms(claim);
    let present = said.iter().filter(|term| held.contains(*term)).count();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^24 terms")]
    let share = present as f32 / said.len().max(1) as f32;
    share
}

/// Whether the generator said that the passages don't answer.
pub fn is_abstention(text: &str) -> bool {
    let letters = |text: &str| -> String {
        text.chars()
            .filter(|letter| letter.is_alphabetic())
            .flat_map(char::to_lowercase)
            .collect()
    };
    letters(text) == letters(ABSTENTION)
}

/// `text` up to the end of its last whole sentence; a citation may follow the full stop.
pub fn whole_sentences(text: &str) -> &str {
    let ends_here = |end: usize| {
        let rest = &text[end..];
        rest.is_empty() || rest.starts_with(char::is_whitespace)
    };
    let end = text
        .char_indices()
        .filter(|(_, letter)| matches!(letter, '.' | '!' | '?' | ']'))
        .map(|(start, letter)| start + letter.len_utf8())
        .filter(|end| ends_here(*end))
        // A bracket ends a sentence only behind its full stop.
        .rfind(|end| {
            let before = &text[..*end];
            !before.ends_with(']')
                || before
                    .rfind('[')
                    .is_some_and(|open| before[..open].trim_end().ends_with(['.', '!', '?']))
        });
    &text[..end.unwrap_or(0)]
}

fn check_one(cited: Cited, sources: &[(usize, Read)]) -> Sentence {
    let claim = Text::claim(&cited.text);
    let supports = |read: &Read| read.judge(&claim).faults.is_empty();
    let passages: Vec<usize> = if cited.numbers.is_empty() {
        let found = sources.iter().find(|(_, read)| supports(read));
        found.map(|(number, _)| *number).into_iter().collect()
    } else {
        let named = sources
            .iter()
            .filter(|(number, _)| cited.numbers.contains(number));
        named
            .filter(|(_, read)| supports(read))
            .map(|(number, _)| *number)
            .collect()
    };
    Sentence {
        text: cited.text,
        supported: !passages.is_empty(),
        passages,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Vec<Source> {
        [
            "Cargo downloads your dependencies and builds them in release mode with --release.",
            "Rust 1.95 was released in 2026.",
        ]
        .iter()
        .zip(1..)
        .map(|(text, number)| Source {
            number,
            heading_path: "Cargo".to_owned(),
            text: (*text).to_owned(),
        })
        .collect()
    }

    fn one(text: &str) -> Sentence {
        let mut sentences = check(text, &sources());
        assert_eq!(
            sentences.len(),
            1,
            "one sentence in {text:?}: {sentences:?}"
        );
        sentences.remove(0)
    }

    #[test]
    fn reads_the_citation_and_finds_the_support() {
        let sentence = one("Cargo downloads dependencies [1].");
        assert_eq!(sentence.text, "Cargo downloads dependencies.");
        assert_eq!(sentence.passages, [1]);
        assert!(sentence.supported, "all words stand in passage 1");
    }

    #[test]
    fn takes_a_citation_after_the_full_stop() {
        assert_eq!(one("Cargo downloads dependencies. [1]").passages, [1]);
    }

    #[test]
    fn flags_an_invented_number_and_a_changed_name() {
        assert!(
            !one("Rust 1.96 was released in 2026 [2].").supported,
            "1.96 is not in the passage"
        );
        assert!(
            !one("In release mode Bazel builds your dependencies [1].").supported,
            "Bazel is not in the passage"
        );
    }

    #[test]
    fn flags_a_citation_of_no_passage_and_drops_it() {
        let sentence = one("Cargo downloads dependencies [7].");
        assert!(
            !sentence.supported && sentence.passages.is_empty(),
            "passage 7 does not exist: {sentence:?}"
        );
    }

    #[test]
    fn gives_an_uncited_sentence_the_passage_that_supports_it() {
        assert_eq!(one("Rust 1.95 was released in 2026.").passages, [2]);
        assert!(
            !one("The moon is made of cheese.").supported,
            "no passage says so"
        );
    }

    #[test]
    fn a_sentence_that_was_broken_off_is_left_out() {
        for (text, expected) in [
            ("It works [1]. It also", "It works [1]."),
            ("It works. [1] It also [2]", "It works. [1]"),
            ("Version 1.95 has it and", ""),
            ("Does it? Yes!", "Does it? Yes!"),
            ("", ""),
        ] {
            assert_eq!(whole_sentences(text), expected, "of {text:?}");
        }
    }

    #[test]
    fn leaves_abstentions_out() {
        assert!(
            check("The documents do not say.", &sources()).is_empty(),
            "an abstention claims nothing"
        );
        assert!(
            is_abstention(" the documents do not say"),
            "punctuation and case do not matter"
        );
    }

    #[test]
    fn a_citation_that_does_not_support_is_dropped() {
        let sentence = one("Cargo downloads dependencies [1, 2].");
        assert_eq!(sentence.passages, [1], "passage 2 says nothing of it");
        assert!(sentence.supported, "passage 1 does");
        let sentence = one("Cargo downloads dependencies [2].");
        assert!(
            !sentence.supported && sentence.passages.is_empty(),
            "passage 2 alone says nothing of it: {sentence:?}"
        );
    }

    #[test]
    fn a_known_citation_stands_beside_one_of_no_passage() {
        let sentence = one("Cargo downloads dependencies [1][9].");
        assert_eq!(sentence.passages, [1], "of {sentence:?}");
        assert!(sentence.supported, "passage 1 supports it");
    }

    #[test]
    fn a_passage_counts_as_far_as_it_stood_in_the_prompt() {
        let mut cut = sources();
        cut[0].text = "Cargo downloads your dependencies.".to_owned();
        let text = "It builds them with --release [1].";
        assert!(
            check(text, &sources())[0].supported,
            "the whole passage says so"
        );
        assert!(
            !check(text, &cut)[0].supported,
            "the prompt held no more of it"
        );
    }

    #[test]
    fn headings_stand_for_the_subject() {
        let source = Source {
            number: 3,
            heading_path: "Guide > Backups".to_owned(),
            text: "They run every night.".to_owned(),
        };
        let sentences = check("Backups run every night [3].", &[source]);
        assert_eq!(sentences[0].passages, [3], "the heading names them");
    }

    #[test]
    fn an_index_is_code_and_stays() {
        let source = Source {
            number: 1,
            heading_path: "Ports".to_owned(),
            text: "The first port is ports[0], and ports[1] is the debug port.".to_owned(),
        };
        let sentences = check(
            "The debug port is ports[1] [1].",
            std::slice::from_ref(&source),
        );
        assert_eq!(
            sentences[0].text, "The debug port is ports[1].",
            "the index is kept"
        );
        assert_eq!(sentences[0].passages, [1], "of {sentences:?}");
        let sentences = check("The debug port is ports[2] [1].", &[source]);
        assert!(!sentences[0].supported, "another index: {sentences:?}");
    }

    #[test]
    fn a_source_of_any_form_is_read() {
        let long = "word ".repeat(10_000);
        let many = "The pump has 5 valves. ".repeat(10_000);
        for text in [
            "",
            "`",
            "```",
            "[",
            "[1",
            "]",
            "-",
            "--",
            "$",
            "1",
            "1,",
            "\u{202e}abc 12",
            "👩‍👩‍👧 5 👍",
            "a\u{301}b_c::d()[1]",
            "\u{feff}",
            "9999999999999999999999999999999999999999999999999",
            "1..2",
            "C++ C# .NET",
            "- - -",
            "x [99999999999999999999]",
            long.as_str(),
            many.as_str(),
        ] {
            let source = Source {
                number: 1,
                heading_path: text.to_owned(),
                text: text.to_owned(),
            };
            for sentence in check(text, &[source]) {
                assert!(
                    sentence.passages.iter().all(|number| *number == 1),
                    "cites what was given: {:?}",
                    sentence.passages
                );
            }
        }
    }
}

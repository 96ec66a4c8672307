//! Turns generated text into sentences that are matched with the passages they cite.
//!
//! A sentence is supported when a cited passage holds most of its content words and every number, name and piece of
//! code in it. This is a floor, not a proof: it catches invented facts that use words the passage lacks.

use anchorite_index::lexical;
use unicode_segmentation::UnicodeSegmentation;

use crate::answer::{Passage, Sentence};
use crate::prompt::ABSTENTION;

/// Share of a sentence's content terms that must stand in the passage.
const SUPPORT_SHARE: f32 = 0.6;

/// Divides `text` into sentences, reads their citations and checks each against `passages`.
///
/// A sentence without a citation gets the passage that supports it, if there is one. Numbers that name no passage are
/// dropped, and such a sentence counts as unsupported. Abstentions are left out: see [`is_abstention`].
pub fn check(text: &str, passages: &[Passage]) -> Vec<Sentence> {
    divide(text)
        .into_iter()
        .filter(|sentence| !is_abstention(sentence))
        .filter_map(|sentence| check_one(&sentence, passages))
        .collect()
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

fn check_one(sentence: &str, passages: &[Passage]) -> Option<Sentence> {
    let (text, cited) = take_citations(sentence);
    if !text.chars().any(char::is_alphanumeric) {
        return None;
    }
    let known: Vec<usize> = cited
        .iter()
        .copied()
        .filter(|number| passage(passages, *number).is_some())
        .collect();
    let supporting =
        |number: &usize| passage(passages, *number).is_some_and(|passage| supports(passage, &text));
    if cited.is_empty() {
        let found = passages
            .iter()
            .map(|passage| passage.number)
            .find(supporting);
        return Some(Sentence {
            text,
            supported: found.is_some(),
            passages: found.into_iter().collect(),
        });
    }
    let supported = known.len() == cited.len() && known.iter().any(supporting);
    Some(Sentence {
        text,
        passages: known,
        supported,
    })
}

fn passage(passages: &[Passage], number: usize) -> Option<&Passage> {
    passages.iter().find(|passage| passage.number == number)
}

/// Whether `passage` holds what `sentence` says.
fn supports(passage: &Passage, sentence: &str) -> bool {
    let source = format!("{}\n{}", passage.heading_path(), passage.section);
    let held = lexical::terms(&source);
    let said = lexical::terms(sentence);
    let present = said.iter().filter(|term| held.contains(*term)).count();
    #[expect(clippy::cast_precision_loss, reason = "a sentence has few terms")]
    let share = present as f32 / said.len().max(1) as f32;
    share >= SUPPORT_SHARE && exact_pieces(sentence).all(|piece| source.contains(piece))
}

/// Words that must stand in the passage letter by letter: numbers, code, and names inside a sentence.
fn exact_pieces(sentence: &str) -> impl Iterator<Item = &str> {
    sentence
        .split_whitespace()
        .enumerate()
        .filter_map(|(idx, word)| {
            let word = word.trim_matches(|letter: char| !letter.is_alphanumeric());
            let number = word.chars().any(|letter| letter.is_ascii_digit());
            let code = word.contains(['_', ':', '(', '<', '=', '/']);
            let name = idx > 0 && word.chars().next().is_some_and(char::is_uppercase);
            (number || code || name).then_some(word)
        })
}

/// Sentences of generated text; a citation after the full stop belongs to the sentence before it.
fn divide(text: &str) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    for piece in text.split_sentence_bounds() {
        let is_continuation =
            piece.trim_start().starts_with('[') && piece.trim_end().ends_with([']', '.']);
        match sentences.last_mut() {
            Some(last) if is_continuation => last.push_str(piece),
            _ => sentences.push(piece.to_owned()),
        }
    }
    sentences
}

/// Separates `[1]`, `[1, 2]` and `[1][2]` from the words.
fn take_citations(sentence: &str) -> (String, Vec<usize>) {
    let mut text = String::new();
    let mut cited = Vec::new();
    let mut rest = sentence;
    while let Some(open) = rest.find('[') {
        let after = &rest[open + 1..];
        let marker = after
            .find(']')
            .and_then(|close| Some((numbers(&after[..close])?, close)));
        match marker {
            Some((numbers, close)) => {
                text.push_str(rest[..open].trim_end());
                cited.extend(numbers);
                rest = &after[close + 1..];
            }
            None => {
                text.push_str(&rest[..=open]);
                rest = after;
            }
        }
    }
    text.push_str(rest);
    cited.sort_unstable();
    cited.dedup();
    (text.trim().to_owned(), cited)
}

fn numbers(list: &str) -> Option<Vec<usize>> {
    list.split(',')
        .map(|number| number.trim().parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passages() -> Vec<Passage> {
        [
            "Cargo downloads your dependencies and builds them in release mode with --release.",
            "Rust 1.95 was released in 2026.",
        ]
        .iter()
        .enumerate()
        .map(|(idx, text)| Passage {
            number: idx + 1,
            id: String::new(),
            url: String::new(),
            title: "Cargo".to_owned(),
            headings: Vec::new(),
            text: (*text).to_owned(),
            section: (*text).to_owned(),
            score: 0.0,
        })
        .collect()
    }

    fn one(text: &str) -> Sentence {
        let mut sentences = check(text, &passages());
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
            check("The documents do not say.", &passages()).is_empty(),
            "an abstention claims nothing"
        );
        assert!(
            is_abstention(" the documents do not say"),
            "punctuation and case do not matter"
        );
    }

    #[test]
    fn a_bracket_that_is_no_citation_stays() {
        assert_eq!(
            take_citations("Use a[i] here [1]."),
            ("Use a[i] here.".to_owned(), vec![1])
        );
    }
}

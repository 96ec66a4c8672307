//! Turns a table of facts into questions with their evidence, the same for every voice.

use anchorite::answer::Mark;
use anchorite::{Passage, Quote};

/// The table: a title and heading, evidence, a question, a sentence that does not answer it, and values for `{}` in the evidence.
const TABLE: &str = include_str!("prompts.txt");
/// Number of the evidence in the prompt, and of the sentence that does not answer.
const EVIDENCE: usize = 2;
const OTHER: usize = 4;

/// A question with the sources that a model may read for it.
pub(super) struct Prompt {
    pub(super) question: String,
    pub(super) passages: Vec<Passage>,
    /// The quotation, as a reader would choose it; it misses the point if the passages contain no answer.
    pub(super) quote: Quote,
    /// The sentence that answers; `None` if the passages contain no answer.
    pub(super) expected: Option<String>,
}

/// All prompts: every value of every fact, alternately with a second passage and alone, and each question once without its answer.
pub(super) fn prompts() -> Vec<Prompt> {
    let mut prompts = Vec::new();
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    for line in lines {
        let fields: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let &[place, evidence, question, other, values] = fields.as_slice() else {
            continue;
        };
        let (title, heading) = place.split_once(" > ").unwrap_or((place, place));
        let passage = |number, text: &str| passage(number, title, heading, text);
        for (idx, value) in values.split(';').map(str::trim).enumerate() {
            let expected = evidence.replace("{}", value);
            let start = evidence.split("{}").next().map_or(0, units);
            let mark = Mark {
                start,
                end: start + units(value),
            };
            let mut passages = vec![passage(EVIDENCE, &expected)];
            if idx % 2 == 0 {
                passages.push(passage(OTHER, other));
            }
            prompts.push(Prompt {
                question: question.to_owned(),
                passages,
                quote: quote(EVIDENCE, &expected, Some(mark)),
                expected: Some(expected),
            });
        }
        prompts.push(Prompt {
            question: question.to_owned(),
            passages: vec![passage(OTHER, other)],
            quote: quote(OTHER, other, None),
            expected: None,
        });
    }
    prompts
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

fn quote(passage: usize, text: &str, mark: Option<Mark>) -> Quote {
    Quote {
        text: text.to_owned(),
        passage,
        mark,
    }
}

fn passage(number: usize, title: &str, heading: &str, text: &str) -> Passage {
    Passage {
        number,
        id: number.to_string(),
        url: String::new(),
        title: title.to_owned(),
        headings: vec![heading.to_owned()],
        text: text.to_owned(),
        language: None,
        section: text.to_owned(),
        chunk: 0,
        score: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_two_hundred_each_with_its_own_evidence() {
        let prompts = prompts();
        assert_eq!(prompts.len(), 200);
        assert_eq!(
            prompts
                .iter()
                .filter(|prompt| prompt.expected.is_none())
                .count(),
            40
        );
        for prompt in &prompts {
            assert!(prompt.question.ends_with('?'), "{}", prompt.question);
            for passage in &prompt.passages {
                assert!(
                    passage.text.ends_with('.') && !passage.text.contains("{}"),
                    "{}",
                    passage.text
                );
            }
            let held = |text: &String| prompt.passages.iter().any(|passage| passage.text == *text);
            assert!(prompt.expected.as_ref().is_none_or(held));
        }
        let mut texts: Vec<&str> = prompts
            .iter()
            .filter_map(|prompt| prompt.expected.as_deref())
            .collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), 160, "no fact twice");
    }
}

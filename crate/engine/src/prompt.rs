//! Turns a question and its passages into the messages that the generator reads, within its window.
//!
//! The instructions and the question are pinned; passages fill what is left, best first, and the one that does not fit
//! is cut at a sentence. The form is the one the shipped generator was trained on (`models/recipes/generator`), and
//! `tests/fixtures/golden/prompt.json` holds both sides to it.

use anchorite_model::template::Message;

use crate::answer::Passage;
use crate::check::Source;
use crate::error::EngineError;
use crate::sentence;

/// What the generator is told before the passages.
pub const INSTRUCTIONS: &str = "Answer the question from the passages only. Cite every sentence with its passage, \
like [1]. If the passages do not say, answer: The documents do not say.";

/// What the generator answers when the passages don't.
pub const ABSTENTION: &str = "The documents do not say.";

/// Fewer tokens of a passage than this are not worth their place.
const MIN_PASSAGE_TOKENS: usize = 24;

/// A prompt that fits, and the passages as it holds them.
#[derive(Debug)]
pub struct Prompt {
    /// The rendered messages, as the model's chat template writes them.
    pub text: String,
    /// Those of the passages that are in it, best first, whole or cut: what the generator's text is checked against.
    pub sources: Vec<Source>,
}

/// The messages for `question` with the given `(heading path, text)` passages, numbered from 1.
pub fn messages(question: &str, passages: &[(String, String)]) -> Vec<Message> {
    let mut user = String::new();
    for (idx, (heading_path, text)) in passages.iter().enumerate() {
        user.push_str(&format!(
            "[{}] {heading_path}\n{}\n\n",
            idx + 1,
            text.trim()
        ));
    }
    user.push_str("Question: ");
    user.push_str(question.trim());
    vec![
        Message {
            role: "system".to_owned(),
            content: INSTRUCTIONS.to_owned(),
        },
        Message {
            role: "user".to_owned(),
            content: user,
        },
    ]
}

/// Lays as many of `passages` before the question as `budget` tokens hold.
///
/// `count` gives the tokens of a text, `render` applies the chat template.
///
/// # Errors
/// [`EngineError::WindowFull`] when the instructions and the question alone pass the budget: they are never cut.
pub fn fit(
    question: &str,
    passages: &[Passage],
    budget: usize,
    count: impl Fn(&str) -> Result<usize, EngineError>,
    render: impl Fn(&[Message]) -> Result<String, EngineError>,
) -> Result<Prompt, EngineError> {
    let pinned = count(&render(&messages(question, &[]))?)?;
    if pinned > budget {
        return Err(EngineError::WindowFull {
            needed: pinned,
            available: budget,
        });
    }
    let mut free = budget - pinned;
    let mut chosen: Vec<(String, String)> = Vec::new();
    for passage in passages {
        let heading_path = passage.heading_path();
        let frame = count(&format!("[{}] {heading_path}\n\n\n", passage.number))?;
        let Some(room) = free
            .checked_sub(frame)
            .filter(|room| *room >= MIN_PASSAGE_TOKENS)
        else {
            break;
        };
        let whole = count(&passage.section)?;
        if whole <= room {
            free = room - whole;
            chosen.push((heading_path, passage.section.clone()));
            continue;
        }
        if let Some(text) = cut(&passage.section, room, &count)? {
            chosen.push((heading_path, text));
        }
        break;
    }
    // Pieces counted alone may take a token more or less than in place; give way at the end until all fits.
    loop {
        let text = render(&messages(question, &chosen))?;
        if count(&text)? <= budget {
            return Ok(Prompt {
                text,
                sources: sources(chosen),
            });
        }
        chosen.pop();
    }
}

/// The passages as [`messages`] numbers them.
fn sources(laid: Vec<(String, String)>) -> Vec<Source> {
    laid.into_iter()
        .zip(1..)
        .map(|((heading_path, text), number)| Source {
            number,
            heading_path,
            text,
        })
        .collect()
}

/// The longest run of whole sentences from the start of `text` within `room` tokens.
fn cut(
    text: &str,
    room: usize,
    count: &impl Fn(&str) -> Result<usize, EngineError>,
) -> Result<Option<String>, EngineError> {
    let mut kept = String::new();
    for piece in sentence::sentences(text) {
        let longer = if kept.is_empty() {
            piece.to_owned()
        } else {
            format!("{kept} {piece}")
        };
        if count(&longer)? > room {
            break;
        }
        kept = longer;
    }
    Ok((!kept.is_empty()).then_some(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(number: usize, text: &str) -> Passage {
        Passage {
            number,
            id: String::new(),
            url: String::new(),
            title: "Book".to_owned(),
            headings: vec!["Book".to_owned(), "Loops".to_owned()],
            text: text.to_owned(),
            section: text.to_owned(),
            score: 0.0,
        }
    }

    fn words(text: &str) -> Result<usize, EngineError> {
        Ok(text.split_whitespace().count())
    }

    fn plain(messages: &[Message]) -> Result<String, EngineError> {
        Ok(messages
            .iter()
            .map(|message| message.content.as_str())
            .collect::<Vec<_>>()
            .join("\n"))
    }

    #[test]
    fn numbers_passages_and_says_the_title_once() {
        let content = &messages(
            "Why? ",
            &[(passage(1, "").heading_path(), " Text. \n".to_owned())],
        )[1]
        .content;
        assert_eq!(content, "[1] Book > Loops\nText.\n\nQuestion: Why?");
    }

    #[test]
    fn cuts_the_passage_that_does_not_fit_at_a_sentence_and_keeps_the_question() {
        let long = "One two three four five. ".repeat(20);
        let passages = [passage(1, "Short enough to stay whole."), passage(2, &long)];
        let pinned = words(&plain(&messages("Why so?", &[])).expect("renders")).expect("counts");
        let prompt = fit("Why so?", &passages, pinned + 44, words, plain).expect("fits");
        assert_eq!(prompt.sources.len(), 2, "both passages have a place");
        for source in &prompt.sources {
            assert!(
                prompt.text.contains(&format!(
                    "[{}] {}\n{}\n\n",
                    source.number, source.heading_path, source.text
                )),
                "passage {} stands in the prompt as it is told: {source:?}",
                source.number
            );
        }
        assert!(
            prompt.sources[1].text.len() < long.len(),
            "the second one was cut: {}",
            prompt.sources[1].text
        );
        assert!(
            prompt.text.ends_with("Question: Why so?"),
            "the question is never cut: {}",
            prompt.text
        );
        assert!(
            prompt.text.contains("four five.\n\nQuestion"),
            "the cut is at a sentence: {}",
            prompt.text
        );
        assert!(
            words(&prompt.text).expect("counts") <= pinned + 44,
            "within the budget"
        );
    }

    #[test]
    fn refuses_a_question_larger_than_the_window() {
        let error = fit(&"why ".repeat(500), &[], 100, words, plain).expect_err("too long");
        assert!(
            matches!(error, EngineError::WindowFull { available: 100, .. }),
            "got {error}"
        );
    }
}

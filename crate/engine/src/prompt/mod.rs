//! Turns a question and its sources into the messages that the generator reads, within its window.
//!
//! Three forms: evidence, the few units that the reader chose, which is short; passages, whole, as many as there is
//! room for; or long, the passages' whole pages under longer instructions, until the window is full. Instructions and
//! question are pinned. A passage or page that does not fit is cut at a sentence; units that do not fit are dropped,
//! the last ones first. The messages of the first two forms are those that `models/recipes/grounding` trains on. A
//! fourth form, bare, holds the question alone, for comparisons with what a model knows without sources.

pub(crate) mod form;

use std::collections::BTreeMap;

use anchorite_model::generate::WordLock;
use anchorite_model::template::Message;

use crate::answer::{Passage, Quote, Window};
use crate::check::source::Source;
use crate::error::EngineError;
use crate::phrases::Phrases;
use crate::sentence;

pub use form::{ABSTENTION, BARE_INSTRUCTIONS, Form, INSTRUCTIONS, LONG_INSTRUCTIONS};

/// Words that may be written whatever the sources say, since they carry no facts. Numbers are not among them.
const COMMON_WORDS: &str = include_str!("common_words.txt");

/// A passage cut to fewer tokens than this is not worth its place.
const MIN_PASSAGE_TOKENS: usize = 24;

/// A prompt that fits, and the sources in it.
#[derive(Debug)]
pub struct Prompt {
    /// The rendered messages, as the model's chat template writes them.
    pub text: String,
    /// The sources in it, whole or cut, against which the generator's text is checked: passages and pages best first,
    /// evidence by number.
    pub sources: Vec<Source>,
    /// How much of the sources offered it holds.
    pub window: Window,
}

/// The words that an answer to `question` from `sources` may use, including those of a voice's phrases; `None` if the
/// sources are in a script without spaces, where a run between two spaces is not a word.
pub fn lock(question: &str, sources: &[Source], phrases: &Phrases) -> Option<WordLock> {
    let texts = sources
        .iter()
        .flat_map(|source| [source.heading_path.as_str(), source.text.as_str()]);
    let letters = texts
        .clone()
        .flat_map(str::chars)
        .filter(|c| c.is_alphabetic());
    let (n_letters, n_spaceless) = letters.fold((0, 0), |(n, n_spaceless), c| {
        (n + 1, n_spaceless + usize::from(is_spaceless(c)))
    });
    if n_spaceless * MIN_SPACED > n_letters {
        return None;
    }
    let texts = texts.chain([question, ABSTENTION]).chain(phrases.texts());
    Some(WordLock::new(texts, COMMON_WORDS.split_whitespace()))
}

/// At most one letter in this many may be of a script without spaces: a name, a quoted word.
const MIN_SPACED: usize = 10;

/// Letters of scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana, Han. Source: the blocks of the
/// Unicode Standard.
fn is_spaceless(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// The messages for `question`, with its sources.
pub fn messages(form: Form, question: &str, sources: &[Source]) -> Vec<Message> {
    let mut user = String::new();
    for source in sources {
        user.push_str(&format!(
            "[{}] {}\n{}\n\n",
            source.number,
            source.heading_path,
            source.text.trim()
        ));
    }
    user.push_str("Question: ");
    user.push_str(question.trim());
    vec![
        Message {
            role: "system".to_owned(),
            content: form.instructions().to_owned(),
        },
        Message {
            role: "user".to_owned(),
            content: user,
        },
    ]
}

/// Builds the prompt from evidence, keeping as many of `sources`, best first, as fit in `budget` tokens, and at least
/// the first. They are put in the order of their numbers, and those of one number are merged.
///
/// `count` returns the number of tokens of a text, `render` applies the chat template.
///
/// # Errors
/// [`EngineError::WindowFull`] if the first unit and the question exceed the budget.
pub fn evidence(
    question: &str,
    sources: &[Source],
    budget: usize,
    count: impl Fn(&str) -> Result<usize, EngineError>,
    render: impl Fn(&[Message]) -> Result<String, EngineError>,
) -> Result<Prompt, EngineError> {
    let mut needed = 0;
    for n_sources in (1..=sources.len()).rev() {
        let laid = by_number(&sources[..n_sources]);
        let text = render(&messages(Form::Evidence, question, &laid))?;
        needed = count(&text)?;
        if needed <= budget {
            let window = Window {
                sources: laid.len(),
                is_cut: false,
                left_out: sources.len() - n_sources,
            };
            return Ok(Prompt {
                text,
                sources: laid,
                window,
            });
        }
    }
    Err(EngineError::WindowFull {
        needed,
        available: budget,
    })
}

/// Sources in the order of their numbers, those of one number on lines of their own.
fn by_number(sources: &[Source]) -> Vec<Source> {
    let mut found: BTreeMap<usize, Source> = BTreeMap::new();
    for source in sources {
        found
            .entry(source.number)
            .and_modify(|before| {
                before.text.push('\n');
                before.text.push_str(&source.text);
            })
            .or_insert_with(|| source.clone());
    }
    found.into_values().collect()
}

/// A passage's text as a source for the generator to read and cite.
pub fn source(passage: &Passage, text: &str) -> Source {
    Source {
        number: passage.number,
        heading_path: passage.heading_path(),
        text: text.to_owned(),
    }
}

/// The units that the reader chose, best first, as sources.
pub fn units(passages: &[Passage], quotes: &[Quote]) -> Vec<Source> {
    let of_quote = |quote: &Quote| {
        let passage = passages.iter().find(|one| one.number == quote.passage)?;
        Some(source(passage, &quote.text))
    };
    quotes.iter().filter_map(of_quote).collect()
}

/// Builds the prompt from passages or whole pages, keeping as many of `offered`, best first, as fit in `budget` tokens.
///
/// `count` returns the number of tokens of a text, `render` applies the chat template.
///
/// # Errors
/// [`EngineError::WindowFull`] if the instructions and the question alone exceed the budget: they are never cut.
pub fn fit(
    form: Form,
    question: &str,
    offered: &[Source],
    budget: usize,
    count: impl Fn(&str) -> Result<usize, EngineError>,
    render: impl Fn(&[Message]) -> Result<String, EngineError>,
) -> Result<Prompt, EngineError> {
    let pinned = count(&render(&messages(form, question, &[]))?)?;
    if pinned > budget {
        return Err(EngineError::WindowFull {
            needed: pinned,
            available: budget,
        });
    }
    let mut free = budget - pinned;
    let mut chosen: Vec<Source> = Vec::new();
    let mut n_whole = 0;
    for source in offered {
        let frame = count(&format!(
            "[{}] {}\n\n\n",
            source.number, source.heading_path
        ))?;
        let Some(room) = free
            .checked_sub(frame)
            .filter(|room| *room >= MIN_PASSAGE_TOKENS)
        else {
            break;
        };
        let whole = count(&source.text)?;
        if whole <= room {
            free = room - whole;
            n_whole += 1;
            chosen.push(source.clone());
            continue;
        }
        if let Some(text) = cut(&source.text, room, &count)? {
            chosen.push(Source {
                text,
                ..source.clone()
            });
        }
        break;
    }
    // A piece counted alone may take a token more or less than in place, so drop sources from the end until everything
    // fits.
    loop {
        let text = render(&messages(form, question, &chosen))?;
        if count(&text)? <= budget {
            let window = Window {
                sources: chosen.len(),
                is_cut: chosen.len() > n_whole,
                left_out: offered.len() - chosen.len(),
            };
            return Ok(Prompt {
                text,
                sources: chosen,
                window,
            });
        }
        chosen.pop();
        n_whole = n_whole.min(chosen.len());
    }
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
            language: None,
            section: text.to_owned(),
            chunk: 0,
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
        let source = Source {
            number: 1,
            heading_path: passage(1, "").heading_path(),
            text: " Text. \n".to_owned(),
        };
        let content = &messages(Form::Evidence, "Why? ", &[source])[1].content;
        assert_eq!(content, "[1] Book > Loops\nText.\n\nQuestion: Why?");
    }

    fn quote(passage: usize, text: &str) -> Quote {
        Quote {
            text: text.to_owned(),
            passage,
            mark: None,
        }
    }

    #[test]
    fn lays_units_under_their_passages_and_lets_the_last_give_way() {
        let passages = [passage(1, ""), passage(2, ""), passage(3, "")];
        let quotes = [quote(3, "Best."), quote(1, "Second."), quote(3, "Third.")];
        let units = units(&passages, &quotes);
        let lay = |budget: usize| evidence("Why?", &units, budget, words, plain);
        let prompt = lay(1000).expect("fits");
        assert!(
            prompt.text.ends_with(
                "[1] Book > Loops\nSecond.\n\n[3] Book > Loops\nBest.\nThird.\n\nQuestion: Why?"
            ),
            "passages in order, units best first: {}",
            prompt.text
        );
        let all = words(&prompt.text).expect("counts");
        let prompt = lay(all - 1).expect("fits without the third");
        assert!(!prompt.text.contains("Third."), "{}", prompt.text);
        assert_eq!(prompt.sources.len(), 2, "two passages are told");
        assert_eq!(prompt.window.left_out, 1, "and that one gave way");
        let error = lay(10).expect_err("the instructions alone are longer");
        assert!(matches!(error, EngineError::WindowFull { .. }), "{error}");
    }

    #[test]
    fn what_is_written_without_spaces_is_not_locked() {
        let source = |text: &str| Source {
            number: 1,
            heading_path: "Guide".to_owned(),
            text: text.to_owned(),
        };
        for (text, expected) in [
            ("Set the port to 80.", true),
            (
                "The word 港 means port, and nothing else is meant by it.",
                true,
            ),
            ("将端口设置为八十。", false),
            ("ポートを八十に設定します。", false),
            ("ตั้งค่าพอร์ตเป็นแปดสิบ", false),
            ("Порт установлен на 80.", true),
        ] {
            assert_eq!(
                lock("Why?", &[source(text)], &Phrases::default()).is_some(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn cuts_the_passage_that_does_not_fit_at_a_sentence_and_keeps_the_question() {
        let long = "One two three four five. ".repeat(20);
        let passages = [passage(1, "Short enough to stay whole."), passage(2, &long)];
        let passages = passages.map(|passage| source(&passage, &passage.section));
        let bare = plain(&messages(Form::Passages, "Why so?", &[])).expect("renders");
        let pinned = words(&bare).expect("counts");
        let lay = |form: Form, budget: usize| fit(form, "Why so?", &passages, budget, words, plain);
        let prompt = lay(Form::Passages, pinned + 44).expect("fits");
        let window = Window {
            sources: 2,
            is_cut: true,
            left_out: 0,
        };
        assert_eq!(prompt.window, window, "what did not fit is told");
        let narrow = lay(Form::Passages, pinned + 30).expect("fits").window;
        assert_eq!((narrow.sources, narrow.left_out), (1, 1));
        let long = lay(Form::Long, 1000).expect("fits");
        assert!(long.text.starts_with(LONG_INSTRUCTIONS), "{}", long.text);
        assert!(!long.window.is_cut && long.window.sources == 2);
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
            prompt.sources[1].text.len() < passages[1].text.len(),
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
    fn the_bare_form_holds_the_question_alone_and_pages_cannot_name_it() {
        let prompt = fit(Form::Bare, "Why so?", &[], 1000, words, plain).expect("fits");
        assert_eq!(
            prompt.text,
            format!("{BARE_INSTRUCTIONS}\nQuestion: Why so?")
        );
        assert!(!prompt.text.contains("Cite"), "there is nothing to cite");
        assert_eq!(prompt.window, Window::default());
        for (name, is_known) in [("long", true), ("bare", false), ("Bare", false)] {
            let read = serde_json::from_str::<Form>(&format!("\"{name}\""));
            assert_eq!(read.is_ok(), is_known, "{name}");
        }
    }

    #[test]
    fn refuses_a_question_larger_than_the_window() {
        let long = "why ".repeat(500);
        let error = fit(Form::Passages, &long, &[], 100, words, plain).expect_err("too long");
        assert!(
            matches!(error, EngineError::WindowFull { available: 100, .. }),
            "got {error}"
        );
    }
}

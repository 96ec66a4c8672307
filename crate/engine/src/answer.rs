//! The answer to a question: passages, a quotation, checked sentences, and how long each took.

use anchorite_model::generate::Backend;
use anchorite_model::sample::SampleOptions;
use serde::{Deserialize, Serialize};

use crate::check::source::Source;
use crate::follow_up::Turn;
use crate::gate::{Evidence, Outcome};
use crate::prompt::form::Form;

/// Options for one question; every field has a default.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AskOptions {
    /// How many passages to show and to offer to the generator; 1 to 20.
    pub passages: usize,
    /// The most tokens the generator may write; 0 skips it, as `generate: false` does.
    pub max_tokens: usize,
    /// 0 is greedy; 1 samples from the model's own distribution.
    pub temperature: f32,
    /// Keeps only this many of the likeliest tokens; 0 keeps all.
    pub top_k: usize,
    /// Keeps the likeliest tokens that together reach this probability; 1 keeps all.
    pub top_p: f32,
    /// Drops tokens less likely than this share of the likeliest one's probability; 0 drops none.
    pub min_p: f32,
    /// Makes recently written tokens less likely: the larger, the less likely; 1 has no effect.
    pub repetition_penalty: f32,
    /// Seeds the sampling: the same bundle, question and seed give the same answer.
    pub seed: u64,
    /// True to guess tokens from the passages and verify them in one batch (prompt lookup decoding): the text stays the
    /// same, and comes sooner where it copies.
    pub prompt_lookup: bool,
    /// Restricts the generator to words of the sources, of the question and of a closed list of common ones: numbers,
    /// names and code are then copied, never invented. Also ends a text that repeats itself.
    pub lock: bool,
    /// The text that the generator reads before the question.
    pub prompt: Form,
    /// True if the generator, if one is loaded, writes at all.
    pub generate: bool,
    /// True to apply the adapter, if one is loaded.
    pub adapter: bool,
    /// The adapter that speaks, by the name it was added under (in a page, its file's, with or without `.gguf`); `None` for
    /// the first one.
    pub voice: Option<String>,
    /// The turns before this question, oldest first, which complete a follow-up; see `follow_up`.
    pub history: Vec<Turn>,
}

impl Default for AskOptions {
    fn default() -> Self {
        let SampleOptions {
            temperature,
            top_k,
            top_p,
            min_p,
            repetition_penalty,
            seed,
        } = SampleOptions::default();
        AskOptions {
            passages: 5,
            max_tokens: 96,
            temperature,
            top_k,
            top_p,
            min_p,
            repetition_penalty,
            seed,
            prompt_lookup: true,
            lock: true,
            prompt: Form::default(),
            generate: true,
            adapter: true,
            voice: None,
            history: Vec::new(),
        }
    }
}

/// A chunk retrieved for a question.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Passage {
    /// The number that citations use, from 1.
    pub number: usize,
    /// The chunk's stable id.
    pub id: String,
    /// Address of the section, with its anchor.
    pub url: String,
    /// The document's title.
    pub title: String,
    /// Headings from the outermost to the passage's own; empty above the first heading.
    pub headings: Vec<String>,
    /// The chunk's text.
    pub text: String,
    /// The language tag of the document; `None` if it names none.
    pub language: Option<String>,
    /// The chunk with the text around it in its section, which the generator reads and is checked against; internal to
    /// the engine, not serialised.
    #[serde(skip)]
    pub section: String,
    /// Its chunk in the index; internal to the engine, not serialised.
    #[serde(skip)]
    pub chunk: u32,
    /// The fused retrieval score; higher is better, comparable within one question only.
    pub score: f32,
}

impl Passage {
    /// The document's title and the heading path, as visitors and the generator see them.
    pub fn heading_path(&self) -> String {
        let mut path = vec![self.title.as_str()];
        path.extend(
            self.headings
                .iter()
                .map(String::as_str)
                .filter(|heading| *heading != self.title),
        );
        path.join(" > ")
    }
}

/// A unit of a passage, verbatim: whole sentences, an item, a row with its header, a definition, or code.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    /// The unit as in the passage. Two parts with text between them are separated by a line with `…`.
    pub text: String,
    /// The passage's number.
    pub passage: usize,
    /// The likeliest answer inside `text`; `None` without a reader.
    pub mark: Option<Mark>,
}

/// A range of a text, counted in UTF-16 code units, as in JavaScript.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Mark {
    /// Code units before its start.
    pub start: usize,
    /// Code units before its end.
    pub end: usize,
}

impl Quote {
    /// The text inside the mark.
    pub fn marked(&self) -> Option<&str> {
        let mark = self.mark?;
        let byte = |units: usize| {
            let mut n_units = 0;
            let mut ends = self.text.char_indices().map(|(at, letter)| {
                n_units += letter.len_utf16();
                (at + letter.len_utf8(), n_units)
            });
            match units {
                0 => Some(0),
                _ => ends
                    .find(|(_, n_units)| *n_units == units)
                    .map(|(end, _)| end),
            }
        };
        self.text.get(byte(mark.start)?..byte(mark.end)?)
    }
}

/// A sentence that the generator wrote, with the passages that it cites and that do support it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Sentence {
    /// The sentence without its citation markers.
    pub text: String,
    /// Numbers of the passages that it cites and that support it.
    pub passages: Vec<usize>,
    /// True if there is such a passage, see [`crate::check`], and for a set phrase, which needs none.
    pub supported: bool,
    /// True if it is a set phrase of the voice, which claims nothing.
    #[serde(default)]
    pub is_phrase: bool,
}

/// Events while a question is being answered, in this order. The text starts over only after a device failed: after one
/// [`AskEvent::Restarted`] per backend tried, and [`AskEvent::Backend`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum AskEvent {
    /// The passages, before anything is quoted or written.
    Sources {
        /// Best first.
        passages: Vec<Passage>,
    },
    /// The quotation that leads, or the verdict that the documents don't say.
    Quote {
        /// `None` when the documents don't say.
        quote: Option<Quote>,
        /// How certain the answer is.
        outcome: Outcome,
    },
    /// A piece of the generator's text.
    Text {
        /// Some characters; never part of a code point.
        text: String,
    },
    /// The graphics device failed: all text so far is void and will be generated again. Sources and quotation remain
    /// valid.
    Restarted {
        /// The backend the generator is being loaded on: `gpu` (again) or `cpu`.
        #[cfg_attr(feature = "typescript", ts(type = r#""gpu" | "cpu""#))]
        on: &'static str,
        /// The failure's stable name: `device_lost`, `kernel`, `not_finite`, or `gpu` if no device could be opened.
        code: &'static str,
        /// Error text, for people to read.
        reason: String,
    },
    /// The generator is loaded again, on this backend.
    Backend {
        /// The backend now in use; its reason names the failure.
        backend: Backend,
    },
}

/// The generator's text, before the verdict on whether a page may show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The text with its citation markers; cut after the last whole sentence if the model did not end it.
    pub text: String,
    /// Its sentences, checked against the sources in the prompt; abstentions are left out.
    pub sentences: Vec<Sentence>,
    /// The sources as in the prompt.
    pub sources: Vec<Source>,
    /// How much of the retrieved sources the prompt holds.
    pub window: Window,
    /// True if it was cancelled.
    pub stopped: bool,
    /// True if the text began to repeat itself and was ended.
    pub is_loop: bool,
    /// True if a voice with set phrases wrote it.
    pub is_voiced: bool,
    /// Timing of the generator alone: a draft retrieves and quotes nothing.
    pub timing: Timing,
}

/// The verdict on the generator's text. Only shown text may appear as the answer: supported, whole sentences that agree with
/// what is marked in the quotation. Otherwise the quotation appears alone: nothing was written, the model abstained, a
/// sentence is unsupported or a fragment, the text differs from the quotation, loops, or only repeats it.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Written {
    /// The generator did not run, or wrote no whole sentence.
    #[default]
    Nothing,
    /// The generator did not run, because it was not trained on the quotation's language.
    Language,
    /// It says that the documents don't say, though something is quoted.
    Abstained,
    /// A sentence is not supported by the passages.
    Unsupported,
    /// A piece of it is not a sentence: a row, an item, code, unfinished words.
    Fragment,
    /// It does not say what is marked in the quotation, or cites other passages for that.
    Differs,
    /// It fell into a loop.
    Loops,
    /// It only repeats the quotation.
    Repeats,
    /// It may be shown as the answer.
    Shown,
}

/// How much of the retrieved sources fitted into the generator's window.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// Passages or pages that the prompt holds.
    pub sources: usize,
    /// True if the last of these was cut to fit.
    pub is_cut: bool,
    /// How many more there was no room for.
    pub left_out: usize,
}

/// How long the steps took, in milliseconds, and how much was read and written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Timing {
    /// Embedding the question and searching.
    pub retrieve_ms: f64,
    /// Reading the passages and choosing the quotation.
    pub quote_ms: f64,
    /// From the prompt to the first token.
    pub prefill_ms: f64,
    /// The remaining tokens.
    pub decode_ms: f64,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens at the start of the prompt that were still cached from the previous question, and not run again.
    pub cached_tokens: usize,
    /// Tokens written.
    pub generated_tokens: usize,
    /// Runs of the model it took: fewer than tokens if some were guessed and verified together.
    pub steps: usize,
    /// Decoding speed, without the first token; 0 when fewer than two were written.
    pub tokens_per_second: f64,
}

/// A whole answer.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The question as asked.
    pub question: String,
    /// The question as it was put to the documents: a follow-up is completed from earlier turns.
    pub asked: String,
    /// True if the question refers to an earlier turn, but not clearly to what: it was asked as it stands.
    pub is_unclear: bool,
    /// Answered, the closest passage, or not in these documents.
    pub outcome: Outcome,
    /// The probability that the quotation answers, 0 to 1; `None` without a reader.
    pub probability: Option<f32>,
    /// The signs that decided the outcome.
    pub evidence: Evidence,
    /// The quotation that leads; `None` when the documents don't say.
    pub quote: Option<Quote>,
    /// The generator's sentences, checked; empty when it did not run.
    pub sentences: Vec<Sentence>,
    /// The verdict on them: only [`Written::Shown`] may be shown as the answer, above the quotation.
    pub written: Written,
    /// How much of the sources the generator read; `None` when it did not run.
    pub window: Option<Window>,
    /// The passages, best first; the nearest sections when the documents don't say.
    pub passages: Vec<Passage>,
    /// True if the visitor stopped it.
    pub stopped: bool,
    /// The bundle's id, needed to reproduce the answer.
    pub bundle: String,
    /// The backend that ran the generator; `None` when none is loaded.
    pub backend: Option<Backend>,
    /// How long it took.
    pub timing: Timing,
}

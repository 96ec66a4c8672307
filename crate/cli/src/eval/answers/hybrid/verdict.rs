//! Judges the answer that a row shows: answered or not, right or wrong, supported by the retrieved passages or not, and
//! rightly cited or not.

use std::collections::BTreeSet;

use anchorite::answer::Window;
use anchorite::check::{self, Source};
use anchorite::{Answer, Draft, Passage, Timing, Written, prompt, sentence};
use serde::Serialize;

use super::super::case::{Case, Judged, Outcome, Response, Right};
use super::super::engine::parts;
use super::super::site::{Site, names, page};
use super::rows::{Reads, Row};

/// A model that decides alone has refused if its first sentence contains one of these, in lower case, if it writes the
/// refusal that its instructions give, or if it writes no whole sentence.
pub(super) const REFUSALS: [&str; 14] = [
    "i don't know",
    "i do not know",
    "i'm not sure",
    "i am not sure",
    "don't say",
    "do not say",
    "doesn't say",
    "does not say",
    "not mentioned",
    "not specified",
    "not stated",
    "no information",
    "cannot answer",
    "can't answer",
];

/// The rank of the passage that answers, in the retrieval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    First,
    /// Among the passages that are read, but not first.
    Among,
    Missing,
}

impl Place {
    /// `None` if no address answers, or none is known.
    pub(super) fn of(case: &Case, passages: &[Passage]) -> Option<Self> {
        if !case.is_answerable || case.expected.is_empty() {
            return None;
        }
        let mut passages = passages.iter();
        let place = passages.position(|one| names(&case.expected, &one.url));
        Some(match place {
            Some(0) => Place::First,
            Some(_) => Place::Among,
            None => Place::Missing,
        })
    }
}

/// A row's answer to a question, not judged yet.
#[derive(Debug, Default)]
pub(super) struct Shown {
    outcome: Outcome,
    probability: f32,
    /// The text that a visitor reads, in parts without citation markers; for a refusal, the text shown instead, or the
    /// withheld quotation.
    parts: Vec<String>,
    /// The marked span of a quotation, otherwise the whole text.
    span: String,
    /// Numbers of the passages that it cites.
    cited: Vec<usize>,
    is_quotation: bool,
    /// The generator's text, as written.
    written: String,
    /// Its sentences, without markers and abstentions.
    sentences: Vec<String>,
    /// Pages that were read in addition to the passages.
    pages: Vec<Source>,
    window: Option<Window>,
    timing: Timing,
}

impl Shown {
    /// The text of a model that decides alone after reading the sources of `row`.
    pub(super) fn drafted(row: Row, draft: Draft) -> Self {
        let is_claimed = !refuses(&draft.text);
        // A refusal makes no statement to support.
        let (sentences, text) = match is_claimed {
            true => {
                let sentences = without_markers(&draft.text);
                let text = sentences.join(" ");
                (sentences, text)
            }
            false => (Vec::new(), draft.text.trim().to_owned()),
        };
        Self {
            outcome: if is_claimed {
                Outcome::Answered
            } else {
                Outcome::None
            },
            probability: f32::from(u8::from(is_claimed)),
            span: text.clone(),
            parts: vec![text],
            cited: match row.reads() {
                Reads::Nothing => Vec::new(),
                _ => check::citations(&draft.text),
            },
            is_quotation: false,
            written: draft.text,
            sentences,
            pages: match row.reads() {
                Reads::Pages => draft.sources,
                _ => Vec::new(),
            },
            window: Some(draft.window),
            timing: draft.timing,
        }
    }

    /// The part of an answer that a page shows: the text if it may be shown, otherwise the quotation. `written` is the
    /// generator's whole output.
    pub(super) fn answered(answer: &Answer, written: String) -> Self {
        let sentences = answer.sentences.iter().map(|one| one.text.clone());
        let sentences: Vec<String> = sentences.collect();
        let base = Self {
            outcome: answer.outcome.into(),
            probability: answer.probability.unwrap_or(0.0),
            written,
            window: answer.window,
            timing: answer.timing,
            ..Self::default()
        };
        if answer.written == Written::Shown {
            let numbers = answer.sentences.iter().flat_map(|one| &one.passages);
            let numbers: BTreeSet<usize> = numbers.copied().collect();
            let text = sentences.join(" ");
            return Self {
                outcome: Outcome::Answered,
                span: text.clone(),
                parts: vec![text],
                cited: numbers.into_iter().collect(),
                sentences,
                ..base
            };
        }
        let Some(quote) = &answer.quote else {
            return Self { sentences, ..base };
        };
        Self {
            span: quote.marked().unwrap_or(&quote.text).to_owned(),
            parts: parts(quote),
            cited: vec![quote.passage],
            is_quotation: true,
            sentences,
            ..base
        }
    }
}

/// True if a model that decides alone gave no answer.
pub(super) fn refuses(text: &str) -> bool {
    let sentences = sentence::sentences(text);
    if !text.contains(char::is_alphanumeric)
        || sentences.iter().any(|one| check::is_abstention(one))
    {
        return true;
    }
    let first = sentences
        .first()
        .map_or(String::new(), |one| one.to_lowercase());
    let first = first.replace('\u{2019}', "'");
    REFUSALS.iter().any(|phrase| first.contains(phrase))
}

fn without_markers(text: &str) -> Vec<String> {
    let sentences = check::check(text, &[]).into_iter();
    sentences.map(|one| one.text).collect()
}

/// A sentence that the generator wrote.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Said {
    pub(super) text: String,
    /// True if the check finds it supported by the retrieved passages, whatever it cites.
    pub(super) is_supported: bool,
}

/// A row's judged answer to a question. The outcome is `answered` also if a model that decides alone has answered; the
/// quotation is the text shown.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Verdict {
    pub(super) row: Row,
    #[serde(flatten)]
    pub(super) judged: Judged,
    /// The rank of the passage that answers, in the retrieval.
    pub(super) place: Option<Place>,
    pub(super) is_quotation: bool,
    /// The generator's whole output.
    pub(super) written: String,
    pub(super) sentences: Vec<Said>,
    /// Addresses of the cited passages.
    pub(super) cited: Vec<String>,
    /// Number of these that answer; for pages, the number that contain the answer.
    pub(super) cited_right: usize,
    /// Tokens of the prompt; 0 if nothing was written.
    pub(super) prompt_tokens: usize,
    pub(super) written_tokens: usize,
    /// How much of the retrieved sources fits into the prompt.
    pub(super) window: Option<Window>,
    /// From the question to the first thing a visitor sees: a quotation, or the generator's first word.
    pub(super) first_seconds: f64,
    /// From the question to the end.
    pub(super) seconds: f64,
}

impl Verdict {
    /// True if an unsupported sentence is shown. A quotation contains none.
    pub(super) fn shows_unsupported(&self) -> bool {
        !self.is_quotation && self.sentences.iter().any(|one| !one.is_supported)
    }
}

/// Judges the answer of `row` to `case`; `quoted` holds what was retrieved for it, and how long that took.
pub(super) fn judge(
    site: &Site,
    right: Right,
    (row, case): (Row, &Case),
    shown: Shown,
    quoted: &Answer,
) -> Verdict {
    let url = |number: &usize| {
        let mut passages = quoted.passages.iter();
        let found = passages.find(|one| one.number == *number);
        found.map(|one| one.url.clone())
    };
    let answers = |url: &str| match row.reads() {
        // A page is cited as a whole.
        Reads::Pages => case.expected.iter().any(|one| page(one) == page(url)),
        _ => names(&case.expected, url),
    };
    // A number that matches no passage is a wrong citation.
    let cited: Vec<Option<String>> = shown.cited.iter().map(url).collect();
    let urls = || cited.iter().flatten();
    let best = urls().find(|url| answers(url)).or(urls().next());
    let (first_seconds, seconds) = seconds(row, &shown.timing, &quoted.timing);
    let response = Response {
        outcome: shown.outcome,
        probability: shown.probability,
        quotation: shown.parts,
        span: shown.span,
        url: best.cloned().unwrap_or_default(),
        evidence: None,
    };
    Verdict {
        row,
        judged: site.judge(case, response, right),
        place: Place::of(case, &quoted.passages),
        is_quotation: shown.is_quotation,
        written: shown.written,
        sentences: said(shown.sentences, &quoted.passages, shown.pages),
        cited_right: urls().filter(|url| answers(url)).count(),
        cited: cited.into_iter().map(Option::unwrap_or_default).collect(),
        prompt_tokens: shown.timing.prompt_tokens,
        written_tokens: shown.timing.generated_tokens,
        window: shown.window,
        first_seconds,
        seconds,
    }
}

fn said(sentences: Vec<String>, passages: &[Passage], pages: Vec<Source>) -> Vec<Said> {
    let sections = passages.iter();
    let sections = sections.map(|passage| prompt::source(passage, &passage.section));
    let sources: Vec<Source> = sections.chain(pages).collect();
    let is_supported = |text: &str| {
        let checked = check::check(text, &sources);
        !checked.is_empty() && checked.iter().all(|one| one.supported)
    };
    let judged = sentences.into_iter().map(|text| Said {
        is_supported: is_supported(&text),
        text,
    });
    judged.collect()
}

/// Seconds until a visitor first sees something, and in total. Retrieval and reading are measured once for all rows,
/// and count for rows that need them.
fn seconds(row: Row, written: &Timing, quoted: &Timing) -> (f64, f64) {
    let found = match row.reads() {
        Reads::Nothing => 0.0,
        _ => quoted.retrieve_ms,
    };
    let all = |found: f64| found + written.prefill_ms + written.decode_ms;
    let (first, all) = match row.is_read() {
        // The quotation is seen first; the text only once it is checked.
        true => {
            let quoted = found + quoted.quote_ms;
            (quoted, all(quoted))
        }
        false => (found + written.prefill_ms, all(found)),
    };
    (first / 1000.0, all / 1000.0)
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;

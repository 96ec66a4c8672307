//! Defines a question as a system receives it, its response, and the verdict on it.

use anchorite::gate::Evidence;
use serde::Serialize;

/// One question, and how to ask it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Case {
    /// The question.
    pub(crate) question: String,
    /// The page or article it is about: questions of one page are alike, so intervals are drawn by pages.
    pub(crate) page: String,
    /// Texts that count as right; empty if none is known. Under ablation, a system can't reach them.
    pub(crate) answers: Vec<String>,
    /// True if something in [`Self::scope`] answers it.
    pub(crate) is_answerable: bool,
    /// Addresses that answer; without an anchor, any section of the page. Empty if nothing answers, or no address is known.
    pub(crate) expected: Vec<String>,
    /// The part of the site that may be read.
    pub(crate) scope: Scope,
}

/// The part of a site that may be read for a question.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// Everything.
    #[default]
    Whole,
    /// Everything but the sections at these addresses; an address without an anchor names the whole page.
    Without(Vec<String>),
    /// Only the sections at these addresses.
    Only(Vec<String>),
}

/// The outcome as a visitor of the page sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The quotation is claimed to answer.
    Answered,
    /// The quotation is shown as the closest passage, which may not answer. It counts as a refusal.
    Closest,
    /// Nothing is quoted.
    #[default]
    None,
}

/// A system's response to one question.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Response {
    /// At the default threshold.
    pub(crate) outcome: Outcome,
    /// The probability that the quotation is right, 0 to 1; for an uncalibrated system, any score in that range.
    pub(crate) probability: f32,
    /// The parts of the quotation in the order shown. If the outcome is [`Outcome::None`], those of the best candidate,
    /// so that other thresholds can be tried; empty if there is no candidate.
    pub(crate) quotation: Vec<String>,
    /// The words of the quotation that are marked as the answer; all of it if the system marks none.
    pub(crate) span: String,
    /// Address of the quoted section, with its anchor.
    pub(crate) url: String,
    /// The evidence behind the decision of a system that decides by a probability; its weights are fitted to it.
    pub(crate) evidence: Option<Evidence>,
}

/// A system under measurement, which answers questions.
pub(crate) trait System {
    /// Its name in tables and plots.
    fn name(&self) -> &str;

    /// True if its probabilities claim to be calibrated, so that they are compared with the share that is right.
    fn is_calibrated(&self) -> bool {
        true
    }

    /// Answers one question from the part that [`Case::scope`] names, without using the answers and addresses in `case`.
    ///
    /// Questions of one scope come in sequence, and all systems get a question before the next one is asked.
    fn answer(&mut self, case: &Case) -> anyhow::Result<Response>;

    /// All candidates for the answer, best first, with the passage's retrieval score as a share of the best one's;
    /// empty for a system without candidates.
    fn candidates(&mut self, _case: &Case) -> anyhow::Result<Vec<(Response, f32)>> {
        Ok(Vec::new())
    }
}

/// When an answer counts as right. If no answers are known, the quoted section always decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Right {
    /// The quotation contains an answer as whole words.
    Quotation,
    /// The span is an answer, by SQuAD's exact match.
    Span,
}

/// One response, with the verdict on it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Judged {
    /// The question.
    pub(crate) question: String,
    /// The page it belongs to.
    pub(crate) page: String,
    /// Texts that count as right.
    pub(crate) answers: Vec<String>,
    /// True if something that could be read answers it.
    pub(crate) is_answerable: bool,
    /// Addresses that answer.
    pub(crate) expected: Vec<String>,
    /// At the default threshold.
    pub(crate) outcome: Outcome,
    /// The system's probability that it is right.
    pub(crate) probability: f32,
    /// The quotation, one part per line.
    pub(crate) quotation: String,
    /// The marked part of it.
    pub(crate) span: String,
    /// Address of the quoted section.
    pub(crate) url: String,
    /// True if the candidate is right, whatever the outcome; always false if nothing answers.
    pub(crate) is_right: bool,
    /// True if the quotation contains an answer.
    pub(crate) holds_answer: bool,
    /// True if the quotation is from an expected address.
    pub(crate) is_from_expected: bool,
    /// SQuAD's exact match of the span: 1 or 0.
    pub(crate) exact: f64,
    /// SQuAD's F1 of the span.
    pub(crate) f1: f64,
    /// SQuAD's F1 of the whole quotation.
    pub(crate) quotation_f1: f64,
    /// True if all parts of the quotation occur in that section in order, ignoring white space.
    pub(crate) is_verbatim: bool,
    /// True if the site has a section at the address.
    pub(crate) resolves: bool,
    /// True if the span occurs in the quotation.
    pub(crate) span_inside: bool,
    /// The evidence behind the system's decision, if it reports it.
    pub(crate) evidence: Option<Evidence>,
}

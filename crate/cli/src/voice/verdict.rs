//! Turns the texts of two adapters into shares: equal citations, equal facts, and how many of the voice's texts have its manner.

use std::collections::BTreeSet;

use anchorite::model::adapter::Voice;
use anchorite::written::{self, Written};
use anchorite::{Draft, Phrases, Sentence, check, index};
use serde::{Deserialize, Serialize};

use super::prompts::Prompt;

/// Maximum share of citations, and of facts, in which a voice may differ from its base.
const MAX_OTHER_CITATIONS: f64 = 0.01;
const MAX_OTHER_FACTS: f64 = 0.02;

/// A text, and the part of it that a page shows: the text if it may be shown, else the quotation.
#[derive(Debug, Clone)]
pub(super) struct Said {
    text: String,
    /// True if the text is shown.
    is_shown: bool,
    /// True if it declines: it says that the documents don't say.
    declines: bool,
    /// The passages that the shown text cites.
    cited: BTreeSet<usize>,
    /// The shown text, without set phrases.
    claims: String,
}

impl Said {
    /// The draft of an adapter with these set phrases.
    pub(super) fn new(draft: Draft, prompt: &Prompt, phrases: &Phrases) -> Self {
        let verdict = written::judge(&draft, &prompt.quote, &prompt.question);
        let is_shown = verdict == Written::Shown;
        let body = |sentence: &Sentence| {
            let cited = prompt.passages.iter();
            let cited = cited.filter(|passage| sentence.passages.contains(&passage.number));
            let titles: Vec<&str> = cited.map(|passage| passage.title.as_str()).collect();
            phrases.body(&sentence.text, &titles).to_owned()
        };
        let claims = draft.sentences.iter();
        let claims = claims.filter(|sentence| is_shown && !sentence.is_phrase);
        let mut said: Vec<String> = claims.clone().map(body).collect();
        let mut cited: BTreeSet<usize> = claims
            .flat_map(|sentence| sentence.passages.iter().copied())
            .collect();
        if !is_shown {
            said.push(prompt.quote.text.clone());
            cited.insert(prompt.quote.passage);
        }
        Self {
            is_shown,
            declines: check::abstains(&draft.text),
            cited,
            claims: said.join(" "),
            text: draft.text,
        }
    }
}

/// How a voice compares with the adapter that it was trained from.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Verdict {
    /// The voice's label.
    pub(crate) label: String,
    pub(crate) questions: usize,
    /// Share of questions for which a page cites the same passages.
    pub(crate) equal_citations: f64,
    /// Share of the facts of either that the other shows too.
    pub(crate) equal_facts: f64,
    /// Share of answerable questions whose text is shown, not the quotation alone.
    pub(crate) shown: f64,
    pub(crate) base_shown: f64,
    /// Token F1 of what is shown with the evidence, for the voice and for its base, over answerable questions.
    pub(crate) f1: f64,
    pub(crate) base_f1: f64,
    /// Share of texts that have the voice's manner: its own, its base's, and those of the generator alone when
    /// instructed.
    pub(crate) style: f64,
    pub(crate) base_style: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompted_style: Option<f64>,
    /// Milliseconds per answer of the voice.
    pub(crate) milliseconds: f64,
    /// Every question with both texts.
    pub(crate) texts: Vec<Texts>,
}

/// How far a voice agrees with the adapter that it was trained from.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Agreement {
    pub(crate) equal_citations: f64,
    pub(crate) equal_facts: f64,
}

impl Agreement {
    /// True if the voice changes only the manner.
    pub(crate) fn is_faithful(self) -> bool {
        self.equal_citations >= 1.0 - MAX_OTHER_CITATIONS
            && self.equal_facts >= 1.0 - MAX_OTHER_FACTS
    }
}

/// The texts for one question.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Texts {
    question: String,
    base: String,
    voice: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompted: Option<String>,
    is_equal: bool,
}

impl Verdict {
    pub(super) fn new(
        manner: Voice,
        prompts: &[Prompt],
        base: Vec<Said>,
        voice: Vec<Said>,
        prompted: Option<Vec<Said>>,
        milliseconds: f64,
    ) -> Self {
        let pairs = || base.iter().zip(&voice);
        let equal = pairs()
            .filter(|(one, other)| one.cited == other.cited)
            .count();
        let (mut common, mut all) = (0, 0);
        for (one, other) in pairs() {
            let shared = check::shared_facts(&one.claims, &other.claims);
            (common, all) = (common + shared.0, all + shared.1);
        }
        let f1 = |said: &[Said]| {
            let answerable = prompts
                .iter()
                .zip(said)
                .filter_map(|(prompt, said)| Some((prompt.expected.as_ref()?, said)));
            let scores: Vec<f64> = answerable
                .map(|(expected, said)| token_f1(&said.claims, expected))
                .collect();
            mean(&scores)
        };
        let shown = |said: &[Said]| {
            let answerable = prompts
                .iter()
                .zip(said)
                .filter(|(prompt, _)| prompt.expected.is_some());
            let told: Vec<f64> = answerable
                .map(|(_, said)| f64::from(u8::from(said.is_shown)))
                .collect();
            mean(&told)
        };
        let style = |said: &[Said]| {
            let told: Vec<f64> = said
                .iter()
                .filter(|said| !said.declines)
                .map(|said| f64::from(u8::from(has_manner(&manner, &said.text))))
                .collect();
            mean(&told)
        };
        let texts = prompts
            .iter()
            .zip(pairs())
            .enumerate()
            .map(|(idx, (prompt, (one, other)))| Texts {
                question: prompt.question.clone(),
                base: one.text.clone(),
                voice: other.text.clone(),
                prompted: prompted.as_ref().map(|said| said[idx].text.clone()),
                is_equal: one.cited == other.cited && has_same_facts(one, other),
            });
        Self {
            questions: prompts.len(),
            equal_citations: share(equal, prompts.len()),
            equal_facts: share(common, all),
            shown: shown(&voice),
            base_shown: shown(&base),
            f1: f1(&voice),
            base_f1: f1(&base),
            style: style(&voice),
            base_style: style(&base),
            prompted_style: prompted.as_deref().map(style),
            milliseconds: milliseconds / share_of_one(prompts.len()),
            texts: texts.collect(),
            label: manner.label,
        }
    }

    /// True if the voice changes only the manner.
    pub(crate) fn is_faithful(&self) -> bool {
        self.agreement().is_faithful()
    }

    /// The part of the verdict that the registry keeps.
    pub(crate) fn agreement(&self) -> Agreement {
        Agreement {
            equal_citations: self.equal_citations,
            equal_facts: self.equal_facts,
        }
    }

    pub(super) fn print(&self) {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        println!("voice               {}", self.label);
        println!("questions           {}", self.questions);
        println!(
            "equal citations     {} (at least {})",
            percent(self.equal_citations),
            percent(1.0 - MAX_OTHER_CITATIONS)
        );
        println!(
            "equal facts         {} (at least {})",
            percent(self.equal_facts),
            percent(1.0 - MAX_OTHER_FACTS)
        );
        println!(
            "F1 with evidence    {:.3}, before {:.3}",
            self.f1, self.base_f1
        );
        println!(
            "has its manner      {}, before {}",
            percent(self.style),
            percent(self.base_style)
        );
        if let Some(prompted) = self.prompted_style {
            println!("the same, prompted  {}", percent(prompted));
        }
        println!("an answer           {:.0} ms", self.milliseconds);
    }
}

fn has_same_facts(one: &Said, other: &Said) -> bool {
    let (shared, all) = check::shared_facts(&one.claims, &other.claims);
    shared == all
}

/// Instructions that ask a model without the voice's adapter for its manner.
pub(super) fn instructions(manner: &Voice) -> String {
    let mut text = String::new();
    if !manner.openings.is_empty() {
        text.push_str(&format!(
            "Begin your answer with one of: {}. ",
            manner.openings.join(" / ")
        ));
    }
    if !manner.closings.is_empty() {
        text.push_str(&format!(
            "End your answer with one of: {}.",
            manner.closings.join(" / ")
        ));
    }
    text.trim_end().to_owned()
}

/// True if a text begins with an opening of the voice, and ends with one of its closings if it has any.
fn has_manner(manner: &Voice, text: &str) -> bool {
    let text = text.trim();
    let begins = |phrase: &String| match phrase.strip_prefix("{title}") {
        None => text.starts_with(phrase.as_str()),
        Some(rest) => text
            .split('.')
            .next()
            .is_some_and(|first| first.contains(rest)),
    };
    let opens = manner.openings.is_empty() || manner.openings.iter().any(begins);
    let closes = manner.closings.is_empty()
        || manner
            .closings
            .iter()
            .any(|phrase| text.ends_with(phrase.as_str()));
    opens && closes
}

/// Token F1 over stems, as SQuAD counts it.
fn token_f1(said: &str, expected: &str) -> f64 {
    let (said, expected) = (index::lexical::terms(said), index::lexical::terms(expected));
    let common = said.intersection(&expected).count();
    if common == 0 {
        return 0.0;
    }
    let (precision, recall) = (share(common, said.len()), share(common, expected.len()));
    2.0 * precision * recall / (precision + recall)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / share_of_one(values.len())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a few hundred questions"
)]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a few hundred questions"
)]
fn share_of_one(n: usize) -> f64 {
    n.max(1) as f64
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;

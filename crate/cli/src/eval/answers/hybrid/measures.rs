//! Turns the verdicts on a row into its figures, each with an interval by pages, like the figures of the other systems.

use std::collections::{BTreeMap, HashMap};

use super::super::figures::{Figure, draws, share};
use super::rows::Reads;
use super::verdict::{Place, Verdict};
use crate::eval::metrics::percentile;

/// A figure of a row. Each question adds a numerator and a denominator to it, or nothing if the figure does not apply.
pub(super) struct Measure {
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    pub(super) kind: Kind,
    value: fn(&Verdict) -> Option<(f64, f64)>,
}

/// How a figure is computed and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Between -1 and 1: a mean.
    Share,
    /// Any mean.
    Count,
    /// A median, in seconds.
    Seconds,
}

const fn measure(
    key: &'static str,
    label: &'static str,
    kind: Kind,
    value: fn(&Verdict) -> Option<(f64, f64)>,
) -> Measure {
    Measure {
        key,
        label,
        kind,
        value,
    }
}

/// One question's part of a mean.
fn one(value: f64) -> (f64, f64) {
    (value, 1.0)
}

/// A figure over the questions whose passage has this rank in the retrieval.
fn at(place: Place, verdict: &Verdict, value: f64) -> Option<(f64, f64)> {
    (verdict.place == Some(place)).then_some(one(value))
}

/// F1 of the text shown, if the answers are known.
fn f1_at(place: Place, verdict: &Verdict) -> Option<(f64, f64)> {
    let judged = &verdict.judged;
    let f1 = judged.claimed(judged.f1);
    at(place, verdict, f1).filter(|_| judged.has_answers())
}

/// In the order of the table.
pub(super) const MEASURES: [Measure; 25] = [
    measure(
        "score",
        "score: right 1, abstained 0, wrong -1",
        Kind::Share,
        |row| Some(one(row.judged.score())),
    ),
    measure("right", "answerable: right", Kind::Share, |row| {
        let judged = &row.judged;
        judged
            .is_answerable
            .then(|| one(share(judged.is_claimed() && judged.is_right)))
    }),
    measure("exact", "exact match", Kind::Share, |row| {
        let judged = &row.judged;
        judged
            .has_truth()
            .then(|| one(judged.claimed(judged.exact)))
    }),
    measure("f1", "F1", Kind::Share, |row| {
        let judged = &row.judged;
        judged.has_truth().then(|| one(judged.claimed(judged.f1)))
    }),
    measure("has_answer_f1", "  answerable: F1", Kind::Share, |row| {
        let judged = &row.judged;
        judged.has_answers().then(|| one(judged.claimed(judged.f1)))
    }),
    measure(
        "shown_f1",
        "  answerable: F1 of all that is shown",
        Kind::Share,
        |row| {
            let judged = &row.judged;
            judged
                .has_answers()
                .then(|| one(judged.claimed(judged.quotation_f1)))
        },
    ),
    measure("holds", "answerable: holds an answer", Kind::Share, |row| {
        let judged = &row.judged;
        judged
            .has_answers()
            .then(|| one(share(judged.is_claimed() && judged.holds_answer)))
    }),
    measure(
        "supported",
        "written sentences that are supported",
        Kind::Share,
        |row| {
            let supported = row.sentences.iter().filter(|one| one.is_supported);
            let n = row.sentences.len();
            (n > 0).then_some((supported.count() as f64, n as f64))
        },
    ),
    measure(
        "unsupported_shown",
        "answers that show an unsupported one",
        Kind::Share,
        |row| {
            row.judged
                .is_claimed()
                .then(|| one(share(row.shows_unsupported())))
        },
    ),
    measure(
        "citation_precision",
        "citations that are right",
        Kind::Share,
        |row| {
            let n = row.cited.len();
            (has_place(row) && n > 0).then_some((row.cited_right as f64, n as f64))
        },
    ),
    measure(
        "citation_recall",
        "answers that cite what is right",
        Kind::Share,
        |row| has_place(row).then(|| one(share(row.cited_right > 0))),
    ),
    measure(
        "abstention_precision",
        "abstained: rightly",
        Kind::Share,
        |row| (!row.judged.is_claimed()).then(|| one(share(!row.judged.is_answerable))),
    ),
    measure(
        "abstention_recall",
        "unanswerable: abstained",
        Kind::Share,
        |row| (!row.judged.is_answerable).then(|| one(share(!row.judged.is_claimed()))),
    ),
    measure("answered", "answered", Kind::Share, |row| {
        Some(one(share(row.judged.is_claimed())))
    }),
    measure("prompt_tokens", "tokens of a prompt", Kind::Count, |row| {
        (row.prompt_tokens > 0).then(|| one(row.prompt_tokens as f64))
    }),
    measure("written_tokens", "tokens written", Kind::Count, |row| {
        (row.prompt_tokens > 0).then(|| one(row.written_tokens as f64))
    }),
    measure(
        "first_seconds",
        "seconds to the first word, median",
        Kind::Seconds,
        |row| Some(one(row.first_seconds)),
    ),
    measure("seconds", "seconds in all, median", Kind::Seconds, |row| {
        Some(one(row.seconds))
    }),
    measure(
        "window_full",
        "prompts that did not hold all",
        Kind::Share,
        |row| {
            let window = row.window?;
            Some(one(share(window.is_cut || window.left_out > 0)))
        },
    ),
    measure("score_first", "found first: score", Kind::Share, |row| {
        at(Place::First, row, row.judged.score())
    }),
    measure(
        "score_among",
        "found, not first: score",
        Kind::Share,
        |row| at(Place::Among, row, row.judged.score()),
    ),
    measure("score_missing", "not found: score", Kind::Share, |row| {
        at(Place::Missing, row, row.judged.score())
    }),
    measure("f1_first", "found first: F1", Kind::Share, |row| {
        f1_at(Place::First, row)
    }),
    measure("f1_among", "found, not first: F1", Kind::Share, |row| {
        f1_at(Place::Among, row)
    }),
    measure("f1_missing", "not found: F1", Kind::Share, |row| {
        f1_at(Place::Missing, row)
    }),
];

/// The label of the difference of scores, which comes first in the table.
pub(super) const DIFFERENCE: &str = "score, less that of `retrieval + adapter`";

/// The first of the measures by the passage's rank.
pub(super) const FIRST_BY_PLACE: &str = "score_first";

/// True if the row claims an answer, reads sources, and the answering address is known.
fn has_place(row: &Verdict) -> bool {
    let is_read = row.row.reads() != Reads::Nothing;
    row.place.is_some() && is_read && row.judged.is_claimed()
}

/// The figures of one row, by key; those that apply to no question are left out.
pub(super) fn figures(verdicts: &[Verdict], seed: u64) -> BTreeMap<&'static str, Figure> {
    let drawn = Drawn::new(verdicts, seed);
    let mut found: BTreeMap<&'static str, Figure> = MEASURES
        .iter()
        .filter_map(|measure| {
            let values: Vec<_> = verdicts.iter().map(measure.value).collect();
            Some((measure.key, drawn.figure(&values, measure.kind)?))
        })
        .collect();
    if !verdicts.iter().all(|row| row.judged.has_truth()) {
        // A mean over the remaining questions would favour a row that abstains: the truth is known for every
        // unanswerable one.
        found.retain(|key, _| !["exact", "f1"].contains(key));
    }
    found
}

/// The score of a row minus that of another on the same questions.
pub(super) fn difference(verdicts: &[Verdict], others: &[Verdict], seed: u64) -> Option<Figure> {
    let pairs = verdicts.iter().zip(others);
    let values: Vec<_> = pairs
        .map(|(row, other)| Some(one(row.judged.score() - other.judged.score())))
        .collect();
    Drawn::new(verdicts, seed).figure(&values, Kind::Share)
}

/// The questions by page, and how often each page is drawn.
struct Drawn {
    n_pages: usize,
    /// The number of each question's page.
    of_question: Vec<usize>,
    draws: Vec<Vec<usize>>,
}

impl Drawn {
    fn new(verdicts: &[Verdict], seed: u64) -> Self {
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut of_question = Vec::with_capacity(verdicts.len());
        for verdict in verdicts {
            let next = numbers.len();
            of_question.push(*numbers.entry(&verdict.judged.page).or_insert(next));
        }
        let n_pages = numbers.len();
        Self {
            n_pages,
            of_question,
            draws: draws(n_pages, seed).collect(),
        }
    }

    /// The figure of one value per question; `None` if there is none.
    fn figure(&self, values: &[Option<(f64, f64)>], kind: Kind) -> Option<Figure> {
        let by_page = self.by_page(values);
        let once = vec![1; self.n_pages];
        let value = put_together(&by_page, &once, kind)?;
        let drawn: Vec<f64> = self
            .draws
            .iter()
            .filter_map(|weights| put_together(&by_page, weights, kind))
            .collect();
        let interval = || [0.025, 0.975].map(|share| percentile(&drawn, share));
        Some(Figure {
            value,
            questions: values.iter().flatten().count(),
            interval: (!drawn.is_empty()).then(interval),
            exact_bound: None,
        })
    }

    fn by_page(&self, values: &[Option<(f64, f64)>]) -> Vec<Vec<(f64, f64)>> {
        let mut by_page = vec![Vec::new(); self.n_pages];
        for (&number, value) in self.of_question.iter().zip(values) {
            by_page[number].extend(*value);
        }
        by_page
    }
}

/// A figure computed from the pages' values, each page weighted; `None` if that leaves no values.
fn put_together(by_page: &[Vec<(f64, f64)>], weights: &[usize], kind: Kind) -> Option<f64> {
    if kind == Kind::Seconds {
        let mut all = Vec::new();
        for (values, &weight) in by_page.iter().zip(weights) {
            let values = values.iter().map(|(value, _)| *value);
            all.extend(values.flat_map(|value| std::iter::repeat_n(value, weight)));
        }
        return (!all.is_empty()).then(|| percentile(&all, 0.5));
    }
    let mut total = (0.0, 0.0);
    for (values, &weight) in by_page.iter().zip(weights) {
        for (sum, n) in values {
            total.0 += weight as f64 * sum;
            total.1 += weight as f64 * n;
        }
    }
    (total.1 > 0.0).then(|| total.0 / total.1)
}

#[cfg(test)]
#[path = "measures_tests.rs"]
mod tests;

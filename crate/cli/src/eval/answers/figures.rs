//! Turns one system's judged answers into its figures, each with an interval.
//!
//! Questions of one page are alike, so the intervals come from a bootstrap that draws pages, not questions (Efron,
//! 1979; Davison and Hinkley, 1997, on clusters): the middle 95 % of the figure's values for pages drawn with
//! replacement. Shares of wrong answers also have an exact bound, for questions that are independent.

use std::collections::{BTreeMap, HashMap};

use fastrand::Rng;
use serde::Serialize;

use super::case::{Judged, Outcome};
use super::curve::{self, Best, Point, Ranking};
use super::reliability::Reliability;
use crate::eval::metrics::percentile;
use crate::risk;

/// Number of bootstrap samples for an interval.
const N_RESAMPLES: usize = 1_000;
/// The confidence of exact bounds; the intervals have the same.
const CONFIDENCE: f64 = 0.95;
/// Maximum points of a curve in the report.
const MAX_POINTS: usize = 400;
/// Shares of wrong answers at which the coverage is reported, with the names of these figures.
const RISKS: [(f64, &str, &str); 3] = [
    (0.02, "coverage_at_risk_2", "coverage at 2 % risk"),
    (0.05, "coverage_at_risk_5", "coverage at 5 % risk"),
    (0.10, "coverage_at_risk_10", "coverage at 10 % risk"),
];

/// A figure that is the mean of one value for each question it applies to.
struct Measure {
    key: &'static str,
    label: &'static str,
    /// True if it counts wrong answers, which have an exact bound.
    is_harm: bool,
    /// `None` for a question that it does not apply to.
    value: fn(&Judged) -> Option<f64>,
}

const fn measure(
    key: &'static str,
    label: &'static str,
    value: fn(&Judged) -> Option<f64>,
) -> Measure {
    Measure {
        key,
        label,
        is_harm: false,
        value,
    }
}

const fn harm(
    key: &'static str,
    label: &'static str,
    value: fn(&Judged) -> Option<f64>,
) -> Measure {
    Measure {
        is_harm: true,
        ..measure(key, label, value)
    }
}

/// In the order of the table. SQuAD 2.0's figures have the names of its evaluation.
const MEASURES: [Measure; 20] = [
    measure("exact", "exact match", |one| {
        one.has_truth().then(|| one.claimed(one.exact))
    }),
    measure("f1", "F1", |one| {
        one.has_truth().then(|| one.claimed(one.f1))
    }),
    measure("has_answer_exact", "  answerable: exact match", |one| {
        one.has_answers().then(|| one.claimed(one.exact))
    }),
    measure("has_answer_f1", "  answerable: F1", |one| {
        one.has_answers().then(|| one.claimed(one.f1))
    }),
    measure("no_answer", "  unanswerable: right to refuse", |one| {
        (!one.is_answerable).then(|| one.claimed(one.f1))
    }),
    measure("candidate_exact", "exact match without refusing", |one| {
        one.has_answers().then_some(one.exact)
    }),
    measure("candidate_f1", "F1 without refusing", |one| {
        one.has_answers().then_some(one.f1)
    }),
    measure("quotation_f1", "F1 of the quotation", |one| {
        one.has_answers().then_some(one.quotation_f1)
    }),
    measure("holds_answer", "quotation holds an answer", |one| {
        (!one.answers.is_empty()).then(|| share(one.holds_answer))
    }),
    measure("right_section", "quotation from the right section", |one| {
        (one.is_answerable && !one.expected.is_empty()).then(|| share(one.is_from_expected))
    }),
    measure("right", "right without refusing", |one| {
        Some(share(one.is_right))
    }),
    measure("coverage", "answered", |one| Some(share(one.is_claimed()))),
    measure("closest", "shown as the closest passage", |one| {
        Some(share(one.outcome == Outcome::Closest))
    }),
    harm("risk", "risk: answered, but wrong", |one| {
        one.is_claimed().then(|| share(!one.is_right))
    }),
    measure("score", "score: right 1, refused 0, wrong -1", |one| {
        Some(one.score())
    }),
    measure("over_refusal", "answerable, but refused", |one| {
        one.is_answerable.then(|| share(!one.is_claimed()))
    }),
    harm(
        "claimed_unanswerable",
        "unanswerable, but answered",
        |one| (!one.is_answerable).then(|| share(one.is_claimed())),
    ),
    measure("verbatim", "quotations word for word", |one| {
        one.is_shown().then(|| share(one.is_verbatim))
    }),
    measure("resolves", "addresses that resolve", |one| {
        one.is_shown().then(|| share(one.resolves))
    }),
    measure("span_inside", "spans inside their quotation", |one| {
        (one.is_shown() && !one.span.is_empty()).then(|| share(one.span_inside))
    }),
];

pub(super) fn share(is: bool) -> f64 {
    f64::from(u8::from(is))
}

impl Judged {
    pub(super) fn is_claimed(&self) -> bool {
        self.outcome == Outcome::Answered
    }

    /// True if the page shows a quotation at all.
    fn is_shown(&self) -> bool {
        self.outcome != Outcome::None && !self.quotation.is_empty()
    }

    pub(super) fn has_answers(&self) -> bool {
        self.is_answerable && !self.answers.is_empty()
    }

    /// Right 1, refused 0, wrong -1.
    pub(super) fn score(&self) -> f64 {
        match (self.is_claimed(), self.is_right) {
            (false, _) => 0.0,
            (true, true) => 1.0,
            (true, false) => -1.0,
        }
    }

    /// True if SQuAD's figures can be computed.
    pub(super) fn has_truth(&self) -> bool {
        !self.is_answerable || !self.answers.is_empty()
    }

    /// `score` of the span if it is claimed, otherwise the score of an empty span.
    pub(super) fn claimed(&self, score: f64) -> f64 {
        match self.is_claimed() {
            true => score,
            false => share(!self.is_answerable),
        }
    }
}

/// One system's figures.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figures {
    /// By key; those that apply to no question are left out.
    pub(super) figures: BTreeMap<&'static str, Figure>,
    /// The best exact match that any threshold reaches: an upper bound. `None` if answers are not known.
    pub(super) best_exact: Option<Best>,
    /// The same for F1.
    pub(super) best_f1: Option<Best>,
    /// `None` for a system whose scores are not meant as probabilities.
    pub(super) reliability: Option<Reliability>,
    /// Risk by coverage, for at most some hundred thresholds.
    pub(super) curve: Vec<Point>,
}

/// A figure with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Figure {
    pub(super) value: f64,
    /// Number of questions that it averages.
    pub(super) questions: usize,
    /// 95 % by pages; `None` if there is only one page.
    pub(super) interval: Option<[f64; 2]>,
    /// One-sided upper bound of the share of wrong answers, at 95 %. `None` for other figures.
    pub(super) exact_bound: Option<f64>,
}

/// Keys and labels of all figures, in the order of the table.
pub(super) fn labels() -> impl Iterator<Item = (&'static str, &'static str)> {
    let measures = MEASURES.iter().map(|one| (one.key, one.label));
    let area = [("aurc", "area under risk by coverage")];
    measures
        .chain(area)
        .chain(RISKS.map(|(_, key, label)| (key, label)))
}

impl Figures {
    /// Figures of one system's answers; `seed` fixes the pages that are drawn.
    pub(super) fn of(judged: &[Judged], is_calibrated: bool, seed: u64) -> Self {
        let pages = Pages::new(judged);
        let ranking = Ranking::new(judged, &pages.of_question);
        let once = vec![1; pages.n];
        let values = pages.values(&ranking, &once);
        let resamples = pages.resamples(&ranking, seed);
        let mut figures = BTreeMap::new();
        for (idx, (key, _)) in labels().enumerate() {
            let Some(value) = values[idx] else { continue };
            let drawn: Vec<f64> = resamples.iter().filter_map(|values| values[idx]).collect();
            let interval = [0.025, 0.975].map(|share| percentile(&drawn, share));
            let measure = MEASURES.get(idx);
            let applies = |measure: &Measure| {
                let values = judged.iter().filter_map(measure.value);
                values.fold((0, 0), |(n, n_wrong), value| {
                    (n + 1, n_wrong + usize::from(value > 0.0))
                })
            };
            let (n, n_wrong) = measure.map_or((judged.len(), 0), applies);
            let figure = Figure {
                value,
                questions: n,
                interval: (pages.n > 1 && !drawn.is_empty()).then_some(interval),
                exact_bound: measure
                    .filter(|measure| measure.is_harm)
                    .map(|_| risk::upper_bound(n_wrong, n, CONFIDENCE)),
            };
            figures.insert(key, figure);
        }
        let has_truth = judged.iter().all(Judged::has_truth);
        if !has_truth {
            // A mean over the remaining questions would favour a system that refuses: the truth is known for every
            // unanswerable one.
            figures.retain(|key, _| !["exact", "f1"].contains(key));
        }
        let best = |score: fn(&Judged) -> f64| has_truth.then(|| curve::best(judged, score));
        Self {
            figures,
            best_exact: best(|one| one.exact).flatten(),
            best_f1: best(|one| one.f1).flatten(),
            reliability: is_calibrated.then(|| Reliability::of(judged)),
            curve: thinned(ranking.points(&once)),
        }
    }
}

/// At most [`MAX_POINTS`] of the points, including the last.
fn thinned(points: Vec<Point>) -> Vec<Point> {
    let step = points.len().div_ceil(MAX_POINTS).max(1);
    let last = points.len().saturating_sub(1);
    let is_kept = |idx: usize| idx.is_multiple_of(step) || idx == last;
    let mut idx = 0..;
    let mut points = points;
    points.retain(|_| idx.next().is_some_and(is_kept));
    points
}

/// The questions by page, with the sums that the means are computed from.
struct Pages {
    n: usize,
    /// The number of each question's page.
    of_question: Vec<usize>,
    /// Sum and count of each measure by page.
    sums: Vec<[(f64, usize); MEASURES.len()]>,
}

impl Pages {
    fn new(judged: &[Judged]) -> Self {
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut of_question = Vec::with_capacity(judged.len());
        let mut sums = Vec::new();
        for one in judged {
            let next = numbers.len();
            let number = *numbers.entry(&one.page).or_insert(next);
            if number == sums.len() {
                sums.push([(0.0, 0); MEASURES.len()]);
            }
            for (sum, measure) in sums[number].iter_mut().zip(&MEASURES) {
                if let Some(value) = (measure.value)(one) {
                    *sum = (sum.0 + value, sum.1 + 1);
                }
            }
            of_question.push(number);
        }
        Self {
            n: sums.len(),
            of_question,
            sums,
        }
    }

    /// All figures in the order of [`labels`], each page counted as often as `weights` says.
    fn values(&self, ranking: &Ranking, weights: &[usize]) -> Vec<Option<f64>> {
        let mut totals = [(0.0, 0); MEASURES.len()];
        for (sums, &weight) in self.sums.iter().zip(weights) {
            if weight == 0 {
                continue;
            }
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total = (total.0 + weight as f64 * sum.0, total.1 + weight * sum.1);
            }
        }
        let means = totals.map(|(sum, n)| (n > 0).then(|| sum / n as f64));
        let area = Some(ranking.area(weights));
        let coverages = RISKS.map(|(risk, ..)| Some(ranking.coverage(weights, risk)));
        means.into_iter().chain([area]).chain(coverages).collect()
    }

    /// The figures of pages drawn with replacement, as many as there are pages.
    fn resamples(&self, ranking: &Ranking, seed: u64) -> Vec<Vec<Option<f64>>> {
        let draws = draws(self.n, seed);
        draws
            .map(|weights| self.values(ranking, &weights))
            .collect()
    }
}

/// How often each of `n` pages is in each draw of `n` with replacement; no draws if there are no pages.
pub(super) fn draws(n: usize, seed: u64) -> impl Iterator<Item = Vec<usize>> {
    let mut rng = Rng::with_seed(seed);
    let n_draws = if n < 2 { 0 } else { N_RESAMPLES };
    (0..n_draws).map(move |_| {
        let mut weights = vec![0; n];
        for _ in 0..n {
            weights[rng.usize(..n)] += 1;
        }
        weights
    })
}

#[cfg(test)]
#[path = "figures_tests.rs"]
mod tests;

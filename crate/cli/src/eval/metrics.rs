//! Turns a ranking and the judgements of a query into the usual figures.
//!
//! As `trec_eval` counts: the gain of a document is its grade, and an unjudged document has none.

use std::collections::HashMap;

use serde::Serialize;

/// Grades of the documents judged for one query; above 0 is relevant.
pub(super) type Judgements = HashMap<String, u32>;

/// Measures of how good a ranking is, each between 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Figures {
    /// Normalised discounted cumulative gain of the first 10 (Järvelin and Kekäläinen, 2002).
    pub(super) ndcg_10: f64,
    /// 1 if the first document is relevant.
    pub(super) first: f64,
    /// 1 if one of the first 5 is.
    pub(super) among_5: f64,
    /// The reciprocal rank of the first relevant document; 0 if none is among the first 10.
    pub(super) mrr_10: f64,
    /// Share of the relevant documents among the first 10.
    pub(super) recall_10: f64,
    /// The same among the first 100.
    pub(super) recall_100: f64,
}

impl Figures {
    /// Scores one ranking of distinct documents, best first; `None` if nothing is relevant.
    pub(super) fn of(ranking: &[&str], judgements: &Judgements) -> Option<Self> {
        let grade = |document: &&str| judgements.get(*document).copied().unwrap_or(0);
        let mut grades: Vec<u32> = judgements
            .values()
            .copied()
            .filter(|&grade| grade > 0)
            .collect();
        if grades.is_empty() {
            return None;
        }
        grades.sort_unstable_by(|a, b| b.cmp(a));
        let n_relevant = grades.len() as f64;
        let recall = |depth: usize| {
            let found = ranking.iter().take(depth).filter(|one| grade(one) > 0);
            found.count() as f64 / n_relevant
        };
        let first = ranking.iter().take(10).position(|one| grade(one) > 0);
        Some(Self {
            ndcg_10: gain(ranking.iter().take(10).map(grade)) / gain(grades.into_iter().take(10)),
            first: f64::from(u8::from(first == Some(0))),
            among_5: f64::from(u8::from(first.is_some_and(|idx| idx < 5))),
            mrr_10: first.map_or(0.0, |idx| 1.0 / (idx + 1) as f64),
            recall_10: recall(10),
            recall_100: recall(100),
        })
    }

    /// The mean over queries; zeros for none.
    pub(super) fn mean(of: impl IntoIterator<Item = Self>) -> Self {
        let (mut sum, mut n_queries) = (Self::default(), 0.0_f64);
        for one in of {
            sum.ndcg_10 += one.ndcg_10;
            sum.first += one.first;
            sum.among_5 += one.among_5;
            sum.mrr_10 += one.mrr_10;
            sum.recall_10 += one.recall_10;
            sum.recall_100 += one.recall_100;
            n_queries += 1.0;
        }
        let n_queries = n_queries.max(1.0);
        Self {
            ndcg_10: sum.ndcg_10 / n_queries,
            first: sum.first / n_queries,
            among_5: sum.among_5 / n_queries,
            mrr_10: sum.mrr_10 / n_queries,
            recall_10: sum.recall_10 / n_queries,
            recall_100: sum.recall_100 / n_queries,
        }
    }
}

/// Gain of grades in ranking order, each divided by the logarithm of its rank plus 1.
fn gain(grades: impl Iterator<Item = u32>) -> f64 {
    let discounted = |(idx, grade): (usize, u32)| f64::from(grade) / ((idx + 2) as f64).log2();
    grades.enumerate().map(discounted).sum()
}

/// The share of `exact` that `found` holds; 1 if `exact` is empty.
pub(super) fn overlap(exact: &[u32], found: &[u32]) -> f64 {
    if exact.is_empty() {
        return 1.0;
    }
    let n_found = exact.iter().filter(|one| found.contains(one)).count();
    n_found as f64 / exact.len() as f64
}

/// The quantile of `values` at `share`, by nearest rank; 0 for none.
pub(super) fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank between 0 and the number of values"
    )]
    let rank = (share * sorted.len() as f64).ceil() as usize;
    let place = rank.clamp(1, sorted.len().max(1)) - 1;
    sorted.get(place).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(grades: &[(&str, u32)]) -> Judgements {
        let owned = |&(document, grade): &(&str, u32)| (document.to_owned(), grade);
        grades.iter().map(owned).collect()
    }

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-9,
            "expected {expected}, found {found}"
        );
    }

    #[test]
    fn figures_are_those_worked_by_hand() {
        // Found: grade 0, grade 3 at rank two, grade 1 at rank four. Best: 3, then 2, then 1.
        let judgements = judged(&[("a", 3), ("b", 2), ("c", 1), ("x", 0)]);
        let figures = Figures::of(&["x", "a", "y", "c"], &judgements).expect("three are relevant");
        let found = 3.0 / 3_f64.log2() + 1.0 / 5_f64.log2();
        let best = 3.0 + 2.0 / 3_f64.log2() + 1.0 / 2.0;
        close(figures.ndcg_10, found / best);
        close(figures.ndcg_10, 2.323_465_818_8 / 4.761_859_507_1);
        close(figures.mrr_10, 0.5);
        close(figures.recall_10, 2.0 / 3.0);
        close(figures.recall_100, 2.0 / 3.0);
    }

    #[test]
    fn the_eleventh_place_counts_for_recall_at_100_only() {
        let ranking = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a"];
        let figures = Figures::of(&ranking, &judged(&[("a", 1)])).expect("one is relevant");
        assert_eq!(
            (figures.ndcg_10, figures.mrr_10, figures.recall_10),
            (0.0, 0.0, 0.0)
        );
        close(figures.recall_100, 1.0);
    }

    #[test]
    fn a_query_without_anything_relevant_has_no_figures() {
        assert_eq!(Figures::of(&["a"], &judged(&[("a", 0)])), None);
        assert_eq!(Figures::mean([]), Figures::default());
    }

    #[test]
    fn shares_and_percentiles() {
        close(overlap(&[1, 2, 3, 4], &[4, 9, 1]), 0.5);
        close(overlap(&[], &[1]), 1.0);
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        close(percentile(&values, 0.5), 3.0);
        close(percentile(&values, 0.95), 5.0);
        close(percentile(&[], 0.5), 0.0);
    }
}

//! Turns judged answers into a risk-coverage curve: the share of wrong answers among the surest ones, at every
//! coverage.
//!
//! El-Yaniv and Wiener, 2010; Geifman and El-Yaniv, 2017. No threshold can separate answers of equal probability: they
//! enter as a group, within which the curve is that of a random order.

use super::case::Judged;

/// All answers of a system, the surest first, in groups of equal probability.
pub(super) struct Ranking {
    groups: Vec<Group>,
}

struct Group {
    probability: f32,
    /// The number of each answer's page, and true if the answer is wrong.
    members: Vec<(usize, bool)>,
}

/// A possible threshold, with the coverage and risk at it.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub(super) struct Point {
    /// Answers of at least this probability are given.
    pub(super) threshold: f32,
    /// Share of all questions that are answered at this threshold.
    pub(super) coverage: f64,
    /// Share of these that are wrong.
    pub(super) risk: f64,
}

impl Ranking {
    /// Ranks `judged`; `pages` has the number of each one's page.
    pub(super) fn new(judged: &[Judged], pages: &[usize]) -> Self {
        let mut order: Vec<(&Judged, usize)> = judged.iter().zip(pages.iter().copied()).collect();
        order.sort_by(|(a, _), (b, _)| b.probability.total_cmp(&a.probability));
        let same = |a: &(&Judged, usize), b: &(&Judged, usize)| a.0.probability == b.0.probability;
        let groups = order.chunk_by(same).map(|members| Group {
            probability: members[0].0.probability,
            members: members
                .iter()
                .map(|(judged, page)| (*page, !judged.is_right))
                .collect(),
        });
        Self {
            groups: groups.collect(),
        }
    }

    /// Calls `each` for every group with its probability, the number of answers before it and of wrong ones among them,
    /// and the same two counts for the group itself; each page counts as often as `weights` says.
    fn walk(&self, weights: &[usize], mut each: impl FnMut(f32, [usize; 2], [usize; 2])) {
        let mut before = [0, 0];
        for group in &self.groups {
            let mut own = [0, 0];
            for &(page, is_wrong) in &group.members {
                own[0] += weights[page];
                own[1] += weights[page] * usize::from(is_wrong);
            }
            if own[0] > 0 {
                each(group.probability, before, own);
            }
            before = [before[0] + own[0], before[1] + own[1]];
        }
    }

    /// Mean risk over all coverages, 0 to 1; lower is better. 0 if there are no answers.
    pub(super) fn area(&self, weights: &[usize]) -> f64 {
        let (mut sum, mut n) = (0.0, 0);
        self.walk(weights, |_, before, own| {
            let share = own[1] as f64 / own[0] as f64;
            for step in 1..=own[0] {
                let n_wrong = before[1] as f64 + share * step as f64;
                sum += n_wrong / (before[0] + step) as f64;
            }
            n += own[0];
        });
        sum / n.max(1) as f64
    }

    /// The largest share of questions that a threshold answers while at most `risk` of the answers are wrong; 0 if none
    /// does.
    pub(super) fn coverage(&self, weights: &[usize], risk: f64) -> f64 {
        let (mut best, mut n) = (0, 0);
        self.walk(weights, |_, before, own| {
            n = before[0] + own[0];
            if (before[1] + own[1]) as f64 <= risk * n as f64 {
                best = n;
            }
        });
        best as f64 / n.max(1) as f64
    }

    /// The curve: a point for each threshold, the highest first.
    pub(super) fn points(&self, weights: &[usize]) -> Vec<Point> {
        let mut points = Vec::new();
        let mut n_all = 0;
        self.walk(weights, |threshold, before, own| {
            n_all = before[0] + own[0];
            points.push(Point {
                threshold,
                coverage: n_all as f64,
                risk: (before[1] + own[1]) as f64 / n_all as f64,
            });
        });
        for point in &mut points {
            point.coverage /= n_all as f64;
        }
        points
    }
}

/// The threshold that suits the questions best, and the score it reaches.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub(super) struct Best {
    /// The mean over all questions, answerable or not.
    pub(super) value: f64,
    /// Answers of at least this probability are given; `None` if it is best to give none.
    pub(super) threshold: Option<f32>,
}

/// The best mean of `score` over all questions that any threshold reaches; a refused unanswerable question counts 1.
///
/// As in SQuAD 2.0's evaluation, found on the same questions that it is reported for: an upper bound. `None` if there are no questions.
pub(super) fn best(judged: &[Judged], score: impl Fn(&Judged) -> f64) -> Option<Best> {
    let mut order: Vec<&Judged> = judged.iter().collect();
    order.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let n_refused = judged.iter().filter(|one| !one.is_answerable).count();
    let mut sum = n_refused as f64;
    let mut best = Best {
        value: sum,
        threshold: None,
    };
    for group in order.chunk_by(|a, b| a.probability == b.probability) {
        for one in group {
            sum += match one.is_answerable {
                true => score(one),
                // An empty span is a refusal.
                false => one.f1 - 1.0,
            };
        }
        if sum > best.value {
            best = Best {
                value: sum,
                threshold: Some(group[0].probability),
            };
        }
    }
    best.value /= judged.len() as f64;
    (!judged.is_empty()).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{close, judged, judged_as};
    use super::*;

    /// Right or wrong answers with their probabilities, each on a page of its own.
    fn ranking(answers: &[(f32, bool)]) -> (Ranking, Vec<usize>) {
        let all = judged_as(answers);
        let pages: Vec<usize> = (0..all.len()).collect();
        (Ranking::new(&all, &pages), vec![1; all.len()])
    }

    #[test]
    fn the_area_is_the_mean_of_the_risks() {
        // Right, wrong, right, wrong: 0, 1/2, 1/3, 2/4.
        let (ranking, ones) = ranking(&[(0.7, true), (0.9, true), (0.2, false), (0.8, false)]);
        close(
            "area",
            ranking.area(&ones),
            (0.0 + 0.5 + 1.0 / 3.0 + 0.5) / 4.0,
        );
        let points = ranking.points(&ones);
        let found: Vec<_> = points
            .iter()
            .map(|one| (one.threshold, one.coverage))
            .collect();
        assert_eq!(
            found,
            [(0.9, 0.25), (0.8, 0.5), (0.7, 0.75), (0.2, 1.0)],
            "thresholds and coverages"
        );
        close("risk at 3/4", points[2].risk, 1.0 / 3.0);
    }

    #[test]
    fn ties_do_not_depend_on_the_order_of_questions() {
        let answers = [(0.9, false), (0.9, true), (0.9, true), (0.1, false)];
        let (forward, ones) = ranking(&answers);
        let mut turned = answers;
        turned.reverse();
        let (backward, _) = ranking(&turned);
        // A third of a wrong answer in each of the first three.
        let expected = (3.0 * (1.0 / 3.0) + 0.5) / 4.0;
        close("forward", forward.area(&ones), expected);
        close("backward", backward.area(&ones), expected);
        assert_eq!(forward.points(&ones).len(), 2, "two thresholds can be set");
        close(
            "no threshold has less risk",
            forward.coverage(&ones, 0.3),
            0.0,
        );
        close("all three", forward.coverage(&ones, 0.34), 0.75);
    }

    #[test]
    fn coverage_is_the_largest_within_the_risk() {
        // The risk falls below a tenth again after the first error: 10 answers, the second of them wrong.
        let answers: Vec<(f32, bool)> = (0..10_u8)
            .map(|idx| (1.0 - f32::from(idx) / 20.0, idx != 1))
            .collect();
        let (ranking, ones) = ranking(&answers);
        close("10 %", ranking.coverage(&ones, 0.10), 1.0);
        close("9 %", ranking.coverage(&ones, 0.09), 0.1);
        let (wrong, ones) = super::tests::ranking(&[(0.5, false)]);
        close("always wrong", wrong.coverage(&ones, 0.10), 0.0);
        close(
            "nothing",
            super::tests::ranking(&[]).0.coverage(&[], 0.1),
            0.0,
        );
        close(
            "nothing's area",
            super::tests::ranking(&[]).0.area(&[]),
            0.0,
        );
    }

    #[test]
    fn a_page_counts_as_often_as_it_was_drawn() {
        let (ranking, _) = ranking(&[(0.9, true), (0.5, false)]);
        // Drawn: the first page twice, the second once: 0, 0, 1/3.
        close("area", ranking.area(&[2, 1]), 1.0 / 9.0);
        close("coverage", ranking.coverage(&[2, 1], 0.02), 2.0 / 3.0);
        close("the first page alone", ranking.area(&[2, 0]), 0.0);
    }

    #[test]
    fn the_best_threshold_is_that_of_the_official_search() {
        let one = |probability: f32, is_answerable: bool, f1: f64| Judged {
            probability,
            is_answerable,
            f1,
            ..judged()
        };
        // Two refusals are right from the start. 0.9: +1; 0.8: -1; 0.7: +0.5; 0.6: +0.8; 0.5: an answer to the second.
        let all = [
            one(0.9, true, 1.0),
            one(0.8, false, 0.0),
            one(0.7, true, 0.5),
            one(0.6, true, 0.8),
            one(0.5, false, 0.0),
        ];
        let found = best(&all, |one| one.f1).expect("five questions");
        assert_eq!(found.threshold, Some(0.6), "2 + 1 - 1 + 0.5 + 0.8");
        close("value", found.value, 3.3 / 5.0);
        let refused = best(&all[1..2], |one| one.f1).expect("one question");
        assert_eq!(
            (refused.value, refused.threshold),
            (1.0, None),
            "silence is best"
        );
        assert_eq!(best(&[], |one| one.f1), None, "no questions");
    }
}

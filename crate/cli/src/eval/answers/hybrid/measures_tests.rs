//! Checks figures of hand-made verdicts against values worked out by hand.

use super::super::super::case::Judged;
use super::super::super::tests::close;
use super::super::rows::Row;
use super::super::tests::{claim, verdict};
use super::*;

fn unanswerable(verdict: Verdict) -> Verdict {
    Verdict {
        judged: Judged {
            answers: Vec::new(),
            is_answerable: false,
            is_right: false,
            expected: Vec::new(),
            f1: 1.0,
            ..verdict.judged
        },
        place: None,
        ..verdict
    }
}

/// Answerable: a right answer with two sentences and three citations, a wrong one, a refusal whose passage was not found.
/// Unanswerable: a refusal, and a claim.
fn five(row: Row) -> Vec<Verdict> {
    let mut wrong = claim(row, "b", false, &[false], [1, 0]);
    wrong.place = Some(Place::Among);
    wrong.first_seconds = 5.0;
    let mut missed = verdict(row, "b");
    missed.place = Some(Place::Missing);
    let mut invented = unanswerable(claim(row, "c", false, &[false], [2, 0]));
    invented.judged.f1 = 0.0;
    vec![
        claim(row, "a", true, &[true, false], [3, 2]),
        wrong,
        missed,
        unanswerable(verdict(row, "c")),
        invented,
    ]
}

#[test]
fn figures_are_those_worked_by_hand() {
    let found = figures(&five(Row::Retrieval), 0);
    let expected = [
        // 1 - 1 + 0 + 0 - 1 of five.
        ("score", -0.2, 5),
        ("right", 1.0 / 3.0, 3),
        // 0.5, 0, 0; 1 for refusing an unanswerable question, 0 for the claim.
        ("f1", 0.3, 5),
        ("has_answer_f1", 0.5 / 3.0, 3),
        ("holds", 1.0 / 3.0, 3),
        // One of four sentences.
        ("supported", 0.25, 3),
        ("unsupported_shown", 1.0, 3),
        // Over answerable questions: two of four citations, one of two answers.
        ("citation_precision", 0.5, 2),
        ("citation_recall", 0.5, 2),
        // Two abstained, one of them rightly; one of two unanswerable.
        ("abstention_precision", 0.5, 2),
        ("abstention_recall", 0.5, 2),
        ("answered", 0.6, 5),
        ("prompt_tokens", 100.0, 3),
        ("first_seconds", 1.0, 5),
        ("score_first", 1.0, 1),
        ("score_among", -1.0, 1),
        ("score_missing", 0.0, 1),
        ("f1_first", 0.5, 1),
    ];
    for (key, value, questions) in expected {
        let figure = found.get(key).unwrap_or_else(|| panic!("no `{key}`"));
        close(key, figure.value, value);
        assert_eq!(figure.questions, questions, "questions of `{key}`");
        let interval = figure.interval.expect("three pages");
        assert!(
            interval[0] <= value + 1e-9 && value - 1e-9 <= interval[1],
            "{key}: {value} within {interval:?}"
        );
    }
}

#[test]
fn what_reads_nothing_has_no_citations_to_judge() {
    let found = figures(&five(Row::NoContext), 0);
    for key in ["citation_precision", "citation_recall", "window_full"] {
        assert!(!found.contains_key(key), "{key}: {:?}", found.get(key));
    }
    assert!(
        found.contains_key("supported"),
        "it is held against the passages"
    );
}

#[test]
fn without_known_answers_there_is_no_f1_that_flatters_a_refusal() {
    let mut verdicts = five(Row::Retrieval);
    verdicts[0].judged.answers.clear();
    let found = figures(&verdicts, 0);
    assert!(!found.contains_key("f1") && !found.contains_key("exact"));
    assert_eq!(
        found["has_answer_f1"].questions, 2,
        "of those that are known"
    );
}

#[test]
fn a_difference_is_that_of_the_same_questions() {
    let (row, other) = (five(Row::Retrieval), five(Row::RetrievalAdapter));
    let same = difference(&row, &other, 0).expect("pages");
    assert_eq!((same.value, same.interval), (0.0, Some([0.0, 0.0])));
    let refusals: Vec<Verdict> = row
        .iter()
        .map(|one| verdict(one.row, &one.judged.page))
        .collect();
    let less = difference(&row, &refusals, 0).expect("pages");
    close("beside silence", less.value, -0.2);
}

#[test]
fn a_median_counts_each_page_as_often_as_it_is_drawn() {
    let by_page = vec![vec![(1.0, 1.0), (2.0, 1.0)], vec![(9.0, 1.0)]];
    for (weights, expected) in [
        ([1, 1], Some(2.0)),
        ([0, 2], Some(9.0)),
        ([2, 0], Some(1.0)),
        ([0, 0], None),
    ] {
        let found = put_together(&by_page, &weights, Kind::Seconds);
        assert_eq!(found, expected, "{weights:?}");
    }
}

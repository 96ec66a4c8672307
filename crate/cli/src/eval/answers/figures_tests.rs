//! Checks figures of hand-judged answers against values worked out by hand.

use super::super::tests::{close, judged};
use super::*;

fn figure(figures: &Figures, key: &str) -> Figure {
    *figures
        .figures
        .get(key)
        .unwrap_or_else(|| panic!("there is no `{key}`"))
}

/// Two pages: an answerable question answered right, one answered wrong, one refused, an unanswerable one refused and
/// one answered.
fn five() -> Vec<Judged> {
    let answerable = |page: &str, outcome, probability, is_right, exact, f1| Judged {
        page: page.to_owned(),
        answers: vec!["x".to_owned()],
        is_answerable: true,
        expected: vec!["a#b".to_owned()],
        outcome,
        probability,
        is_right,
        holds_answer: is_right,
        is_from_expected: is_right,
        exact,
        f1,
        quotation_f1: f1 / 2.0,
        quotation: "q".to_owned(),
        span: "s".to_owned(),
        is_verbatim: true,
        resolves: true,
        span_inside: is_right,
        evidence: None,
        ..judged()
    };
    let unanswerable = |page: &str, outcome, probability| Judged {
        answers: Vec::new(),
        is_answerable: false,
        expected: Vec::new(),
        is_right: false,
        holds_answer: false,
        is_from_expected: false,
        ..answerable(page, outcome, probability, false, 0.0, 0.0)
    };
    vec![
        answerable("one", Outcome::Answered, 0.9, true, 1.0, 1.0),
        answerable("one", Outcome::Answered, 0.8, false, 0.0, 0.4),
        answerable("two", Outcome::Closest, 0.4, true, 0.0, 0.8),
        unanswerable("two", Outcome::None, 0.1),
        unanswerable("two", Outcome::Answered, 0.7),
    ]
}

#[test]
fn figures_are_those_worked_by_hand() {
    let figures = Figures::of(&five(), true, 0);
    let expected = [
        // At the threshold: 1, 0, 0 for the refused answerable, 1 for the refusal, 0 for the claim.
        ("exact", 2.0 / 5.0, 5),
        ("f1", (1.0 + 0.4 + 0.0 + 1.0 + 0.0) / 5.0, 5),
        ("has_answer_exact", 1.0 / 3.0, 3),
        ("has_answer_f1", 1.4 / 3.0, 3),
        ("no_answer", 1.0 / 2.0, 2),
        ("candidate_exact", 1.0 / 3.0, 3),
        ("candidate_f1", 2.2 / 3.0, 3),
        ("quotation_f1", 1.1 / 3.0, 3),
        ("holds_answer", 2.0 / 3.0, 3),
        ("right_section", 2.0 / 3.0, 3),
        ("right", 2.0 / 5.0, 5),
        ("coverage", 3.0 / 5.0, 5),
        ("closest", 1.0 / 5.0, 5),
        ("risk", 2.0 / 3.0, 3),
        ("score", -1.0 / 5.0, 5),
        ("over_refusal", 1.0 / 3.0, 3),
        ("claimed_unanswerable", 1.0 / 2.0, 2),
        ("verbatim", 1.0, 4),
        ("resolves", 1.0, 4),
        ("span_inside", 2.0 / 4.0, 4),
        // By probability right, wrong, wrong, right, wrong: 0, 1/2, 2/3, 2/4, 3/5.
        ("aurc", (0.5 + 2.0 / 3.0 + 0.5 + 0.6) / 5.0, 5),
        ("coverage_at_risk_2", 0.2, 5),
        ("coverage_at_risk_5", 0.2, 5),
        ("coverage_at_risk_10", 0.2, 5),
    ];
    for (key, value, questions) in expected {
        let found = figure(&figures, key);
        close(key, found.value, value);
        assert_eq!(found.questions, questions, "questions of {key}");
    }
    assert_eq!(figures.figures.len(), expected.len(), "no other figures");
    // 2 refusals; 0.9: +1, 0.8: +0.4, 0.7: -1, 0.4: +0.8, 0.1: -1.
    let best = figures.best_f1.expect("answers are known");
    close("best F1", best.value, 3.4 / 5.0);
    assert_eq!(best.threshold, Some(0.8), "before the claim that is wrong");
    let best = figures.best_exact.expect("answers are known");
    assert_eq!((best.value, best.threshold), (0.6, Some(0.9)), "exact");
}

#[test]
fn wrong_answers_have_an_exact_bound() {
    let figures = Figures::of(&five(), true, 0);
    // One of two: the bound p solves 1 - p^2 = 0.05.
    let claimed = figure(&figures, "claimed_unanswerable").exact_bound;
    close("1 of 2", claimed.expect("a harm"), 0.95_f64.sqrt());
    // Two of three: 1 - p^3 = 0.05.
    let risk = figure(&figures, "risk").exact_bound;
    close("2 of 3", risk.expect("a harm"), 0.95_f64.cbrt());
    assert_eq!(figure(&figures, "f1").exact_bound, None, "F1 is no share");
}

#[test]
fn intervals_draw_whole_pages_and_repeat_with_the_seed() {
    let figures = Figures::of(&five(), true, 7);
    // Both pages, or one of them twice: answered are 2 of 2, 1 of 3, or 3 of 5, and each draw is likelier than 2.5 %.
    let interval = figure(&figures, "coverage").interval;
    let interval = interval.expect("two pages");
    close("lowest", interval[0], 1.0 / 3.0);
    close("highest", interval[1], 1.0);
    let again = Figures::of(&five(), true, 7);
    assert_eq!(figures.figures, again.figures, "with the same seed");
    let one_page: Vec<Judged> = five().into_iter().take(2).collect();
    let figures = Figures::of(&one_page, true, 7);
    assert_eq!(figure(&figures, "coverage").interval, None, "of one page");
}

#[test]
fn the_interval_holds_what_theory_says() {
    // 400 pages of one question, 30 % answered: nearly 0.3 -+ 1.96 * sqrt(0.3 * 0.7 / 400).
    let all: Vec<Judged> = (0..400)
        .map(|number| Judged {
            page: number.to_string(),
            outcome: match number % 10 < 3 {
                true => Outcome::Answered,
                false => Outcome::None,
            },
            ..judged()
        })
        .collect();
    let found = figure(&Figures::of(&all, false, 1), "coverage");
    let [low, high] = found.interval.expect("400 pages");
    let reach = 1.96 * (0.3 * 0.7 / 400.0_f64).sqrt();
    assert!(
        (low - (0.3 - reach)).abs() < 0.01 && (high - (0.3 + reach)).abs() < 0.01,
        "expected 0.3 -+ {reach}, found {low} to {high}"
    );
}

#[test]
fn figures_that_apply_to_nothing_are_left_out() {
    let refused = [Judged {
        is_answerable: true,
        expected: vec!["a".to_owned()],
        ..judged()
    }];
    let figures = Figures::of(&refused, false, 0);
    for key in ["exact", "has_answer_f1", "no_answer", "risk", "verbatim"] {
        assert!(
            !figures.figures.contains_key(key),
            "`{key}` of a question without answers"
        );
    }
    assert_eq!(figures.best_f1, None, "answers are not known");
    assert!(figures.reliability.is_none(), "it is not calibrated");
    close("refused", figure(&figures, "over_refusal").value, 1.0);
}

#[test]
fn a_long_curve_is_thinned_and_keeps_its_end() {
    let point = |number: u16| Point {
        threshold: 1.0 - f32::from(number) / 10_000.0,
        coverage: f64::from(number + 1) / 10_000.0,
        risk: 0.0,
    };
    let thin = thinned((0..10_000).map(point).collect());
    assert!(thin.len() <= MAX_POINTS + 1, "found {} points", thin.len());
    assert_eq!(thin.last().map(|one| one.coverage), Some(1.0), "its end");
    assert!(thinned(Vec::new()).is_empty(), "of no points");
}

#[test]
fn overall_figures_need_the_answers_to_all_questions() {
    let mut all = five();
    all[1].answers.clear();
    let figures = Figures::of(&all, true, 0);
    for key in ["exact", "f1"] {
        assert!(!figures.figures.contains_key(key), "`{key}` of some");
    }
    assert_eq!(figures.best_exact, None, "of some");
    let answerable = figure(&figures, "has_answer_f1");
    assert_eq!(answerable.questions, 2, "questions with answers");
    close("has_answer_f1", answerable.value, 0.5);
}

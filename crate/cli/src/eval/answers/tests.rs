//! Puts small cases of every kind to a system, and provides helpers for the neighbouring tests.

use super::case::{Outcome, Response};
use super::*;

#[track_caller]
pub(super) fn close(case: &str, found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 1e-9,
        "{case}: expected {expected}, found {found}"
    );
}

/// A refusal; a test changes the fields that it needs.
pub(super) fn judged() -> Judged {
    Judged {
        question: String::new(),
        page: String::new(),
        answers: Vec::new(),
        is_answerable: false,
        expected: Vec::new(),
        outcome: Outcome::None,
        probability: 0.0,
        quotation: String::new(),
        span: String::new(),
        url: String::new(),
        is_right: false,
        holds_answer: false,
        is_from_expected: false,
        exact: 0.0,
        f1: 0.0,
        quotation_f1: 0.0,
        is_verbatim: false,
        resolves: false,
        span_inside: false,
        evidence: None,
    }
}

/// An answer for each probability, right or wrong.
pub(super) fn judged_as(answers: &[(f32, bool)]) -> Vec<Judged> {
    let one = |&(probability, is_right): &(f32, bool)| Judged {
        probability,
        is_right,
        ..judged()
    };
    answers.iter().map(one).collect()
}

/// Two systems over three questions, one of them with a name that is markup.
pub(super) fn report() -> Report {
    let answers = [(0.9, true), (0.5, false), (0.2, true)];
    let all: Vec<Judged> = answers
        .iter()
        .zip(["a", "a", "b"])
        .map(|(&(probability, is_right), page)| Judged {
            page: page.to_owned(),
            answers: vec!["x".to_owned()],
            is_answerable: true,
            outcome: Outcome::Answered,
            probability,
            is_right,
            f1: f64::from(u8::from(is_right)),
            quotation: "x".to_owned(),
            ..judged()
        })
        .collect();
    let system = |name: &str, is_calibrated| SystemReport {
        name: name.to_owned(),
        figures: Figures::of(&all, is_calibrated, 0),
    };
    Report {
        data: "three".to_owned(),
        reading: Reading::Site,
        right: Right::Quotation,
        questions: 3,
        answerable: 3,
        pages: 2,
        seed: 0,
        misplaced: None,
        systems: vec![system("first", true), system("second <one>", false)],
    }
}

fn case(question: &str, expected: &[&str]) -> Case {
    let expected: Vec<String> = expected.iter().map(|&url| url.to_owned()).collect();
    Case {
        question: question.to_owned(),
        page: question.to_owned(),
        answers: Vec::new(),
        is_answerable: !expected.is_empty(),
        scope: Scope::Only(expected.clone()),
        expected,
    }
}

#[test]
fn ablation_takes_the_answer_away_and_leaves_no_question_answerable() {
    let cases = || {
        vec![
            case("one", &["b#x"]),
            case("two", &[]),
            case("three", &["a"]),
        ]
    };
    let ablated = asked(cases(), Reading::Ablated);
    let found: Vec<_> = ablated
        .iter()
        .map(|case| (case.question.as_str(), case.is_answerable, &case.scope))
        .collect();
    let without = |url: &str| Scope::Without(vec![url.to_owned()]);
    assert_eq!(
        found,
        [
            ("three", false, &without("a")),
            ("one", false, &without("b#x"))
        ],
        "by scope, the unanswerable question left out"
    );
    let site = asked(cases(), Reading::Site);
    assert!(
        site.len() == 3 && site.iter().all(|case| case.scope == Scope::Whole),
        "the whole site: {site:?}"
    );
    let paragraph = asked(cases(), Reading::Paragraph);
    let kept = paragraph
        .iter()
        .filter(|case| matches!(case.scope, Scope::Only(_)));
    assert_eq!(kept.count(), 3, "each its paragraph");
}

#[test]
fn a_draw_repeats_with_its_seed_and_keeps_the_order() {
    let cases = || -> Vec<Case> {
        (0..50)
            .map(|number| case(&format!("{number:02}"), &[]))
            .collect()
    };
    let draw = |seed| -> Vec<String> {
        let drawn = drawn(cases(), 10, seed);
        drawn.into_iter().map(|case| case.question).collect()
    };
    let first = draw(1);
    assert_eq!(first, draw(1), "with the same seed");
    assert_ne!(first, draw(2), "with another seed");
    assert!(
        first.len() == 10 && first.is_sorted(),
        "in order: {first:?}"
    );
    assert_eq!(drawn(cases(), 99, 1).len(), 50, "of fewer than asked for");
}

/// A system that gives the same response to everything.
struct Parrot(Response);

impl System for Parrot {
    fn name(&self) -> &str {
        "parrot"
    }

    fn answer(&mut self, _: &Case) -> anyhow::Result<Response> {
        Ok(self.0.clone())
    }
}

fn parrot(probability: f32, case: Case) -> Prepared {
    let site = Site::from_documents("none", Vec::new(), None).expect("no embedder");
    Prepared {
        name: "none".to_owned(),
        cases: vec![case],
        site: Rc::new(site),
        misplaced: None,
        systems: vec![Box::new(Parrot(Response {
            outcome: Outcome::Answered,
            probability,
            quotation: vec!["Polly wants a cracker.".to_owned()],
            span: "a cracker".to_owned(),
            url: "cage".to_owned(),
            evidence: None,
        }))],
    }
}

#[test]
fn a_claim_that_is_made_of_nothing_is_wrong() {
    let asked = Case {
        answers: vec!["cracker".to_owned()],
        is_answerable: true,
        ..case("Polly wants what?", &["cage"])
    };
    let ablated = super::asked(vec![asked.clone()], Reading::Ablated).remove(0);
    for (case, is_right, exact) in [(asked, true, 1.0), (ablated, false, 0.0)] {
        let judged = answer(&mut parrot(0.5, case), Right::Span).expect("it speaks");
        let one = &judged[0][0];
        assert_eq!((one.is_right, one.exact), (is_right, exact), "{one:?}");
        assert!(one.holds_answer, "also without: {one:?}");
        assert!(!one.is_verbatim && !one.resolves, "no such page: {one:?}");
    }
}

#[test]
fn no_probability_is_an_error() {
    for probability in [f32::NAN, -0.1, 1.5] {
        let mut parrot = parrot(probability, case("Who?", &["cage"]));
        let error = answer(&mut parrot, Right::Span).expect_err("no probability");
        assert!(
            error.to_string().contains("expected a probability"),
            "for {probability}: {error}"
        );
    }
}

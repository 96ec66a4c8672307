//! Checks the verdicts on texts of models, and on answers of the engine, against known ones.

use anchorite::Sentence;
use anchorite::index::document::{Document, Section};

use super::*;

fn site() -> Site {
    let section = |anchor: &str, text: &str| Section {
        anchor: Some(anchor.to_owned()),
        headings: Vec::new(),
        text: text.to_owned(),
    };
    let document = Document {
        source: "cache".to_owned(),
        url: "cache".to_owned(),
        title: "Cache".to_owned(),
        sections: vec![
            section("size", "The cache holds 50 MB."),
            section("age", "It keeps pages for nine days."),
        ],
        filters: Default::default(),
        meta: Default::default(),
        sort: Default::default(),
        weight: 1.0,
        language: None,
    };
    Site::from_documents("cache", vec![document], None).expect("no embedder")
}

fn passage(number: usize, url: &str, section: &str) -> Passage {
    Passage {
        number,
        id: String::new(),
        url: url.to_owned(),
        title: "Cache".to_owned(),
        headings: Vec::new(),
        language: None,
        text: section.to_owned(),
        section: section.to_owned(),
        chunk: 0,
        score: 1.0,
    }
}

/// The passages that are retrieved, the one about the age first.
fn quoted() -> Answer {
    let quote = serde_json::json!({"text": "It keeps pages for nine days.", "passage": 1, "mark": {"start": 19, "end": 28}});
    Answer {
        question: String::new(),
        asked: String::new(),
        is_unclear: false,
        outcome: anchorite::Outcome::Answered,
        probability: Some(0.9),
        evidence: anchorite::gate::Evidence {
            similarity: None,
            coverage: 1.0,
            beyond_unrelated: None,
            reading: None,
        },
        quote: Some(serde_json::from_value(quote).expect("a quotation")),
        sentences: Vec::new(),
        written: Written::Nothing,
        window: None,
        passages: vec![
            passage(1, "cache#age", "It keeps pages for nine days."),
            passage(2, "cache#size", "The cache holds 50 MB."),
        ],
        stopped: false,
        bundle: String::new(),
        backend: None,
        timing: Timing {
            retrieve_ms: 1_000.0,
            quote_ms: 2_000.0,
            ..Timing::default()
        },
    }
}

fn case() -> Case {
    Case {
        question: "How large is the cache?".to_owned(),
        page: "cache".to_owned(),
        answers: vec!["50 MB".to_owned()],
        is_answerable: true,
        expected: vec!["cache#size".to_owned()],
        ..Case::default()
    }
}

fn draft(text: &str) -> Draft {
    Draft {
        text: text.to_owned(),
        sentences: Vec::new(),
        sources: Vec::new(),
        window: Window::default(),
        stopped: false,
        is_loop: false,
        is_voiced: false,
        timing: Timing {
            prefill_ms: 4_000.0,
            decode_ms: 8_000.0,
            prompt_tokens: 7,
            generated_tokens: 3,
            ..Timing::default()
        },
    }
}

fn drafted(row: Row, text: &str) -> Verdict {
    let shown = Shown::drafted(row, draft(text));
    judge(&site(), Right::Quotation, (row, &case()), shown, &quoted())
}

#[test]
fn a_refusal_is_told_from_an_answer() {
    for (text, expected) in [
        ("The documents do not say.", true),
        ("The documents do not say. [1]", true),
        ("I don\u{2019}t know how large it is.", true),
        (
            "This is not mentioned in the passages. It may be large.",
            true,
        ),
        ("", true),
        (" .\n", true),
        ("It holds 50 MB [2].", false),
        ("It holds 50 MB. Its age is not specified.", false),
    ] {
        assert_eq!(refuses(text), expected, "{text:?}");
    }
}

#[test]
fn a_text_is_judged_by_what_was_retrieved_and_by_what_it_cites() {
    let right = drafted(
        Row::Retrieval,
        "The cache holds 50 MB [2]. It is made of cheese [1][9].",
    );
    assert!(
        right.judged.is_right && right.judged.holds_answer,
        "{right:?}"
    );
    assert_eq!(right.place, Some(Place::Among));
    assert_eq!(right.cited, ["cache#age", "cache#size", ""], "9 is none");
    assert_eq!(right.cited_right, 1);
    assert_eq!(
        right.judged.quotation,
        "The cache holds 50 MB. It is made of cheese."
    );
    // Without its article, the text has nine words, the answer two, and they share both.
    assert!(
        (right.judged.f1 - 2.0 * 2.0 / (9.0 + 2.0)).abs() < 1e-9,
        "{right:?}"
    );
    let supported: Vec<bool> = right.sentences.iter().map(|one| one.is_supported).collect();
    assert_eq!(supported, [true, false], "{right:?}");
    assert!(right.shows_unsupported());
    // A citation of the wrong passage does not make a sentence unsupported here: citations are counted separately.
    let elsewhere = drafted(Row::Retrieval, "The cache holds 50 MB [1].");
    assert!(elsewhere.sentences[0].is_supported && elsewhere.cited_right == 0);
    // A row that reads whole pages cites a page as a whole.
    assert_eq!(
        drafted(Row::LongPrompt, "The cache holds 50 MB [1].").cited_right,
        1
    );
    let bare = drafted(Row::NoContext, "The cache holds 9 TB [1].");
    assert!(bare.cited.is_empty() && bare.shows_unsupported() && !bare.judged.is_right);
}

#[test]
fn a_refusal_claims_nothing_and_says_nothing_that_is_checked() {
    let refused = drafted(Row::Retrieval, "The documents do not say.");
    assert_eq!(refused.judged.outcome, Outcome::None);
    assert!(
        refused.sentences.is_empty() && !refused.judged.is_right,
        "{refused:?}"
    );
}

#[test]
fn a_page_shows_a_text_that_may_stand_and_else_the_quotation() {
    let sentence = |supported: bool| Sentence {
        text: "The cache holds 50 MB.".to_owned(),
        passages: if supported { vec![2] } else { Vec::new() },
        supported,
        is_phrase: false,
    };
    let shown = |written: Written, is_supported: bool| {
        let answer = Answer {
            written,
            sentences: vec![sentence(is_supported)],
            ..quoted()
        };
        let shown = Shown::answered(&answer, "The cache holds 50 MB [2].".to_owned());
        let row = (Row::RetrievalAdapter, &case());
        judge(&site(), Right::Quotation, row, shown, &quoted())
    };
    let text = shown(Written::Shown, true);
    assert!(text.judged.is_right && !text.is_quotation, "{text:?}");
    assert_eq!(text.cited, ["cache#size"]);
    let quotation = shown(Written::Unsupported, false);
    assert!(
        quotation.is_quotation && !quotation.judged.is_right,
        "{quotation:?}"
    );
    assert_eq!(quotation.judged.span, "nine days", "what is marked");
    assert_eq!(
        quotation.sentences.len(),
        1,
        "what was written counts, shown or not"
    );
    assert!(!quotation.shows_unsupported(), "it is not shown");
}

#[test]
fn time_runs_from_the_question_through_what_the_row_needs() {
    let (written, quoted) = (draft("").timing, quoted().timing);
    for (row, expected) in [
        (Row::NoContext, (4.0, 12.0)),
        (Row::LongPrompt, (5.0, 13.0)),
        (Row::Retrieval, (5.0, 13.0)),
        // The quotation is seen first.
        (Row::RetrievalAdapter, (3.0, 15.0)),
    ] {
        assert_eq!(seconds(row, &written, &quoted), expected, "{row:?}");
    }
    let nothing = Timing::default();
    assert_eq!(seconds(Row::Quotation, &nothing, &quoted), (3.0, 3.0));
}

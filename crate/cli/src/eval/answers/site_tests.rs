//! Checks indexes of the parts of a small site, and verdicts on quotations, against known ones.

use anchorite::index::SearchOptions;
use anchorite::index::document::Section;

use super::*;
use crate::eval::answers::case::Outcome;

fn document(url: &str, sections: &[(Option<&str>, &str)]) -> Document {
    Document {
        source: url.to_owned(),
        url: url.to_owned(),
        title: url.to_owned(),
        sections: sections
            .iter()
            .map(|(anchor, text)| Section {
                anchor: anchor.map(str::to_owned),
                headings: Vec::new(),
                text: (*text).to_owned(),
            })
            .collect(),
        filters: Default::default(),
        meta: Default::default(),
        sort: Default::default(),
        weight: 1.0,
        language: None,
    }
}

fn site() -> Site {
    let documents = vec![
        document(
            "cache",
            &[
                (None, "The cache keeps pages."),
                (
                    Some("size"),
                    "The cache holds 50 MB.\n\nIt is cleaned\nat night.",
                ),
            ],
        ),
        document("ports", &[(Some("default"), "The port is 8080.")]),
    ];
    Site::from_documents("test", documents, None).expect("without an embedder nothing fails")
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn urls(index: Option<Index>) -> Vec<String> {
    let Some(index) = index else {
        return Vec::new();
    };
    let n_chunks = u32::try_from(index.n_chunks()).unwrap_or_default();
    (0..n_chunks).map(|idx| index.url(ChunkIdx(idx))).collect()
}

#[test]
fn a_scope_leaves_out_a_section_or_a_page() {
    let cases = [
        (Scope::Whole, &["cache", "cache#size", "ports#default"][..]),
        (
            Scope::Without(owned(&["cache#size"])),
            &["cache", "ports#default"],
        ),
        (Scope::Without(owned(&["cache"])), &["ports#default"]),
        (Scope::Without(owned(&["cache", "ports"])), &[]),
        (Scope::Only(owned(&["ports#default"])), &["ports#default"]),
        (Scope::Only(owned(&["nowhere"])), &[]),
    ];
    let site = site();
    for (scope, expected) in cases {
        let index = site.index(&scope).expect("few chunks");
        assert_eq!(urls(index), expected, "for {scope:?}");
    }
}

#[test]
fn what_is_left_out_is_not_found() {
    let site = site();
    let found = |scope: &Scope| {
        let index = site.index(scope).expect("few chunks");
        let index = index.expect("some are left");
        let hits = index.search("port 8080", None, &SearchOptions::default());
        hits.first().map(|hit| index.url(hit.chunk))
    };
    assert_eq!(
        found(&Scope::Whole).as_deref(),
        Some("ports#default"),
        "with everything"
    );
    assert_eq!(
        found(&Scope::Without(owned(&["ports#default"]))),
        None,
        "without the only section that has the words"
    );
}

#[test]
fn the_site_of_an_index_is_the_same_again() {
    let index = site().index(&Scope::Whole).expect("few chunks");
    let index = index.expect("three chunks");
    let again = Site::from_index("again", &index, None).expect("no embedder");
    assert_eq!(again.texts, site().texts, "texts by address");
    let without = Scope::Without(owned(&["cache"]));
    let urls = urls(again.index(&without).expect("few chunks"));
    assert_eq!(urls, ["ports#default"], "after {without:?}");
}

fn judged(answers: &[&str], expected: &[&str], response: Response, right: Right) -> Judged {
    let case = Case {
        answers: owned(answers),
        expected: owned(expected),
        is_answerable: true,
        ..Case::default()
    };
    site().judge(&case, response, right)
}

fn quoted(quotation: &[&str], span: &str, url: &str) -> Response {
    Response {
        outcome: Outcome::Answered,
        probability: 0.9,
        quotation: owned(quotation),
        span: span.to_owned(),
        url: url.to_owned(),
        evidence: None,
    }
}

#[test]
fn right_is_what_was_asked_to_be() {
    let response = quoted(&["The cache holds 50 MB."], "50", "cache#size");
    let cases: [(&[&str], &[&str], Right, bool); 6] = [
        (&["50 MB"], &[], Right::Quotation, true),
        (&["50 MB"], &[], Right::Span, false),
        (&["50 MB", "50"], &[], Right::Span, true),
        (&["60 MB"], &["cache#size"], Right::Quotation, false),
        (&[], &["cache"], Right::Span, true),
        (&[], &["ports"], Right::Quotation, false),
    ];
    for (answers, expected, right, is_right) in cases {
        let judged = judged(answers, expected, response.clone(), right);
        assert_eq!(
            judged.is_right, is_right,
            "{answers:?}, {expected:?}, {right:?}"
        );
    }
    let impossible = site().judge(&Case::default(), response, Right::Quotation);
    assert!(!impossible.is_right, "nothing answers that question");
    let silent = judged(&[], &["cache"], quoted(&[], "", "cache"), Right::Quotation);
    assert!(!silent.is_right, "an empty quotation answers nothing");
}

#[test]
fn quotations_are_held_against_their_section() {
    let cases = [
        (
            &["The cache holds 50 MB. It is cleaned at night."][..],
            "cache#size",
            true,
            true,
        ),
        (&["The cache", "at night."], "cache#size", true, true),
        (&["at night.", "The cache"], "cache#size", false, true),
        (&["The cache holds 60 MB."], "cache#size", false, true),
        (&["The port is 8080."], "cache#size", false, true),
        (&["The port is 8080."], "ports", false, false),
    ];
    for (quotation, url, is_verbatim, resolves) in cases {
        let judged = judged(&[], &[], quoted(quotation, "", url), Right::Quotation);
        assert_eq!(
            (judged.is_verbatim, judged.resolves),
            (is_verbatim, resolves),
            "{quotation:?} at {url}"
        );
    }
    let spans = [("50 MB.\nIt", true), ("50  MB", true), ("60 MB", false)];
    for (span, is_inside) in spans {
        let response = quoted(&["holds 50 MB.", "It is cleaned"], span, "cache#size");
        let judged = judged(&[], &[], response, Right::Quotation);
        assert_eq!(judged.span_inside, is_inside, "for {span:?}");
    }
}

#[test]
fn code_is_quoted_without_its_fences() {
    let text = single_spaced("Remove it:\n\n```sh\ncargo  clean\n```\n\nDone.");
    assert!(
        stand_in(&text, &["Remove it:\ncargo clean".to_owned()]),
        "{text}"
    );
    assert!(
        !stand_in(&text, &["Remove it: cargo wipe".to_owned()]),
        "{text}"
    );
}

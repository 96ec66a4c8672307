//! Checks that markup in the texts of a table does not reach the page.

use super::super::rows::Row;
use super::super::tests::{claim, table, verdict};
use super::*;

#[test]
fn no_text_becomes_markup_and_nothing_is_fetched() {
    let evil = "<script>alert(1)</script> & \"><img src=x>\nsecond \u{1b}line";
    let mut one = claim(Row::Retrieval, "a", true, &[false], [1, 1]);
    one.judged.question = evil.to_owned();
    one.judged.quotation = evil.to_owned();
    one.judged.answers = vec![evil.to_owned()];
    one.judged.expected = vec![evil.to_owned()];
    one.sentences[0].text = evil.to_owned();
    one.cited = vec![evil.to_owned(), String::new()];
    let mut quoted = verdict(Row::Quotation, "a");
    quoted.is_quotation = true;
    quoted.judged.quotation = evil.to_owned();
    let verdicts = [vec![one], vec![quoted]];
    let page = page(&table(evil, &verdicts), &verdicts);
    for forbidden in [
        "<script",
        "<img",
        "http-equiv",
        "<link",
        "url(",
        "\u{1b}",
        "NaN",
        ">inf<",
    ] {
        let n_found = page.matches(forbidden).count();
        // `xmlns` is a name, not an address that a browser opens.
        assert_eq!(n_found, 0, "`{forbidden}` in:\n{page}");
    }
    assert!(!page.contains("src=\""), "nothing is fetched:\n{page}");
    assert_eq!(page.matches("<details>").count(), 1, "a question:\n{page}");
    assert_eq!(page.matches("<svg").count(), 4, "the plots:\n{page}");
    assert!(page.contains("&lt;script&gt;alert(1)"), "escaped:\n{page}");
    assert!(page.contains("\nsecond line"), "lines are kept:\n{page}");
    assert!(
        page.contains("no such passage"),
        "a citation of none:\n{page}"
    );
    assert!(page.contains("prefers-color-scheme:dark"), "{page}");
    for tag in [
        "table", "tr", "td", "th", "details", "svg", "figure", "dl", "div", "q",
    ] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(
            opened,
            page.matches(&format!("</{tag}>")).count(),
            "`{tag}` in:\n{page}"
        );
    }
}

#[test]
fn a_bar_below_nothing_ends_at_the_axis() {
    let verdicts = [
        vec![claim(Row::NoContext, "a", false, &[], [0, 0])],
        vec![claim(Row::Retrieval, "a", true, &[], [0, 0])],
    ];
    let table = table("two", &verdicts);
    assert_eq!(ends(&table, "score"), [-1.0, 1.0]);
    let mut html = String::new();
    bars(&mut html, &table, "score");
    let zero = 240.0 + (620.0 - 240.0 - 70.0) / 2.0;
    assert!(
        html.contains(&format!("d=\"M{zero:.1} 2V")),
        "the axis:\n{html}"
    );
    assert!(
        html.contains("x=\"240.0\" y=\"8.0\" width=\"155.0\"")
            && html.contains(&format!("x=\"{zero:.1}\" y=\"34.0\" width=\"155.0\"")),
        "one to each side:\n{html}"
    );
    let mut none = String::new();
    bars(&mut none, &table, "supported");
    assert_eq!(none, "", "no sentence was written");
}

//! Makes small tables from hand-made verdicts, for the neighbouring tests.

use super::super::case::{Judged, Outcome, Right};
use super::super::tests::judged;
use super::rows::{Bytes, Row};
use super::verdict::{Place, REFUSALS, Said, Verdict};
use super::weights::Named;
use super::{Places, RowReport, Table, measures};

/// A refusal of an answerable question whose passage was found first; a test changes the fields that it needs.
pub(super) fn verdict(row: Row, page: &str) -> Verdict {
    Verdict {
        row,
        judged: Judged {
            page: page.to_owned(),
            answers: vec!["x".to_owned()],
            is_answerable: true,
            expected: vec![format!("{page}#a")],
            ..judged()
        },
        place: Some(Place::First),
        is_quotation: false,
        written: String::new(),
        sentences: Vec::new(),
        cited: Vec::new(),
        cited_right: 0,
        prompt_tokens: 0,
        written_tokens: 0,
        window: None,
        first_seconds: 1.0,
        seconds: 2.0,
    }
}

/// A claim of `text`, whose sentences are supported or not, with `cited[0]` citations of which `cited[1]` are right.
pub(super) fn claim(
    row: Row,
    page: &str,
    is_right: bool,
    said: &[bool],
    cited: [usize; 2],
) -> Verdict {
    let base = verdict(row, page);
    let said = said.iter().map(|&is_supported| Said {
        text: "It is x.".to_owned(),
        is_supported,
    });
    Verdict {
        judged: Judged {
            outcome: Outcome::Answered,
            is_right,
            holds_answer: is_right,
            exact: 0.0,
            f1: if is_right { 0.5 } else { 0.0 },
            quotation: "It is x.".to_owned(),
            ..base.judged
        },
        sentences: said.collect(),
        cited: vec!["p".to_owned(); cited[0]],
        cited_right: cited[1],
        prompt_tokens: 100,
        written_tokens: 10,
        ..base
    }
}

/// A table of these verdicts, one row each.
pub(super) fn table(data: &str, verdicts: &[Vec<Verdict>]) -> Table {
    let bytes = Bytes {
        generator: 1_000,
        ..Bytes::default()
    };
    let rows = verdicts.iter().map(|judged| {
        let row = judged[0].row;
        RowReport {
            row,
            name: row.name(),
            says: row.says(),
            bytes: bytes.of(row),
            training_seconds: None,
            difference: None,
            figures: measures::figures(judged, 0),
        }
    });
    Table {
        data: data.to_owned(),
        right: Right::Quotation,
        questions: verdicts[0].len(),
        answerable: 1,
        pages: 1,
        seed: 0,
        places: Places::default(),
        generator: Named {
            name: "<generator>".to_owned(),
            bytes: 1_000,
        },
        adapter: None,
        bare_adapter: None,
        backend: None,
        refusals: REFUSALS,
        rows: rows.collect(),
    }
}

#[test]
fn lines_stand_below_their_row_and_leave_out_what_applies_to_none() {
    let judged = vec![
        vec![claim(Row::NoContext, "a", true, &[true], [0, 0])],
        vec![verdict(Row::Quotation, "a")],
    ];
    let table = table("two", &judged);
    let text = super::lines::text(&table);
    let line = |start: &str| {
        let mut lines = text.lines();
        let found = lines.find(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("no line `{start}` in:\n{text}"))
    };
    assert!(text.contains("2 quotation: the reader decides"), "{text}");
    let cells: Vec<&str> = line("score:").split_whitespace().rev().take(2).collect();
    assert_eq!(cells, ["0.00", "1.00"], "one right, one abstained:\n{text}");
    let cells: Vec<&str> = line("tokens of a prompt")
        .split_whitespace()
        .rev()
        .take(2)
        .collect();
    assert_eq!(
        cells,
        ["-", "100"],
        "nothing was written in the second:\n{text}"
    );
    assert!(
        !text.contains("unanswerable: abstained"),
        "no question is unanswerable:\n{text}"
    );
    assert!(
        !line("score:").contains('['),
        "one page has no interval:\n{text}"
    );
}

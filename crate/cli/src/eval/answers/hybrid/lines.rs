//! Renders the table as lines for people.

use std::fmt::Write;

use super::super::case::Right;
use super::super::figures::Figure;
use super::Table;
use super::measures::{DIFFERENCE, Kind, MEASURES};

/// Width of a cell: a value and its interval.
const WIDTH: usize = 20;

/// The whole table, with a column for each of its rows, because there are more figures than ways to answer.
pub(super) fn text(table: &Table) -> String {
    let mut lines = head(table);
    let mut row = |label: &str, cells: Vec<String>| {
        let mut line = format!("{label:<42}");
        for cell in cells {
            let _ = write!(line, "  {cell:<WIDTH$}");
        }
        lines.push(line.trim_end().to_owned());
    };
    let rows = &table.rows;
    row(
        "",
        (1..=rows.len()).map(|number| number.to_string()).collect(),
    );
    if rows.iter().any(|one| one.difference.is_some()) {
        let differences = rows
            .iter()
            .map(|one| cell(one.difference.as_ref(), Kind::Share));
        row(DIFFERENCE, differences.collect());
    }
    for measure in &MEASURES {
        let found: Vec<_> = rows
            .iter()
            .map(|one| one.figures.get(measure.key))
            .collect();
        if found.iter().any(Option::is_some) {
            let cells = found.into_iter().map(|one| cell(one, measure.kind));
            row(measure.label, cells.collect());
        }
    }
    let told = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
    row(
        "bytes of weights",
        rows.iter().map(|one| told(Some(one.bytes))).collect(),
    );
    if rows.iter().any(|one| one.training_seconds.is_some()) {
        let seconds = rows.iter().map(|one| told(one.training_seconds));
        row("seconds of training", seconds.collect());
    }
    lines.join("\n") + "\n"
}

/// The questions and models of the table, in sentences that the HTML page shows too.
pub(super) fn about(table: &Table) -> Vec<String> {
    let adapters = [
        ("adapter", &table.adapter),
        ("adapter without context", &table.bare_adapter),
    ];
    let adapters = adapters
        .into_iter()
        .filter_map(|(what, adapter)| Some(format!(", {what} {}", adapter.as_ref()?.name)));
    let device = table.backend.as_ref();
    let device = device.map_or(String::new(), |on| {
        format!(", on {} ({})", on.kind, on.device)
    });
    vec![
        format!(
            "{}: {} questions of {} pages, {} answerable; generator {}{}{device}",
            table.data,
            table.questions,
            table.pages,
            table.answerable,
            table.generator.name,
            adapters.collect::<String>(),
        ),
        format!(
            "the passage that answers is found first for {}, among those that are read for {}, not at all for {}",
            table.places.first, table.places.among, table.places.missing
        ),
        match table.right {
            Right::Quotation => "right: what is shown holds an answer, or, where none is known, cites an expected address",
            Right::Span => "right: what is shown, of a quotation what is marked, is an answer, or, where none is known, cites an expected address",
        }
        .to_owned(),
        "exact match and F1: of the whole text without its citations, of a quotation what is marked".to_owned(),
        format!("in brackets: 95 % by pages, seed {}", table.seed),
    ]
}

fn head(table: &Table) -> Vec<String> {
    let mut lines = about(table);
    lines.push(String::new());
    for (number, row) in (1..).zip(&table.rows) {
        lines.push(format!("{number} {}: {}", row.name, row.says));
    }
    lines.push(String::new());
    lines
}

/// A figure and its interval.
pub(super) fn cell(figure: Option<&Figure>, kind: Kind) -> String {
    let Some(figure) = figure else {
        return "-".to_owned();
    };
    match figure.interval {
        Some([low, high]) => format!(
            "{} [{}, {}]",
            number(figure.value, kind),
            number(low, kind),
            number(high, kind)
        ),
        None => number(figure.value, kind),
    }
}

pub(super) fn number(value: f64, kind: Kind) -> String {
    match kind {
        Kind::Count => format!("{value:.0}"),
        Kind::Share | Kind::Seconds => format!("{value:.2}"),
    }
}

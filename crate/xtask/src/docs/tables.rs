//! Renders committed results of measurements as the tables of the guide, and finds tables that were edited by hand.
//!
//! A table follows a comment `<!-- table NAME -->` and an empty line, and ends at the next empty line. Its figures come
//! from `tests/bench/results`, in the form that the measuring command prints with `--json`.

use std::fs;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::run;

/// A table of the guide.
struct Table {
    name: &'static str,
    page: &'static str,
    /// A file in `tests/bench/results`.
    results: &'static str,
    /// JSON pointer to the list of rows in that file.
    rows: &'static str,
    columns: &'static [Column],
}

struct Column {
    head: &'static str,
    /// JSON pointer to the figure in a row.
    place: &'static str,
    form: Form,
}

/// How a figure is written; a missing one leaves its cell empty.
#[derive(Clone, Copy)]
enum Form {
    Text,
    /// The row of `anchorite eval answers --table`, in words.
    Way,
    /// Two digits after the point.
    Number,
    /// In percent, with one digit after the point.
    Percent,
    Megabytes,
}

const WAYS: [(&str, &str); 8] = [
    ("no-context", "question alone"),
    ("long-prompt", "whole pages"),
    ("adapter-alone", "adapter, question alone"),
    ("retrieval", "retrieval"),
    (
        "retrieval-bare-adapter",
        "retrieval and an adapter trained without passages",
    ),
    (
        "retrieval-adapter",
        "retrieval and adapter, as a page runs it",
    ),
    (
        "retrieval-adapter-passages",
        "retrieval and adapter, whole passages, the model decides",
    ),
    ("quotation", "quotation alone"),
];

const fn column(head: &'static str, place: &'static str, form: Form) -> Column {
    Column { head, place, form }
}

const TABLES: [Table; 3] = [
    Table {
        name: "hybrid-articles",
        page: "docs/hybrid.md",
        results: "hybrid-articles.json",
        rows: "/rows",
        columns: &[
            column("way", "/row", Form::Way),
            column("score", "/figures/score/value", Form::Number),
            column(
                "right, of the answerable",
                "/figures/right/value",
                Form::Number,
            ),
            column(
                "abstained, of the others",
                "/figures/abstention_recall/value",
                Form::Number,
            ),
            column(
                "shows an unsupported sentence",
                "/figures/unsupported_shown/value",
                Form::Number,
            ),
            column(
                "first word, s",
                "/figures/first_seconds/value",
                Form::Number,
            ),
            column("in all, s", "/figures/seconds/value", Form::Number),
            column("download, MB", "/bytes", Form::Megabytes),
        ],
    },
    Table {
        name: "hybrid-documentation",
        page: "docs/hybrid.md",
        results: "hybrid-documentation.json",
        rows: "/rows",
        columns: &[
            column("way", "/row", Form::Way),
            column("score", "/figures/score/value", Form::Number),
            column("right", "/figures/right/value", Form::Number),
            column(
                "F1 of what is shown",
                "/figures/shown_f1/value",
                Form::Number,
            ),
            column(
                "shows an unsupported sentence",
                "/figures/unsupported_shown/value",
                Form::Number,
            ),
            column(
                "cites the right section",
                "/figures/citation_precision/value",
                Form::Number,
            ),
            column("in all, s", "/figures/seconds/value", Form::Number),
        ],
    },
    Table {
        name: "voices",
        page: "docs/models-and-adapters.md",
        results: "voices.json",
        rows: "",
        columns: &[
            column("voice", "/label", Form::Text),
            column("equal citations", "/equal_citations", Form::Percent),
            column("equal facts", "/equal_facts", Form::Percent),
            column("text shown", "/shown", Form::Percent),
            column("before", "/base_shown", Form::Percent),
            column("F1 with the evidence", "/f1", Form::Number),
            column("before", "/base_f1", Form::Number),
            column("has its manner", "/style", Form::Percent),
            column(
                "the base, told to have it",
                "/prompted_style",
                Form::Percent,
            ),
        ],
    },
];

/// Compares all tables with the committed results, or rewrites them.
pub(super) fn check(is_writing: bool) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for table in &TABLES {
        let path = run::root().join("tests/bench/results").join(table.results);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("could not read `{}`", path.display()))?;
        let results: Value = serde_json::from_str(&text)
            .with_context(|| format!("could not read `{}`", path.display()))?;
        let rendered = table.render(&results)?;
        let page = run::root().join(table.page);
        let before = fs::read_to_string(&page)
            .with_context(|| format!("could not read `{}`", page.display()))?;
        let after = replaced(&before, table.name, &rendered)?;
        if before == after {
            continue;
        }
        if is_writing {
            fs::write(&page, after)
                .with_context(|| format!("could not write `{}`", page.display()))?;
        } else {
            wrong.push(format!(
                "{}: table `{}` differs from tests/bench/results/{}: run `cargo xtask docs --write`",
                table.page, table.name, table.results
            ));
        }
    }
    Ok(wrong)
}

impl Table {
    fn render(&self, results: &Value) -> anyhow::Result<String> {
        let rows = results.pointer(self.rows).and_then(Value::as_array);
        let rows =
            rows.with_context(|| format!("`{}` has no list at `{}`", self.results, self.rows))?;
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let heads = self
            .columns
            .iter()
            .map(|column| column.head.to_owned())
            .collect();
        let marks = self
            .columns
            .iter()
            .enumerate()
            .map(|(idx, _)| if idx == 0 { "---" } else { "---:" }.to_owned());
        let mut text = line(heads) + &line(marks.collect());
        for row in rows {
            let cells = self
                .columns
                .iter()
                .map(|column| column.form.write(row.pointer(column.place)));
            text.push_str(&line(cells.collect()));
        }
        Ok(text)
    }
}

impl Form {
    fn write(self, value: Option<&Value>) -> String {
        let number = value.and_then(Value::as_f64);
        match (self, number) {
            (Self::Text, _) => value.and_then(Value::as_str).unwrap_or_default().to_owned(),
            (Self::Way, _) => {
                let row = value.and_then(Value::as_str).unwrap_or_default();
                let way = WAYS.iter().find(|(name, _)| *name == row);
                way.map_or(row, |(_, way)| way).to_owned()
            }
            (_, None) => String::new(),
            (Self::Number, Some(number)) => format!("{:.2}", number + 0.0),
            (Self::Percent, Some(number)) => format!("{:.1} %", number * 100.0),
            (Self::Megabytes, Some(number)) => format!("{:.0}", number / 1e6),
        }
    }
}

/// A page with one of its tables replaced.
fn replaced(page: &str, name: &str, table: &str) -> anyhow::Result<String> {
    let mark = format!("<!-- table {name} -->\n");
    let Some((before, rest)) = page.split_once(&mark) else {
        bail!("no page has the mark `{}`", mark.trim_end());
    };
    let table_before = rest.strip_prefix('\n').unwrap_or(rest);
    let end = table_before
        .find("\n\n")
        .map_or(table_before.len(), |end| end + 1);
    let behind = &table_before[end..];
    Ok(format!("{before}{mark}\n{table}{behind}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TABLE: Table = Table {
        name: "test",
        page: "",
        results: "",
        rows: "/rows",
        columns: &[
            column("way", "/row", Form::Way),
            column("score", "/score", Form::Number),
            column("share", "/share", Form::Percent),
            column("download, MB", "/bytes", Form::Megabytes),
        ],
    };

    #[test]
    fn a_table_is_written_from_its_results() {
        let results = json!({"rows": [
            {"row": "quotation", "score": 0.125, "share": 0.5, "bytes": 24_400_000},
            {"row": "other", "score": -0.001},
        ]});
        let expected = "| way | score | share | download, MB |\n| --- | ---: | ---: | ---: |\n\
                        | quotation alone | 0.12 | 50.0 % | 24 |\n| other | -0.00 |  |  |\n";
        assert_eq!(TABLE.render(&results).unwrap(), expected);
        assert!(TABLE.render(&json!({})).is_err());
    }

    #[test]
    fn a_figure_changed_by_hand_is_found_and_mended() {
        let page = "Before.\n\n<!-- table test -->\n\n| way |\n| --- |\n| old |\n\nAfter.\n";
        let mended = replaced(page, "test", "| way |\n| --- |\n| new |\n").unwrap();
        assert_eq!(mended, page.replace("old", "new"));
        assert_eq!(
            replaced(&mended, "test", "| way |\n| --- |\n| new |\n").unwrap(),
            mended
        );
        assert!(replaced(page, "other", "").is_err());
    }

    #[test]
    fn the_committed_tables_are_those_of_the_results() {
        assert_eq!(check(false).unwrap(), Vec::<String>::new());
    }
}

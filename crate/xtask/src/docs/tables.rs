//! Renders committed results of measurements as the tables of the guide, and finds tables that were edited by hand.
//!
//! A table follows a comment `<!-- table NAME -->` and an empty line, and ends at the next empty line. Its figures come
//! from `tests/bench/results`, in the form that the measuring command prints with `--json`. The lines of `cargo xtask
//! bench` are put together first: one row for each engine, with its medians by metric. `cpu-without-vnni.jsonl` and
//! `with-vnni.json` have only the medians that were published when they were measured, rounded as they were then.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::bench::samples::Row;
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
    /// All digits of a whole number, in groups of three.
    Count,
    /// One digit after the point up to 20, and none above.
    Rounded,
    /// Milliseconds as seconds: two digits after the point below one second, one below ten, and none above.
    Seconds,
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

/// Builds of ours, by their names in results and in tables; those of peers are left out.
const KERNELS: [(&str, &str); 2] = [("relaxed-simd", "relaxed SIMD"), ("simd128", "SIMD128")];

const fn column(head: &'static str, place: &'static str, form: Form) -> Column {
    Column { head, place, form }
}

const TABLES: [Table; 11] = [
    Table {
        name: "readme-corpora",
        page: "README.md",
        results: "with-vnni.json",
        rows: "/corpora",
        columns: &[
            column("what", "/what", Form::Text),
            column("guide (19 pages)", "/guide", Form::Text),
            column("Rust book (111 pages)", "/book", Form::Text),
            column("command", "/command", Form::Text),
        ],
    },
    Table {
        name: "readme-processor",
        page: "README.md",
        results: "with-vnni.json",
        rows: "/processor",
        columns: &[
            column(
                "one thread in Chromium, the same machine (`cargo xtask bench cpu`)",
                "/what",
                Form::Text,
            ),
            column("anchorite", "/anchorite", Form::Text),
            column("transformers.js, int8", "/transformers_js", Form::Text),
            column("wllama", "/wllama", Form::Text),
        ],
    },
    Table {
        name: "readme-others",
        page: "README.md",
        results: "with-vnni.json",
        rows: "/others",
        columns: &[
            column("on the same two cores", "/what", Form::Text),
            column("anchorite", "/anchorite", Form::Text),
            column("compared with", "/compared", Form::Text),
            column("command", "/command", Form::Text),
        ],
    },
    Table {
        name: "size",
        page: "README.md",
        results: "size.json",
        rows: "/downloads",
        columns: &[
            column("download (`cargo xtask size`)", "/what", Form::Text),
            column("bytes", "/bytes", Form::Count),
            column("limit", "/limit", Form::Count),
        ],
    },
    Table {
        name: "cpu-lm",
        page: "docs/benchmarks.md",
        results: "cpu-without-vnni.jsonl",
        rows: "/lm",
        columns: &[
            column("language model, tokens/s", "/name", Form::Text),
            column("prompt of 128", "/prefill128", Form::Rounded),
            column("prompt of 512", "/prefill512", Form::Rounded),
            column("decoding", "/decode64", Form::Rounded),
        ],
    },
    Table {
        name: "cpu-grounded-short",
        page: "README.md",
        results: "cpu-without-vnni.jsonl",
        rows: "/grounded",
        columns: &[
            column(
                "SmolLM2-135M-Instruct, one thread in Chromium",
                "/name",
                Form::Text,
            ),
            column(
                "first word after 150 tokens, s",
                "/grounded150",
                Form::Seconds,
            ),
            column("decoding, tokens/s", "/decode64", Form::Rounded),
        ],
    },
    Table {
        name: "cpu-embed",
        page: "docs/benchmarks.md",
        results: "cpu-without-vnni.jsonl",
        rows: "/embed",
        columns: &[
            column("all-MiniLM-L6-v2, ms", "/name", Form::Text),
            column("a query of 10 words", "/query", Form::Rounded),
            column("16 passages of 90 words", "/passages16", Form::Rounded),
        ],
    },
    Table {
        name: "cpu-grounded",
        page: "docs/benchmarks.md",
        results: "cpu-without-vnni.jsonl",
        rows: "/grounded",
        columns: &[
            column("SmolLM2-135M-Instruct", "/name", Form::Text),
            column(
                "first word after 150 tokens, s",
                "/grounded150",
                Form::Seconds,
            ),
            column("after 900, s", "/grounded900", Form::Seconds),
            column("decoding, tokens/s", "/decode64", Form::Rounded),
            column("peak memory, MB", "/peak_memory", Form::Megabytes),
        ],
    },
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
        let results = match table.results.ends_with(".jsonl") {
            true => pivoted(&text),
            false => serde_json::from_str(&text).map_err(anyhow::Error::from),
        };
        let results = results.with_context(|| format!("could not read `{}`", path.display()))?;
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
            // A number that rounds to zero has no sign.
            (Self::Number, Some(number)) if number.abs() < 0.005 => "0.00".to_owned(),
            (Self::Number, Some(number)) => format!("{number:.2}"),
            (Self::Percent, Some(number)) => format!("{:.1} %", number * 100.0),
            (Self::Megabytes, Some(number)) => format!("{:.0}", number / 1e6),
            (Self::Count, Some(number)) => grouped(number),
            (Self::Rounded, Some(number)) if number < 19.95 => format!("{number:.1}"),
            (Self::Rounded, Some(number)) => grouped(number.round()),
            (Self::Seconds, Some(number)) if number < 995.0 => format!("{:.2}", number / 1e3),
            (Self::Seconds, Some(number)) if number < 9_950.0 => format!("{:.1}", number / 1e3),
            (Self::Seconds, Some(number)) => format!("{:.0}", number / 1e3),
        }
    }
}

/// A whole number with a comma before every three digits.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The lines of a benchmark as one list for each of its groups: a row for each engine, with its medians by metric.
fn pivoted(lines: &str) -> anyhow::Result<Value> {
    let mut groups: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line)?;
        if line.get("summary").is_some() {
            continue;
        }
        let sample: Row = serde_json::from_value(line)?;
        let Some(median) = sample.median else {
            continue;
        };
        let kernel = KERNELS
            .iter()
            .find(|(name, _)| sample.kernel.as_deref() == Some(name));
        let engine = match sample.engine.as_str() {
            "transformers" => "transformers.js",
            other => other,
        };
        let name = [
            Some(engine),
            kernel.map(|(_, written)| *written),
            Some(&sample.r#type),
        ];
        let name = name.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let rows = groups.entry(sample.group).or_default();
        let known = rows.iter().position(|row| row["name"] == name.as_str());
        let at = known.unwrap_or(rows.len());
        if known.is_none() {
            rows.push(serde_json::json!({ "name": name }));
        }
        rows[at][sample.metric] = median.into();
    }
    Ok(serde_json::to_value(groups)?)
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
                        | quotation alone | 0.12 | 50.0 % | 24 |\n| other | 0.00 |  |  |\n";
        assert_eq!(TABLE.render(&results).unwrap(), expected);
        assert!(TABLE.render(&json!({})).is_err());
    }

    #[test]
    fn lines_of_a_benchmark_become_a_row_for_each_engine() {
        let line = |engine: &str, kernel: Value, metric: &str, median: Value| {
            json!({ "group": "lm", "engine": engine, "kernel": kernel, "model": "a", "type": "Q8_0", "metric": metric, "median": median })
                .to_string()
        };
        let lines = [
            line("anchorite", json!("relaxed-simd"), "decode", json!(100.5)),
            line("wllama", Value::Null, "decode", json!(10)),
            line("anchorite", json!("relaxed-simd"), "load", json!(650)),
            line("other", Value::Null, "decode", Value::Null),
            json!({ "summary": [] }).to_string(),
        ];
        let expected = json!({ "lm": [
            { "name": "anchorite, relaxed SIMD, Q8_0", "decode": 100.5, "load": 650.0 },
            { "name": "wllama, Q8_0", "decode": 10.0 },
        ]});
        assert_eq!(pivoted(&lines.join("\n")).unwrap(), expected);
        assert!(pivoted("no JSON").is_err());
    }

    #[test]
    fn figures_are_written_with_as_many_digits_as_they_deserve() {
        for (form, number, expected) in [
            (Form::Count, 1_234_567.0, "1,234,567"),
            (Form::Count, 123.0, "123"),
            (Form::Rounded, 9.84, "9.8"),
            (Form::Rounded, 10.7, "10.7"),
            (Form::Rounded, 19.96, "20"),
            (Form::Rounded, 13_668.2, "13,668"),
            (Form::Seconds, 463.0, "0.46"),
            (Form::Seconds, 7_012.0, "7.0"),
            (Form::Seconds, 50_000.0, "50"),
            (Form::Number, -0.001, "0.00"),
        ] {
            assert_eq!(form.write(Some(&json!(number))), expected, "{number}");
        }
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

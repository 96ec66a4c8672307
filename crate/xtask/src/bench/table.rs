//! Turns rows and verdicts into a table for people: a line for each engine and model, a line for each ratio.

use std::fmt::Write;

use super::samples::Row;
use super::verdicts::{Bar, Verdict};

/// The columns, in reading order; an empty column is left out.
const METRICS: [&str; 44] = [
    "dispatches",
    "dispatches_per_layer",
    "submits",
    "tokens_per_submit",
    "bind_groups",
    "written",
    "products1",
    "products8",
    "products128",
    "weights1",
    "prefill128",
    "prefill512",
    "grounded150",
    "grounded900",
    "decode",
    "decode_2000",
    "decode_4000",
    "decode64",
    "decode64_without",
    "decode64_with",
    "swap",
    "query",
    "passages16",
    "passages200",
    "read_0",
    "read_2000",
    "read_4000",
    "load",
    "fetch",
    "weights",
    "code_brotli",
    "peak_memory",
    "hit10",
    "recall10",
    "query_p95",
    "index_bytes",
    "first_query",
    "first_bytes",
    "first_requests",
    "query_bytes",
    "later_query",
    "later_bytes",
    "later_requests",
    "build",
];

/// The whole table, with its line breaks.
pub(super) fn table(rows: &[Row], verdicts: &[Verdict]) -> String {
    let mut text = String::new();
    let key = |row: &Row| (row.group.clone(), row.model.clone());
    let mut groups = Vec::new();
    for row in rows {
        if !groups.contains(&key(row)) {
            groups.push(key(row));
        }
    }
    for group in groups {
        let of_group: Vec<&Row> = rows.iter().filter(|row| key(row) == group).collect();
        push_group(&mut text, &of_group);
    }
    let width = verdicts.iter().map(|verdict| verdict.name.len()).max();
    for verdict in verdicts {
        push_verdict(&mut text, verdict, width.unwrap_or(0));
    }
    text
}

fn push_group(text: &mut String, rows: &[&Row]) {
    let mut firsts: Vec<&Row> = Vec::new();
    for row in rows {
        if !firsts.iter().any(|first| first.is_beside(row)) {
            firsts.push(row);
        }
    }
    let columns: Vec<(&str, &str)> = METRICS
        .iter()
        .filter_map(|metric| {
            let row = rows.iter().find(|row| row.metric == *metric)?;
            Some((*metric, row.unit.as_str()))
        })
        .collect();
    let mut lines = vec![
        std::iter::once(format!("{}, {}", rows[0].group, rows[0].model))
            .chain(columns.iter().map(|(metric, unit)| {
                let unit = if *unit == "bytes" { "MB" } else { unit };
                format!("{metric} {unit}")
            }))
            .chain(std::iter::once("other cores".to_owned()))
            .collect::<Vec<_>>(),
    ];
    for first in firsts {
        let own: Vec<&&Row> = rows.iter().filter(|row| first.is_beside(row)).collect();
        let name = [
            Some(first.engine.as_str()),
            first.kernel.as_deref(),
            Some(&first.r#type),
        ];
        let name: Vec<&str> = name.into_iter().flatten().collect();
        let mut line = vec![name.join(" ")];
        if let Some(reason) = own.iter().find_map(|row| row.reason.as_ref()) {
            line.push(format!("skipped: {reason}"));
        } else {
            for (metric, _) in &columns {
                let row = own.iter().find(|row| row.metric == *metric);
                line.push(row.map_or_else(|| "-".to_owned(), |row| value(row)));
            }
            let busy = own.iter().filter_map(|row| row.other_cores);
            line.push(format!("{:.2}", busy.fold(0.0, f64::max)));
        }
        lines.push(line);
    }
    push_aligned(text, &lines);
    text.push('\n');
}

fn value(row: &Row) -> String {
    let median = row.median.unwrap_or_default();
    match row.unit.as_str() {
        "bytes" if median < 1e6 => format!("{:.4}", median / 1e6),
        "bytes" => format!("{:.2}", median / 1e6),
        _ if median >= 100.0 => format!("{median:.0}"),
        _ => format!("{median:.2}"),
    }
}

/// Aligns the first column left and the others right. A line that only says why it is short doesn't widen them.
fn push_aligned(text: &mut String, lines: &[Vec<String>]) {
    let n_columns = lines[0].len();
    let width = |idx: usize| {
        let cells = lines.iter().filter(|line| line.len() == n_columns);
        cells.map(|line| line[idx].len()).max().unwrap_or(0)
    };
    let first = lines.iter().map(|line| line[0].len()).max().unwrap_or(0);
    for line in lines {
        let mut cells = vec![format!("{:<first$}", line[0])];
        for (idx, cell) in line.iter().enumerate().skip(1) {
            let width = width(idx);
            cells.push(format!("{cell:>width$}"));
        }
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
}

fn push_verdict(text: &mut String, verdict: &Verdict, width: usize) {
    let bar = match verdict.bar {
        Some(Bar::AtLeast(bar)) => format!("at least {bar}"),
        Some(Bar::AtMost(bar)) => format!("at most {bar}"),
        Some(Bar::Below(bar)) => format!("below {bar}"),
        None => "no bar".to_owned(),
    };
    let word = match verdict.holds {
        Some(true) => "holds",
        Some(false) => "MISSED",
        None => "",
    };
    let kernel = verdict.kernel.as_deref().unwrap_or_default();
    let line = format!(
        "{:<width$} {:>9.2} {:<7} {bar:<14} {word:<7} {kernel}",
        verdict.name, verdict.value, verdict.unit
    );
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}", line.trim_end());
}

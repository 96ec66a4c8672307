//! Renders the table, and every answer behind it, as one self-contained page for light and dark screens.

use std::fmt::Write;

use super::super::figures::Figure;
use super::super::plot::escaped;
use super::Table;
use super::lines::{about, cell, number};
use super::measures::{DIFFERENCE, FIRST_BY_PLACE, Kind, MEASURES, Measure};
use super::verdict::{Place, Verdict};

const STYLE: &str = "\
:root{color-scheme:light dark;--page:#fff;--ink:#222;--soft:#667;--line:#ddd;--bar:#0080c0;--right:#087a4b;--wrong:#b3400e}\
@media(prefers-color-scheme:dark){:root{--page:#111;--ink:#eee;--soft:#9aa;--line:#444;--bar:#3fa9e0;--right:#3fc48f;--wrong:#f08a50}}\
body{background:var(--page);color:var(--ink);font:15px/1.45 system-ui,sans-serif;margin:2rem auto;padding:0 1rem;max-width:90rem}\
.wide{overflow-x:auto}table{border-collapse:collapse}th,td{border-bottom:1px solid var(--line);padding:.35rem .6rem;\
text-align:left;vertical-align:top}td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
th:first-child{white-space:nowrap;position:sticky;left:0;background:var(--page)}small,.soft{color:var(--soft)}td small{display:block}.said{white-space:pre-wrap;overflow-wrap:anywhere;max-width:60rem}\
.right{color:var(--right)}.wrong{color:var(--wrong)}figure{display:inline-block;margin:1rem 1rem 0 0;max-width:100%}\
svg{max-width:100%;height:auto}svg text{fill:var(--ink);font-size:13px}.bar{fill:var(--bar)}.axis,.whisker{stroke:var(--ink)}\
details{border-bottom:1px solid var(--line);padding:.4rem 0}summary{cursor:pointer}";

/// Keys of the figures that are plotted as bars.
const PLOTTED: [&str; 4] = ["score", "f1", "supported", "seconds"];
/// The figure to plot instead if the F1 of all questions is not known.
const INSTEAD: (&str, &str) = ("f1", "has_answer_f1");

/// The page; `verdicts` are those of the table's rows, all on the same questions.
pub(super) fn page(table: &Table, verdicts: &[Vec<Verdict>]) -> String {
    let title = format!("Ways to answer: {}", table.data);
    let title = escaped(&title);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<h1>{title}</h1>\n"
    );
    for line in about(table) {
        let _ = writeln!(html, "<p class=\"soft\">{}</p>", escaped(&line));
    }
    let split = MEASURES.iter().position(|one| one.key == FIRST_BY_PLACE);
    let (whole, by_place) = MEASURES.split_at(split.unwrap_or(MEASURES.len()));
    html.push_str("<h2>The table</h2>\n");
    figures(&mut html, table, whole, true);
    html.push_str("<h2>By where the passage was found</h2>\n");
    figures(&mut html, table, by_place, false);
    html.push_str("<h2>Plots</h2>\n");
    for key in PLOTTED {
        bars(&mut html, table, key);
    }
    html.push_str("<h2>What each row is</h2>\n<dl>\n");
    for row in &table.rows {
        let _ = writeln!(
            html,
            "<dt>{}</dt><dd>{}</dd>",
            escaped(row.name),
            escaped(row.says)
        );
    }
    html.push_str("</dl>\n<h2>The answers</h2>\n");
    let n_questions = verdicts.first().map_or(0, Vec::len);
    for idx in 0..n_questions {
        let of_question = verdicts.iter().filter_map(|row| row.get(idx));
        answers(&mut html, &of_question.collect::<Vec<_>>());
    }
    html.push_str("</body>\n</html>\n");
    html
}

/// A table of figures; with `has_costs`, also bytes, training time and the difference of scores.
fn figures(html: &mut String, table: &Table, measures: &[Measure], has_costs: bool) {
    let rows = &table.rows;
    let is_told = |measure: &&Measure| rows.iter().any(|row| row.figures.contains_key(measure.key));
    let told: Vec<&Measure> = measures.iter().filter(is_told).collect();
    let has_difference = has_costs && rows.iter().any(|row| row.difference.is_some());
    html.push_str("<div class=\"wide\"><table>\n<tr><th></th>");
    let mut heads: Vec<&str> = told.iter().map(|one| one.label.trim()).collect();
    if has_difference {
        heads.push(DIFFERENCE);
    }
    if has_costs {
        heads.extend(["bytes of weights", "seconds of training"]);
    }
    for head in heads {
        let _ = write!(html, "<th>{}</th>", escaped(head));
    }
    html.push_str("</tr>\n");
    for row in rows {
        let _ = write!(html, "<tr><th>{}</th>", escaped(row.name));
        for measure in &told {
            figure(html, row.figures.get(measure.key), measure.kind);
        }
        if has_difference {
            figure(html, row.difference.as_ref(), Kind::Share);
        }
        if has_costs {
            let training = row.training_seconds;
            let training = training.map_or(String::new(), |seconds| seconds.to_string());
            let _ = write!(
                html,
                "<td class=\"n\">{}</td><td class=\"n\">{training}</td>",
                row.bytes
            );
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table></div>\n");
}

fn figure(html: &mut String, figure: Option<&Figure>, kind: Kind) {
    let text = cell(figure, kind);
    let (value, interval) = text.split_once(' ').unwrap_or((&text, ""));
    let _ = write!(
        html,
        "<td class=\"n\">{value}<small>{interval}</small></td>"
    );
}

/// A bar with its interval for each row, as SVG; nothing if no row has the figure.
fn bars(html: &mut String, table: &Table, key: &str) {
    const WIDTH: f64 = 620.0;
    const LEFT: f64 = 240.0;
    const RIGHT: f64 = 70.0;
    const STEP: f64 = 26.0;
    let is_told = |key: &str| table.rows.iter().any(|row| row.figures.contains_key(key));
    let key = match key == INSTEAD.0 && !is_told(key) {
        true => INSTEAD.1,
        false => key,
    };
    let Some(measure) = MEASURES.iter().find(|one| one.key == key && is_told(key)) else {
        return;
    };
    let [low, high] = ends(table, key);
    let x = |value: f64| LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT);
    let height = STEP * table.rows.len() as f64 + 8.0;
    let label = escaped(measure.label.trim());
    let _ = writeln!(
        html,
        "<figure><figcaption>{label}</figcaption><svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{label}\">"
    );
    for (idx, row) in table.rows.iter().enumerate() {
        let top = STEP * idx as f64 + 4.0;
        let middle = top + STEP / 2.0;
        let base = middle + 4.0;
        let name = escaped(row.name);
        let _ = write!(
            html,
            "<text x=\"{:.1}\" y=\"{base:.1}\" text-anchor=\"end\">{name}</text>",
            LEFT - 8.0
        );
        let Some(figure) = row.figures.get(key) else {
            let _ = writeln!(
                html,
                "<text x=\"{:.1}\" y=\"{base:.1}\">-</text>",
                x(0.0) + 6.0
            );
            continue;
        };
        let (start, end) = (x(figure.value.min(0.0)), x(figure.value.max(0.0)));
        let _ = write!(
            html,
            "<rect class=\"bar\" x=\"{start:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            top + 4.0,
            end - start,
            STEP - 8.0
        );
        let mut right = end;
        if let Some([from, to]) = figure.interval.map(|ends| ends.map(x)) {
            right = right.max(to);
            let _ = write!(
                html,
                "<path class=\"whisker\" d=\"M{from:.1} {middle:.1}H{to:.1}\"/>"
            );
        }
        let value = number(figure.value, measure.kind);
        let _ = writeln!(
            html,
            "<text x=\"{:.1}\" y=\"{base:.1}\">{value}</text>",
            right + 6.0
        );
    }
    let zero = x(0.0);
    let _ = writeln!(
        html,
        "<path class=\"axis\" d=\"M{zero:.1} 2V{:.1}\"/></svg></figure>",
        height - 2.0
    );
}

/// The lowest and highest value of a plot, including 0.
fn ends(table: &Table, key: &str) -> [f64; 2] {
    let figures = table.rows.iter().filter_map(|row| row.figures.get(key));
    let values = figures.flat_map(|one| one.interval.into_iter().flatten().chain([one.value]));
    let (low, high) = values.fold((0.0_f64, 0.0_f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    match high - low > 0.0 {
        true => [low, high],
        false => [0.0, 1.0],
    }
}

/// A question with the answer of each row.
fn answers(html: &mut String, verdicts: &[&Verdict]) {
    let Some(first) = verdicts.first() else {
        return;
    };
    let judged = &first.judged;
    let place = match first.place {
        Some(Place::First) => "found first",
        Some(Place::Among) => "found, not first",
        Some(Place::Missing) => "not found",
        None if judged.is_answerable => "no address known",
        None => "unanswerable",
    };
    let _ = writeln!(
        html,
        "<details><summary>{} <small>{place}</small></summary>",
        lines(&judged.question)
    );
    let known = |what: &str, texts: &[String]| match texts.is_empty() {
        true => String::new(),
        false => format!(
            "<p class=\"soft\">{what}: {}</p>\n",
            lines(&texts.join(" | "))
        ),
    };
    html.push_str(&known("answers", &judged.answers));
    html.push_str(&known("at", &judged.expected));
    html.push_str("<div class=\"wide\"><table>\n");
    for verdict in verdicts {
        answer(html, verdict);
    }
    html.push_str("</table></div></details>\n");
}

fn answer(html: &mut String, verdict: &Verdict) {
    let judged = &verdict.judged;
    let (class, word) = match (judged.is_claimed(), judged.is_right) {
        (true, true) => ("right", "right"),
        (true, false) => ("wrong", "wrong"),
        (false, _) => ("soft", "abstained"),
    };
    let _ = write!(
        html,
        "<tr><th>{}</th><td class=\"{class}\">{word}<small>{:.2} s</small></td><td class=\"said\">",
        escaped(verdict.row.name()),
        verdict.seconds
    );
    if verdict.is_quotation {
        let _ = write!(html, "<q>{}</q>", lines(&judged.quotation));
    } else {
        html.push_str(&lines(&judged.quotation));
    }
    let cited = verdict.cited.iter().map(|url| match url.as_str() {
        "" => "no such passage",
        url => url,
    });
    let cited: Vec<&str> = cited.collect();
    if !cited.is_empty() {
        let _ = write!(html, "<small>cites {}</small>", lines(&cited.join(", ")));
    }
    let unsupported = verdict.sentences.iter().filter(|one| !one.is_supported);
    let unsupported: Vec<&str> = unsupported.map(|one| one.text.as_str()).collect();
    if !unsupported.is_empty() {
        let what = match verdict.shows_unsupported() {
            true => "unsupported",
            false => "written, unsupported and not shown",
        };
        let _ = write!(
            html,
            "<small>{what}: {}</small>",
            lines(&unsupported.join(" | "))
        );
    }
    html.push_str("</td></tr>\n");
}

/// Escaped untrusted text that keeps its line breaks.
fn lines(text: &str) -> String {
    let lines = text.lines().map(escaped);
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
#[path = "html_tests.rs"]
mod tests;

//! Renders a report on answers as lines for people.

use std::fmt::Write;

use super::Report;
use super::case::Right;
use super::curve::Best;
use super::figures::{Figure, Figures, labels};
use super::reliability::Reliability;

/// Width of a cell: a value and its interval.
const WIDTH: usize = 24;

/// The whole report.
pub(super) fn text(report: &Report) -> String {
    let mut lines = head(report);
    let width = report.systems.iter().map(|one| one.name.chars().count());
    let width = width.max().unwrap_or(0).max(WIDTH);
    let mut row = |label: &str, cells: Vec<String>| {
        let mut line = format!("{label:<36}");
        for cell in cells {
            let _ = write!(line, "  {cell:<width$}");
        }
        lines.push(line.trim_end().to_owned());
    };
    let names = report.systems.iter().map(|one| one.name.clone());
    row("", names.collect());
    let systems: Vec<&Figures> = report.systems.iter().map(|one| &one.figures).collect();
    for (key, label) in labels() {
        let found: Vec<Option<&Figure>> = systems.iter().map(|one| one.figures.get(key)).collect();
        if found.iter().all(Option::is_none) {
            continue;
        }
        row(label, found.iter().map(|one| value(*one)).collect());
        if found.iter().flatten().any(|one| one.exact_bound.is_some()) {
            row(
                "  at most, exact",
                found.iter().map(|one| bound(*one)).collect(),
            );
        }
    }
    type Which = fn(&Figures) -> Option<Best>;
    let bests: [(&str, Which); 2] = [
        ("upper bound: best exact match", |one| one.best_exact),
        ("upper bound: best F1", |one| one.best_f1),
    ];
    for (label, of) in bests {
        let found: Vec<Option<Best>> = systems.iter().map(|one| of(one)).collect();
        if found.iter().any(Option::is_some) {
            row(label, found.iter().map(|one| best(*one)).collect());
        }
    }
    for system in &report.systems {
        if let Some(reliability) = &system.figures.reliability {
            lines.extend(bins(&system.name, reliability));
        }
    }
    lines.join("\n") + "\n"
}

fn head(report: &Report) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {} questions of {} pages, {} answerable; {}",
        report.data, report.questions, report.pages, report.answerable, report.reading
    )];
    lines.push(match report.right {
        Right::Quotation => "right: the quotation holds an answer, or, where none is known, is from an expected address".to_owned(),
        Right::Span => "right: the span is an answer, or, where none is known, the quotation is from an expected address".to_owned(),
    });
    lines.push(format!(
        "in brackets: 95 % by pages, seed {}; best thresholds, and coverage at a risk, are chosen on these questions\n",
        report.seed
    ));
    lines
}

fn value(figure: Option<&Figure>) -> String {
    let Some(figure) = figure else {
        return "-".to_owned();
    };
    match figure.interval {
        Some([low, high]) => format!("{:.4} [{low:.3}, {high:.3}]", figure.value),
        None => format!("{:.4}", figure.value),
    }
}

fn bound(figure: Option<&Figure>) -> String {
    let bound = figure.and_then(|figure| Some((figure.exact_bound?, figure.questions)));
    bound.map_or("-".to_owned(), |(bound, questions)| {
        format!("{bound:.4} of {questions}")
    })
}

fn best(best: Option<Best>) -> String {
    let Some(best) = best else {
        return "-".to_owned();
    };
    match best.threshold {
        Some(threshold) => format!("{:.4} from {threshold:.3}", best.value),
        None => format!("{:.4} by silence", best.value),
    }
}

fn bins(name: &str, reliability: &Reliability) -> Vec<String> {
    let mut lines = vec![
        format!(
            "\n{name}: expected calibration error {:.4}",
            reliability.expected_error
        ),
        format!(
            "{:<12} {:>8} {:>12} {:>8}",
            "probability", "answers", "mean", "right"
        ),
    ];
    let ends = reliability.bins.iter().skip(1).map(|bin| bin.from);
    for (bin, end) in reliability.bins.iter().zip(ends.chain([1.0])) {
        let range = format!("{:.1} to {end:.1}", bin.from);
        lines.push(match bin.answers {
            0 => format!("{range:<12} {:>8}", 0),
            n => format!(
                "{range:<12} {n:>8} {:>12.3} {:>8.3}",
                bin.probability, bin.right
            ),
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    #[test]
    fn cells_stand_below_their_system() {
        let text = text(&report());
        let lines: Vec<&str> = text.lines().collect();
        let names = lines.iter().find(|line| line.contains("second <one>"));
        let names = names.expect("a line of names");
        let column = names.find("second").expect("it was found");
        let f1 = lines
            .iter()
            .find(|line| line.starts_with("F1 "))
            .expect("a line of F1");
        assert!(
            f1[column..].starts_with(|letter: char| letter.is_ascii_digit()),
            "`{f1}` below `{names}`"
        );
        assert!(text.contains("at most, exact"), "found:\n{text}");
        assert!(
            text.contains("expected calibration error"),
            "found:\n{text}"
        );
        assert_eq!(
            text.matches("probability").count(),
            1,
            "one system is calibrated"
        );
    }
}

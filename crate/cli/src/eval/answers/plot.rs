//! Plots the systems' risk-coverage curves as one self-contained SVG file for light and dark pages.

use std::fmt::Write;

use super::Report;
use super::curve::Point;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 440.0;
/// Room for the axes' labels: left, top, right, bottom.
const MARGINS: [f64; 4] = [64.0, 40.0, 24.0, 56.0];
/// Colours that colour-blind people can tell apart and that contrast with both white and black (after Okabe and Ito),
/// each with its own dash pattern for print.
const STYLES: [(&str, &str); 6] = [
    ("#0080c0", "none"),
    ("#d55e00", "8 4"),
    ("#009e73", "2 3"),
    ("#b8639b", "10 3 2 3"),
    ("#a07800", "4 4"),
    ("#808080", "1 4"),
];

/// The plot of all systems of a report.
pub(super) fn svg(report: &Report) -> String {
    let curves = report.systems.iter().map(|one| &one.figures.curve);
    let highest = curves
        .flatten()
        .map(|point| point.risk)
        .fold(0.0_f64, f64::max);
    // In tenths, so that the grid lines have short numbers.
    let top = ((highest * 10.0).ceil() / 10.0).clamp(0.1, 1.0);
    let title = format!("Risk by coverage: {}, {}", report.data, report.reading);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"title\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <title id=\"title\">{}</title>\n\
         <style>.page{{fill:#fff}}.ink{{fill:#222}}.grid{{stroke:#ddd}}\
         @media (prefers-color-scheme:dark){{.page{{fill:#111}}.ink{{fill:#eee}}.grid{{stroke:#444}}}}\
         .curve{{fill:none;stroke-width:2}}</style>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n",
        escaped(&title)
    );
    grid(&mut svg, top);
    let [left, upper, right, lower] = MARGINS;
    text(&mut svg, (left, upper - 16.0), "start", &title);
    text(
        &mut svg,
        ((left + WIDTH - right) / 2.0, HEIGHT - 12.0),
        "middle",
        "coverage: share of questions answered",
    );
    let centre = (upper + HEIGHT - lower) / 2.0;
    let _ = writeln!(
        svg,
        "<text class=\"ink\" text-anchor=\"middle\" transform=\"translate(18 {centre:.1}) rotate(-90)\">risk: share of these \
         that is wrong</text>"
    );
    for (idx, system) in report.systems.iter().enumerate() {
        let (colour, dash) = STYLES[idx % STYLES.len()];
        let stroke = format!("stroke=\"{colour}\" stroke-dasharray=\"{dash}\"");
        let points = path(&system.figures.curve, top);
        let _ = writeln!(
            svg,
            "<polyline class=\"curve\" {stroke} points=\"{points}\"/>"
        );
        let y = upper + 16.0 + 20.0 * idx as f64;
        let x = left + 12.0;
        let _ = writeln!(
            svg,
            "<path class=\"curve\" {stroke} d=\"M{x} {:.1}h28\"/>",
            y - 4.0
        );
        text(&mut svg, (x + 36.0, y), "start", &system.name);
    }
    svg.push_str("</svg>\n");
    svg
}

fn grid(svg: &mut String, top: f64) {
    for step in 0..=5 {
        let share = f64::from(step) / 5.0;
        let (x, bottom) = place(share, 0.0, top);
        let (_, y) = place(0.0, share * top, top);
        let ((left, upper), (right, _)) = (place(0.0, top, top), place(1.0, 0.0, top));
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{left:.1} {y:.1}H{right:.1}M{x:.1} {upper:.1}V{bottom:.1}\"/>"
        );
        text(svg, (x, bottom + 18.0), "middle", &percent(share));
        text(svg, (left - 8.0, y + 4.0), "end", &percent(share * top));
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Where a point of the curve is drawn.
fn place(coverage: f64, risk: f64, top: f64) -> (f64, f64) {
    let [left, upper, right, lower] = MARGINS;
    let x = left + coverage * (WIDTH - left - right);
    let y = HEIGHT - lower - risk / top * (HEIGHT - upper - lower);
    (x, y)
}

fn path(points: &[Point], top: f64) -> String {
    let places = points.iter().map(|point| {
        let (x, y) = place(point.coverage, point.risk, top);
        format!("{x:.1},{y:.1}")
    });
    places.collect::<Vec<_>>().join(" ")
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    let text = escaped(text);
    let _ = writeln!(
        svg,
        "<text class=\"ink\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}

/// Names come from files: none of their characters may become markup, and control characters are not valid XML.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            _ if letter.is_control() => {}
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::tests::{close, report};
    use super::*;

    #[test]
    fn the_axes_run_from_the_lower_left() {
        let [left, upper, right, lower] = MARGINS;
        let corners = [
            ((0.0, 0.0), (left, HEIGHT - lower)),
            ((1.0, 0.4), (WIDTH - right, upper)),
        ];
        for ((coverage, risk), expected) in corners {
            let found = place(coverage, risk, 0.4);
            close("x", found.0, expected.0);
            close("y", found.1, expected.1);
        }
    }

    #[test]
    fn every_system_has_a_curve_and_an_escaped_name() {
        let report = report();
        let svg = svg(&report);
        assert_eq!(
            svg.matches("<polyline").count(),
            report.systems.len(),
            "curves in:\n{svg}"
        );
        assert!(svg.contains("second &lt;one&gt;"), "its name in:\n{svg}");
        assert!(!svg.contains("<one>"), "no markup of others in:\n{svg}");
        assert!(
            svg.contains("prefers-color-scheme:dark"),
            "dark pages in:\n{svg}"
        );
        assert!(!svg.contains("NaN"), "numbers in:\n{svg}");
        assert_eq!(
            escaped("a\u{0}b\u{1b}&\"\u{ffff}"),
            "ab&amp;&quot;",
            "control characters"
        );
    }

    #[test]
    fn nothing_to_plot_is_an_empty_plot() {
        let mut report = report();
        for system in &mut report.systems {
            system.figures.curve.clear();
        }
        let svg = svg(&report);
        assert!(
            svg.contains("points=\"\"") && !svg.contains("NaN"),
            "found:\n{svg}"
        );
    }
}

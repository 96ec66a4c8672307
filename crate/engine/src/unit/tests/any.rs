//! Checks properties that hold for any text and any place in it, on randomly assembled texts, and that time grows
//! linearly with their length.

use super::*;

/// Pieces that texts are assembled from: every kind of line, several scripts, and text that is not markup at all.
const LINES: &[&str] = &[
    "The fan is old. It turns slowly.",
    "Choose one of:",
    "- red",
    "  - navy blue",
    "12. Turn the knob:",
    "alder",
    "  Keeps leaves. It is old.",
    "    inner",
    "Code | Meaning",
    "E100 | The valve is stuck.",
    "|---|---|",
    "```sh",
    "```",
    "````",
    "let a = 1;",
    "",
    "",
    "\u{5d4}\u{5de}\u{5e0}\u{5d5}\u{5e2} \u{5d9}\u{5e9}\u{5df}. \u{5d4}\u{5d5}\u{5d0} \u{5de}\u{5e1}\u{5ea}\u{5d5}\u{5d1}\u{5d1}.",
    "\u{6c34}\u{6cf5}\u{505c}\u{4e86}\u{3002}\u{5b83}\u{574f}\u{4e86}\u{3002}",
    "\u{1f600}\u{1f469}\u{200d}\u{1f4bb}",
    "\u{e1b}\u{e31}\u{e4a}\u{e21}",
    "-",
    "| |",
    "a\u{301}\u{302}",
    "\t\tx",
    "e.g. J. P. Smith said: \u{201c}No.\u{201d} [1]",
    "\u{a0}",
    "* a",
    "1)",
    "- ",
    "``` x ```",
];

#[test]
fn what_always_holds_holds_for_any_text_and_span() {
    let mut seed = 7_u64;
    let mut random = move |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).expect("31 bits") % below
    };
    for _ in 0..2000 {
        let n_lines = random(24);
        let mut text = String::new();
        for _ in 0..n_lines {
            text.push_str(&LINES[random(LINES.len())].repeat(if random(30) == 0 { 40 } else { 1 }));
            text.push_str(["\n", "\n\n", " ", "\r\n"][random(4)]);
        }
        let units = units(&text);
        for pair in units.windows(2) {
            assert!(
                pair[0].range.end <= pair[1].range.start,
                "in order: {pair:?} of {text:?}"
            );
        }
        for unit in &units {
            let words = text.get(unit.range.clone()).unwrap_or("");
            assert!(!words.trim().is_empty(), "words: {unit:?} of {text:?}");
        }
        for _ in 0..8 {
            let start = random(text.len() + 2);
            let end = start + random(60);
            let found = quotation(&text, start..end);
            if units.is_empty() {
                assert!(found.parts.is_empty(), "{found:?} of {text:?}");
                continue;
            }
            for part in &found.parts {
                let words = text.get(part.range.clone()).unwrap_or("");
                assert!(
                    !words.trim().is_empty(),
                    "words of {part:?} for {start}..{end} of {text:?}"
                );
            }
            for pair in found.parts.windows(2) {
                assert!(
                    pair[0].range.end <= pair[1].range.start,
                    "apart: {found:?} for {start}..{end} of {text:?}"
                );
            }
            let holds = |part: &Unit| {
                part.range.start <= found.mark.start && found.mark.end <= part.range.end
            };
            assert!(
                found.parts.iter().any(holds),
                "inside: {found:?} for {start}..{end} of {text:?}"
            );
            assert!(
                text.get(found.mark.clone()).is_some(),
                "at characters: {found:?} for {start}..{end} of {text:?}"
            );
            let prose = found
                .parts
                .iter()
                .filter(|part| part.kind != UnitKind::Code);
            let n_chars: usize = prose
                .map(|part| text[part.range.clone()].chars().count())
                .sum();
            assert!(
                n_chars <= MAX_CHARS,
                "{n_chars} characters for {start}..{end} of {text:?}"
            );
            let holds_unit = |unit: &Unit| unit.range.start <= start && end <= unit.range.end;
            if let Some(unit) = units.iter().find(|unit| holds_unit(unit)) {
                let marked = text.get(start..end).map(str::trim);
                let is_long = unit.range.len() > MAX_CHARS;
                assert!(
                    is_long || marked.is_none_or(|words| words == &text[found.mark.clone()]),
                    "{found:?} for {start}..{end} of {text:?}"
                );
            }
        }
    }
}

#[test]
fn long_texts_take_no_time_with_their_square() {
    for line in [
        "The fan is old. ",
        "It is. ",
        "- red\n",
        "  - a\n\n",
        "a | b\n",
        "a\n  b\n",
        "```\nx\n```\n",
        "a:\n",
        "\u{1f600}",
        "(",
        "x",
        "a |",
        "1. ",
    ] {
        let text = line.repeat(200_000 / line.len());
        let units = units(&text);
        assert!(!units.is_empty(), "{line:?} has words");
        for start in [0, 100_000, 199_990] {
            let found = quotation(&text, start..start + 5);
            let shown = found.shown(&text).chars().count();
            assert!(
                shown <= MAX_CHARS + MAX_CODE_CHARS,
                "{shown} characters of {line:?}"
            );
        }
        let all = quotation(&text, 0..text.len()).shown(&text).chars().count();
        assert!(
            all <= MAX_CHARS + MAX_CODE_CHARS,
            "{all} characters of {line:?}"
        );
    }
}

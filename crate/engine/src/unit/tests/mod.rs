//! Checks the quotations of places against hand-worked examples.

mod any;

use super::*;

/// The quotation of the last place where `words` occur.
fn quoted(text: &str, words: &str) -> Quotation {
    let start = text
        .rfind(words)
        .unwrap_or_else(|| panic!("`{words}` is in {text:?}"));
    quotation(text, start..start + words.len())
}

#[track_caller]
fn check(text: &str, words: &str, expected: &str) {
    let found = quoted(text, words);
    assert_eq!(
        found.shown(text),
        expected,
        "for `{words}` in {text:?}: {found:?}"
    );
    assert_eq!(&text[found.mark.clone()], words, "the mark in {found:?}");
}

#[test]
fn a_sentence_is_quoted_whole_from_any_place() {
    let names: Vec<String> = (0..400)
        .map(|i| format!("Turn the n{i}x knob {i} times to the left."))
        .collect();
    for idx in [0, 11, 12, 25, 399] {
        let (text, word) = (names.join(" "), format!("n{idx}x"));
        check(&text, &word, &names[idx]);
        let paragraphs = names.join("\n\n");
        check(&paragraphs, &word, &names[idx]);
        let list: Vec<String> = (1..)
            .zip(&names)
            .map(|(number, name)| format!("{number}. {name}"))
            .collect();
        check(&list.join("\n"), &word, &names[idx]);
        let halves = [list[..200].join("\n"), list[200..].join("\n")].join("\n\n");
        check(&halves, &word, &names[idx]);
        let definitions: Vec<String> = (0..)
            .zip(&names)
            .map(|(i, name)| format!("opt_{i}\n  {name}"))
            .collect();
        check(
            &definitions.join("\n\n"),
            &word,
            &format!("opt_{idx}\n{}", names[idx]),
        );
        let rows: Vec<String> = (0..400).map(|i| format!("n{i}x | {i} times")).collect();
        let table = format!("Knob | Turns\n{}", rows.join("\n"));
        check(&table, &word, &format!("Knob | Turns\n{}", rows[idx]));
    }
}

#[test]
fn sentences_bring_what_they_refer_to() {
    for (text, words, expected) in [
        (
            "The fan is old. It turns slowly. Water is wet.",
            "slowly",
            "The fan is old. It turns slowly.",
        ),
        (
            "A b. The fan is old. It turns. This cools it.",
            "cools",
            "The fan is old. It turns. This cools it.",
        ),
        (
            "The fan is old. However, the pump is new.",
            "pump",
            "The fan is old. However, the pump is new.",
        ),
        (
            "The fan is old. In this case, call us.",
            "call",
            "The fan is old. In this case, call us.",
        ),
        (
            "The fan is old. This option stops it.",
            "stops",
            "The fan is old. This option stops it.",
        ),
        (
            "The fan is old. This book is not.",
            "not",
            "This book is not.",
        ),
        (
            "The fan is old. In this chapter we turn it.",
            "turn",
            "In this chapter we turn it.",
        ),
        (
            "The fan is old. Both Linux and macOS work.",
            "work",
            "Both Linux and macOS work.",
        ),
        (
            "There are two. Both work.",
            "work",
            "There are two. Both work.",
        ),
        (
            "The fan is old. It is possible to turn it.",
            "turn",
            "It is possible to turn it.",
        ),
        (
            "The fan is old. It is used to cool.",
            "cool",
            "The fan is old. It is used to cool.",
        ),
        (
            "The fan is old. Never put them into water.",
            "water",
            "The fan is old. Never put them into water.",
        ),
        (
            "The fan is old. Keep it dry.",
            "dry",
            "The fan is old. Keep it dry.",
        ),
        ("The fan is old. Items are sold.", "sold", "Items are sold."),
        (
            "The fan is old. \u{201c}They know,\u{201d} he said.",
            "know",
            "The fan is old. \u{201c}They know,\u{201d} he said.",
        ),
        (
            "The fan is old.\n\nIt turns slowly.",
            "slowly",
            "It turns slowly.",
        ),
        (
            "Der Filter ist alt. Er wird gereinigt.",
            "gereinigt",
            "Der Filter ist alt. Er wird gereinigt.",
        ),
        (
            "One is here. Two is there. Three is gone.",
            "Two is there. Three",
            "Two is there. Three is gone.",
        ),
    ] {
        check(text, words, expected);
    }
}

#[test]
fn items_bring_what_introduces_them_where_they_say_little() {
    let options = "Read this. Choose one of:\n\n- red\n- blue\n  - navy\n- green, which is the colour of all our leaves";
    check(options, "blue", "Choose one of:\nblue");
    check(options, "navy", "Choose one of:\nblue\nnavy");
    check(
        options,
        "leaves",
        "green, which is the colour of all our leaves",
    );
    check(
        options,
        "Choose",
        "Choose one of:\n- red\n- blue\n  - navy\n- green, which is the colour of all our leaves",
    );
    check("Intro text.\n\n- red\n- blue", "red", "red");
    check("x:\n- a\n  b\n- c d", "b", "x:\na\n  b");
    let steps = "Do this:\n\n1. Install it:\n\n```sh\napt install x\n```\n\n2. Run it\nMore about it.\n3. Stop";
    check(steps, "Stop", "Do this:\nStop");
    check(steps, "Run", "Do this:\nRun it\nMore about it.");
    check(steps, "apt", "Install it:\napt install x");
    check(steps, "Install it", "Do this:\nInstall it:\napt install x");
    check("A:\n\n- b\n- c\n\nNext.\n\n- d", "d", "d");
    check(
        "- a b c d e f:\n  - g\n  - h\n- i",
        "b",
        "a b c d e f:\n- g\n  - h",
    );
}

#[test]
fn a_long_list_is_cut_between_items() {
    let items: Vec<String> = (0..50)
        .map(|i| format!("- the item number {i} of the list"))
        .collect();
    let text = format!("These are all:\n\n{}", items.join("\n"));
    let found = quoted(&text, "These");
    let shown = found.shown(&text);
    assert!(
        shown.chars().count() <= MAX_CHARS + 1,
        "{} characters",
        shown.chars().count()
    );
    assert!(
        found.is_cut_after && shown.ends_with("of the list"),
        "whole items: {shown}"
    );
    assert!(
        shown.lines().count() > 15,
        "as many as there is room for: {shown}"
    );
}

#[test]
fn rows_bring_their_head() {
    let table = "Codes of errors\nCode | Meaning\nE100 | stuck\nE101 | The valve leaks.";
    check(table, "leaks", "Code | Meaning\nE101 | The valve leaks.");
    check(
        table,
        "stuck\nE101",
        "Code | Meaning\nE100 | stuck\nE101 | The valve leaks.",
    );
    check(
        table,
        "Meaning",
        "Code | Meaning\nE100 | stuck\nE101 | The valve leaks.",
    );
    check("Code | Meaning", "Meaning", "Code | Meaning");
    check(table, "Codes of", "Codes of errors");
    check(
        "Code | Meaning\nE1 | a\n\nE2 | b\nE3 | c",
        "c",
        "Code | Meaning\nE3 | c",
    );
    check(
        "Code | Meaning\nE1 | a\n\nA | B | C\n1 | 2 | 3",
        "2",
        "A | B | C\n1 | 2 | 3",
    );
    check(
        "| Code | Meaning |\n|------|---------|\n| E1 | a |",
        "E1",
        "| Code | Meaning |\n| E1 | a |",
    );
    check("It is hot here. | x\nE1 | a", "E1", "E1 | a");
    check(
        "Use a | b here. It helps.",
        "helps",
        "Use a | b here. It helps.",
    );
    let long = format!(
        "Code | Text\nE1 | {}needle {}",
        "word ".repeat(300),
        "word ".repeat(300)
    );
    let found = quoted(&long, "needle");
    let shown = found.shown(&long);
    assert!(
        shown.starts_with("Code | Text\n") && shown.contains("needle"),
        "{shown}"
    );
    assert!(
        shown.chars().count() <= MAX_CHARS + 1 && found.is_cut_before,
        "{} characters",
        shown.chars().count()
    );
}

#[test]
fn definitions_bring_their_term() {
    let list = "alder\nbirch\n  Keeps leaves.\n  Drops them.\n\nfir\n  Stays green.\n\n  It grows fast. Prune it.";
    check(list, "Drops", "alder\nbirch\nKeeps leaves.\n  Drops them.");
    check(list, "fir", "fir\nStays green.");
    check(list, "Prune", "fir\nIt grows fast. Prune it.");
    check(list, "fast", "fir\nIt grows fast.");
    let long = format!(
        "size\n  {}The needle is here.",
        "These are a few words. ".repeat(60)
    );
    check(&long, "needle", "size\nThe needle is here.");
    check(&long, "size", "size\nThese are a few words.");
    check(
        "class\n  About it.\n\n  get\n    Gets one.\n\n  After.",
        "Gets",
        "get\nGets one.",
    );
    check(
        "class\n  About it.\n\n  get\n    Gets one.\n\n  After.",
        "After",
        "class\nAfter.",
    );
}

#[test]
fn code_brings_the_line_before_it() {
    let text = "Some words. Now run:\n\n```sh\ncargo run\n\ncargo test\n```\n\n```ps\nrun\n```\n\nDone.\n\n````\n```\nx\n```\n````";
    check(text, "test", "Now run:\ncargo run\n\ncargo test");
    check(text, "Now", "Now run:\ncargo run\n\ncargo test");
    check(text, "x", "Done.\n```\nx\n```");
    check(text, "run", "Now run:\nrun");
    check("```\n    indented\ncode", "code", "    indented\ncode");
    let lines: Vec<String> = (0..100).map(|i| format!("line {i};")).collect();
    let text = format!("See:\n\n```\n{}\n```", lines.join("\n"));
    let found = quoted(&text, "line 70;");
    let code = &text[found.parts[1].range.clone()];
    assert_eq!(code.lines().count(), MAX_CODE_LINES, "{code}");
    assert!(
        code.starts_with("line ") && code.ends_with(';') && code.contains("line 70;"),
        "whole lines: {code}"
    );
    assert!(
        found.is_cut_before && found.is_cut_after && found.is_apart(&text, 1),
        "{found:?}"
    );
}

#[test]
fn what_is_too_long_is_cut_around_the_place() {
    let words = format!("{}needle {}", "word ".repeat(5000), "word ".repeat(5000));
    let found = quoted(&words, "needle");
    let shown = found.shown(&words);
    let n_chars = shown.chars().count();
    assert!((600..=MAX_CHARS).contains(&n_chars), "{n_chars} characters");
    assert!(
        shown
            .split(' ')
            .all(|word| word == "word" || word == "needle"),
        "between words: {shown}"
    );
    assert!(found.is_cut_before && found.is_cut_after, "{found:?}");
    for piece in ["x", "\u{6c34}", "\u{1f469}\u{200d}\u{1f4bb}", "e\u{301}"] {
        let text = piece.repeat(20_000);
        let middle = text.len() / piece.len() / 2 * piece.len();
        let found = quotation(&text, middle..middle + piece.len());
        let shown = found.shown(&text);
        assert!(
            shown.chars().count() <= MAX_CHARS,
            "{} characters of {piece}",
            shown.chars().count()
        );
        assert_eq!(
            shown.len() % piece.len(),
            0,
            "whole characters of {piece}: {shown}"
        );
    }
    let everything = quotation(&words, 0..words.len());
    assert!(
        everything.shown(&words).chars().count() <= MAX_CHARS,
        "{:?}",
        everything.mark
    );
}

#[test]
fn spans_that_are_none_are_brought_near() {
    let text = "- \u{e4}pfel sind da\n\n";
    for span in [
        0..0,
        0..2,
        3..4,
        1000..2000,
        usize::MAX..usize::MAX,
        text.len()..text.len(),
    ] {
        let found = quotation(text, span.clone());
        assert_eq!(found.shown(text), "\u{e4}pfel sind da", "for {span:?}");
    }
    #[expect(clippy::reversed_empty_ranges, reason = "a caller may be wrong")]
    let found = quotation(text, 9..4);
    assert_eq!(found.shown(text), "\u{e4}pfel sind da");
    for text in ["", " \n\n ", "```\n```", "---", "- "] {
        let found = quotation(text, 0..1);
        assert!(
            found.parts.is_empty() && units(text).is_empty(),
            "nothing in {text:?}: {found:?}"
        );
    }
}

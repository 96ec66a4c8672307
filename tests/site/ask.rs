//! `anchorite search` and `anchorite ask`: cited answers, honest silence, refused questions.

use harness::{Site, anchorite_reading, path_text};
use serde_json::Value;

const PUMPS: &[u8] = b"# Pumps\n\nA pump moves water uphill.\n\n## Starting a pump\n\nTurn the red wheel to the left until \
the needle stands at seven bar. Then open the valve slowly, or the pipe will burst.\n";
const BREAD: &[u8] = b"# Bread\n\nFlour, water and salt.\n\n## Baking bread\n\nBake the loaf for forty minutes in a hot oven. \
Let it cool on a grid before you cut it.\n";

fn built() -> Site {
    let site = Site::new(&[("pumps.md", PUMPS), ("bread.md", BREAD)]);
    let run = site.build(&[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    site
}

#[test]
fn an_answer_quotes_the_sentence_and_cites_its_section() {
    let run = built().run("ask", &["How long do I bake the loaf?", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let answer: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(answer["outcome"], "answered", "{answer}");
    assert_eq!(
        answer["quote"]["text"], "Bake the loaf for forty minutes in a hot oven.",
        "{answer}"
    );
    let number = answer["quote"]["passage"]
        .as_u64()
        .expect("a passage's number");
    let passage = answer["passages"]
        .as_array()
        .expect("passages")
        .iter()
        .find(|passage| passage["number"] == number);
    assert_eq!(
        passage.expect("the cited passage")["url"],
        "bread.html#baking-bread",
        "{answer}"
    );
}

#[test]
fn questions_from_standard_input_are_answered_line_by_line() {
    let site = built();
    let bundle = site.bundle();
    let input = "How long do I bake the loaf?\n\nHow do I start the pump?\n";
    let run = anchorite_reading(input, &["ask", path_text(&bundle), "--json", "-"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let questions: Vec<String> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("an answer a line"))
        .map(|answer| answer["question"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        questions,
        ["How long do I bake the loaf?", "How do I start the pump?"]
    );
}

#[test]
fn a_question_in_other_words_finds_the_section_by_meaning() {
    let run = built().run(
        "search",
        &["oven temperature cooking time", "--limit", "1", "--json"],
    );
    assert!(run.stdout.contains("bread.html"), "{}", run.stdout);
}

#[test]
fn what_the_documents_do_not_say_is_said() {
    let run = built().run("ask", &["Who won the chess championship in 1972?"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.contains("The documents do not say."),
        "{}",
        run.stdout
    );
}

#[test]
fn an_empty_question_is_refused() {
    let run = built().run("ask", &[" ?! "]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("error: the question is empty") && run.stderr.contains("hint: "),
        "{}",
        run.stderr
    );
}

#[test]
fn a_question_of_ten_thousand_words_is_refused_with_both_lengths() {
    let question = "water ".repeat(10_000);
    let run = built().run("ask", &[&question]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("60000 characters, at most 2000"),
        "{}",
        run.stderr
    );
}

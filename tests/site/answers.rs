//! `anchorite eval answers`: figures of a public file and of a site's own questions, with and without
//! reachable answers.

use harness::{Run, Site, anchorite, path_text};
use serde_json::Value;

const PUMPS: &[u8] = b"# Pumps\n\nA pump moves water uphill.\n\n## Starting a pump\n\nTurn the red wheel to the left until \
the needle stands at seven bar. Then open the valve slowly, or the pipe will burst.\n";
const BREAD: &[u8] = b"# Bread\n\nFlour, water and salt.\n\n## Baking bread\n\nBake the loaf for forty minutes in a hot oven. \
Let it cool on a grid before you cut it.\n";

const OWN: &[u8] = br#"{"question": "How long do I bake the loaf?", "expected": ["bread.html#baking-bread"], "answers": ["forty minutes"]}
{"question": "Which way do I turn the red wheel of the pump?", "expected": ["pumps.html"]}
{"question": "Who won the world cup in 1974?", "answerable": false}
"#;

const SQUAD: &[u8] = br#"{"data": [
  {"title": "Pumps", "paragraphs": [{"context": "Turn the red wheel to the left until the needle stands at seven bar.", "qas": [
    {"question": "Which way do I turn the red wheel?", "answers": [{"text": "left", "answer_start": 26}]},
    {"question": "Who painted the red wheel of the pump?", "answers": [], "is_impossible": true}]}]},
  {"title": "Bread <&>", "paragraphs": [{"context": "Bake the loaf for forty minutes in a hot oven.", "qas": [
    {"question": "How long do I bake the loaf?", "answers": [{"text": "forty minutes", "answer_start": 0}]}]}]}]}"#;

fn site() -> Site {
    let site = Site::new(&[("pumps.md", PUMPS), ("bread.md", BREAD)]);
    std::fs::write(site.beside("own.jsonl"), OWN).expect("the questions");
    std::fs::write(site.beside("squad.json"), SQUAD).expect("the public file");
    site
}

fn eval(words: &[&str]) -> Run {
    anchorite(&[&["eval", "answers"], words].concat())
}

fn report(words: &[&str]) -> Value {
    let run = eval(&[words, &["--json"]].concat());
    assert_eq!(run.code, 0, "{words:?}: {}", run.stderr);
    serde_json::from_str(&run.stdout).expect("JSON")
}

/// A figure of a system.
fn figure(report: &Value, system: &str, key: &str) -> Option<f64> {
    let systems = report["systems"].as_array().expect("a list of systems");
    let system = systems.iter().find(|one| one["name"] == system);
    system.expect("the system")["figures"][key]["value"].as_f64()
}

#[test]
fn a_sites_own_questions_are_scored_with_and_without_their_answers() {
    let site = site();
    let run = site.build(&[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let (questions, bundle) = (site.beside("own.jsonl"), site.bundle());
    let words = [
        "--questions",
        path_text(&questions),
        "--bundle",
        path_text(&bundle),
    ];
    let asked = report(&words);
    assert_eq!(
        (&asked["questions"], &asked["answerable"], &asked["pages"]),
        (&3.into(), &2.into(), &3.into()),
        "{asked}"
    );
    let shipped = |key| figure(&asked, "word count", key);
    assert_eq!(shipped("right_section"), Some(1.0), "{asked}");
    assert_eq!(shipped("claimed_unanswerable"), Some(0.0), "{asked}");
    assert_eq!(shipped("risk"), Some(0.0), "{asked}");
    assert_eq!(shipped("verbatim"), Some(1.0), "{asked}");
    assert_eq!(shipped("resolves"), Some(1.0), "{asked}");
    assert_eq!(
        shipped("exact"),
        None,
        "one question has no answers: {asked}"
    );
    assert_eq!(
        figure(&asked, "first sentence", "claimed_unanswerable"),
        Some(1.0),
        "it answers everything: {asked}"
    );

    let ablated = report(&[&words[..], &["--ablate"]].concat());
    assert_eq!(
        (&ablated["questions"], &ablated["answerable"]),
        (&2.into(), &0.into()),
        "what nothing answers has nothing to take away: {ablated}"
    );
    assert_eq!(
        figure(&ablated, "word count", "right"),
        Some(0.0),
        "{ablated}"
    );
    assert_eq!(
        figure(&ablated, "word count", "holds_answer"),
        Some(0.0),
        "`forty minutes` stood in that section only: {ablated}"
    );
    assert_eq!(
        figure(&ablated, "first sentence", "risk"),
        Some(1.0),
        "{ablated}"
    );
}

#[test]
fn a_public_file_is_scored_plotted_and_written_down() {
    let site = site();
    let (data, plot, answers) = (
        site.beside("squad.json"),
        site.beside("plot.svg"),
        site.beside("answers.jsonl"),
    );
    let words = [
        "--data",
        path_text(&data),
        "--plot",
        path_text(&plot),
        "--answers",
        path_text(&answers),
    ];
    let run = eval(&words);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout
            .contains("squad: 3 questions of 2 pages, 2 answerable"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.contains("of 2 answers, 1 stand elsewhere"),
        "`forty minutes` is not at 0: {}",
        run.stderr
    );
    let svg = std::fs::read_to_string(&plot).expect("the plot");
    assert!(
        svg.starts_with("<svg") && svg.contains("word count"),
        "{svg}"
    );
    let lines = std::fs::read_to_string(&answers).expect("the answers");
    let verdicts: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    assert_eq!(verdicts.len(), 9, "three questions, three systems: {lines}");
    let loaf = verdicts
        .iter()
        .find(|one| one["question"] == "How long do I bake the loaf?");
    let loaf = loaf.expect("it was asked");
    assert_eq!(loaf["is_right"], true, "{loaf}");
    assert_eq!(loaf["url"], "Bread_<&>#p-1", "{loaf}");

    let oracle = report(&["--data", path_text(&data), "--oracle"]);
    assert_eq!(
        figure(&oracle, "first sentence", "right_section"),
        Some(1.0),
        "nothing else can be read: {oracle}"
    );
    let by_span = report(&["--data", path_text(&data), "--right", "span"]);
    assert_eq!(
        figure(&by_span, "word count", "right"),
        Some(0.0),
        "a sentence is no exact match: {by_span}"
    );
    let one = report(&["--data", path_text(&data), "--limit", "1", "--seed", "3"]);
    assert_eq!(one["questions"], 1, "{one}");
}

#[test]
fn mistakes_say_where_and_what_to_do() {
    let site = site();
    let wrong = site.beside("wrong.json");
    std::fs::write(
        &wrong,
        br#"{"question": "Who?", "context": "A.", "answers": []}"#,
    )
    .expect("written");
    let data = path_text(&wrong);
    let cases: [(&[&str], &str); 6] = [
        (&[], "--data"),
        (&["--data", data], "line 1: expected answers"),
        (&["--data", "nowhere.json"], "could not read `nowhere.json`"),
        (&["--questions", data], "--bundle"),
        (
            &["--data", data, "--oracle", "--ablate"],
            "cannot be used with",
        ),
        (&["--data", data, "--limit", "0"], "--limit"),
    ];
    for (words, expected) in cases {
        let run = eval(words);
        assert_eq!(run.code, 2, "{words:?}: {}", run.stdout);
        assert!(
            run.stderr.contains(expected),
            "{words:?}: expected {expected:?}, found {:?}",
            run.stderr
        );
    }
}

//! `anchorite eval answers --table`: ways of answering with a generator, compared on a small site.

use std::path::PathBuf;

use harness::script::Script;
use harness::{Run, Site, anchorite, path_text};
use serde_json::Value;

/// The generator always writes the same text, which is right for the first question and wrong for the others.
const SQUAD: &[u8] = br#"{"data": [
  {"title": "Bread", "paragraphs": [{"context": "Bake the loaf for forty minutes in a hot oven.", "qas": [
    {"question": "How long do I bake the loaf?", "answers": [{"text": "forty minutes", "answer_start": 18}]},
    {"question": "Who <b>invented</b> the oven?", "answers": [], "is_impossible": true}]}]},
  {"title": "Pumps", "paragraphs": [{"context": "Turn the red wheel to the left until the needle stands at seven bar.", "qas": [
    {"question": "Which way do I turn the red wheel?", "answers": [{"text": "left", "answer_start": 26}]}]}]}]}"#;

struct Files {
    site: Site,
    data: PathBuf,
    generator: PathBuf,
    adapter: PathBuf,
}

fn files() -> Files {
    let site = Site::new(&[]);
    let script = Script::new(
        "You bake the loaf for forty minutes.",
        "The documents do not say.",
    );
    let put = |name: &str, bytes: &[u8]| {
        let path = site.beside(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    Files {
        data: put("squad.json", SQUAD),
        generator: put("script.gguf", &script.gguf),
        adapter: put("adapter.gguf", &script.adapter),
        site,
    }
}

fn table(files: &Files, words: &[&str]) -> Run {
    let fixed = [
        "eval",
        "answers",
        "--table",
        "--data",
        path_text(&files.data),
    ];
    anchorite(&[&fixed[..], words].concat())
}

/// A figure of a row, to three decimal places.
fn figure(report: &Value, row: &str, key: &str) -> Option<f64> {
    let rows = report["rows"].as_array().expect("rows");
    let row = rows.iter().find(|one| one["row"] == row);
    let value = row.expect("the row")["figures"][key]["value"].as_f64();
    value.map(|value| (value * 1000.0).round() / 1000.0)
}

#[test]
fn every_row_is_asked_judged_and_written_down() {
    let files = files();
    let (html, answers) = (
        files.site.beside("table.html"),
        files.site.beside("table.jsonl"),
    );
    let words = [
        "--generator",
        path_text(&files.generator),
        "--adapter",
        path_text(&files.adapter),
        "--bare-adapter",
        path_text(&files.adapter),
        "--training-seconds",
        "60",
        "--html",
        path_text(&html),
        "--answers",
        path_text(&answers),
        "--json",
    ];
    let run = table(&files, &words);
    run.works();
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(report["rows"].as_array().map(Vec::len), Some(8), "{report}");
    assert_eq!(report["places"]["first"], 2, "{}", report["places"]);
    let figure = |row, key| figure(&report, row, key);
    for row in ["no-context", "long-prompt", "retrieval"] {
        assert_eq!(
            figure(row, "score"),
            Some(-0.333),
            "{row}: one of three is right"
        );
        assert_eq!(figure(row, "holds"), Some(0.5), "{row}: one of two");
        assert_eq!(
            figure(row, "abstention_recall"),
            Some(0.0),
            "{row}: it always answers"
        );
        assert!(figure(row, "prompt_tokens") > Some(50.0), "{row}");
    }
    assert!(
        figure("long-prompt", "prompt_tokens") > figure("retrieval", "prompt_tokens"),
        "longer instructions"
    );
    for row in [
        "adapter-alone",
        "retrieval-bare-adapter",
        "retrieval-adapter-passages",
    ] {
        assert_eq!(figure(row, "score"), Some(0.0), "{row}: it always abstains");
        assert_eq!(figure(row, "abstention_recall"), Some(1.0), "{row}");
        assert_eq!(
            figure(row, "supported"),
            None,
            "{row}: a refusal says nothing"
        );
    }
    assert_eq!(
        figure("no-context", "citation_recall"),
        None,
        "nothing to cite"
    );
    assert_eq!(
        figure("retrieval", "citation_recall"),
        Some(0.0),
        "it cites nothing"
    );
    assert_eq!(figure("quotation", "prompt_tokens"), None);
    assert_eq!(figure("quotation", "unsupported_shown"), Some(0.0));
    assert_eq!(figure("retrieval-adapter", "unsupported_shown"), Some(0.0));
    let rows = report["rows"].as_array().expect("rows");
    let bytes: Vec<u64> = rows
        .iter()
        .filter_map(|row| row["bytes"].as_u64())
        .collect();
    let length = |path: &PathBuf| std::fs::metadata(path).expect("a file").len();
    assert_eq!(bytes[0], length(&files.generator));
    assert_eq!(bytes[2], length(&files.generator) + length(&files.adapter));
    assert!(bytes[5] > bytes[6], "a reader more: {bytes:?}");
    assert_eq!(rows[2]["training_seconds"], 60);
    assert_eq!(rows[4]["training_seconds"], Value::Null, "nobody has told");

    let lines = std::fs::read_to_string(&answers).expect("the answers");
    assert_eq!(
        lines.lines().count(),
        24,
        "three questions, eight rows:\n{lines}"
    );
    let first: Value = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["row"], "no-context", "{first}");
    assert_eq!(first["is_right"], true, "{first}");
    assert_eq!(
        first["quotation"], "You bake the loaf for forty minutes.",
        "{first}"
    );
    let page = std::fs::read_to_string(&html).expect("the page");
    assert!(page.contains("retrieval + adapter, passages"), "{page}");
    assert!(
        !page.contains("<b>") && page.contains("&lt;b&gt;"),
        "escaped: {page}"
    );
}

#[test]
fn some_rows_can_be_asked_and_mistakes_say_what_to_do() {
    let files = files();
    let generator = ["--generator", path_text(&files.generator)];
    let run = table(
        &files,
        &[
            &generator[..],
            &["--rows", "quotation,no-context", "--limit", "1"],
        ]
        .concat(),
    );
    run.works();
    assert!(
        run.stdout.contains("1 no context") && run.stdout.contains("2 quotation"),
        "in the table's order: {}",
        run.stdout
    );
    let run = table(
        &files,
        &[&generator[..], &["--limit", "1", "--rows", "retrieval"]].concat(),
    );
    run.works();
    assert!(
        !run.stderr.contains("left out"),
        "nothing is missed: {}",
        run.stderr
    );
    table(&files, &[]).fails(&["a table compares what a generator writes"]);
    let wanting = [&generator[..], &["--rows", "adapter-alone"]].concat();
    table(&files, &wanting).fails(&[
        "there is no adapter for the row `adapter alone`",
        "--adapter",
    ]);
    let cases: [(&[&str], &str); 4] = [
        (&["--rows", "quotatoin"], "quotation"),
        (&["--candidates", "x.jsonl"], "cannot be used with"),
        (&["--ablate"], "cannot be used with"),
        (
            &["--generator", "nothing.gguf"],
            "could not read `nothing.gguf`",
        ),
    ];
    for (words, expected) in cases {
        let run = table(&files, words);
        assert_eq!(run.code, 2, "{words:?}: {}", run.stdout);
        assert!(
            run.stderr.contains(expected),
            "{words:?}: expected {expected:?}, found {:?}",
            run.stderr
        );
    }
}

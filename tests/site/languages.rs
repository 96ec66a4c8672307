//! Sites in other languages than English: the embedder that they get, its size, and search and refusal with it.

use std::fs;

use harness::{Run, Site, anchorite_in, path_text};
use serde_json::Value;

const NAME: &str = "multilingual-e5-small";

/// An allotment's notes in German: nine pages, so that a tenth is one.
const GERMAN: [(&str, &str); 9] = [
    (
        "beete.md",
        "# Beete\n\nDie Beete werden im Herbst umgegraben und mit Laub bedeckt.\n\n## Düngen\n\nIm März kommt reifer Kompost auf die Beete, drei Schaufeln für jeden Quadratmeter.\n",
    ),
    (
        "wasser.md",
        "# Wasser\n\nDie Regentonne fasst zweihundert Liter.\n\n## Frost\n\nVor dem ersten Frost wird die Tonne geleert, sonst platzt sie.\n",
    ),
    (
        "werkzeug.md",
        "# Werkzeug\n\nSpaten und Hacken hängen im Schuppen.\n\n## Ausleihen\n\nJeder darf ein Werkzeug für eine Woche mitnehmen, wenn er sich in die Liste einträgt.\n",
    ),
    (
        "schluessel.md",
        "# Schlüssel\n\nDer Schlüssel zum Tor liegt bei Frau Petersen.\n\n## Verlust\n\nWer den Schlüssel verliert, zahlt zwanzig Euro für einen neuen.\n",
    ),
    (
        "tomaten.md",
        "# Tomaten\n\nTomaten werden im Februar auf der Fensterbank vorgezogen und nach den Eisheiligen ausgepflanzt.\n",
    ),
    (
        "bienen.md",
        "# Bienen\n\nDie Bienenstöcke stehen hinter der Hecke. Kinder dürfen nur mit Erwachsenen dorthin gehen.\n",
    ),
    (
        "feste.md",
        "# Feste\n\nDas Sommerfest ist am ersten Samstag im Juli. Jede Familie bringt einen Salat oder einen Kuchen mit.\n",
    ),
    (
        "kompost.md",
        "# Kompost\n\nAuf den Haufen kommen Schalen, Laub und Kaffeesatz, aber kein Fleisch und kein Brot.\n",
    ),
    (
        "ruhe.md",
        "# Ruhezeiten\n\nZwischen eins und drei am Mittag wird nicht gehämmert und nicht gemäht.\n",
    ),
];
const ENGLISH: (&str, &str) = (
    "visitors.md",
    "# Visitors\n\nVisitors are welcome on Sundays between ten and four. Please close the gate behind you, because the sheep get out.\n",
);

fn site(pages: &[(&str, &str)]) -> Site {
    let pages: Vec<(&str, &[u8])> = pages
        .iter()
        .map(|(name, text)| (*name, text.as_bytes()))
        .collect();
    Site::new(&pages)
}

fn build(site: &Site, variables: &[(&str, &str)], extra: &[&str]) -> Run {
    let (pages, bundle) = (site.pages(), site.bundle());
    let fixed = [
        "build",
        path_text(&pages),
        "--bundle",
        path_text(&bundle),
        "--json",
        "--no-cache",
    ];
    anchorite_in(&harness::root(), variables, &[&fixed[..], extra].concat())
}

fn summary(run: &Run) -> Value {
    assert_eq!(run.code, 0, "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("a JSON summary")
}

/// True if the model was pulled; prints why a test is skipped if not.
fn is_pulled() -> bool {
    harness::pulled::path(NAME).is_some()
        && harness::pulled::path(&format!("{NAME}-reader")).is_some()
}

/// The page of the first hit.
fn first(site: &Site, query: &str) -> String {
    let run = site.run("search", &[query, "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let found: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let url = found[0]["url"].as_str().unwrap_or_default();
    url.split('#').next().unwrap_or_default().to_owned()
}

fn outcome(site: &Site, question: &str) -> String {
    let answers = site.answers(&[question], &[]);
    answers[0]["outcome"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn without_the_model_a_site_in_german_is_searched_by_words() {
    let site = site(&GERMAN);
    let empty = tempfile::tempdir().expect("a folder");
    let nothing = [("ANCHORITE_MODELS_DIR", path_text(empty.path()))];
    let run = build(&site, &nothing, &[]);
    let found = summary(&run);
    assert_eq!(found["embedder"], Value::Null);
    assert_eq!(
        found["has_reader"], false,
        "the one that ships reads English"
    );
    for expected in [
        "the site is in de",
        "anchorite pull multilingual-e5-small",
        "search is by words alone",
    ] {
        assert!(run.stderr.contains(expected), "{expected}: {}", run.stderr);
    }
    assert_eq!(first(&site, "Regentonne"), "wasser.html");
    assert_eq!(build(&site, &nothing, &["--strict"]).code, 1, "a warning");
    let silent = build(&site, &nothing, &["--strict", "--embedder", "none"]);
    assert_eq!(silent.code, 0, "asked for: {}", silent.stderr);
}

#[test]
fn an_embedder_without_its_reader_is_told() {
    let Some(embedder) = harness::pulled::path(NAME) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(embedder, folder.path().join(format!("{NAME}.gguf"))).expect("a copy");
    let site = site(&GERMAN);
    let run = build(
        &site,
        &[("ANCHORITE_MODELS_DIR", path_text(folder.path()))],
        &[],
    );
    assert_eq!(summary(&run)["has_reader"], false);
    for expected in [
        "the reader of `multilingual-e5-small` is not here",
        "anchorite pull",
    ] {
        assert!(run.stderr.contains(expected), "{expected}: {}", run.stderr);
    }
    assert_eq!(outcome(&site, "Wer hat den Schlüssel zum Tor?"), "closest");
}

#[test]
fn a_site_in_german_is_searched_by_meaning_in_any_language() {
    if !is_pulled() {
        return;
    }
    let site = site(&GERMAN);
    let run = build(&site, &[], &[]);
    let found = summary(&run);
    let embedder = &found["embedder"];
    assert_eq!(embedder["why"], "`multilingual-e5-small`, for a site in de");
    let bytes = embedder["bytes"].as_u64().expect("a size");
    assert!(bytes <= 20_000_000, "{bytes} bytes");
    assert!(
        run.stderr.contains("MB, `multilingual-e5-small`"),
        "{}",
        run.stderr
    );
    // In other words than the page's, and in another language.
    assert_eq!(
        first(&site, "Muss das Fass vor dem Winter ausgeleert werden?"),
        "wasser.html"
    );
    assert_eq!(first(&site, "tomato plants in February"), "tomaten.html");
    assert_eq!(found["has_reader"], true, "on the embedder's layers");
    // It learnt from English alone.
    for (question, expected) in [
        ("Wer hat den Schlüssel zum Tor?", "Frau Petersen"),
        ("Wie groß ist die Regentonne?", "zweihundert Liter"),
        ("Wann ist das Sommerfest?", "Samstag im Juli"),
    ] {
        let answer = &site.answers(&[question], &[])[0];
        assert_eq!(answer["outcome"], "answered", "{question}: {answer}");
        let quote = answer["quote"]["text"].as_str().unwrap_or_default();
        assert!(quote.contains(expected), "{question}: {quote}");
    }
    for elsewhere in [
        "Wer schrieb die Neunte Sinfonie?",
        "Wie hoch ist der Mount Everest?",
    ] {
        assert_eq!(outcome(&site, elsewhere), "absent", "{elsewhere}");
    }
    // Its vectors mean nothing to another embedder.
    let manifest = fs::read_to_string(site.bundle().join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["format"], 6);
    assert!(
        manifest["similarity"]["mean"]
            .as_f64()
            .is_some_and(|mean| mean > 0.6),
        "{manifest}"
    );
    let files = manifest["files"].as_array().expect("files");
    let file = files
        .iter()
        .find(|file| file["role"] == "embedder")
        .expect("an embedder");
    let part = site
        .bundle()
        .join(file["parts"][0]["path"].as_str().expect("a path"));
    fs::copy(harness::root().join("models/default/embedder.gguf"), part).expect("copied");
    site.run("search", &["Tomaten"])
        .fails(&["wrong length", "expected", "found"]);
}

#[test]
fn the_same_site_gives_the_same_embedder() {
    if !is_pulled() {
        return;
    }
    let site = site(&GERMAN);
    let id = |run: Run| summary(&run)["bundle"].clone();
    let first = id(build(&site, &[], &["--threads", "1"]));
    assert_eq!(id(build(&site, &[], &["--threads", "2"])), first);
}

#[test]
fn english_sites_keep_the_embedder_that_ships() {
    let mut pages = vec![ENGLISH; 12];
    let names: Vec<String> = (0..12).map(|n| format!("page{n}.md")).collect();
    for (page, name) in pages.iter_mut().zip(&names) {
        page.0 = name;
    }
    // One page of thirteen in another language changes nothing; code and pictures have no language.
    pages.push(GERMAN[4]);
    pages.push((
        "code.md",
        "# Code\n\n```\nlet zweihundert = wasser.liter();\n```\n",
    ));
    pages.push(("smile.md", "# \u{1f642}\n\n\u{1f642}\u{1f643} \u{1f642}\n"));
    let found = summary(&build(&site(&pages), &[], &["--no-calibration"]));
    assert_eq!(found["embedder"]["why"], "for a site in English");
    assert_eq!(found["has_reader"], true);
}

#[test]
fn a_tag_that_lies_about_the_script_is_not_believed() {
    if !is_pulled() {
        return;
    }
    let thai = "<html lang=\"en\"><title>ปั๊ม</title><main><h1>ปั๊ม</h1><p>ปิดวาล์วก่อนปิดปั๊ม จากนั้นเติมน้ำสะอาดลงในถังจนกว่าเข็มจะอยู่ที่เจ็ด \
        และรอจนกว่าปั๊มจะหยุดทำงาน</p></main></html>";
    let found = summary(&build(&site(&[("pump.html", thai)]), &[], &[]));
    assert_eq!(
        found["embedder"]["why"],
        "`multilingual-e5-small`, for a site in th"
    );
}

#[test]
fn a_site_in_many_languages_stays_small() {
    if !is_pulled() {
        return;
    }
    let texts: Value = serde_json::from_str(
        &fs::read_to_string(harness::root().join("models/recipes/multilingual/texts.json"))
            .expect("texts"),
    )
    .expect("JSON");
    let pages: Vec<(String, String)> = texts
        .as_object()
        .expect("languages")
        .iter()
        .map(|(tag, texts)| {
            let texts: Vec<&str> = texts
                .as_array()
                .expect("texts")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            (
                format!("{tag}-page.md"),
                format!(
                    "---\nlang: {tag}\n---\n# {}\n\n{}\n",
                    texts[1],
                    texts.join(" ")
                ),
            )
        })
        .collect();
    let pages: Vec<(&str, &str)> = pages
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let site = site(&pages);
    let found = summary(&build(&site, &[], &[]));
    let bytes = found["embedder"]["bytes"].as_u64().expect("a size");
    assert!(bytes <= 26_000_000, "{bytes} bytes");
    assert_eq!(first(&site, "ポンプ バルブ"), "ja-page.html");
}

#[test]
fn an_embedder_that_cannot_be_had_is_told() {
    let site = site(&GERMAN[..2]);
    for (value, expected) in [
        (
            "multilingual-e5",
            &["no model is called", "multilingual-e5-small"][..],
        ),
        (
            "SmolLM2-135M-Instruct",
            &["expected embedder", "--generator"],
        ),
        ("missing.gguf", &["could not read", "missing.gguf"]),
        (
            "models/default/../grounding/adapter.gguf",
            &["adapter.gguf"],
        ),
    ] {
        build(&site, &[], &["--embedder", value]).fails(expected);
    }
    let empty = tempfile::tempdir().expect("a folder");
    let nothing = [("ANCHORITE_MODELS_DIR", path_text(empty.path()))];
    build(&site, &nothing, &["--embedder", NAME])
        .fails(&["is not in", "anchorite pull multilingual-e5-small"]);
}

//! `anchorite build`: its handling of good and of bad pages.

use harness::{Run, Site};
use serde_json::Value;

const GUIDE: &[u8] = b"# Pumps\n\nA pump moves water uphill.\n\n## Starting a pump\n\nTurn the red wheel to the left until \
the needle stands at seven bar. Then open the valve.\n\n## Stopping a pump\n\nClose the valve before you turn the wheel back.\n";

/// Builds the page together with a good one, which must survive.
fn build_with(path: &str, bytes: &[u8]) -> Run {
    let site = Site::new(&[("pumps.md", GUIDE), (path, bytes)]);
    let run = site.build(&["--json"]);
    assert_eq!(run.code, 0, "one bad page is a warning: {}", run.stderr);
    let summary: Value = serde_json::from_str(&run.stdout).expect("a JSON summary");
    assert_eq!(
        summary["documents"], 1,
        "the good page is indexed: {summary}"
    );
    assert_eq!(
        summary["warnings"].as_array().map(Vec::len),
        Some(1),
        "one warning: {summary}"
    );
    assert_eq!(
        summary["warnings"][0]["examples"][0]["path"], path,
        "the warning names the page"
    );
    run
}

fn check_warning(path: &str, bytes: &[u8], expected: &str) {
    let run = build_with(path, bytes);
    assert!(
        run.stderr.contains(&format!("warning: page `{path}` ")) && run.stderr.contains(expected),
        "expected `{expected}` about `{path}` in: {}",
        run.stderr
    );
    assert!(
        run.stderr.contains("hint: "),
        "a warning says what to do: {}",
        run.stderr
    );
}

#[test]
fn indexes_markdown_and_html_with_their_anchors() {
    let html = b"<html><head><title>Valves</title></head><body><nav>Menu</nav><main><h1 id=\"valves\">Valves</h1>\
<p>Valves close pipes.</p><h2 id=\"ball\">Ball valves</h2><p>A ball valve turns by a quarter.</p></main></body></html>";
    let site = Site::new(&[("pumps.md", GUIDE), ("parts/valves.html", html)]);
    let run = site.build(&["--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let found = site.run("search", &["ball valve", "--json"]);
    assert!(
        found.stdout.contains("parts/valves.html#ball"),
        "the section's address: {}",
        found.stdout
    );
    assert!(
        !found.stdout.contains("Menu"),
        "navigation is no text: {}",
        found.stdout
    );
    let found = site.run("search", &["start the pump", "--json"]);
    assert!(
        found.stdout.contains("pumps.html#starting-a-pump"),
        "the heading's anchor: {}",
        found.stdout
    );
}

#[test]
fn the_same_pages_give_the_same_bytes() {
    let bundles: Vec<Vec<u8>> = (0..2)
        .map(|_| {
            let site = Site::new(&[("pumps.md", GUIDE)]);
            assert_eq!(site.build(&[]).code, 0, "builds");
            std::fs::read(site.bundle().join("manifest.json")).expect("a manifest")
        })
        .collect();
    assert!(
        bundles[0] == bundles[1],
        "the manifest holds every file's hash, so it is the whole bundle"
    );
}

#[test]
fn an_empty_folder_is_an_error_that_says_what_to_give() {
    let run = Site::new(&[]).build(&[]);
    assert_eq!(run.code, 2, "nothing to index: {}", run.stderr);
    assert!(
        run.stderr.contains("no page in") && run.stderr.contains("hint: "),
        "{}",
        run.stderr
    );
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let run = harness::anchorite(&["build", "/nowhere/at/all", "--bundle", "/nowhere/else"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("`/nowhere/at/all` is not a folder"),
        "{}",
        run.stderr
    );
}

#[test]
fn an_unpacked_program_takes_the_models_next_to_it() {
    let site = Site::new(&[("a.md", b"# A\n\nText.\n")]);
    let folder = tempfile::tempdir().expect("a folder");
    let models = folder.path().join("models/default");
    std::fs::create_dir_all(&models).expect("a folder");
    std::fs::write(models.join("embedder.gguf"), b"no model").expect("a file");
    let (pages, bundle) = (site.pages(), site.bundle());
    let arguments = [
        "build",
        harness::path_text(&pages),
        "--bundle",
        harness::path_text(&bundle),
        "--no-reader",
    ];
    let run = harness::anchorite_installed_in(folder.path(), &arguments);
    let broken = models.join("embedder.gguf");
    run.fails(&[harness::path_text(&broken), "does not start with `GGUF`"]);
    // Models that are there again: those of the checkout.
    for name in ["embedder.gguf", "reader.gguf"] {
        let shipped = harness::root().join("models/default").join(name);
        std::fs::copy(shipped, models.join(name)).expect("room for a copy");
    }
    let run = harness::anchorite_installed_in(folder.path(), &arguments);
    run.works();
}

#[test]
fn a_page_of_zero_bytes_is_a_warning() {
    check_warning("empty.md", b"", "empty");
}

#[test]
fn a_binary_page_is_a_warning() {
    check_warning("picture.md", b"# Picture\n\x00\x01\x02\x00", "binary");
}

#[test]
fn a_page_in_another_encoding_is_a_warning() {
    check_warning("latin1.md", b"# Caf\xe9\n\nNot UTF-8.", "UTF-8");
}

#[test]
fn a_page_of_fifty_megabytes_is_a_warning() {
    check_warning("huge.md", &b"word ".repeat(10 * 1024 * 1024), "52428800");
}

#[test]
fn a_page_that_cannot_be_read_is_a_warning() {
    use std::os::unix::fs::symlink;
    let site = Site::new(&[("pumps.md", GUIDE)]);
    // Removing permissions would not stop root; a dangling link stops everyone.
    symlink(site.pages().join("gone"), site.pages().join("lost.md")).expect("a link");
    let run = site.build(&["--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stdout.contains("\"documents\": 1"),
        "the good page is indexed: {}",
        run.stdout
    );
    assert!(
        run.stderr
            .contains("warning: page `lost.md` could not be read"),
        "the other is named: {}",
        run.stderr
    );
}

#[test]
fn duplicate_headings_get_anchors_of_their_own() {
    let site = Site::new(&[("twice.md", b"# Guide\n\n## Setup\n\nInstall the red thing first.\n\n## Setup\n\nInstall the blue thing later.\n")]);
    assert_eq!(site.build(&[]).code, 0, "builds");
    let blue = site.run("search", &["blue thing", "--limit", "1", "--json"]);
    assert!(
        blue.stdout.contains("twice.html#setup-1"),
        "the second one: {}",
        blue.stdout
    );
    let red = site.run("search", &["red thing", "--limit", "1", "--json"]);
    assert!(
        red.stdout.contains("twice.html#setup\""),
        "the first one: {}",
        red.stdout
    );
}

#[test]
fn strict_turns_a_warning_into_exit_code_one() {
    let site = Site::new(&[("pumps.md", GUIDE), ("empty.md", b"")]);
    assert_eq!(site.build(&["--strict"]).code, 1, "done, with a warning");
}

#[test]
fn front_matter_says_what_attributes_say() {
    let site = Site::new(&[
        (
            "posts/fog.md",
            b"---\ntitle: Fog\ndate: 2025-03-04\ntags: [weather]\nauthor: Ann\nimage: fog.png\nsalary: 5000\n---\nThe quoll sees nothing.",
        ),
        (
            "posts/storm.md",
            b"+++\ntitle = 'Storm'\ndate = 2026-01-02\ntags = ['weather', 'sea']\n+++\nThe quoll hides.",
        ),
        ("posts/soon.md", b"---\ndraft: true\n---\n# Soon\n\nThe quoll has a secret."),
    ]);
    let built = site.build(&["--json"]);
    let summary: Value = serde_json::from_str(&built.stdout).expect("JSON");
    assert_eq!(summary["documents"], 2, "{summary}");
    assert_eq!(summary["left_out"]["draft"], 1, "{summary}");
    let found = |arguments: &[&str]| -> Value {
        let run = site.run("search", &[&["quoll", "--json"], arguments].concat());
        serde_json::from_str(&run.stdout).expect("JSON")
    };
    let sorted = found(&["--sort", "date:desc"]);
    assert_eq!(sorted[0]["title"], "Storm");
    assert_eq!(
        sorted[1]["meta"],
        serde_json::json!({ "author": "Ann", "date": "2025-03-04", "image": "posts/fog.png" }),
        "and nothing that was not asked for"
    );
    let narrowed = found(&["--filter", "tags=sea"]);
    assert_eq!(narrowed.as_array().map(Vec::len), Some(1), "{narrowed}");
}

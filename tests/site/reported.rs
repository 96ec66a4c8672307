//! Situations that people report about similar tools: each folder is built and searched for the right value.
//!
//! The folders are outside the project, in `ANCHORITE_CASES` or next to the public test data; `tests/fixtures/reported.toml` has the
//! right values for each. `cargo xtask cases` prints them all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use harness::{Run, anchorite, anchorite_reading, cases_dir, path_text, root};
use serde::Deserialize;
use serde_json::Value;

/// The right values of one folder; `reported.toml` says what each field means.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Expected {
    words: BTreeMap<String, String>,
    first: BTreeMap<String, String>,
    only: BTreeMap<String, String>,
    shows: Vec<String>,
    hides: Vec<String>,
    opens: Vec<String>,
    title: BTreeMap<String, String>,
    filters: Vec<String>,
    asks: BTreeMap<String, String>,
    not_yet: Option<String>,
}

/// A folder's bundle, and the faults found in it.
struct Case {
    name: String,
    bundle: tempfile::TempDir,
    n_right: usize,
    wrong: Vec<String>,
}

#[test]
fn reported_situations_are_right() {
    let Some(folder) = cases_dir() else {
        return;
    };
    let table = std::fs::read_to_string(root().join("tests/fixtures/reported.toml"));
    let table: BTreeMap<String, Expected> =
        toml::from_str(&table.expect("the table")).expect("a table of cases");
    let only = std::env::var("ANCHORITE_CASE").ok();
    let chosen = |name: &&String| only.as_ref().is_none_or(|only| only == *name);
    let mut wrong = Vec::new();
    for name in table.keys().filter(chosen) {
        let case = judge(&folder, name, &table[name]);
        let verdict = if case.wrong.is_empty() {
            "right"
        } else {
            "wrong"
        };
        println!(
            "{verdict}  {name:<5} {} of {}",
            case.n_right,
            case.n_right + case.wrong.len()
        );
        if let Some(reason) = &table[name].not_yet {
            println!("       {name}, left: {reason}");
        }
        wrong.extend(case.wrong);
    }
    for line in &wrong {
        println!("wrong: {line}");
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn judge(folder: &Path, name: &str, expected: &Expected) -> Case {
    let mut case = Case {
        name: name.to_owned(),
        bundle: tempfile::tempdir().expect("a temporary folder"),
        n_right: 0,
        wrong: Vec::new(),
    };
    let pages = folder.join(name).join("in");
    assert!(pages.is_dir(), "{name}: no folder {}", pages.display());
    let built = case.build(&pages);
    if built.code != 0 {
        case.wrong
            .push(format!("{name}: is not built: {}", built.stderr));
        return case;
    }
    case.search(expected);
    case.look(expected);
    case.ask(&expected.asks);
    case
}

/// The hits that a search prints. A search that fails must not pass for one that finds nothing.
fn found(search: &[&str]) -> Vec<Value> {
    let run = anchorite(search);
    run.works();
    serde_json::from_str(&run.stdout).expect("JSON")
}

impl Case {
    /// Builds the pages: as a deployed site if all are HTML, as documents if there is Markdown.
    fn build(&self, pages: &Path) -> Run {
        let names = std::fs::read_dir(pages)
            .expect("the folder of pages")
            .flatten();
        let is_site = !names
            .map(|entry| entry.path())
            .any(|path| path.extension().is_some_and(|end| end == "md"));
        let mut arguments = vec!["build"];
        arguments.extend(is_site.then_some("--site"));
        let out = path_text(self.bundle.path());
        let options = ["--no-generator", "--no-calibration", "--no-cache"];
        arguments.extend([path_text(pages), "--bundle", out]);
        arguments.extend(options);
        anchorite(&arguments)
    }

    fn is(&mut self, is_right: bool, say: impl FnOnce() -> String) {
        if is_right {
            self.n_right += 1;
        } else {
            self.wrong.push(format!("{}: {}", self.name, say()));
        }
    }

    /// The pages that a query finds, best first.
    fn hits(&self, query: &str, by_words: bool) -> Vec<String> {
        let mut arguments = vec![
            "search",
            path_text(self.bundle.path()),
            "--json",
            "--limit",
            "20",
        ];
        if by_words {
            arguments.extend(["--sort", "date"]);
        }
        arguments.extend(["--", query]);
        let found = found(&arguments);
        let urls = found
            .iter()
            .map(|hit| hit["url"].as_str().unwrap_or_default());
        urls.map(|url| url.split('#').next().unwrap_or_default().to_owned())
            .collect()
    }

    fn search(&mut self, expected: &Expected) {
        for (query, page) in &expected.words {
            let hits = self.hits(query, true);
            let is_right = if page.is_empty() {
                hits.is_empty()
            } else {
                hits.contains(page)
            };
            self.is(is_right, || {
                format!("`{query}` by words: expected `{page}`, found {hits:?}")
            });
        }
        for (query, page) in &expected.only {
            let hits = self.hits(query, true);
            self.is(hits == [page.clone()], || {
                format!("`{query}` by words: expected `{page}` alone, found {hits:?}")
            });
        }
        for (query, page) in &expected.first {
            let hits = self.hits(query, false);
            self.is(hits.first() == Some(page), || {
                format!("`{query}`: expected `{page}` first, found {hits:?}")
            });
        }
        for pair in &expected.filters {
            let out = path_text(self.bundle.path());
            let found = found(&["search", out, "--json", "--filter", pair, "text"]);
            self.is(!found.is_empty(), || {
                format!("--filter {pair} finds nothing")
            });
        }
    }

    /// Examines the text, addresses and titles of all sections.
    fn look(&mut self, expected: &Expected) {
        let run = anchorite(&["inspect", path_text(self.bundle.path()), "--text", "--json"]);
        run.works();
        let sections: Vec<Value> = run
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("a section a line"))
            .collect();
        let field =
            |section: &Value, name: &str| section[name].as_str().unwrap_or_default().to_owned();
        let all: Vec<String> = sections
            .iter()
            .map(|section| format!("{}\n{}", section["headings"], field(section, "text")))
            .collect();
        for words in &expected.shows {
            self.is(all.iter().any(|text| text.contains(words)), || {
                format!("lacks {words:?} in {all:?}")
            });
        }
        for words in &expected.hides {
            let found = all.iter().find(|text| text.contains(words));
            self.is(found.is_none(), || format!("shows {words:?}: {found:?}"));
        }
        let urls: BTreeSet<String> = sections
            .iter()
            .map(|section| field(section, "url"))
            .collect();
        for url in &expected.opens {
            self.is(urls.contains(url), || {
                format!("no section at {url}: {urls:?}")
            });
        }
        for (page, title) in &expected.title {
            let of_page = sections
                .iter()
                .find(|section| field(section, "url").split('#').next() == Some(page));
            let found = of_page.map(|section| field(section, "title"));
            self.is(found.as_ref() == Some(title), || {
                format!("{page}: expected the title {title:?}, found {found:?}")
            });
        }
    }

    fn ask(&mut self, asks: &BTreeMap<String, String>) {
        let questions: Vec<&str> = asks.keys().map(String::as_str).collect();
        let out = path_text(self.bundle.path()).to_owned();
        let run = anchorite_reading(&questions.join("\n"), &["ask", &out, "--json", "-"]);
        run.works();
        assert_eq!(run.stdout.lines().count(), asks.len(), "an answer each");
        for (line, (question, expected)) in run.stdout.lines().zip(asks) {
            let answer: Value = serde_json::from_str(line).expect("an answer a line");
            let quoted = answer["quote"]["text"].as_str().unwrap_or_default();
            let is_right = match expected.as_str() {
                "" => answer["outcome"] != "answered",
                words => quoted.contains(words),
            };
            self.is(is_right, || {
                format!(
                    "{question}: expected {expected:?}, found {:?} {quoted:?}",
                    answer["outcome"]
                )
            });
        }
    }
}

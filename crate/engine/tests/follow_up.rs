//! Compares rewritten follow-ups with those that people wrote, by content terms and by search results.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anchorite::follow_up::{FollowUp, Turn, rewrite};
use anchorite_index::chunk::{ChunkOptions, chunk_documents};
use anchorite_index::lexical::terms;
use anchorite_index::parse::{ParseOptions, parse_page};
use anchorite_index::{Index, IndexOptions, SearchOptions};
use serde_json::Value;

#[path = "../../../tests/harness/skipped.rs"]
#[expect(unreachable_pub, reason = "public where the workspace's tests use it")]
mod skipped;

/// Share of `tests/fixtures/questions/follow-ups` that must be right: three points below the measured value.
const FLOOR: f64 = 0.92;
/// Terms that a rewritten question may have in addition to those of the expected one.
const MAX_SPARE_TERMS: usize = 2;

/// A file of the public test corpora: below `ANCHORITE_DATA` or `../shared/data` next to the checkout, or where `cargo
/// xtask test` unpacks those that come packed.
fn lines(name: &str) -> Option<Vec<Value>> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("ANCHORITE_DATA").map_or(default, PathBuf::from);
    let unpacked =
        std::env::var_os("ANCHORITE_UNPACKED").map(|folder| PathBuf::from(folder).join(name));
    let path = unpacked
        .filter(|path| path.exists())
        .unwrap_or_else(|| data.join(name));
    let Ok(text) = std::fs::read_to_string(&path) else {
        skipped::skipped(&format!(
            "no `{}`; set ANCHORITE_DATA, and unpack its `qa-2.tar`",
            path.display()
        ));
        return None;
    };
    let parse = |line| serde_json::from_str(line).expect("a line of JSON");
    Some(text.lines().map(parse).collect())
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<String> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(|one| one.as_str().map(str::to_owned))
        .collect()
}

/// Lower-cased letters and digits, so that a comma does not count as a change.
fn plain(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

/// The text that the index is searched for.
fn asked(question: &str, found: &FollowUp) -> String {
    match found {
        FollowUp::Rewritten { question, .. } => question.clone(),
        FollowUp::StandsAlone | FollowUp::Unclear => question.to_owned(),
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of test cases")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[test]
fn follow_ups_on_documentation_are_completed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/questions/follow-ups/documentation.json");
    let file = std::fs::read_to_string(&path).expect("the cases");
    let file: Value = serde_json::from_str(&file).expect("JSON");
    let cases = file["cases"].as_array().expect("a list of cases");
    let mut right = 0;
    let mut wrong = Vec::new();
    for case in cases {
        let history: Vec<Turn> = case["history"]
            .as_array()
            .expect("a list of turns")
            .iter()
            .map(|turn| Turn {
                question: text(turn, "question").to_owned(),
                answer: text(turn, "answer").to_owned(),
                headings: texts(&turn["headings"]),
            })
            .collect();
        let (question, expected) = (text(case, "question"), text(case, "expected"));
        let found = rewrite(question, &history);
        let is_right = match &found {
            FollowUp::StandsAlone => expected == "unchanged",
            FollowUp::Unclear => expected == "unsafe",
            FollowUp::Rewritten { question, .. } => {
                let (ours, wanted) = (terms(question), terms(expected));
                wanted.is_subset(&ours) && ours.len() <= wanted.len() + MAX_SPARE_TERMS
            }
        };
        if is_right {
            right += 1;
        } else {
            wrong.push(format!(
                "`{question}`: expected `{expected}`, found {found:?}"
            ));
        }
    }
    println!(
        "{right} of {} follow-ups on documentation are right",
        cases.len()
    );
    for line in &wrong {
        println!("  {line}");
    }
    let found = share(right, cases.len());
    assert!(
        found >= FLOOR,
        "{found:.3} are right, at least {FLOOR} expected; wrong: {wrong:#?}"
    );
}

/// Counts of terms over all dependent questions.
#[derive(Default)]
struct Overlap {
    wanted: usize,
    added: usize,
    shared: usize,
    whole: usize,
}

impl Overlap {
    fn count(&mut self, question: &str, ours: &str, expected: &str) {
        let said = terms(question);
        let wanted: BTreeSet<String> = terms(expected).difference(&said).cloned().collect();
        let added: BTreeSet<String> = terms(ours).difference(&said).cloned().collect();
        self.wanted += wanted.len();
        self.added += added.len();
        self.shared += wanted.intersection(&added).count();
        self.whole += usize::from(wanted.is_subset(&added));
    }

    fn line(&self, name: &str, n_dependent: usize) -> String {
        format!(
            "  {name}: recall of added terms {:.3}, precision {:.3}; all of them in {:.3}",
            share(self.shared, self.wanted),
            share(self.shared, self.added),
            share(self.whole, n_dependent),
        )
    }
}

/// The development set of CANARD (Elgohary et al., EMNLP 2019), once with the titles of page and section, which its
/// dialogues take for granted, as the headings of each passage, and once without.
#[test]
fn people_rewrite_follow_ups_alike() {
    let Some(rows) = lines("qa-2/canard/dev-full-history.jsonl") else {
        return;
    };
    for with_headings in [true, false] {
        let mut rewritten: BTreeMap<(String, String), String> = BTreeMap::new();
        let [
            mut n_dependent,
            mut n_changed,
            mut n_unclear,
            mut n_alone,
            mut n_kept,
        ] = [0; 5];
        let [mut as_it_stands, mut prepended, mut ours] = [0; 3].map(|_| Overlap::default());
        for row in &rows {
            let dialogue = texts(&row["dialogue"]);
            let (question, expected) = (text(row, "question"), text(row, "rewrite"));
            let id = text(row, "id").to_owned();
            let headings = match with_headings {
                true => vec![
                    text(row, "topic").to_owned(),
                    text(row, "section").to_owned(),
                ],
                false => Vec::new(),
            };
            let history: Vec<Turn> = dialogue
                .chunks_exact(2)
                .map(|pair| Turn {
                    // As a session keeps it.
                    question: rewritten
                        .get(&(id.clone(), pair[0].clone()))
                        .unwrap_or(&pair[0])
                        .clone(),
                    answer: pair[1].clone(),
                    headings: headings.clone(),
                })
                .collect();
            let found = rewrite(question, &history);
            let whole = asked(question, &found);
            rewritten.insert((id, question.to_owned()), whole.clone());
            let Some(last) = dialogue.len().checked_sub(2).map(|last| &dialogue[last]) else {
                continue;
            };
            if plain(question) == plain(expected) {
                n_alone += 1;
                n_kept += usize::from(found == FollowUp::StandsAlone);
                continue;
            }
            n_dependent += 1;
            n_changed += usize::from(matches!(found, FollowUp::Rewritten { .. }));
            n_unclear += usize::from(found == FollowUp::Unclear);
            as_it_stands.count(question, question, expected);
            prepended.count(question, &format!("{last} {question}"), expected);
            ours.count(question, &whole, expected);
        }
        println!(
            "CANARD, headings {with_headings}: of {n_dependent} dependent questions {:.3} rewritten, {:.3} unclear; \
             of {n_alone} that stand alone {:.3} kept",
            share(n_changed, n_dependent),
            share(n_unclear, n_dependent),
            share(n_kept, n_alone),
        );
        println!("{}", as_it_stands.line("as it stands", n_dependent));
        println!("{}", prepended.line("last question before it", n_dependent));
        println!("{}", ours.line("rewritten", n_dependent));
        assert!(
            share(n_kept, n_alone) > 0.9,
            "{n_kept} of {n_alone} questions that stand alone are kept"
        );
        let (found, before) = (
            share(ours.shared, ours.added),
            share(prepended.shared, prepended.added),
        );
        assert!(
            found > before,
            "precision {found:.3}, of the last question {before:.3}, headings {with_headings}"
        );
    }
}

/// Counts what each way of asking finds among the passages of QuAC (Choi et al., EMNLP 2018), by words alone, without
/// headings.
#[test]
fn a_rewritten_follow_up_finds_its_passage_oftener() {
    let Some(rows) = lines("qa-2/quac/quac.jsonl") else {
        return;
    };
    let mut passages: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        let next = passages.len();
        passages.entry(text(row, "context")).or_insert(next);
    }
    let documents: Vec<_> = passages
        .iter()
        .map(|(passage, number)| {
            parse_page(
                &format!("{number}.txt"),
                passage.as_bytes(),
                &ParseOptions::default(),
            )
            .expect("a page of text")
        })
        .collect();
    let chunks = chunk_documents(&documents, &ChunkOptions::default());
    let index =
        Index::build(&documents, chunks, None, &IndexOptions::default()).expect("a good index");
    let source: Vec<&str> = documents
        .iter()
        .map(|document| document.url.as_str())
        .collect();
    let rank = |query: &str, row: &Value| {
        let own = passages
            .keys()
            .position(|passage| *passage == text(row, "context"))
            .expect("its passage");
        let hits = index.search(query, None, &SearchOptions::default());
        let mut seen: Vec<String> = Vec::new();
        for hit in hits {
            let url = index
                .document(hit.chunk)
                .expect("a hit's document")
                .url
                .clone();
            if !seen.contains(&url) {
                seen.push(url);
            }
        }
        seen.iter().position(|url| url == source[own])
    };
    let names = ["as it stands", "last question before it", "rewritten"];
    // By the question's outcome: rewritten, unclear, standing alone.
    let mut counts = [0; 3];
    let mut first = [[0; 3]; 3];
    let mut fifth = [[0; 3]; 3];
    for row in &rows {
        let history: Vec<Turn> = texts(&row["history"])
            .chunks_exact(2)
            .map(|pair| Turn {
                question: pair[0].clone(),
                answer: pair[1].clone(),
                headings: Vec::new(),
            })
            .collect();
        let Some(last) = history.last() else { continue };
        let question = text(row, "question");
        let found = rewrite(question, &history);
        let kind = match found {
            FollowUp::Rewritten { .. } => 0,
            FollowUp::Unclear => 1,
            FollowUp::StandsAlone => 2,
        };
        counts[kind] += 1;
        let queries = [
            question.to_owned(),
            format!("{} {question}", last.question),
            asked(question, &found),
        ];
        for (way, query) in queries.iter().enumerate() {
            let rank = rank(query, row);
            first[kind][way] += usize::from(rank == Some(0));
            fifth[kind][way] += usize::from(rank.is_some_and(|rank| rank < 5));
        }
    }
    println!("QuAC, {} passages", documents.len());
    for (kind, label) in ["rewritten", "unclear", "standing alone"]
        .iter()
        .enumerate()
    {
        println!("  {} follow-ups {label}", counts[kind]);
        for (way, name) in names.iter().enumerate() {
            let (first, fifth) = (first[kind][way], fifth[kind][way]);
            println!(
                "    {name}: first {:.3}, of the first five {:.3}",
                share(first, counts[kind]),
                share(fifth, counts[kind])
            );
        }
    }
    let [as_it_stands, prepended, rewritten] = fifth[0];
    assert!(
        rewritten > prepended && rewritten > as_it_stands,
        "{rewritten} of {} found when rewritten, {prepended} with the last question, {as_it_stands} as they stand",
        counts[0]
    );
}

//! Reads documents, queries and judgements from a folder in BEIR's form.
//!
//! `corpus.jsonl` has a line `{"_id", "title", "text"}` for each document, `queries.jsonl` one `{"_id", "text"}` for each
//! query, and the judgements are lines of query, document and grade between tabs, in `qrels.tsv` or `qrels/test.tsv`
//! (Thakur and others, 2021).

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anchorite::index::document::{Document, Section};
use anyhow::Context;
use serde::Deserialize;

use super::metrics::Judgements;
use crate::report::Hint;

/// A corpus with judged queries.
pub(super) struct TestSet {
    pub(super) name: String,
    /// One for each document, its id as the url.
    pub(super) documents: Vec<Document>,
    /// Only queries with a relevant document.
    pub(super) queries: Vec<Query>,
}

pub(super) struct Query {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) judgements: Judgements,
}

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    title: String,
    text: String,
}

/// The folders that hold a set: `dir` itself, or those right below it, by name.
pub(super) fn folders(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let is_set = |dir: &Path| dir.join("corpus.jsonl").is_file();
    if is_set(dir) {
        return Ok(vec![dir.to_owned()]);
    }
    let entries =
        std::fs::read_dir(dir).with_context(|| format!("could not list `{}`", dir.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if is_set(&path) {
            folders.push(path);
        }
    }
    if folders.is_empty() {
        return Err(Hint::error(
            format!(
                "no `corpus.jsonl` in `{}` or a folder below it",
                dir.display()
            ),
            "give a folder in BEIR's form: corpus.jsonl, queries.jsonl and qrels.tsv, or one that holds such folders",
        ));
    }
    folders.sort();
    Ok(folders)
}

/// Reads one set.
pub(super) fn read(dir: &Path) -> anyhow::Result<TestSet> {
    let documents = rows(&dir.join("corpus.jsonl"))?
        .into_iter()
        .map(document)
        .collect();
    let mut judgements = judgements(dir)?;
    let queries: Vec<Query> = rows(&dir.join("queries.jsonl"))?
        .into_iter()
        .filter_map(|row| {
            let judgements = judgements.remove(&row.id)?;
            Some(Query {
                id: row.id,
                text: row.text,
                judgements,
            })
        })
        .collect();
    if queries.is_empty() {
        return Err(Hint::error(
            format!("no query of `{}` has a relevant document", dir.display()),
            "the first column of the judgements names queries by their `_id`",
        ));
    }
    let name = dir
        .file_name()
        .unwrap_or(dir.as_os_str())
        .to_string_lossy()
        .into_owned();
    Ok(TestSet {
        name,
        documents,
        queries,
    })
}

/// A document of one section. If it has only a title, that is its text.
fn document(row: Row) -> Document {
    let (title, text) = if row.text.trim().is_empty() {
        (String::new(), row.title)
    } else {
        (row.title, row.text)
    };
    Document {
        source: row.id.clone(),
        url: row.id,
        title,
        sections: vec![Section {
            text,
            ..Section::default()
        }],
        filters: BTreeMap::new(),
        meta: BTreeMap::new(),
        sort: BTreeMap::new(),
        weight: 1.0,
        language: None,
    }
}

fn rows(path: &Path) -> anyhow::Result<Vec<Row>> {
    lines(path)?
        .into_iter()
        .map(|(number, line)| {
            serde_json::from_str(&line)
                .with_context(|| format!("`{}`, line {number}", path.display()))
        })
        .collect()
}

/// Positive grades by query; queries without any are dropped.
fn judgements(dir: &Path) -> anyhow::Result<HashMap<String, Judgements>> {
    let places = ["qrels.tsv", "qrels/test.tsv"].map(|name| dir.join(name));
    let Some(path) = places.iter().find(|path| path.is_file()) else {
        return Err(Hint::error(
            format!("no judgements in `{}`", dir.display()),
            "add them as qrels.tsv or qrels/test.tsv: query, document and grade between tabs",
        ));
    };
    let mut all: HashMap<String, Judgements> = HashMap::new();
    for (number, line) in lines(path)? {
        let fields: Vec<&str> = line.split('\t').collect();
        let parsed = match fields[..] {
            [query, document, grade] => grade.trim().parse::<i64>().ok().map(|grade| {
                let grade = u32::try_from(grade.max(0)).unwrap_or(u32::MAX);
                (query, document, grade)
            }),
            _ => None,
        };
        match parsed {
            Some((_, _, 0)) => {}
            Some((query, document, grade)) => {
                let judgements = all.entry(query.to_owned()).or_default();
                judgements.insert(document.to_owned(), grade);
            }
            // The column names.
            None if number == 1 => {}
            None => {
                return Err(Hint::error(
                    format!(
                        "`{}`, line {number}: expected query, document and grade between tabs, found `{line}`",
                        path.display()
                    ),
                    "write grades as whole numbers",
                ));
            }
        }
    }
    Ok(all)
}

/// The non-empty lines, with their numbers from 1.
fn lines(path: &Path) -> anyhow::Result<Vec<(usize, String)>> {
    let file = File::open(path).with_context(|| format!("could not open `{}`", path.display()))?;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.with_context(|| format!("could not read `{}`", path.display()))?;
        if !line.trim().is_empty() {
            lines.push((number, line));
        }
    }
    Ok(lines)
}

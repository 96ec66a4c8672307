//! Turns the Rust toolchain's HTML documentation into what search engines are compared on: chunks, queries, our bundles.
//!
//! `bench_search HTML OUT N..` writes for each N `docs-N.json` (`[{id, title, url, text}]`, one chunk each), `queries-N.json`
//! (`[{id, q}]`: words of one chunk, and which) and `bundle-N`, our index by words over the same chunks; then `pages`, our index
//! over 10,000 whole pages, with `queries-pages.json`. The same toolchain gives the same files.

#![expect(clippy::print_stdout, reason = "progress of a tool")]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anchorite_index::bundle;
use anchorite_index::chunk::{Chunk, ChunkOptions, chunk_documents};
use anchorite_index::parse::{ParseOptions, parse_page};
use anchorite_index::{Document, Index, IndexOptions, Section};
use serde_json::json;

/// Words of a chunk: about those of a paragraph or two.
const MIN_WORDS: usize = 60;
const MAX_WORDS: usize = 110;
const N_QUERIES: usize = 200;
const N_PAGES: usize = 10_000;
/// Pages that repeat others.
const SKIPPED: [&str; 5] = [
    "print.html",
    "all.html",
    "toc.html",
    "404.html",
    "help.html",
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [html, out, sizes @ ..] = arguments.as_slice() else {
        panic!("usage: bench_search HTML OUT N..");
    };
    let out = Path::new(out);
    std::fs::create_dir_all(out).expect("the folder for the files");
    let mut paths = Vec::new();
    walk(Path::new(html), &mut paths);
    let mut random = Random(7);
    random.shuffle(&mut paths);
    let read = |path: &PathBuf| {
        let source = path.strip_prefix(html).expect("below the folder");
        let source = source.to_string_lossy().replace('\\', "/");
        let bytes = std::fs::read(path).ok()?;
        parse_page(&source, &bytes, &ParseOptions::default()).ok()
    };
    let most: usize = sizes.iter().map(|n| number(n)).max().unwrap_or(0);
    let (mut pages, mut chunks, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for page in paths.iter().filter_map(read) {
        if pages.len() >= N_PAGES && chunks.len() >= most {
            break;
        }
        chunks.extend(pieces(&page, &mut seen));
        if pages.len() < N_PAGES {
            pages.push(page);
        }
    }
    random.shuffle(&mut chunks);
    for n in sizes.iter().map(|n| number(n)) {
        assert!(
            chunks.len() >= n,
            "expected {n} chunks, found {}",
            chunks.len()
        );
        let documents: Vec<Document> = (0..).zip(&chunks[..n]).map(document).collect();
        let texts: Vec<&str> = chunks[..n].iter().map(|(_, text)| text.as_str()).collect();
        let docs: Vec<_> = documents
            .iter()
            .enumerate()
            .map(|(id, document)| {
                let text = &document.sections[0].text;
                json!({ "id": id, "title": document.title, "url": document.url, "text": text })
            })
            .collect();
        write_json(&out.join(format!("docs-{n}.json")), &json!(docs));
        let queries = queries(&texts, &mut Random(11), |idx| idx.to_string());
        write_json(&out.join(format!("queries-{n}.json")), &json!(queries));
        write_bundle(&out.join(format!("bundle-{n}")), &documents);
    }
    let chunks = chunk_documents(&pages, &ChunkOptions::default());
    let texts: Vec<&str> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    let url = |idx: usize| pages[chunks[idx].document as usize].url.clone();
    let queries = queries(&texts, &mut Random(13), url);
    write_json(&out.join("queries-pages.json"), &json!(queries));
    write_bundle(&out.join("pages"), &pages);
}

fn number(text: &str) -> usize {
    text.parse().expect("a number of chunks")
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("a folder of documentation");
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            walk(&path, paths);
        } else if name.ends_with(".html") && !SKIPPED.contains(&name.as_str()) {
            paths.push(path);
        }
    }
}

/// The page's title and its text in pieces of some words, without those that were seen before.
fn pieces(page: &Document, seen: &mut HashSet<String>) -> Vec<(String, String)> {
    let mut pieces = Vec::new();
    for section in &page.sections {
        let words: Vec<&str> = section
            .text
            .split_whitespace()
            .filter(|word| !word.starts_with("```"))
            .collect();
        for piece in words
            .chunks(MAX_WORDS)
            .filter(|piece| piece.len() >= MIN_WORDS)
        {
            let distinct: HashSet<&&str> = piece.iter().collect();
            // Tables of impls say the same words again and again.
            if distinct.len() * 3 > piece.len() && seen.insert(piece[..MIN_WORDS].join(" ")) {
                pieces.push((page.title.clone(), piece.join(" ")));
            }
        }
    }
    pieces
}

fn document((id, (title, text)): (usize, &(String, String))) -> Document {
    Document {
        source: id.to_string(),
        url: id.to_string(),
        title: title.clone(),
        sections: vec![Section {
            text: text.clone(),
            ..Section::default()
        }],
        filters: BTreeMap::new(),
        meta: BTreeMap::new(),
        sort: BTreeMap::new(),
        weight: 1.0,
        language: Some("en".to_owned()),
    }
}

/// Queries for known items: two or three words of one text, each in five texts at least and in one of fifty at most.
fn queries(
    texts: &[&str],
    random: &mut Random,
    id: impl Fn(usize) -> String,
) -> Vec<serde_json::Value> {
    let words = |text: &str| -> BTreeSet<String> {
        text.split(|c: char| !c.is_ascii_alphabetic())
            .filter(|word| word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_lowercase()))
            .map(str::to_owned)
            .collect()
    };
    let mut counts: HashMap<String, usize> = HashMap::new();
    for word in texts.iter().flat_map(|text| words(text)) {
        *counts.entry(word).or_default() += 1;
    }
    let mut queries = Vec::new();
    while queries.len() < N_QUERIES {
        let idx = random.below(texts.len());
        let mut rare: Vec<String> = words(texts[idx])
            .into_iter()
            .filter(|word| (5..=texts.len().div_ceil(50)).contains(&counts[word]))
            .collect();
        let n_words = 2 + random.below(2);
        if rare.len() >= 3 {
            random.shuffle(&mut rare);
            queries.push(json!({ "id": id(idx), "q": rare[..n_words].join(" ") }));
        }
    }
    queries
}

fn write_bundle(folder: &Path, documents: &[Document]) {
    let chunks: Vec<Chunk> = chunk_documents(documents, &ChunkOptions::default());
    let n_chunks = chunks.len();
    let index = Index::build(documents, chunks, None, &IndexOptions::default()).expect("an index");
    let bundle = bundle::write(&index, &[], "bench").expect("a bundle");
    // What an earlier run left would be served too.
    let _ = std::fs::remove_dir_all(folder);
    for (path, bytes) in &bundle.files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        std::fs::write(path, bytes).expect("a file of the bundle");
    }
    println!(
        "{}: {} documents, {n_chunks} chunks",
        folder.display(),
        documents.len()
    );
}

fn write_json(path: &Path, value: &serde_json::Value) {
    std::fs::write(path, value.to_string()).expect("a file of the corpus");
}

/// Numbers that are the same in every run (Knuth's linear congruential generator).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % n.max(1) as u64).unwrap_or(0)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for idx in (1..items.len()).rev() {
            items.swap(idx, self.below(idx + 1));
        }
    }
}

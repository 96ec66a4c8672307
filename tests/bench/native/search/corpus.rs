//! Turns the toolchain's HTML documentation into pages, chunks, and queries for known chunks: the same for the same toolchain.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anchorite_index::parse::{ParseOptions, parse_page};
use anchorite_index::{Document, Section};

/// Words per chunk: about a paragraph or two.
const MIN_WORDS: usize = 60;
const MAX_WORDS: usize = 110;
const N_QUERIES: usize = 1000;
const N_PAGES: usize = 10_000;
/// Pages that repeat others.
const SKIPPED: [&str; 5] = [
    "print.html",
    "all.html",
    "toc.html",
    "404.html",
    "help.html",
];

/// The pages, and the chunks that they were cut into.
pub(crate) struct Corpus {
    /// The first pages, as the seed orders them.
    pub(crate) pages: Vec<Document>,
    /// Title and text of each chunk, shuffled; smaller sizes take them from the front.
    pub(crate) chunks: Vec<(String, String)>,
}

impl Corpus {
    /// Reads pages until there are enough for the site and for `most` chunks.
    pub(crate) fn read(html: &Path, most: usize) -> Self {
        let mut paths = Vec::new();
        walk(html, &mut paths);
        let mut random = Random(7);
        random.shuffle(&mut paths);
        let read = |path: &PathBuf| {
            let source = path.strip_prefix(html).expect("below the folder");
            let source = source.to_string_lossy().replace('\\', "/");
            let bytes = std::fs::read(path).ok()?;
            parse_page(&source, &bytes, &ParseOptions::default()).ok()
        };
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
        Self { pages, chunks }
    }

    /// The first `n` chunks, each as a document of its own.
    pub(crate) fn documents(&self, n: usize) -> Vec<Document> {
        let found = self.chunks.len();
        assert!(found >= n, "expected {n} chunks, found {found}");
        (0..).zip(&self.chunks[..n]).map(document).collect()
    }

    /// Queries over the first `n` chunks: the chunk to find, and the words.
    pub(crate) fn queries(&self, n: usize) -> Vec<(usize, String)> {
        let texts = self.chunks[..n].iter().map(|(_, text)| text.as_str());
        let texts: Vec<&str> = texts.collect();
        queries(&texts, 11)
    }
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

/// The page's title with pieces of its text, without pieces that were seen before.
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
            // Tables of impls repeat the same words.
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

/// Queries for known items: two or three words of one text, each in at least five texts and in at most one of fifty.
///
/// Returns, for each, the position of that text, and the words.
pub(crate) fn queries(texts: &[&str], seed: u64) -> Vec<(usize, String)> {
    let mut random = Random(seed);
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
            queries.push((idx, rare[..n_words].join(" ")));
        }
    }
    queries
}

/// Random numbers that are the same in every run (Knuth's linear congruential generator).
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

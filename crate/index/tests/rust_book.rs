//! Indexes the Rust book, where it is available, and asks it plain questions by words alone.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anchorite_index::bundle;
use anchorite_index::chunk::{ChunkOptions, chunk_documents};
use anchorite_index::parse::{ParseOptions, markdown, parse_page};
use anchorite_index::{Document, Index, IndexOptions, SearchOptions};

#[path = "../../../tests/harness/skipped.rs"]
#[expect(unreachable_pub, reason = "public where the workspace's tests use it")]
mod skipped;

/// The book's sources below the folder of public test corpora: `ANCHORITE_DATA`, or `../shared/data` next to the
/// checkout.
fn book_dir() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("ANCHORITE_DATA").map_or(default, PathBuf::from);
    let dir = data.join("corpora/rust-book/raw/src");
    if !dir.is_dir() {
        skipped::skipped(&format!(
            "no Rust book at {}; set ANCHORITE_DATA",
            dir.display()
        ));
        return None;
    }
    Some(dir)
}

fn pages(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir)
        .expect("the folder can be listed")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "md")
                && !path.ends_with("SUMMARY.md")
        })
        .collect();
    paths.sort();
    let name = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    paths
        .into_iter()
        .map(|path| (name(&path), std::fs::read(&path).expect("a page")))
        .collect()
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

#[test]
fn the_whole_book_is_read_and_found_by_words() {
    let Some(dir) = book_dir() else { return };
    let pages = pages(&dir);
    let started = SystemTime::now();
    let mut documents: Vec<Document> = Vec::new();
    for (name, bytes) in &pages {
        let document = parse_page(name, bytes, &ParseOptions::default())
            .unwrap_or_else(|error| panic!("{error}"));
        let text = std::str::from_utf8(bytes).expect("parsed, so UTF-8");
        let rendered = markdown::to_html(text, markdown::Anchors::default());
        for anchor in document
            .sections
            .iter()
            .filter_map(|section| section.anchor.as_ref())
        {
            assert!(
                rendered.contains(&format!("id=\"{anchor}\"")),
                "{name}#{anchor} is in the rendered page"
            );
        }
        for section in &document.sections {
            for bad in ["{{#", "<Listing", "<!--", "</"] {
                let prose = section
                    .text
                    .split("```")
                    .step_by(2)
                    .any(|prose| prose.contains(bad));
                assert!(!prose, "`{bad}` in {name}, {:?}", section.headings);
            }
        }
        documents.push(document);
    }
    let chunks = chunk_documents(&documents, &ChunkOptions::default());
    let n_words: usize = chunks.iter().map(|chunk| words(&chunk.text)).sum();
    let longest = chunks
        .iter()
        .map(|chunk| words(&chunk.text))
        .max()
        .unwrap_or(0);
    assert!(longest <= 260, "longest chunk: {longest} words");
    let n_sections: usize = documents
        .iter()
        .map(|document| document.sections.len())
        .sum();
    let n_in_sections: usize = documents
        .iter()
        .flat_map(|document| &document.sections)
        .map(|section| words(&section.text))
        .sum();
    // Splitting code adds fences; nothing may be lost.
    assert!(
        n_words >= n_in_sections,
        "{n_words} words of {n_in_sections}"
    );
    let n_chunks = chunks.len();
    let index =
        Index::build(&documents, chunks, None, &IndexOptions::default()).expect("a good index");
    let seconds = started
        .elapsed()
        .map_or(0.0, |elapsed| elapsed.as_secs_f64());
    let bundle = bundle::write(&index, &[], "test").expect("a good bundle");
    println!(
        "{} pages, {n_sections} sections, {n_chunks} chunks of {} words on average, longest {longest}, {} terms, {seconds:.2} s",
        documents.len(),
        n_words / n_chunks,
        index.lexical.n_terms()
    );
    for file in &bundle.manifest.files {
        println!("{}: {} bytes", file.role, file.bytes);
    }
    assert!((500..3000).contains(&n_chunks), "{n_chunks} chunks");

    let questions = [
        (
            "how do I return an error from a function",
            "ch09-02-recoverable-errors-with-result.html",
        ),
        ("what is ownership", "ch04-01-what-is-ownership.html"),
        (
            "difference between String and str slices",
            "ch04-03-slices.html",
        ),
        ("how to create a hash map", "ch08-03-hash-maps.html"),
        (
            "RefCell interior mutability",
            "ch15-05-interior-mutability.html",
        ),
        (
            "what does the ? operator do",
            "ch09-02-recoverable-errors-with-result.html",
        ),
        (
            "reference cycles memory leak",
            "ch15-06-reference-cycles.html",
        ),
        ("install rust on linux", "ch01-01-installation.html"),
        (
            "unit tests and integration tests",
            "ch11-03-test-organization.html",
        ),
        ("Rc<T> reference counted", "ch15-04-rc.html"),
        (
            "send messages between threads with channels",
            "ch16-02-message-passing.html",
        ),
        ("closures capture environment", "ch13-01-closures.html"),
        (
            "lifetime annotations in function signatures",
            "ch10-03-lifetime-syntax.html",
        ),
        (
            "publish a crate to crates.io",
            "ch14-02-publishing-to-crates-io.html",
        ),
        ("if let syntax", "ch06-03-if-let.html"),
        (
            "command line arguments",
            "ch12-01-accepting-command-line-arguments.html",
        ),
    ];
    let mut n_found = 0;
    for (question, expected) in questions {
        let hits = index.search(
            question,
            None,
            &SearchOptions {
                limit: 5,
                ..SearchOptions::default()
            },
        );
        let rank = hits.iter().position(|hit| {
            index
                .document(hit.chunk)
                .is_some_and(|page| page.url == expected)
        });
        n_found += usize::from(rank.is_some());
        let best = hits
            .first()
            .map(|hit| index.url(hit.chunk))
            .unwrap_or_default();
        println!(
            "{rank:?} {question} -> {best} coverage {:.2}",
            hits.first().map_or(0.0, |hit| hit.coverage)
        );
    }
    println!("hit@5 by words alone: {n_found} of {}", questions.len());
    assert!(
        n_found * 10 >= questions.len() * 9,
        "{n_found} of {} found",
        questions.len()
    );
}

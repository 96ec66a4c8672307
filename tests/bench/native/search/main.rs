//! Turns the Rust toolchain's HTML documentation into the files on which search engines are compared,
//! deterministically.
//!
//! `bench_search words HTML OUT N..` writes for each N `docs-N.json` (`[{id, title, url, text}]`, one chunk each),
//! `queries-N.json` (`[{id, q}]`: words of one chunk, and which) and `bundle-N`, our index by words over the same chunks; then
//! `pages`, our index over 10,000 whole pages, with `queries-pages.json`.
//!
//! `bench_search meaning HTML OUT EMBEDDER N..` writes for each N the embeddings of the same chunks and queries, `vectors-N.f32`
//! and `vector-queries-N.f32` (32-bit floats, little-endian, one vector after another), `nearest-N.json` (for each query the
//! ten chunks with the largest cosines, all compared) and `vectors-N`, our bundle with these vectors.

#![expect(clippy::print_stdout, reason = "progress of a tool")]

mod corpus;
mod embed;
mod meaning;
mod words;

use std::path::Path;

use anchorite_index::Index;
use anchorite_index::bundle;

use corpus::Corpus;

const USAGE: &str = "usage: bench_search words HTML OUT N.. | meaning HTML OUT EMBEDDER N..";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["words", html, out, sizes @ ..] => {
            let (corpus, sizes) = read(html, out, sizes);
            words::write(&corpus, Path::new(out), &sizes);
        }
        ["meaning", html, out, embedder, sizes @ ..] => {
            let (corpus, sizes) = read(html, out, sizes);
            meaning::write(&corpus, Path::new(out), Path::new(embedder), &sizes);
        }
        _ => panic!("{USAGE}"),
    }
}

fn read(html: &str, out: &str, sizes: &[&str]) -> (Corpus, Vec<usize>) {
    std::fs::create_dir_all(out).expect("the folder for the files");
    let number = |text: &&str| text.parse().expect("a number of chunks");
    let sizes: Vec<usize> = sizes.iter().map(number).collect();
    let most = sizes.iter().copied().max().unwrap_or(0);
    (Corpus::read(Path::new(html), most), sizes)
}

fn write_bundle(folder: &Path, index: &Index) {
    let bundle = bundle::write(index, &[], "bench").expect("a bundle");
    // A server would also serve files left over from an earlier run.
    let _ = std::fs::remove_dir_all(folder);
    for (path, bytes) in &bundle.files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        std::fs::write(path, bytes).expect("a file of the bundle");
    }
    println!(
        "{}: {} documents, {} chunks",
        folder.display(),
        index.n_documents(),
        index.n_chunks()
    );
}

fn write_json(path: &Path, value: &serde_json::Value) {
    std::fs::write(path, value.to_string()).expect("a file of the corpus");
}

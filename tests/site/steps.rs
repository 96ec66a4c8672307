//! `anchorite chunk | embed | index`: a build on many machines makes the same bundle as on one, byte for byte.

use std::path::PathBuf;

use harness::{Run, Site, anchorite, path_text};

fn site() -> Site {
    Site::new(&[
        ("index.html", b"<html lang=en><body><main><h1>Start</h1><p>The zebra lives here.</main>" as &[u8]),
        (
            "a.html",
            b"<html lang=de><body data-pagefind-weight=2><main><h1 id=a>A</h1><p data-pagefind-filter='tag:x' data-pagefind-meta='by:Ann' data-pagefind-sort='date:2026-01-02'>Ein Gecko klettert.<h2>B</h2><p>Und schl\xc3\xa4ft.</main>",
        ),
        ("v1/a.html", b"<html lang=de><link rel=canonical href=/a.html><body><main><h1>A</h1><p>Kopie.</main>"),
        ("404.html", b"<html lang=en><body><h1>404</h1>Nothing."),
        ("broken.html", b"<p>caf\xe9"),
        ("z/index.html", b"<html lang=en><body><main><h1>Z</h1><p>The last page.</main>"),
    ])
}

fn run(arguments: &[&str]) -> Run {
    let run = anchorite(arguments);
    assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
    run
}

/// One machine sees no site, and so not its languages: all are told the same embedder.
const EMBEDDER: [&str; 2] = ["--embedder", "models/default/embedder.gguf"];

struct Steps {
    site: Site,
    out: PathBuf,
}

impl Steps {
    /// Writes the chunks of all pages into two tables by glob, then their embeddings into one.
    fn new(extension: &str) -> Steps {
        let site = site();
        let (chunks, embeddings) = (site.beside("chunks"), site.beside("embeddings"));
        let pages = site.pages();
        let table = |name: &str| chunks.join(format!("{name}.{extension}"));
        let (first, second) = (table("part-1"), table("part-0"));
        for (glob, table) in [("a.html", &first), ("!a.html", &second)] {
            let glob = match glob.strip_prefix('!') {
                Some(glob) => ["--exclude", glob],
                None => ["--include", glob],
            };
            let out = ["--out", path_text(table)];
            run(&[&["chunk", "--site", path_text(&pages)], &out[..], &glob[..]].concat());
        }
        let table = embeddings.join(format!("all.{extension}"));
        let out = ["--out", path_text(&table)];
        run(&[&["embed", path_text(&chunks)], &EMBEDDER[..], &out].concat());
        Steps {
            out: site.beside("indexed"),
            site,
        }
    }

    fn index(&self, chunks: &str, embeddings: &str) -> Run {
        let (chunks, embeddings) = (self.site.beside(chunks), self.site.beside(embeddings));
        let tables = [
            "index",
            "--chunks",
            path_text(&chunks),
            "--embeddings",
            path_text(&embeddings),
            "--no-generator",
            "--out",
            path_text(&self.out),
        ];
        anchorite(&[&tables[..], &EMBEDDER].concat())
    }
}

#[test]
fn the_steps_make_the_bundle_of_a_build() {
    for extension in ["parquet", "arrow"] {
        let steps = Steps::new(extension);
        assert_eq!(steps.site.build_site(&EMBEDDER).code, 0);
        let indexed = steps.index("chunks", "embeddings");
        assert_eq!(indexed.code, 0, "{}", indexed.stderr);
        let manifest =
            |dir: &PathBuf| std::fs::read(dir.join("manifest.json")).expect("a manifest");
        assert!(
            manifest(&steps.site.bundle()) == manifest(&steps.out),
            "{extension}: the manifest holds every file's hash, so it is the whole bundle"
        );
        let out = run(&["inspect", path_text(&steps.out)]);
        assert!(out.stdout.contains("documents   3"), "{}", out.stdout);
    }
}

#[test]
fn what_is_missing_or_twice_is_named() {
    let steps = Steps::new("parquet");
    let found = steps.index("chunks", "chunks");
    assert_eq!(found.code, 2, "{}", found.stderr);
    assert!(
        found.stderr.contains("column `model` is missing"),
        "{}",
        found.stderr
    );
    let pages = steps.site.pages();
    let twice = steps.site.beside("chunks/twice.parquet");
    run(&[
        "chunk",
        "--site",
        path_text(&pages),
        "--out",
        path_text(&twice),
    ]);
    let found = steps.index("chunks", "embeddings");
    assert_eq!(found.code, 2, "{}", found.stderr);
    assert!(found.stderr.contains("is there twice"), "{}", found.stderr);
    let other = steps.site.beside("other/all.parquet");
    run(&[
        "embed",
        path_text(&steps.site.beside("chunks/part-1.parquet")),
        "--out",
        path_text(&other),
    ]);
    let found = steps.index("chunks/part-0.parquet", "other");
    assert_eq!(found.code, 2, "{}", found.stderr);
    assert!(
        found.stderr.contains("have no embedding"),
        "{}",
        found.stderr
    );
    assert!(!steps.out.exists(), "nothing is written");
}

#[test]
fn damaged_tables_are_refused() {
    let steps = Steps::new("parquet");
    let path = steps.site.beside("chunks/part-1.parquet");
    let bytes = std::fs::read(&path).expect("bytes");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    let found = steps.index("chunks", "embeddings");
    assert_eq!(found.code, 2, "{}", found.stderr);
    assert!(
        found.stderr.contains("could not read") && found.stderr.contains("hint: "),
        "{}",
        found.stderr
    );
}

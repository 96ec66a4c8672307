//! Rebuilding: the same bytes as from nothing for any number of threads, and no more work than what changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use harness::{Run, Site};
use serde_json::Value;

fn pages() -> Vec<(String, Vec<u8>)> {
    (0..24)
        .map(|n| {
            let text = format!(
                "# Pump {n}\n\nPump number {n} moves {} litres.\n\n## Starting\n\nTurn wheel {n} to the left.\n\n\
                 ## Stopping\n\nThe same on every page.\n",
                n * 7
            );
            (format!("part{}/pump{n}.md", n % 3), text.into_bytes())
        })
        .collect()
}

fn site() -> Site {
    let pages = pages();
    let pages: Vec<(&str, &[u8])> = pages
        .iter()
        .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
        .collect();
    Site::new(&pages)
}

/// Every file below a folder, with its bytes.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let name = entry
                    .path()
                    .strip_prefix(dir)
                    .expect("inside")
                    .display()
                    .to_string();
                files.insert(name, fs::read(entry.path()).expect("bytes"));
            }
        }
    }
    files
}

fn reuse(run: &Run) -> Value {
    assert_eq!(run.code, 0, "{}", run.stderr);
    let summary: Value = serde_json::from_str(&run.stdout).expect("a JSON summary");
    summary["reuse"].clone()
}

#[test]
fn one_thread_and_two_give_the_same_bundle() {
    let site = site();
    let bundles: Vec<_> = ["1", "2", "2"]
        .iter()
        .map(|threads| {
            let run = site.build(&["--no-cache", "--threads", threads]);
            assert_eq!(run.code, 0, "{}", run.stderr);
            let files = files(&site.bundle());
            fs::remove_dir_all(site.bundle()).expect("removed");
            files
        })
        .collect();
    assert!(
        bundles[0].len() > 3,
        "a whole bundle: {:?}",
        bundles[0].keys()
    );
    assert!(bundles[0] == bundles[1], "1 and 2 threads: the same bytes");
    assert!(bundles[1] == bundles[2], "twice: the same bytes");
}

#[test]
fn only_what_changed_is_read_and_embedded() {
    let site = site();
    let first = reuse(&site.build(&["--json"]));
    assert_eq!(first["pages_read"], 24, "{first}");
    // Each embedded text includes the page's title, so no two are the same.
    assert_eq!(first["chunks_embedded"], 72, "{first}");
    let second = reuse(&site.build(&["--json"]));
    let nothing = serde_json::json!({
        "pages_read": 0, "pages_reused": 24, "chunks_embedded": 0, "embeddings_reused": 72
    });
    assert_eq!(second, nothing);
    site.write(
        "part0/pump0.md",
        b"# Pump 0\n\nPump number 0 is broken.\n\n## Starting\n\nTurn wheel 0 to the left.\n",
    );
    let third = reuse(&site.build(&["--json"]));
    assert_eq!(third["pages_read"], 1, "{third}");
    assert_eq!(third["chunks_embedded"], 1, "one section is new: {third}");
    let warm = files(&site.bundle());
    fs::remove_dir_all(site.bundle()).expect("removed");
    assert_eq!(site.build(&["--no-cache"]).code, 0);
    assert!(
        warm == files(&site.bundle()),
        "a warm build writes the bytes of a cold one"
    );
    assert_eq!(
        files(&site.beside("cache/pages")).len(),
        24,
        "the cache keeps what was used last"
    );
}

#[test]
fn other_options_read_pages_again() {
    let site = site();
    assert_eq!(site.build(&[]).code, 0);
    let found = reuse(&site.build(&["--json", "--base-url", "/docs"]));
    assert_eq!(
        found["pages_read"], 24,
        "addresses are part of a page: {found}"
    );
    assert_eq!(
        found["embeddings_reused"], 72,
        "but not of what is embedded: {found}"
    );
}

#[test]
fn a_damaged_cache_is_made_again() {
    let site = site();
    assert_eq!(site.build(&[]).code, 0);
    let cold = files(&site.bundle());
    for path in files(&site.beside("cache")).keys() {
        let path = site.beside("cache").join(path);
        let mut bytes = fs::read(&path).expect("bytes");
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
        }
        bytes.pop();
        fs::write(&path, bytes).expect("written");
    }
    let found = reuse(&site.build(&["--json"]));
    assert_eq!(found["pages_reused"], 0, "{found}");
    assert_eq!(found["embeddings_reused"], 0, "{found}");
    assert!(cold == files(&site.bundle()), "the bundle is the same");
}

//! Reads the surroundings of Markdown files: the files that they include, and the rule for their anchors.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anchorite::index::parse::is_markdown;
use anchorite::index::parse::markdown::{Anchors, IncludeProblem, insert_includes};

/// Maximum size of a file that is inserted into a page, in bytes.
const MAX_INCLUDED_BYTES: u64 = 4 << 20;

/// The folder of the pages.
pub(crate) struct Books {
    dir: PathBuf,
    /// Its path with symbolic links resolved: no file outside it is inserted into a page.
    real: Option<PathBuf>,
    /// True if the folder is the source of a book whose `book.toml` is one level up.
    is_source: bool,
}

/// An included file that was not inserted: the name that the page uses, and the reason.
pub(crate) type Unincluded = (String, IncludeProblem);

impl Books {
    /// Examines the folder.
    pub(crate) fn new(dir: &Path) -> Self {
        let real = dir.canonicalize().ok();
        Self {
            dir: dir.to_owned(),
            is_source: real.as_deref().is_some_and(is_source),
            real,
        }
    }

    /// The rule by which the headings of each page get their ids: mdBook's in a folder that has a `book.toml`, and in
    /// the folders below it.
    pub(crate) fn anchors<'s>(&self, sources: impl Iterator<Item = &'s str>) -> Vec<Anchors> {
        let mut known: HashMap<String, Anchors> = HashMap::new();
        let folder = |source: &str| {
            source
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder)
                .to_owned()
        };
        sources
            .map(|source| {
                *known
                    .entry(folder(source))
                    .or_insert_with_key(|folder| self.anchors_in(folder))
            })
            .collect()
    }

    fn anchors_in(&self, folder: &str) -> Anchors {
        let has_book = || {
            let folder = self.dir.join(folder);
            let mut above = folder
                .ancestors()
                .take_while(|above| above.starts_with(&self.dir));
            above.any(|above| above.join("book.toml").is_file())
        };
        if self.is_source || has_book() {
            Anchors::MdBook
        } else {
            Anchors::GitHub
        }
    }

    /// The text of a Markdown page with the files that it includes; `None` if there is nothing to insert.
    pub(crate) fn included(&self, source: &str, bytes: &[u8]) -> Option<(String, Vec<Unincluded>)> {
        if !is_markdown(source) || !bytes.windows(2).any(|pair| pair == b"{{") {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let included = insert_includes(source, text, &|path| self.text(path))?;
        Some((included.text, included.problems))
    }

    /// The text of a file below the folder.
    fn text(&self, path: &str) -> Option<String> {
        let path = self.dir.join(path).canonicalize().ok()?;
        let about = path.metadata().ok()?;
        let may_be_read = about.is_file()
            && about.len() <= MAX_INCLUDED_BYTES
            && path.starts_with(self.real.as_deref()?);
        let text = may_be_read.then(|| std::fs::read_to_string(path).ok())??;
        Some(text.trim_start_matches('\u{feff}').to_owned())
    }
}

/// True if a `book.toml` next to the folder names it as the source of its book.
fn is_source(dir: &Path) -> bool {
    let Some(above) = dir.parent() else {
        return false;
    };
    let Ok(text) = std::fs::read_to_string(above.join("book.toml")) else {
        return false;
    };
    let table: toml::Table = text.parse().unwrap_or_default();
    let source = table.get("book").and_then(|book| book.get("src"));
    let source = source.and_then(toml::Value::as_str).unwrap_or("src");
    above
        .join(source)
        .canonicalize()
        .is_ok_and(|source| source == dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
        let dir =
            std::env::temp_dir().join(format!("anchorite-book-{name}-{}", std::process::id()));
        for (path, text) in files {
            let path = dir.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        dir
    }

    #[test]
    fn the_rule_of_anchors_is_that_of_the_nearest_book() {
        let dir = folder(
            "anchors",
            &[
                ("manual/book.toml", "[book]\nsrc = \"text\"\n"),
                ("manual/text/a/b.md", "b"),
                ("site/c.md", "c"),
            ],
        );
        let anchors = |dir: &Path, source: &str| Books::new(dir).anchors([source].into_iter());
        assert_eq!(anchors(&dir, "manual/text/a/b.md"), [Anchors::MdBook]);
        assert_eq!(anchors(&dir, "site/c.md"), [Anchors::GitHub]);
        assert_eq!(
            anchors(&dir.join("manual"), "text/a/b.md"),
            [Anchors::MdBook]
        );
        assert_eq!(
            anchors(&dir.join("manual/text"), "a/b.md"),
            [Anchors::MdBook]
        );
        assert_eq!(
            anchors(&dir.join("manual/text/a"), "b.md"),
            [Anchors::GitHub],
            "no source"
        );
        std::fs::remove_dir_all(dir).expect("the folder");
    }

    #[test]
    fn only_files_below_the_folder_are_put_in() {
        let dir = folder(
            "includes",
            &[
                ("outside.txt", "secret"),
                ("docs/in/part.txt", "shown"),
                ("docs/a.md", ""),
            ],
        );
        let docs = dir.join("docs");
        #[cfg(unix)]
        std::os::unix::fs::symlink(dir.join("outside.txt"), docs.join("link.txt")).expect("a link");
        let books = Books::new(&docs);
        let text = |text: &str| {
            let (text, problems) = books
                .included("in/a.md", text.as_bytes())
                .expect("includes");
            (text, problems.len())
        };
        assert_eq!(text("x {{#include part.txt}}"), ("x shown".to_owned(), 0));
        for outside in ["../../outside.txt", "../link.txt", "..", "none.txt"] {
            let page = format!("{{{{#include {outside}}}}}");
            assert_eq!(text(&page), (page.clone(), 1), "{outside}");
        }
        assert_eq!(books.included("in/a.html", b"{{#include part.txt}}"), None);
        std::fs::remove_dir_all(dir).expect("the folder");
    }
}

//! Turns a folder into the sorted list of its pages, as paths relative to it.

use std::path::{Path, PathBuf};

use anyhow::Context;
use ignore::WalkBuilder;

use crate::report::Hint;

/// A page on disk.
pub(crate) struct PageFile {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// The path relative to the folder, with `/` between names.
    pub(crate) source: String,
}

const EXTENSIONS: [&str; 4] = ["md", "markdown", "html", "htm"];

/// mdBook's table of contents: links without text, which would only repeat every title.
const TABLE_OF_CONTENTS: &str = "SUMMARY.md";

/// All Markdown and HTML pages below `dir`, sorted, so that the same folder gives the same bundle.
///
/// Hidden files and what `.gitignore` and `.ignore` name are passed over, and so is `skip` (an output folder inside).
pub(crate) fn pages(dir: &Path, skip: &Path) -> anyhow::Result<Vec<PageFile>> {
    if !dir.is_dir() {
        return Err(Hint::error(
            format!("`{}` is not a folder", dir.display()),
            "give the folder that holds the Markdown or HTML pages",
        ));
    }
    let skip = skip.canonicalize().ok();
    let mut pages = Vec::new();
    for entry in WalkBuilder::new(dir).require_git(false).build() {
        let entry = entry.with_context(|| format!("could not list `{}`", dir.display()))?;
        let path = entry.path();
        // A link counts as a page: whether it leads anywhere shows when it is read.
        let is_page = entry.file_type().is_some_and(|kind| !kind.is_dir())
            && path
                .extension()
                .and_then(|extension| extension.to_str())
                .is_some_and(|extension| EXTENSIONS.contains(&extension.to_lowercase().as_str()))
            && path
                .file_name()
                .is_none_or(|name| name != TABLE_OF_CONTENTS);
        let is_output = skip
            .as_ref()
            .is_some_and(|skip| path.canonicalize().is_ok_and(|path| path.starts_with(skip)));
        if is_page && !is_output {
            pages.push(PageFile {
                source: relative(path, dir),
                path: path.to_owned(),
            });
        }
    }
    pages.sort_by(|a, b| a.source.cmp(&b.source));
    Ok(pages)
}

fn relative(path: &Path, dir: &Path) -> String {
    let relative = path.strip_prefix(dir).unwrap_or(path);
    relative
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

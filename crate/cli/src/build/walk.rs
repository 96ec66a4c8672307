//! Lists the pages of a folder, sorted, as paths relative to it.

use std::path::{Path, PathBuf};

use anchorite::index::error::PageError;
use anchorite::index::parse::Format;
use anchorite::index::parse::markdown::Anchors;
use anyhow::Context;
use ignore::WalkBuilder;
use ignore::overrides::{Override, OverrideBuilder};

use crate::build::book::Books;
use crate::config::FILE_NAME;
use crate::report::Hint;
use crate::settings::PageArguments;

/// A page on disk.
pub(crate) struct PageFile {
    /// Its path on disk.
    pub(crate) path: PathBuf,
    /// The path relative to the folder, with `/` between names.
    pub(crate) source: String,
    /// The rule by which its headings get their ids, if it is Markdown.
    pub(crate) anchors: Anchors,
}

/// An entry that could not be listed: its path, and the reason.
pub(crate) type Unlisted = (String, PageError);

/// Files for machines, and mdBook's table of contents: its links have no text of their own and would only repeat the
/// titles.
const NOT_PAGES: [&str; 8] = [
    "SUMMARY.md",
    "robots.txt",
    "humans.txt",
    "ads.txt",
    "security.txt",
    "llms.txt",
    "llms-full.txt",
    "CMakeLists.txt",
];

/// All pages below the folder, sorted, so that the same folder makes the same bundle; and the entries that could not be listed.
///
/// Skips hidden files, files named by `.gitignore` and `.ignore` (except for a deployed site, which is often ignored as
/// a whole) and `skip` (an output folder inside). Symbolic links to folders are not followed, so there are no cycles.
pub(crate) fn pages(
    arguments: &PageArguments,
    skip: Option<&Path>,
) -> anyhow::Result<(Vec<PageFile>, Vec<Unlisted>)> {
    let (dir, is_site) = arguments.folder()?;
    if !dir.is_dir() {
        return Err(Hint::error(
            format!("`{}` is not a folder", dir.display()),
            "give the folder that holds the pages",
        ));
    }
    // The remaining files of a deployed site serve its pages or machines.
    let is_read =
        |name: &str| Format::of(name).is_ok_and(|format| !is_site || format == Format::Html);
    let mut walk = walker(
        dir,
        skip,
        overrides(dir, &arguments.include, &arguments.exclude)?,
    );
    if is_site {
        walk.standard_filters(false).hidden(true);
    }
    let (mut pages, mut unlisted) = (Vec::new(), Vec::new());
    for entry in walk.build() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(cause) => {
                let page = PageError::Unreadable {
                    page: dir.to_string_lossy().into_owned(),
                    reason: cause.to_string(),
                };
                unlisted.push((dir.to_string_lossy().into_owned(), page));
                continue;
            }
        };
        let path = entry.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A symbolic link counts as a page: reading it shows if it leads anywhere.
        let is_page = entry.file_type().is_some_and(|kind| !kind.is_dir())
            && is_read(&name)
            && !NOT_PAGES.contains(&&*name);
        if is_page {
            pages.push(PageFile {
                source: relative(path, dir),
                path: path.to_owned(),
                anchors: Anchors::default(),
            });
        }
    }
    pages.sort_by(|a, b| a.source.cmp(&b.source));
    if !is_site {
        let anchors = Books::new(dir).anchors(pages.iter().map(|page| page.source.as_str()));
        for (page, anchors) in pages.iter_mut().zip(anchors) {
            page.anchors = anchors;
        }
    }
    Ok((pages, unlisted))
}

/// The files of a folder of documents that may be published as they are, such as images: their paths on disk and relative to
/// the folder. Skips what [`pages`] skips, Markdown, and the configuration. HTML and text files are among them, as not all of
/// them become pages.
pub(crate) fn others(
    arguments: &PageArguments,
    skip: Option<&Path>,
) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let (dir, _) = arguments.folder()?;
    let real = dir
        .canonicalize()
        .with_context(|| format!("could not open `{}`", dir.display()))?;
    let mut files = Vec::new();
    for entry in walker(dir, skip, overrides(dir, &[], &arguments.exclude)?).build() {
        let entry = entry.with_context(|| format!("could not list `{}`", dir.display()))?;
        let path = entry.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_markdown = Format::of(&name).is_ok_and(|format| format == Format::Markdown);
        // A symbolic link must not publish what lies elsewhere.
        let is_here = || {
            path.canonicalize()
                .is_ok_and(|path| path.starts_with(&real))
        };
        if !is_markdown && name != FILE_NAME && path.is_file() && is_here() {
            files.push((path.to_owned(), relative(path, dir)));
        }
    }
    files.sort();
    Ok(files)
}

fn walker(dir: &Path, skip: Option<&Path>, overrides: Override) -> WalkBuilder {
    let skip = skip.and_then(|skip| skip.canonicalize().ok());
    let mut walk = WalkBuilder::new(dir);
    walk.require_git(false).overrides(overrides);
    if let Some(skip) = skip {
        walk.filter_entry(move |entry| {
            entry.file_type().is_none_or(|kind| !kind.is_dir())
                || entry.path().canonicalize().ok().as_ref() != Some(&skip)
        });
    }
    walk
}

fn overrides(dir: &Path, include: &[String], exclude: &[String]) -> anyhow::Result<Override> {
    let mut globs = OverrideBuilder::new(dir);
    let include = include.iter().cloned();
    let exclude = exclude.iter().map(|glob| format!("!{glob}"));
    for glob in include.chain(exclude) {
        globs.add(&glob).map_err(|cause| {
            Hint::error(
                format!("`{}` is not a glob: {cause}", glob.trim_start_matches('!')),
                "write it as in .gitignore, such as `api/**` or `*.html`",
            )
        })?;
    }
    Ok(globs.build()?)
}

fn relative(path: &Path, dir: &Path) -> String {
    let relative = path.strip_prefix(dir).unwrap_or(path);
    relative
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

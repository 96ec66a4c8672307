//! Adds search and chat to a site that another generator made, and takes them out again.

use std::path::{Path, PathBuf};

use anchorite::index::parse::percent_encode;
use anyhow::Context;

use crate::build::walk;
use crate::build::write_bundle;
use crate::report::Hint;
use crate::settings::PageArguments;
use crate::site::html;
use crate::site::page::to_root;
use crate::site::page_files::{self, WIDGET};
use crate::site::written::{Written, existing};

/// The page that hosts send for missing addresses, at the top or in the folder of a language: it is shown at any address, so
/// no relative link of it leads anywhere.
const NOT_FOUND: &str = "404.html";

/// The folder in a site that receives what its pages load.
pub(crate) struct Deployed<'a> {
    pages: &'a PageArguments,
    /// The folder's path in the site; `None` if it lies elsewhere.
    path: Option<String>,
    is_injected: bool,
    written: Written,
    page_files: page_files::Files,
}

impl<'a> Deployed<'a> {
    /// Opens the folder before the long work.
    ///
    /// # Errors
    /// It can't be written; or pages are to be changed, and it is not below the site.
    pub(crate) fn open(
        site: &Path,
        folder: &Path,
        pages: &'a PageArguments,
        is_injected: bool,
    ) -> anyhow::Result<Self> {
        let page_files = page_files::all()?;
        let mut written = Written::open(folder, "")?;
        let is_used = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
        if is_used && !written.is_rebuild() && !write_bundle::holds_bundle(folder)? {
            return Err(Hint::error(
                format!("`{}` holds files that no build wrote", folder.display()),
                "give another folder in the site with --out",
            ));
        }
        for (name, _) in &page_files {
            written.take(name)?;
        }
        let path = below(site, folder)?;
        if is_injected && path.is_none() {
            return Err(Hint::error(
                format!(
                    "pages of `{}` can't load from `{}`, which is outside of it",
                    site.display(),
                    folder.display()
                ),
                "leave --out away, or give a folder in the site",
            ));
        }
        Ok(Self {
            pages,
            path,
            is_injected,
            written,
            page_files,
        })
    }

    /// Writes what pages load, and the line into the pages if it is to be injected; returns their number then.
    pub(crate) fn write(&mut self) -> anyhow::Result<Option<usize>> {
        self.written.begin()?;
        for (name, bytes) in &self.page_files {
            self.written.write(name, bytes)?;
        }
        self.written.finish()?;
        self.is_injected.then(|| self.inject()).transpose()
    }

    /// The line that puts search and chat on a page of the site.
    pub(crate) fn line(&self) -> String {
        let base = self.pages.base_url.trim_end_matches('/');
        let path = self.path.as_deref().unwrap_or_default();
        html::line(&format!("{base}/{}{WIDGET}", percent_encode(path)))
    }

    /// Puts the line on every page; returns the number of pages.
    fn inject(&self) -> anyhow::Result<usize> {
        let path = percent_encode(self.path.as_deref().unwrap_or_default());
        change_pages(self.pages, |file, page| {
            html::with_line(
                page,
                &html::line(&format!("{}{path}{WIDGET}", to_root(file))),
            )
        })
    }
}

/// Takes search and chat out of every page, and removes what builds wrote into the folder.
pub(crate) fn eject(folder: &Path, pages: &PageArguments) -> anyhow::Result<()> {
    // Whatever is read and left out today, an earlier build may have put the line there.
    let all = PageArguments {
        include: Vec::new(),
        exclude: Vec::new(),
        ..pages.clone()
    };
    let n = change_pages(&all, |_, page| Ok(html::without_line(page)))?;
    if folder.is_dir() {
        write_bundle::remove_files(folder)?;
        Written::open(folder, "")?.remove_all()?;
        // It stays if it holds something else.
        let _ = std::fs::remove_dir(folder);
    }
    eprintln!(
        "search and chat taken out of {n} page(s), and all that was written from `{}`",
        folder.display()
    );
    Ok(())
}

fn is_not_found(file: &str) -> bool {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    name == NOT_FOUND && !folder.contains('/')
}

/// Rewrites the pages that `change` changes; returns their number.
fn change_pages(
    pages: &PageArguments,
    change: impl Fn(&str, &[u8]) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<usize> {
    let (files, unlisted) = walk::pages(pages, None)?;
    if let Some((path, error)) = unlisted.into_iter().next() {
        return Err(anyhow::Error::new(error).context(format!("could not list `{path}`")));
    }
    let mut n = 0;
    for file in files.iter().filter(|file| !is_not_found(&file.source)) {
        let path = &file.path;
        // It would become a file of its own; a page of the site that it leads to is changed itself.
        if path.is_symlink() {
            continue;
        }
        let page =
            std::fs::read(path).with_context(|| format!("could not read `{}`", path.display()))?;
        let changed = change(&file.source, &page)
            .with_context(|| format!("could not change `{}`", path.display()))?;
        if changed != page {
            replace(path, &changed)?;
            n += 1;
        }
    }
    Ok(n)
}

/// Replaces a file as a whole, so that no page is left half-written.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut file, bytes)?;
        file.as_file()
            .set_permissions(std::fs::metadata(path)?.permissions())?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("could not write `{}`", path.display()))
}

/// The path of a folder in a site, with a slash at its end if it isn't the site itself; `None` if it lies elsewhere.
fn below(site: &Path, folder: &Path) -> anyhow::Result<Option<String>> {
    // The folder may not be there yet.
    let real = |path: &Path| -> anyhow::Result<PathBuf> {
        let (existing, rest) = existing(path);
        let existing = existing
            .canonicalize()
            .with_context(|| format!("could not open `{}`", path.display()))?;
        Ok(existing.join(rest))
    };
    let (site, folder) = (real(site)?, real(folder)?);
    Ok(folder.strip_prefix(&site).ok().map(|path| {
        path.components()
            .map(|part| format!("{}/", part.as_os_str().to_string_lossy()))
            .collect()
    }))
}

//! Turns a folder of documents into a site that can be deployed as it stands: a page for each document, the other files of
//! the folder, and what the pages load.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anchorite::index::document::Document;
use anchorite::index::parse::markdown::Anchors;
use anchorite::index::parse::{Format, linked_html, linked_page, page_file, percent_encode};
use anyhow::Context;
use serde::Serialize;

use crate::build::book::Books;
use crate::build::walk;
use crate::build::write_bundle;
use crate::report::Hint;
use crate::settings::PageArguments;
use crate::site::destination::FOLDER;
use crate::site::html;
use crate::site::navigation::{Entry, Navigation, spelled_out};
use crate::site::page::{Body, Template, to_root};
use crate::site::page_files::{self, WIDGET};
use crate::site::written::Written;

/// The first page of a site.
const HOME: &str = "index.html";
/// mdBook's table of contents, which names the pages in their order.
const SUMMARY: &str = "SUMMARY.md";
/// Files that are the icon of all pages. Browsers look for `favicon.ico` by themselves.
const ICONS: [&str; 2] = ["favicon.svg", "favicon.png"];
/// The list of the pages for programs that read sites.
const LLMS: &str = "llms.txt";
const STYLESHEET: &str = include_str!("site.css");

/// A site in the making.
pub(crate) struct Site<'a> {
    root: PathBuf,
    dir: &'a Path,
    base_url: &'a str,
    title: Option<&'a str>,
    written: Written,
    /// Names and contents of the files that pages load.
    page_files: Vec<(String, Cow<'static, [u8]>)>,
    /// The other files of the folder: where they are, and their paths in the site.
    others: Vec<(PathBuf, String)>,
    /// The documents, by the files of their pages.
    pages: BTreeMap<String, Document>,
    /// The files of the pages, by the paths of their documents.
    files: HashMap<String, String>,
}

/// Figures of a site.
#[derive(Serialize, Clone, Copy)]
pub(crate) struct SiteFigures {
    /// Pages made from documents.
    pub(crate) pages: usize,
    /// Other files, which were copied.
    pub(crate) others: usize,
    /// Files of the site that are new in the folder, apart from the bundle's.
    pub(crate) files_changed: usize,
}

impl<'a> Site<'a> {
    /// Opens the folder of a site, and checks that everything is there before the long work.
    ///
    /// # Errors
    /// The folder is that of the documents, can't be written, or holds files that would be replaced and are not of an
    /// earlier build.
    pub(crate) fn open(
        root: &Path,
        pages: &'a PageArguments,
        title: Option<&'a str>,
    ) -> anyhow::Result<Self> {
        let (dir, _) = pages.folder()?;
        let mut page_files: Vec<(String, Cow<'static, [u8]>)> = page_files::all()?
            .into_iter()
            .map(|(name, bytes)| (format!("{FOLDER}/{name}"), bytes))
            .collect();
        page_files.push((
            format!("{FOLDER}/site.css"),
            Cow::Borrowed(STYLESHEET.as_bytes()),
        ));
        let others = walk::others(pages, Some(root))?;
        let is_same = dir
            .canonicalize()
            .is_ok_and(|dir| root.canonicalize().is_ok_and(|root| root == dir));
        if is_same {
            return Err(Hint::error(
                format!(
                    "the site would be written among its documents, in `{}`",
                    dir.display()
                ),
                "give another folder with --out",
            ));
        }
        let mut written = Written::open(root, FOLDER)?;
        let is_rebuild = written.is_rebuild() || write_bundle::holds_bundle(&root.join(FOLDER))?;
        for (path, _) in &page_files {
            match is_rebuild {
                true => written.take(path)?,
                false => written.claim(path)?,
            }
        }
        Ok(Self {
            root: root.to_owned(),
            dir,
            base_url: &pages.base_url,
            title,
            written,
            page_files,
            others,
            pages: BTreeMap::new(),
            files: HashMap::new(),
        })
    }

    /// The folder that receives it.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Announces the pages, which are known once all documents are read.
    ///
    /// # Errors
    /// A page would replace a file that no earlier build wrote.
    pub(crate) fn announce(&mut self, documents: &[Document]) -> anyhow::Result<()> {
        for document in documents {
            let file = page_file(&document.url, self.base_url);
            outside_own_folder(&document.source)?;
            self.written.claim(&file)?;
            self.files.insert(document.source.clone(), file.clone());
            self.pages.insert(file, document.clone());
        }
        // A file that became a page is read there. Of HTML, what has nothing to find may still be needed: a page that leads
        // on, or one that draws.
        self.others
            .retain(|(_, path)| !self.files.contains_key(path));
        for (_, path) in &self.others {
            outside_own_folder(path)?;
            self.written.claim(path)?;
        }
        if !self.pages.contains_key(HOME) {
            self.written.claim(HOME)?;
        }
        if !self.has_other(LLMS) {
            self.written.claim(LLMS)?;
        }
        Ok(())
    }

    /// Writes everything, and removes what earlier builds wrote and this one doesn't.
    pub(crate) fn write(mut self, books: &Books) -> anyhow::Result<SiteFigures> {
        self.written.begin()?;
        for (path, bytes) in std::mem::take(&mut self.page_files) {
            self.written.write(&path, &bytes)?;
        }
        for (path, to) in &self.others {
            let bytes = std::fs::read(path)
                .with_context(|| format!("could not read `{}`", path.display()))?;
            self.written.write(to, &bytes)?;
        }
        let sources: Vec<&str> = self
            .pages
            .values()
            .map(|page| page.source.as_str())
            .collect();
        let anchors = books.anchors(sources.iter().copied());
        let anchors: BTreeMap<String, Anchors> = self.pages.keys().cloned().zip(anchors).collect();
        let navigation = Navigation::new(self.entries(), &self.linked(books, &anchors)?);
        let icon = ICONS.into_iter().find(|name| self.has_other(name));
        let template = Template::new(self.name(), icon)?;
        for (file, document) in &self.pages {
            let page = match Format::of(&document.source)? {
                Format::Html => {
                    let page = self.read(&document.source)?;
                    let page = html::with_links(&page, &|href| self.link(document, href))?;
                    let line = format!("{}{FOLDER}/{WIDGET}", to_root(file));
                    html::with_line(&page, &html::line(&line))?
                }
                _ => {
                    let mut body = self.body(document, books, anchors[file])?;
                    body.change_links(&|href| self.link(document, href))?;
                    template
                        .page(file, document, &body, &navigation)?
                        .into_bytes()
                }
            };
            self.written.write(file, &page)?;
        }
        if !self.pages.contains_key(HOME) {
            let page = template.contents(HOME, &self.language(), &navigation)?;
            self.written.write(HOME, page.as_bytes())?;
        }
        if !self.has_other(LLMS) {
            let list = self.llms(&navigation);
            self.written.write(LLMS, list.as_bytes())?;
        }
        self.written.finish()?;
        Ok(SiteFigures {
            pages: self.pages.len(),
            others: self.others.len(),
            files_changed: self.written.n_changed,
        })
    }

    /// The language of most pages.
    fn language(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for page in self.pages.values() {
            *counts
                .entry(page.language.as_deref().unwrap_or("en"))
                .or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.map_or("en", |(language, _)| language).to_owned()
    }

    /// True if the folder has such a file of its own.
    fn has_other(&self, name: &str) -> bool {
        self.others.iter().any(|(_, path)| path == name)
    }

    /// The list of all pages for programs that read sites, in Markdown, as <https://llmstxt.org> describes it.
    fn llms(&self, navigation: &Navigation) -> String {
        let mut list = format!("# {}\n\n## Pages\n\n", self.name());
        for entry in navigation.order() {
            let about = self.pages.get(&entry.file);
            let about = about.and_then(|page| page.meta.get("description"));
            let about = about.map_or(String::new(), |about| format!(": {about}"));
            list.push_str(&format!("- [{}]({}){about}\n", entry.title, entry.url));
        }
        list
    }

    fn entries(&self) -> Vec<Entry> {
        let entry = |(file, document): (&String, &Document)| Entry {
            file: file.clone(),
            url: percent_encode(file),
            title: document.title.clone(),
        };
        self.pages.iter().map(entry).collect()
    }

    /// The site's name: as given, else the title of its first page, else the name of the folder.
    fn name(&self) -> String {
        let home = || self.pages.get(HOME).map(|home| home.title.clone());
        let folder = || {
            let dir = self.dir.canonicalize().ok()?;
            Some(spelled_out(&dir.file_name()?.to_string_lossy()))
        };
        let given = self.title.map(str::to_owned);
        given.or_else(home).or_else(folder).unwrap_or_default()
    }

    /// The keys of the pages that the table of contents and the first pages of the folders link to, in that order.
    fn linked(
        &self,
        books: &Books,
        anchors: &BTreeMap<String, Anchors>,
    ) -> anyhow::Result<Vec<String>> {
        let mut linked = Vec::new();
        let mut add = |file: &str, markup: &str| -> anyhow::Result<()> {
            let links = html::links(markup)?;
            linked.extend(links.iter().filter_map(|href| linked_page(file, "", href)));
            Ok(())
        };
        if let Ok(summary) = std::fs::read_to_string(self.dir.join(SUMMARY)) {
            add(
                SUMMARY,
                &Body::of_markdown(&summary, Anchors::MdBook).markup,
            )?;
        }
        // The top folder first, as its page knows the whole site.
        let is_first_page = |file: &str| file == HOME || file.ends_with("/index.html");
        let mut firsts: Vec<(&String, &Document)> = self
            .pages
            .iter()
            .filter(|(file, page)| {
                is_first_page(file) && Format::of(&page.source) != Ok(Format::Html)
            })
            .collect();
        firsts.sort_by_key(|(file, _)| file.matches('/').count());
        for (file, document) in firsts {
            add(file, &self.body(document, books, anchors[file])?.markup)?;
        }
        Ok(linked)
    }

    fn body(&self, document: &Document, books: &Books, anchors: Anchors) -> anyhow::Result<Body> {
        let bytes = self.read(&document.source)?;
        let text = anchorite::index::parse::text_of(&document.source, &bytes)?;
        if Format::of(&document.source)? == Format::Text {
            return Ok(Body::of_text(&text, &document.title));
        }
        let included = books.included(&document.source, &bytes);
        let text = included.map_or(text, |(text, _)| text.into());
        Ok(Body::of_markdown(&text, anchors))
    }

    /// The address to put in place of a link in a document, if it leads to a document whose page has another name.
    fn link(&self, document: &Document, href: &str) -> Option<String> {
        let (path, _) = href.split_at(href.find(['?', '#']).unwrap_or(href.len()));
        if Format::of(path) != Ok(Format::Text) {
            return linked_html(href);
        }
        let source = linked_page(&document.source, "", href)?;
        let file = self.files.get(&source)?;
        let stem = path.len() - path.rsplit('.').next()?.len();
        let extension = file.rsplit('.').next()?;
        Some(format!(
            "{}{extension}{}",
            &path[..stem],
            &href[path.len()..]
        ))
    }

    /// The bytes of a document: it is read again, so that no build holds all documents in memory.
    fn read(&self, source: &str) -> anyhow::Result<Vec<u8>> {
        let path = self.dir.join(source);
        std::fs::read(&path).with_context(|| format!("could not read `{}`", path.display()))
    }
}

/// Refuses what would get in the bundle's way.
///
/// # Errors
/// A document or another file would lie in the folder of the bundle.
fn outside_own_folder(path: &str) -> anyhow::Result<()> {
    if path.split('/').next() != Some(FOLDER) {
        return Ok(());
    }
    Err(Hint::error(
        format!("`{path}` would lie in the site's folder `{FOLDER}`, which holds the bundle"),
        "give the folder of documents another name, or leave it out with --exclude",
    ))
}

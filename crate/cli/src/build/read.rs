//! Reads and chunks page files, many at once, and keeps each in memory no longer than needed.

use anchorite::index::chunk::{Chunk, ChunkOptions, chunk_document};
use anchorite::index::document::Document;
use anchorite::index::error::PageError;
use anchorite::index::parse::markdown::Anchors;
use anchorite::index::parse::{self, LeftOut, Page, PageFacts, ParseOptions};
use indicatif::ProgressBar;
use rayon::prelude::*;

use crate::build::book::{Books, Unincluded};
use crate::build::cache::Cache;
use crate::build::embedder::language;
use crate::build::walk::PageFile;

/// A page whose text is only in its chunks.
#[derive(Debug, Clone)]
pub(crate) struct ChunkedPage {
    /// Its metadata and address; its sections are empty.
    pub(crate) document: Document,
    /// Number of sections it had.
    pub(crate) n_sections: usize,
    /// Its chunks, as if it were the only document.
    pub(crate) chunks: Vec<Chunk>,
    /// Number of chunks dropped because the page was over the limit.
    pub(crate) n_cut: usize,
    /// Facts that are judged together with those of the other pages.
    pub(crate) facts: PageFacts,
    /// Files that it includes but that could not be inserted.
    pub(crate) unincluded: Vec<Unincluded>,
}

/// The outcome of reading one file.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It can be indexed.
    Page(Box<ChunkedPage>),
    /// It asks not to be found.
    LeftOut(LeftOut),
    /// It can't be read.
    Bad(PageError),
}

/// How pages are read and chunked.
pub(crate) struct Reading<'a> {
    /// How they are parsed.
    pub(crate) options: &'a ParseOptions,
    /// Where included files are.
    pub(crate) books: Option<&'a Books>,
    /// Maximum chunks of one page.
    pub(crate) max_chunks: usize,
    /// Pages of earlier builds.
    pub(crate) cache: Option<&'a Cache>,
}

/// The outcome of a file, and whether it came from the cache.
pub(crate) type Read = (Outcome, bool);

impl Reading<'_> {
    /// Reads all files, on all threads; the results have the order of the files.
    pub(crate) fn files(&self, files: &[PageFile], progress: &ProgressBar) -> Vec<Read> {
        files
            .par_iter()
            .map(|file| {
                let read = self.file(file);
                progress.inc(1);
                read
            })
            .collect()
    }

    fn file(&self, file: &PageFile) -> Read {
        let mut bytes = match read_bytes(file, self.options.max_bytes) {
            Ok(bytes) => bytes,
            Err(error) => return (Outcome::Bad(error), false),
        };
        let books = self.books;
        let mut unincluded = Vec::new();
        if let Some(found) = books.and_then(|books| books.included(&file.source, &bytes)) {
            bytes = found.0.into_bytes();
            unincluded = found.1;
        }
        let name = |cache: &Cache| cache.page_name(&file.source, file.anchors, &bytes);
        let known = self.cache.and_then(|cache| cache.page(&name(cache)));
        let is_known = known.is_some();
        let read = match known {
            Some(page) => Ok(page),
            None => self.read(&file.source, file.anchors, &bytes),
        };
        let page = match read {
            Ok(page) => page,
            Err(error) => return (Outcome::Bad(error), false),
        };
        if let Some(cache) = self.cache.filter(|_| !is_known) {
            cache.keep_page(&name(cache), &page);
        }
        let mut outcome = self.cut(page);
        if let Outcome::Page(page) = &mut outcome {
            page.unincluded = unincluded;
        }
        (outcome, is_known)
    }

    fn read(&self, source: &str, anchors: Anchors, bytes: &[u8]) -> Result<Page, PageError> {
        if anchors == self.options.anchors {
            return parse::read_page(source, bytes, self.options);
        }
        let options = ParseOptions {
            anchors,
            ..self.options.clone()
        };
        parse::read_page(source, bytes, &options)
    }

    /// The outcome of a page in memory.
    pub(crate) fn bytes(&self, source: &str, bytes: &[u8]) -> Outcome {
        match parse::read_page(source, bytes, self.options) {
            Ok(page) => self.cut(page),
            Err(error) => Outcome::Bad(error),
        }
    }

    fn cut(&self, page: Page) -> Outcome {
        let Page {
            mut document,
            facts,
        } = page;
        if let Some(reason) = facts.left_out {
            return Outcome::LeftOut(reason);
        }
        let mut chunks = chunk_document(0, &document, &ChunkOptions::default());
        let n_cut = chunks.len().saturating_sub(self.max_chunks);
        chunks.truncate(self.max_chunks);
        let n_sections = document.sections.len();
        document.sections = Vec::new();
        if self.options.language.is_none() {
            let texts = chunks.iter().map(|chunk| chunk.text.as_str());
            document.language = language::of(document.language.as_deref(), texts);
        }
        Outcome::Page(Box::new(ChunkedPage {
            document,
            n_sections,
            chunks,
            n_cut,
            facts,
            unincluded: Vec::new(),
        }))
    }
}

fn read_bytes(file: &PageFile, max_bytes: usize) -> Result<Vec<u8>, PageError> {
    let unreadable = |reason: String| PageError::Unreadable {
        page: file.source.clone(),
        reason,
    };
    // The length first: a page of many gigabytes must not be read only to be refused, and a pipe would never end.
    let about = std::fs::metadata(&file.path).map_err(|cause| unreadable(cause.to_string()))?;
    if !about.is_file() {
        return Err(unreadable("not a regular file".to_owned()));
    }
    if about.len() > max_bytes as u64 {
        return Err(PageError::TooLarge {
            page: file.source.clone(),
            max_bytes,
            found: usize::try_from(about.len()).unwrap_or(usize::MAX),
        });
    }
    std::fs::read(&file.path).map_err(|cause| unreadable(cause.to_string()))
}

//! Turns a folder of pages into a bundle, or a site around one: reads, selects, embeds, indexes and writes, then reports.

use std::path::PathBuf;
use std::process::ExitCode;

use anchorite::index::parse::Addresses;
use indicatif::{ProgressBar, ProgressStyle};

use crate::build::assemble::{self, Models};
use crate::build::book::Books;
use crate::build::cache::Cache;
use crate::build::embed::{self, Embedded, Model};
use crate::build::embedder;
use crate::build::embedder::language::Languages;
use crate::build::read::{Outcome, Read, Reading};
use crate::build::select::{self, Selected};
use crate::build::summary::Reuse;
use crate::build::walk::{self, PageFile};
use crate::build::warnings::Warnings;
use crate::clock::Clock;
use crate::models::shipped;
use crate::models::writers::writers;
use crate::report::Hint;
use crate::settings::{BundleArguments, PageArguments, use_threads};
use crate::site::around::Around;
use crate::site::deployed;
use crate::site::destination::{Destination, DestinationArguments};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) pages: PageArguments,
    #[command(flatten)]
    pub(crate) bundle: BundleArguments,
    #[command(flatten)]
    pub(crate) destination: DestinationArguments,
    /// Where pages and embeddings are kept for the next build; default: a folder for each bundle in `.anchorite-cache` in the
    /// working directory.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Read and embed everything, and keep nothing.
    #[arg(long)]
    no_cache: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let destination = Destination::of(&arguments.destination, &arguments.pages)?;
    if arguments.destination.eject {
        deployed::eject(&destination.bundle(), &arguments.pages)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut clock = Clock::start();
    use_threads(arguments.pages.threads)?;
    let mut options = arguments.pages.parse_options()?;
    if matches!(destination, Destination::Site { .. }) {
        options.addresses = Addresses::Pages;
    }
    let models = shipped::default_dir(arguments.bundle.models.as_deref())?;
    // Before the long work, so that a wrong model or folder fails early.
    let writers = writers(&arguments.bundle, &models)?;
    let (files, unlisted) = walk::pages(&arguments.pages, Some(destination.root()))?;
    let mut around = Around::open(&destination, &arguments.destination, &arguments.pages)?;
    let out = destination.bundle();
    let cache = match arguments.no_cache {
        true => None,
        false => {
            let fingerprint = arguments.pages.fingerprint(options.addresses);
            Some(Cache::open(arguments.cache.as_deref(), &out, &fingerprint)?)
        }
    };
    let mut warnings = Warnings::default();
    let mut reuse = Reuse::default();
    for (path, error) in &unlisted {
        warnings.add_error(path, error);
    }
    let progress = bar(files.len(), "reading");
    let books = Books::new(arguments.pages.folder()?.0);
    let reading = Reading {
        options: &options,
        books: Some(&books),
        max_chunks: arguments.pages.max_page_chunks,
        cache: cache.as_ref(),
    };
    let read = reading.files(&files, &progress);
    progress.finish_and_clear();
    let selected = partition_outcomes(&files, read, &mut warnings, &mut reuse);
    if selected.documents.is_empty() {
        warnings.print();
        let (dir, _) = arguments.pages.folder()?;
        return Err(Hint::error(
            format!("no page in `{}` could be indexed", dir.display()),
            "give a folder with pages (.html, .md, .txt) that hold text and may be found",
        ));
    }
    around.announce(&selected.documents)?;
    clock.step("read");

    let languages = Languages::of(&selected.documents, &selected.chunks);
    let chosen = embedder::choose(&arguments.bundle, &models, &languages, &mut warnings)?;
    let keys = assemble::keys(&selected);
    let mut embedded = Embedded::default();
    if let Some(chosen) = &chosen {
        let model = Model::load(&chosen.file)?;
        let progress = bar(keys.len(), "embedding");
        let text = |at: usize| selected.embedding_text(at);
        embedded = embed::with_cache(&model, &keys, &text, cache.as_ref(), &progress)?;
        progress.finish_and_clear();
    }
    reuse.chunks_embedded = embedded.n_made;
    reuse.embeddings_reused = embedded.n_reused;
    clock.step("embed");

    let progress = spinner("indexing");
    let mut summary = assemble::assemble(
        selected,
        &keys,
        embedded.embeddings,
        Models {
            embedder: chosen,
            languages: &languages,
            folder: &models,
            writers,
        },
        &arguments.bundle,
        &out,
    )?;
    let closing = around.write(&books)?;
    if let Some(cache) = &cache {
        cache.prune();
    }
    progress.finish_and_clear();
    clock.step("index");
    summary.reuse = reuse;
    summary.site = closing.site;
    (summary.seconds, summary.steps) = clock.stop();
    let is_failure = arguments.pages.strict && warnings.count() > 0;
    summary.print(warnings, &out, arguments.bundle.json)?;
    closing.print(arguments.bundle.json);
    Ok(ExitCode::from(u8::from(is_failure)))
}

/// Sorts the outcomes of reading into pages, left-out pages, and warnings.
pub(crate) fn partition_outcomes(
    files: &[PageFile],
    read: Vec<Read>,
    warnings: &mut Warnings,
    reuse: &mut Reuse,
) -> Selected {
    let mut pages = Vec::new();
    let mut left_out = std::collections::BTreeMap::new();
    for (file, (outcome, is_reused)) in files.iter().zip(read) {
        reuse.pages_reused += usize::from(is_reused);
        reuse.pages_read += usize::from(!is_reused);
        match outcome {
            Outcome::Page(page) => pages.push(*page),
            Outcome::LeftOut(reason) => *left_out.entry(reason).or_insert(0) += 1,
            Outcome::Bad(error) => warnings.add_error(&file.source, &error),
        }
    }
    let mut selected = select::select(pages, warnings);
    for (reason, n) in left_out {
        *selected.left_out.entry(reason).or_insert(0) += n;
    }
    selected
}

/// A progress bar of known length.
pub(crate) fn bar(len: usize, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:<10} [{bar:30}] {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(len as u64)
        .with_style(style)
        .with_message(what)
}

fn spinner(what: &'static str) -> ProgressBar {
    let progress = ProgressBar::new_spinner().with_message(what);
    progress.tick();
    progress
}

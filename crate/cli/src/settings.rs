//! Turns arguments into settings that several commands share: the pages to read, how to read them, and the models of a
//! bundle.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use anchorite::index::parse::markdown::Anchors;
use anchorite::index::parse::{Addresses, ParseOptions, Selector};
use anyhow::Context;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

use crate::models::store::ModelArguments;
use crate::report::Hint;

/// Which pages are read, and how.
#[derive(Args, Debug, Clone)]
pub(crate) struct PageArguments {
    /// The folder of Markdown, HTML and text pages.
    pub(crate) dir: Option<PathBuf>,
    /// The folder of a site as it is deployed: HTML only, addresses as a host serves them.
    #[arg(long, value_name = "DIR")]
    pub(crate) site: Option<PathBuf>,
    /// URL in front of each page's address.
    #[arg(long, value_name = "URL", default_value = "")]
    pub(crate) base_url: String,
    /// Keep `index.html` at the end of addresses of a site.
    #[arg(long)]
    pub(crate) keep_index_url: bool,
    /// Read only files that match this glob; may be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) include: Vec<String>,
    /// Pass over files that match this glob; may be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// The element that counts as the whole page.
    #[arg(long, value_name = "SELECTOR")]
    pub(crate) root_selector: Option<String>,
    /// Elements that hold nothing to find; may be given several times.
    #[arg(long, value_name = "SELECTOR")]
    pub(crate) exclude_selectors: Vec<String>,
    /// The language of all pages, whatever they declare.
    #[arg(long, value_name = "TAG")]
    pub(crate) language: Option<String>,
    /// Larger pages are passed over, in bytes.
    #[arg(long, value_name = "N", default_value_t = 8 << 20)]
    pub(crate) max_page_bytes: usize,
    /// Longer pages are cut, in chunks.
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub(crate) max_page_chunks: usize,
    /// Number of threads; 0 for all cores. The bundle is the same for any number.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) threads: usize,
    /// Exit with 1 when there was a warning.
    #[arg(long)]
    pub(crate) strict: bool,
    /// The configuration file; default: `anchorite.toml` in the working directory, where there is one.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl PageArguments {
    /// If one source sets a folder and another a site, the stronger source wins; setting both in one source is a
    /// mistake.
    pub(crate) fn resolve_input(&mut self, matches: &ArgMatches) -> anyhow::Result<()> {
        if self.dir.is_none() || self.site.is_none() {
            return Ok(());
        }
        match rank(matches, "dir").cmp(&rank(matches, "site")) {
            Ordering::Greater => self.site = None,
            Ordering::Less => self.dir = None,
            Ordering::Equal => {
                return Err(Hint::error(
                    "both a folder and a site were given",
                    "give a folder of documents, or --site with a folder as it is deployed",
                ));
            }
        }
        Ok(())
    }

    /// The folder, and true if it is a deployed site.
    pub(crate) fn folder(&self) -> anyhow::Result<(&Path, bool)> {
        match (&self.dir, &self.site) {
            (Some(dir), _) => Ok((dir, false)),
            (None, Some(site)) => Ok((site, true)),
            (None, None) => Err(Hint::error(
                "no folder was given",
                "give a folder of documents, or --site with a folder as it is deployed",
            )),
        }
    }

    /// How pages are read.
    pub(crate) fn parse_options(&self) -> anyhow::Result<ParseOptions> {
        let selector = |text: &String| {
            Selector::parse(text).map_err(|cause| {
                Hint::error(
                    format!("`{text}` is not a CSS selector: {cause}"),
                    "write it as a style sheet would, such as `.sidebar, #comments`",
                )
            })
        };
        Ok(ParseOptions {
            base_url: self.base_url.clone(),
            addresses: match (&self.site, self.keep_index_url) {
                (None, _) => Addresses::Files,
                (Some(_), false) => Addresses::Served,
                (Some(_), true) => Addresses::ServedWithIndex,
            },
            // Chosen by the surroundings of each page.
            anchors: Anchors::default(),
            max_bytes: self.max_page_bytes,
            root_selector: self.root_selector.as_ref().map(selector).transpose()?,
            exclude_selectors: self
                .exclude_selectors
                .iter()
                .map(selector)
                .collect::<anyhow::Result<_>>()?,
            language: self.language.clone(),
        })
    }

    /// The settings that decide how a page is read, as text: a page read under different settings is read again.
    pub(crate) fn fingerprint(&self, addresses: Addresses) -> String {
        format!(
            "{:?}",
            (
                addresses,
                &self.base_url,
                &self.root_selector,
                &self.exclude_selectors,
                &self.language,
                self.max_page_bytes
            )
        )
    }
}

/// The strength of an argument's source, in increasing order: the file, the environment, the command line.
pub(crate) fn rank(matches: &ArgMatches, id: &str) -> u8 {
    match matches.value_source(id) {
        Some(ValueSource::CommandLine) => 2,
        Some(ValueSource::EnvVariable) => 1,
        _ => 0,
    }
}

/// Starts the requested number of threads.
pub(crate) fn use_threads(threads: usize) -> anyhow::Result<()> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .context("could not start the threads")
}

/// Files and options of a bundle, apart from the documents.
#[derive(Args, Debug, Clone)]
pub(crate) struct BundleArguments {
    /// The folder with `embedder.gguf` and `reader.gguf`, and perhaps `generator.gguf` and `adapter.gguf`; default: the one that
    /// ships, which has no generator.
    #[arg(long, value_name = "DIR")]
    pub(crate) models: Option<PathBuf>,
    /// The embedder, for search by meaning: a name that `anchorite models` lists, a GGUF file, or `none`; default: the one that
    /// ships for a site in English, and `multilingual-e5-small` for any other.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) embedder: Option<String>,
    /// The generator: a name that `anchorite models` lists, a GGUF file, or `none`; default: none, which makes search and quotations.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) generator: Option<String>,
    /// An adapter for the generator, by name or as a GGUF file; may be given several times, and the first one speaks. Default: the
    /// one that the registry names for the generator; `none` for none.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) adapter: Vec<String>,
    #[command(flatten)]
    pub(crate) named: ModelArguments,
    /// Leave the generator and its adapters out: search and quotations only. The same as `--generator none`.
    #[arg(long)]
    pub(crate) no_generator: bool,
    /// Leave the reader out: quotations are then chosen by the words they share with the question, and nothing counts as answered.
    #[arg(long)]
    pub(crate) no_reader: bool,
    /// Use the thresholds for all sites instead of calibrating on questions made from this site's own pages.
    #[arg(long)]
    pub(crate) no_calibration: bool,
    /// Print a summary as JSON on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

impl BundleArguments {
    /// If one source sets a generator and another sets none, the stronger source wins; setting both in one source is a
    /// mistake. Adapters go with the generator.
    pub(crate) fn resolve_generator(&mut self, matches: &ArgMatches) -> anyhow::Result<()> {
        let is_none = self.generator.as_deref() == Some("none");
        if self.no_generator && !is_none && self.generator.is_some() {
            match rank(matches, "generator").cmp(&rank(matches, "no_generator")) {
                Ordering::Greater => self.no_generator = false,
                Ordering::Less => {}
                Ordering::Equal => {
                    return Err(Hint::error(
                        "a generator was given, and none was asked for",
                        "leave out --generator or --no-generator",
                    ));
                }
            }
        }
        self.no_generator |= is_none;
        if self.no_generator && !self.adapter.is_empty() {
            let without = if is_none { "generator" } else { "no_generator" };
            if rank(matches, "adapter") >= rank(matches, without) {
                return Err(Hint::error(
                    "an adapter was given, and no generator",
                    "leave the adapter out, or give the generator that it is for with --generator",
                ));
            }
        }
        if self.no_generator {
            self.generator = None;
            self.adapter.clear();
        }
        Ok(())
    }
}

/// Reads one file of models.
pub(crate) fn read_model(models: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    let path = models.join(name);
    std::fs::read(&path).map_err(|cause| {
        Hint::error(
            format!("could not read `{}`: {cause}", path.display()),
            "give the folder of models with --models, or leave the generator out with --no-generator",
        )
    })
}

//! Turns a folder of pages into a bundle: parse, chunk, embed, index, write, and say what came of it.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anchorite::index::bundle::{self, Bundle, Role, WeightFile};
use anchorite::index::chunk::{Chunk, ChunkOptions, chunk_documents};
use anchorite::index::document::Document;
use anchorite::index::error::PageError;
use anchorite::index::parse::{self, ParseOptions};
use anchorite::index::{Index, IndexOptions};
use anchorite::model::embed::Embedder;
use anchorite::model::parts::Parts;
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;

use crate::report::{self, Hint};
use crate::walk::{self, PageFile};
use crate::{bundle as bundle_dir, pages};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of Markdown and HTML pages.
    dir: PathBuf,
    /// Where the bundle goes.
    #[arg(long)]
    out: PathBuf,
    /// The folder with `embedder.gguf`, `generator.gguf` and `adapter.gguf`; default: the ones that ship.
    #[arg(long, env = "ANCHORITE_MODELS")]
    models: Option<PathBuf>,
    /// Leave the generator and its adapter out: search and quotations only.
    #[arg(long)]
    no_generator: bool,
    /// Also write each Markdown page as plain HTML below `OUT/pages`.
    #[arg(long)]
    render: bool,
    /// What stands before each page's address.
    #[arg(long, default_value = "")]
    base_url: String,
    /// Print a summary as JSON on standard output.
    #[arg(long)]
    json: bool,
    /// Exit with 1 when a page was passed over with a warning.
    #[arg(long)]
    strict: bool,
}

/// What the build did; the data behind its last lines.
#[derive(Serialize)]
struct Summary {
    documents: usize,
    sections: usize,
    chunks: usize,
    warnings: Vec<Warning>,
    /// Bytes by role.
    bytes: BTreeMap<String, u64>,
    bytes_total: u64,
    /// How vectors are searched, and why.
    vectors: Option<String>,
    seconds: f64,
    bundle: String,
}

/// A page that was passed over.
#[derive(Serialize)]
struct Warning {
    path: String,
    message: String,
    hint: String,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the command line runs natively and owns the clock"
    )]
    let start = Instant::now();
    let options = ParseOptions {
        base_url: arguments.base_url.clone(),
        ..ParseOptions::default()
    };
    let (sources, warnings) = read_pages(arguments, &options)?;
    let documents: Vec<Document> = sources
        .iter()
        .map(|(document, _)| document.clone())
        .collect();
    let chunks = chunk_documents(&documents, &ChunkOptions::default());
    let models = models_dir(arguments)?;
    let embedder_bytes = read_model(&models, "embedder.gguf")?;
    let embedder = Embedder::load(Parts::new(vec![embedder_bytes.clone()]))
        .context("could not load the embedder")?;
    let embeddings = embed(&embedder, &documents, &chunks)?;
    let progress = spinner("indexing");
    let index = Index::build(
        &documents,
        chunks,
        Some(embeddings),
        &IndexOptions::default(),
    )?;
    let weights = weights(arguments, &models, embedder_bytes)?;
    let written = bundle::write(&index, &weights, env!("CARGO_PKG_VERSION"))?;
    write_files(&arguments.out, &written)?;
    if arguments.render {
        render(&arguments.out.join("pages"), &arguments.base_url, &sources)?;
    }
    progress.finish_and_clear();

    let mut bytes = BTreeMap::new();
    for file in &written.manifest.files {
        *bytes.entry(file.role.to_string()).or_default() += file.bytes;
    }
    bytes.insert("shards".to_owned(), written.manifest.shards.bytes);
    let summary = Summary {
        documents: documents.len(),
        sections: documents
            .iter()
            .map(|document| document.sections.len())
            .sum(),
        chunks: index.n_chunks(),
        bytes_total: bytes.values().sum(),
        bytes,
        vectors: index
            .vectors
            .as_ref()
            .map(|vectors| vectors.mode().to_string()),
        seconds: start.elapsed().as_secs_f64(),
        bundle: written.manifest.id.clone(),
        warnings,
    };
    print_summary(&summary, arguments)?;
    let failed = arguments.strict && !summary.warnings.is_empty();
    Ok(ExitCode::from(u8::from(failed)))
}

/// Reads and parses every page; one that can't be read is a warning and the rest goes on.
#[expect(
    clippy::type_complexity,
    reason = "a page and its source travel together only as far as `render`"
)]
fn read_pages(
    arguments: &Arguments,
    options: &ParseOptions,
) -> anyhow::Result<(Vec<(Document, PageSource)>, Vec<Warning>)> {
    let files = walk::pages(&arguments.dir, &arguments.out)?;
    let progress = bar(files.len(), "reading");
    let mut documents = Vec::new();
    let mut warnings = Vec::new();
    for file in files {
        match read_page(&file, options, arguments.render) {
            Ok(page) => documents.push(page),
            Err(error) => {
                progress.suspend(|| report::page_warning(&error));
                warnings.push(Warning {
                    path: file.source,
                    message: error.to_string(),
                    hint: error.hint().to_owned(),
                });
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    if documents.is_empty() {
        return Err(Hint::error(
            format!("no page in `{}` could be indexed", arguments.dir.display()),
            "give a folder with .md, .markdown, .html or .htm files that hold text",
        ));
    }
    Ok((documents, warnings))
}

/// The Markdown of a page that will be rendered.
type PageSource = Option<String>;

fn read_page(
    file: &PageFile,
    options: &ParseOptions,
    keep_source: bool,
) -> Result<(Document, PageSource), PageError> {
    let unreadable = |cause: std::io::Error| PageError::Unreadable {
        page: file.source.clone(),
        reason: cause.to_string(),
    };
    // The length is asked first: a page of many gigabytes is not read to be refused.
    let len = std::fs::metadata(&file.path).map_err(unreadable)?.len();
    if len > options.max_bytes as u64 {
        return Err(PageError::TooLarge {
            page: file.source.clone(),
            max_bytes: options.max_bytes,
            found: usize::try_from(len).unwrap_or(usize::MAX),
        });
    }
    let bytes = std::fs::read(&file.path).map_err(unreadable)?;
    let document = parse::parse_page(&file.source, &bytes, options)?;
    let is_markdown = file.source.ends_with(".md") || file.source.ends_with(".markdown");
    let source = (keep_source && is_markdown).then(|| String::from_utf8_lossy(&bytes).into_owned());
    Ok((document, source))
}

fn embed(
    embedder: &Embedder,
    documents: &[Document],
    chunks: &[Chunk],
) -> anyhow::Result<Vec<Vec<f32>>> {
    let progress = bar(chunks.len(), "embedding");
    let embeddings = chunks
        .par_iter()
        .map(|chunk| {
            let text = chunk.embedding_text(&documents[chunk.document as usize].title);
            let embedding = embedder.embed(&[&text])?.pop().unwrap_or_default();
            progress.inc(1);
            Ok(embedding)
        })
        .collect::<Result<Vec<_>, anchorite::model::error::RunError>>()
        .context("could not embed the chunks")?;
    progress.finish_and_clear();
    Ok(embeddings)
}

fn models_dir(arguments: &Arguments) -> anyhow::Result<PathBuf> {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/default");
    let dir = arguments
        .models
        .clone()
        .unwrap_or_else(|| PathBuf::from(shipped));
    if !dir.is_dir() {
        return Err(Hint::error(
            format!("there is no folder of models at `{}`", dir.display()),
            "give it with --models; the source checkout has one in models/default",
        ));
    }
    Ok(dir)
}

fn read_model(models: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    let path = models.join(name);
    std::fs::read(&path).map_err(|cause| {
        Hint::error(
            format!("could not read `{}`: {cause}", path.display()),
            "give the folder of models with --models, or leave the generator out with --no-generator",
        )
    })
}

fn weights(
    arguments: &Arguments,
    models: &Path,
    embedder: Vec<u8>,
) -> anyhow::Result<Vec<WeightFile>> {
    let mut weights = vec![WeightFile {
        role: Role::Embedder,
        name: "embedder.gguf".to_owned(),
        bytes: embedder,
    }];
    if !arguments.no_generator {
        for (role, name) in [
            (Role::Generator, "generator.gguf"),
            (Role::Adapter, "adapter.gguf"),
        ] {
            // An adapter is optional; a generator is not, unless it was left out on purpose.
            if role == Role::Adapter && !models.join(name).exists() {
                continue;
            }
            weights.push(WeightFile {
                role,
                name: name.to_owned(),
                bytes: read_model(models, name)?,
            });
        }
    }
    Ok(weights)
}

/// Writes the files, the manifest last: a reader never sees a manifest whose files are not there yet.
fn write_files(out: &Path, bundle: &Bundle) -> anyhow::Result<()> {
    let is_rebuild = bundle_dir::manifest(out).is_ok();
    let is_manifest = |path: &str| path == bundle::MANIFEST_PATH;
    let (manifest, files): (Vec<_>, Vec<_>) =
        bundle.files.iter().partition(|(path, _)| is_manifest(path));
    for (path, bytes) in files.into_iter().chain(manifest) {
        let path = out.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("could not make `{}`", folder.display()))?;
        }
        std::fs::write(&path, bytes)
            .with_context(|| format!("could not write `{}`", path.display()))?;
    }
    match is_rebuild {
        true => remove_stale(out, bundle),
        false => Ok(()),
    }
}

/// Removes what an earlier build left in the same folder: files named by their content, as the format names them.
fn remove_stale(out: &Path, bundle: &Bundle) -> anyhow::Result<()> {
    let kept: HashSet<PathBuf> = bundle
        .files
        .iter()
        .map(|(path, _)| out.join(path))
        .collect();
    let folder = out.join("files");
    let entries = std::fs::read_dir(&folder)
        .with_context(|| format!("could not list `{}`", folder.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_named_by_content = path.file_stem().is_some_and(|stem| {
            let stem = stem.as_encoded_bytes();
            stem.len() == 16 && stem.iter().all(u8::is_ascii_hexdigit)
        });
        if is_named_by_content && !kept.contains(&path) {
            std::fs::remove_file(&path)
                .with_context(|| format!("could not remove `{}`", path.display()))?;
        }
    }
    Ok(())
}

fn render(out: &Path, base_url: &str, sources: &[(Document, PageSource)]) -> anyhow::Result<()> {
    pages::write_stylesheet(out)?;
    for (document, source) in sources {
        if let Some(source) = source {
            let url = document.url.strip_prefix(base_url).unwrap_or(&document.url);
            pages::write(out, url, &document.title, source)?;
        }
    }
    Ok(())
}

fn print_summary(summary: &Summary, arguments: &Arguments) -> anyhow::Result<()> {
    eprintln!(
        "{} documents, {} sections, {} chunks in {:.1} s; {} page(s) passed over",
        summary.documents,
        summary.sections,
        summary.chunks,
        summary.seconds,
        summary.warnings.len()
    );
    for (role, bytes) in &summary.bytes {
        eprintln!("  {role:<10} {bytes:>12} bytes");
    }
    if let Some(mode) = &summary.vectors {
        eprintln!("  vectors: {mode}");
    }
    eprintln!(
        "wrote {} bytes to `{}`",
        summary.bytes_total,
        arguments.out.display()
    );
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(summary)?);
    }
    Ok(())
}

fn bar(len: usize, what: &'static str) -> ProgressBar {
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

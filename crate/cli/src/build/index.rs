//! Turns tables of chunks and embeddings, made anywhere and in any order, into the bundle that one machine would have
//! built.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use sha2::{Digest, Sha256};

use crate::build::arrow_rows;
use crate::build::assemble::{self, Models};
use crate::build::cache::{TextKey, hex};
use crate::build::embedder;
use crate::build::embedder::language::Languages;
use crate::build::read::ChunkedPage;
use crate::build::select::{self, Selected};
use crate::build::table_io;
use crate::build::warnings::Warnings;
use crate::clock::Clock;
use crate::models::shipped;
use crate::models::writers::writers;
use crate::report::Hint;
use crate::settings::{BundleArguments, use_threads};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Tables that `anchorite chunk` wrote: files, or folders of them; may be given several times.
    #[arg(long, value_name = "PATH", required = true)]
    chunks: Vec<PathBuf>,
    /// Tables that `anchorite embed` wrote: files, or folders of them; may be given several times.
    #[arg(long, value_name = "PATH", required = true)]
    embeddings: Vec<PathBuf>,
    /// The folder that receives the bundle.
    #[arg(long, value_name = "DIR", required = true)]
    out: PathBuf,
    #[command(flatten)]
    pub(crate) bundle: BundleArguments,
    /// Number of threads; 0 for all cores. The bundle is the same for any number.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Exit with 1 when there was a warning.
    #[arg(long)]
    strict: bool,
    /// The configuration file; default: `anchorite.toml` in the working directory, where there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut clock = Clock::start();
    use_threads(arguments.threads)?;
    let models = shipped::default_dir(arguments.bundle.models.as_deref())?;
    let writers = writers(&arguments.bundle, &models)?;
    let mut warnings = Warnings::default();
    let selected = select::select(read_chunks(&arguments.chunks)?, &mut warnings);
    if selected.documents.is_empty() {
        return Err(Hint::error(
            "the tables of chunks are empty",
            "run `anchorite chunk` on a folder with pages that hold text and may be found",
        ));
    }
    let languages = Languages::of(&selected.documents, &selected.chunks);
    let chosen = embedder::choose(&arguments.bundle, &models, &languages, &mut warnings)?;
    if chosen.is_none() && arguments.bundle.embedder.is_none() {
        return Err(Hint::error(
            "there are embeddings, but the embedder for the site's languages is not here",
            "run `anchorite pull multilingual-e5-small`, name the embedder that made them with --embedder, or leave them unused with \
             --embedder none",
        ));
    }
    let keys = assemble::keys(&selected);
    let embeddings = match &chosen {
        Some(chosen) => {
            let id = hex(&Sha256::digest(&chosen.file.bytes));
            let found = read_embeddings(&arguments.embeddings, &keys, &id)?;
            let is_missing = |key: &TextKey| !found.contains_key(key);
            if let Some(at) = keys.iter().position(is_missing) {
                let n_missing = keys.iter().filter(|key| is_missing(key)).count();
                return Err(missing(&selected, at, keys[at], n_missing));
            }
            found
        }
        None => HashMap::new(),
    };
    clock.step("read");
    let mut summary = assemble::assemble(
        selected,
        &keys,
        embeddings,
        Models {
            embedder: chosen,
            languages: &languages,
            folder: &models,
            writers,
        },
        &arguments.bundle,
        &arguments.out,
    )?;
    clock.step("index");
    (summary.seconds, summary.steps) = clock.stop();
    let is_failure = arguments.strict && warnings.count() > 0;
    summary.print(warnings, &arguments.out, arguments.bundle.json)?;
    Ok(ExitCode::from(u8::from(is_failure)))
}

fn missing(selected: &Selected, at: usize, key: TextKey, n_missing: usize) -> anyhow::Error {
    let chunk = &selected.chunks[at];
    let source = &selected.documents[chunk.document as usize].source;
    Hint::error(
        format!(
            "{n_missing} chunk(s) have no embedding; the first is `{}` of page `{source}`, with hash `{}`",
            chunk.id,
            hex(&key)
        ),
        "run `anchorite embed` on all tables of chunks, and give all that it wrote",
    )
}

/// The pages whose chunks are in the tables; each chunk must occur exactly once.
fn read_chunks(paths: &[PathBuf]) -> anyhow::Result<Vec<ChunkedPage>> {
    let mut pages: HashMap<String, (ChunkedPage, BTreeMap<i32, anchorite::index::Chunk>)> =
        HashMap::new();
    for batch in table_io::read(paths)? {
        for row in arrow_rows::chunk_rows(&batch?)? {
            let mut page = row.page;
            let Some(chunk) = page.chunks.pop() else {
                continue;
            };
            let source = page.document.source.clone();
            let (_, chunks) = pages
                .entry(source.clone())
                .or_insert_with(|| (page, BTreeMap::new()));
            if chunks.insert(row.ordinal, chunk).is_some() {
                return Err(Hint::error(
                    format!("chunk {} of page `{source}` is there twice", row.ordinal),
                    "give each table once, and run `anchorite chunk` once on each page",
                ));
            }
        }
    }
    pages
        .into_values()
        .map(|(mut page, chunks)| {
            let is_whole = chunks.keys().copied().eq(0..i32::try_from(chunks.len())?);
            if !is_whole {
                return Err(Hint::error(
                    format!("chunks of page `{}` are missing", page.document.source),
                    "give all tables that `anchorite chunk` wrote",
                ));
            }
            page.chunks = chunks.into_values().collect();
            Ok(page)
        })
        .collect()
}

/// The embeddings of `keys`; skips all others.
fn read_embeddings(
    paths: &[PathBuf],
    keys: &[TextKey],
    model: &str,
) -> anyhow::Result<HashMap<TextKey, Vec<f32>>> {
    let wanted: HashMap<String, TextKey> = keys
        .iter()
        .collect::<HashSet<_>>()
        .into_iter()
        .map(|key| (hex(key), *key))
        .collect();
    let mut embeddings = HashMap::new();
    for batch in table_io::read(paths)? {
        let batch = batch?;
        for (hash, of_model, vector) in arrow_rows::embedding_rows(&batch)? {
            let Some(key) = wanted.get(hash) else {
                continue;
            };
            if of_model != model {
                return Err(Hint::error(
                    format!(
                        "an embedding is of another model: expected `{model}`, found `{of_model}`"
                    ),
                    "embed and index with the same embedder: --models or --embedder",
                ));
            }
            match embeddings.insert(*key, vector) {
                Some(before) if Some(&before) != embeddings.get(key) => {
                    bail!("there are two different embeddings with hash `{hash}`");
                }
                _ => {}
            }
        }
    }
    Ok(embeddings)
}

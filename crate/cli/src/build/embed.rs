//! Turns texts into embeddings: for a build, and as a map over rows that any engine can run in parts.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::process::ExitCode;

use anchorite::index::bundle::{Role, WeightFile};
use anchorite::model::embed::{Embedder, Side};
use anyhow::Context;
use indicatif::ProgressBar;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::build::arrow_rows::{self, TextColumn};
use crate::build::cache::{Cache, TextKey, hex};
use crate::build::embedder;
use crate::build::table_io::{self, TableWriter};
use crate::models::store::ModelArguments;
use crate::models::{choice, shipped};
use crate::settings::use_threads;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Tables with columns `hash` and `embedding_text`, as `anchorite chunk` writes them: .parquet or .arrow files,
    /// folders of them, or `-` for an Arrow stream on standard input.
    #[arg(value_name = "CHUNKS", required = true)]
    chunks: Vec<PathBuf>,
    /// Where the table of embeddings goes: a .parquet or .arrow file, or `-` for an Arrow stream on standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// The folder with `embedder.gguf`; default: the one that ships.
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    /// The embedder: a name that `anchorite models` lists, or a GGUF file; default: the folder's. `anchorite index` must be told
    /// the same, or choose it by the site's languages.
    #[arg(long, value_name = "NAME|FILE")]
    embedder: Option<String>,
    #[command(flatten)]
    named: ModelArguments,
    /// Number of threads; 0 for all cores. The embeddings are the same for any number.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// The configuration file; default: `anchorite.toml` in the working directory, where there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// An embedder and the name of its weights.
pub(crate) struct Model {
    embedder: Embedder,
    /// SHA-256 of the weights, in hexadecimal: embeddings of different models don't mix.
    pub(crate) id: String,
}

impl Model {
    /// Loads an embedder from its file.
    pub(crate) fn load(file: &WeightFile) -> anyhow::Result<Self> {
        let embedder = embedder::load(file)?;
        let id = hex(&Sha256::digest(&file.bytes));
        Ok(Self { embedder, id })
    }

    /// Embeds one text; the result is the same alone and in a batch.
    fn embed(&self, text: &str) -> anyhow::Result<Vec<f32>> {
        let embeddings = self.embedder.embed(Side::Passage, &[text]);
        Ok(embeddings
            .context("could not embed a chunk")?
            .pop()
            .unwrap_or_default())
    }
}

/// The embeddings of a site's texts, and how many of them are new.
#[derive(Default)]
pub(crate) struct Embedded {
    /// By the key of their text.
    pub(crate) embeddings: HashMap<TextKey, Vec<f32>>,
    /// Number of embeddings made by this run.
    pub(crate) n_made: usize,
    /// Number of embeddings taken from an earlier build.
    pub(crate) n_reused: usize,
}

/// The embeddings of all texts, from the cache if it has them, and stored there. `keys` has the key of each text,
/// `text` returns the text at a position; a text that occurs several times is embedded once.
pub(crate) fn with_cache(
    model: &Model,
    keys: &[TextKey],
    text: &(dyn Fn(usize) -> String + Sync),
    cache: Option<&Cache>,
    progress: &ProgressBar,
) -> anyhow::Result<Embedded> {
    let wanted: HashSet<TextKey> = keys.iter().copied().collect();
    let dimension = model.embedder.dimension();
    let mut embeddings = match cache {
        Some(cache) => cache.embeddings(&model.id, dimension, &wanted),
        None => HashMap::new(),
    };
    let n_reused = embeddings.len();
    progress.inc(n_reused as u64);
    let mut seen: HashSet<TextKey> = embeddings.keys().copied().collect();
    let missing: Vec<usize> = (0..keys.len())
        .filter(|at| seen.insert(keys[*at]))
        .collect();
    let made = missing
        .par_iter()
        .map(|at| {
            let embedding = model.embed(&text(*at))?;
            progress.inc(1);
            Ok((keys[*at], embedding))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let n_made = made.len();
    embeddings.extend(made);
    if let Some(cache) = cache {
        cache.keep_embeddings(&model.id, dimension, &embeddings)?;
    }
    Ok(Embedded {
        embeddings,
        n_made,
        n_reused,
    })
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    use_threads(arguments.threads)?;
    let file = match &arguments.embedder {
        Some(value) => choice::chosen(&arguments.named, value, Role::Embedder)?,
        None => {
            let models = shipped::default_dir(arguments.models.as_deref())?;
            embedder::shipped(&models)?
        }
    };
    let model = Model::load(&file)?;
    let mut table = TableWriter::create(&arguments.out, &arrow_rows::embedding_schema())?;
    let progress = ProgressBar::no_length().with_message("embedding");
    let mut n_rows = 0;
    for batch in table_io::read(&arguments.chunks)? {
        let batch = batch?;
        let hash = TextColumn::of(&batch, "hash")?;
        let text = TextColumn::of(&batch, "embedding_text")?;
        let rows: Vec<(&str, &str)> = (0..batch.num_rows())
            .map(|row| {
                hash.get(row)
                    .zip(text.get(row))
                    .with_context(|| format!("row {row} has no hash or no text"))
            })
            .collect::<anyhow::Result<_>>()?;
        let (hashes, texts): (Vec<&str>, Vec<&str>) = rows.into_iter().unzip();
        let vectors = texts
            .par_iter()
            .map(|text| model.embed(text))
            .collect::<anyhow::Result<Vec<_>>>()?;
        progress.inc(hashes.len() as u64);
        table.write(&arrow_rows::embedding_batch(&hashes, &model.id, &vectors)?)?;
        n_rows += hashes.len();
    }
    table.finish()?;
    progress.finish_and_clear();
    eprintln!("embedded {n_rows} chunks");
    Ok(ExitCode::SUCCESS)
}

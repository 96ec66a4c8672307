//! Turns judged queries into retrieval figures, and judged questions into answer figures.

mod answers;
mod beir;
mod calibrate;
mod embeddings;
mod measure;
mod metrics;
mod paragraphs;
mod prepared;
mod questions;
mod set_report;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anchorite::index::bundle::{Role, WeightFile};
use clap::Subcommand;
use sha2::{Digest, Sha256};

use crate::build::embedder::{self, Chosen};
use crate::models::store::ModelArguments;
use crate::models::{choice, shipped};
use crate::report::Hint;

pub use answers::check_judged;

/// SQuAD's training set is 42 MB.
const MAX_QUESTION_BYTES: u64 = 512 << 20;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Score search by words, by meaning and fused, on judged queries.
    Retrieval(RetrievalArguments),
    /// Score what is claimed to be an answer, and what is refused, on judged questions.
    Answers(Box<answers::AnswersArguments>),
}

#[derive(clap::Args)]
pub(crate) struct RetrievalArguments {
    /// A folder in BEIR's form (corpus.jsonl, queries.jsonl, qrels.tsv), or one that holds several of them; or a file in
    /// SQuAD's form, whose paragraphs are the documents.
    #[arg(long, required_unless_present = "questions")]
    data: Option<PathBuf>,
    /// A site's own questions: lines of `{"question": "..", "expected": ["url#anchor", ..]}`. Needs `--bundle`.
    #[arg(long, requires = "bundle", conflicts_with = "data")]
    questions: Option<PathBuf>,
    /// The folder that `anchorite build` wrote, which `--questions` are put to.
    #[arg(long)]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    embedder: EmbedderArguments,
    #[command(flatten)]
    named: ModelArguments,
    /// Compare all vectors, walk a graph, or read shards of neighbours, whatever their number.
    #[arg(long, value_enum, default_value_t = IndexArgument::Auto)]
    index: IndexArgument,
    /// Write the two rankings of each query as JSON lines to this file.
    #[arg(long)]
    rankings: Option<PathBuf>,
    /// Print nDCG@10 of the development halves for each weight of words against meaning, instead of the figures.
    #[arg(long, requires = "data")]
    calibrate: bool,
    /// Exit with 1 if fused search is worse than words or meaning alone on a set.
    #[arg(long)]
    strict: bool,
    /// Print JSON on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum IndexArgument {
    Auto,
    Flat,
    Graph,
    Shards,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.what {
        What::Retrieval(arguments) => retrieval(arguments),
        What::Answers(arguments) => answers::run(arguments),
    }
}

fn retrieval(arguments: &RetrievalArguments) -> anyhow::Result<ExitCode> {
    match (&arguments.questions, &arguments.bundle, &arguments.data) {
        (Some(questions), Some(bundle), _) => questions::run(questions, bundle, arguments.json),
        (_, _, Some(data)) => measure::run(data, arguments),
        _ => Err(Hint::error(
            "there is nothing to score",
            "give judged queries with --data, or a site's own with --questions and --bundle",
        )),
    }
}

/// The embedder of a set's documents.
#[derive(clap::Args)]
struct EmbedderArguments {
    /// The embedder: a name that `anchorite models` lists, or a GGUF file; default: the one that ships.
    #[arg(long, value_name = "NAME|FILE", env = "ANCHORITE_EMBEDDER")]
    embedder: Option<String>,
    /// Keep the whole vocabulary of an embedder of many languages, and not the part of it that a site gets.
    #[arg(long)]
    whole_vocabulary: bool,
    /// Where embeddings are kept between runs; default: nowhere.
    #[arg(long, env = "ANCHORITE_CACHE")]
    cache: Option<PathBuf>,
}

impl EmbedderArguments {
    /// The embedder that was asked for, or the one that ships.
    fn chosen(&self, named: &ModelArguments) -> anyhow::Result<Chosen> {
        let (file, reader) = match &self.embedder {
            Some(value) => (
                choice::chosen(named, value, Role::Embedder)?,
                choice::own_reader(named, value)?,
            ),
            None => (embedder::shipped(&shipped::default_dir(None)?)?, None),
        };
        Ok(Chosen {
            file,
            reader,
            why: "asked for".to_owned(),
        })
    }
}

/// The hash of a file, for the names of what is kept of it.
fn hash(file: &WeightFile) -> String {
    hex(&Sha256::digest(&file.bytes)[..8])
}

/// The requested reader, or the one that ships, if there is one: its file's content.
fn reader(path: Option<&Path>) -> anyhow::Result<Option<Vec<u8>>> {
    let path = match (path, shipped::file(path, shipped::READER)) {
        (None, Ok(shipped)) if shipped.exists() => shipped,
        (None, _) => return Ok(None),
        (Some(given), _) => given.to_path_buf(),
    };
    let bytes = std::fs::read(&path).map_err(|cause| {
        Hint::error(
            format!("could not read `{}`: {cause}", path.display()),
            "give a reader as GGUF with --reader",
        )
    })?;
    Ok(Some(bytes))
}

/// The text of a question file, up to the size limit.
///
/// # Errors
/// If it can't be read, or is too large.
fn read_questions(path: &Path) -> anyhow::Result<String> {
    let could_not = |cause: std::io::Error| {
        Hint::error(
            format!("could not read `{}`: {cause}", path.display()),
            "give a file of judged questions",
        )
    };
    let found = std::fs::metadata(path).map_err(could_not)?.len();
    if found > MAX_QUESTION_BYTES {
        return Err(Hint::error(
            format!(
                "`{}`: expected at most {MAX_QUESTION_BYTES} bytes, found {found}",
                path.display()
            ),
            "divide the file",
        ));
    }
    std::fs::read_to_string(path).map_err(could_not)
}

/// A mistake in a line of JSON, by column: the caller names the line.
fn mistake(cause: &serde_json::Error) -> String {
    let message = cause.to_string();
    let place = format!(" at line {} column {}", cause.line(), cause.column());
    match message.strip_suffix(&place) {
        Some(message) => format!("{message}, at column {}", cause.column()),
        None => message,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line runs natively and owns the clock"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

//! Defines the options of the table: its rows, the weights that write them, and where these run.

use std::path::PathBuf;

use super::rows::Row;
use crate::ask::BackendArgument;
use crate::models::store::ModelArguments;

#[derive(clap::Args)]
pub(in crate::eval::answers) struct Arguments {
    /// Compare ways to answer with a generator: by itself, from long prompts, from passages, with an adapter, as a page runs it.
    #[arg(long, conflicts_with_all = ["candidates", "plot", "oracle", "ablate"])]
    pub(in crate::eval::answers) table: bool,
    /// The generator of the table: a name that `anchorite models` lists, or a GGUF file.
    #[arg(long, value_name = "NAME|FILE", requires = "table")]
    pub(super) generator: Option<String>,
    /// Its adapter, by name or as a GGUF file, or `none`; default: the one that the registry names for the generator.
    #[arg(long, value_name = "NAME|FILE", requires = "table")]
    pub(super) adapter: Option<String>,
    /// An adapter that was trained without passages, for a row of its own.
    #[arg(long, value_name = "NAME|FILE", requires = "table")]
    pub(super) bare_adapter: Option<String>,
    /// Run these rows of the table only, separated by commas.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "ROW",
        requires = "table"
    )]
    pub(super) rows: Vec<Row>,
    /// Write the table with plots, and every answer, to this file: a page that needs nothing else.
    #[arg(long, value_name = "FILE", requires = "table")]
    pub(super) html: Option<PathBuf>,
    /// How long the adapter was trained, for its rows of the table.
    #[arg(long, value_name = "SECONDS", requires = "table")]
    pub(super) training_seconds: Option<u64>,
    /// Where the table's generator runs.
    #[arg(long, value_enum, default_value_t = BackendArgument::Cpu)]
    pub(super) backend: BackendArgument,
    #[command(flatten)]
    pub(in crate::eval::answers) named: ModelArguments,
}

//! Turns the command line into calls of the engine, results into text or JSON on standard output, and messages about
//! the work itself (progress, warnings, errors) into lines on standard error.
//!
//! It is a library so that tests can reach the readers of files from other machines (the configuration, the tables,
//! judged questions) and find pulled models.

#![expect(
    clippy::print_stdout,
    reason = "results go to standard output; that is what a command line is for"
)]

mod adapter;
mod ask;
mod build;
mod bundle;
mod capped;
mod changed;
mod clock;
pub mod config;
mod eval;
mod inspect;
mod models;
mod report;
mod risk;
mod search;
mod serve;
mod settings;
mod site;
mod voice;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use build::table_io::check_parquet;
pub use eval::check_judged;
pub use models::models_dir::default_models_dir;
pub use models::registry::check_registry;

/// Ask questions of a site's documents, in the visitor's own browser.
#[derive(Parser)]
#[command(name = "anchorite", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a site with search and chat from a folder of documents, or add them to a site as it is deployed.
    Build(Box<build::folder::Arguments>),
    /// Turn pages into a table of chunks: the first step of a build on many machines.
    Chunk(build::chunk::Arguments),
    /// Turn a table of chunks into a table of embeddings: the second step.
    Embed(build::embed::Arguments),
    /// Turn tables of chunks and embeddings into a bundle: the last step.
    Index(build::index::Arguments),
    /// Fetch a model by its name, check it, and keep it for builds.
    Pull(models::pull::Arguments),
    /// List the models that are known by name, and whether they are here.
    Models(models::list::Arguments),
    /// Convert an adapter, or say what one holds.
    Adapter(adapter::Arguments),
    /// Search a bundle and print the best sections.
    Search(search::Arguments),
    /// Ask a bundle a question and print the cited answer.
    Ask(ask::Arguments),
    /// Score a bundle, or the retrieval itself, on judged questions.
    Eval(eval::Arguments),
    /// Check every file of a bundle and print what it holds.
    Inspect(inspect::Arguments),
    /// Serve a folder on this machine, for a look at the result.
    Serve(serve::Arguments),
}

/// Runs the command that the arguments name. Exit codes: 0 done; 1 done, with warnings under `--strict`; 2 failed.
pub fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let command = match config::prepare(Arguments::command(), &words) {
        Ok(command) => command,
        Err(error) => return fail(&error),
    };
    let parsed = command.try_get_matches_from(words).and_then(|matches| {
        let arguments = Arguments::from_arg_matches(&matches)?;
        Ok((matches, arguments))
    });
    let result = match parsed {
        Ok((matches, arguments)) => run(arguments.command, &matches),
        Err(error) => {
            // clap prints help on standard output and errors on standard error.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match result {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

fn run(command: Command, matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let own = matches.subcommand().map(|(_, own)| own);
    match command {
        Command::Build(mut arguments) => {
            if let Some(own) = own {
                arguments.pages.resolve_input(own)?;
                arguments.destination.resolve(own)?;
                arguments.bundle.resolve_generator(own)?;
            }
            build::folder::run(&arguments)
        }
        Command::Chunk(mut arguments) => {
            own.map_or(Ok(()), |own| arguments.pages.resolve_input(own))?;
            build::chunk::run(&arguments)
        }
        Command::Embed(arguments) => build::embed::run(&arguments),
        Command::Index(mut arguments) => {
            own.map_or(Ok(()), |own| arguments.bundle.resolve_generator(own))?;
            build::index::run(&arguments)
        }
        Command::Pull(arguments) => models::pull::run(&arguments),
        Command::Models(arguments) => models::list::run(&arguments),
        Command::Adapter(arguments) => adapter::run(&arguments),
        Command::Search(arguments) => search::run(&arguments),
        Command::Ask(arguments) => ask::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    report::error(error);
    ExitCode::from(2)
}

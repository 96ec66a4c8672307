//! The command line: turns arguments into calls of the engine, its results into text or JSON on standard output, and
//! everything about the work itself (progress, warnings, errors) into lines on standard error.

#![expect(
    clippy::print_stdout,
    reason = "results go to standard output; that is what a command line is for"
)]

mod ask;
mod bundle;
mod build;
mod eval;
mod inspect;
mod pages;
mod report;
mod search;
mod serve;
mod walk;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Ask a site's documents in the reader's own browser.
#[derive(Parser)]
#[command(name = "anchorite", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Turn a folder of Markdown and HTML into a bundle of static files.
    Build(build::Arguments),
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

/// 0: done; 1: done, with warnings under `--strict`; 2: failed.
fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap prints help on standard output and mistakes on standard error.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let result = match arguments.command {
        Command::Build(arguments) => build::run(&arguments),
        Command::Search(arguments) => search::run(&arguments),
        Command::Ask(arguments) => ask::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            report::error(&error);
            ExitCode::from(2)
        }
    }
}

//! Dispatches `cargo xtask NAME` to the command of that name.

#![expect(clippy::print_stdout, reason = "results go to standard output")]

mod bench;
mod circles;
mod conformance;
mod contract;
mod demo;
mod docs;
mod licences;
mod models;
mod page;
mod recipes;
mod run;
mod setup;
mod size;
mod spark;
mod test;
mod tidy;
mod wasm;
mod wgsl;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything, index a folder, and serve the page that asks it.
    Demo(demo::Arguments),
    /// Build what pages load, and install the command `anchorite` with it.
    Install,
    /// Run every test, and install what the tests need.
    Test(test::Arguments),
    /// Build the sites of reported situations and print which are right; see `tests/fixtures/reported.toml`.
    Cases,
    /// Find circles among the source files of each crate.
    Circles,
    /// Compare the guide with options, attributes, files, error codes and words of the page.
    Docs(docs::Arguments),
    /// Check formatting, lints, house rules.
    Tidy,
    /// Build the WebAssembly package into `www/pkg`.
    Wasm,
    /// Print the size of what a page downloads.
    Size(size::Arguments),
    /// Make `models/int8/embedder.gguf` from its published source.
    Models,
    /// Record the reference values of the embedder's tests, from candle in single precision.
    Golden,
    /// Write the page's types from the Rust types that cross into JavaScript, with samples of them.
    Contract,
    /// Run every family, type and form of the graphics kernels, and write `docs/conformance.md`.
    Conformance,
    /// Write every assembled shader of the graphics engine into `target/wgsl`.
    Wgsl,
    /// Measure speed and memory against other engines; see `tests/bench/README.md`.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Build small sites with their generators, and compare our index of them with Pagefind's.
    Recipes(recipes::Arguments),
    /// Build the guide on Spark's local cluster, and compare with one machine's bundle.
    Spark,
    /// Take the screenshots in `docs/images`.
    Shots,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Install => page::install(),
        Command::Test(arguments) => test::run(&arguments),
        Command::Cases => test::cases(),
        Command::Circles => circles::run(),
        Command::Docs(arguments) => docs::run(arguments.write && !arguments.check),
        Command::Tidy => tidy::run(),
        Command::Wasm => wasm::build(),
        Command::Size(arguments) => size::run(&arguments),
        Command::Models => models::run(),
        Command::Golden => models::golden(),
        Command::Contract => contract::run(),
        Command::Conformance => conformance::run(),
        Command::Wgsl => wgsl::run(),
        Command::Bench(bench) => bench::run(&bench),
        Command::Recipes(arguments) => recipes::run(&arguments),
        Command::Spark => spark::run(),
        Command::Shots => demo::shots(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

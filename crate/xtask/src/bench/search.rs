//! Turns the toolchain's documentation into figures of search engines: bytes, times and hits, ours beside others.

use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;

use super::rows::{Of, Row, median};
use super::verdicts::{Bar, Verdict};
use super::{Output, all_unless_named, measure, names, prepare};
use crate::{page, run, setup};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only these engines.
    #[arg(long, value_enum)]
    engine: Vec<Engine>,
    /// How many chunks are searched; may be repeated. Default 2000 and 20000.
    #[arg(long)]
    n: Vec<u32>,
    /// The folder of HTML to search; default: what `rustup` installed with the toolchain.
    #[arg(long)]
    html: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    Anchorite,
    Pagefind,
    Minisearch,
    Orama,
}

/// What a reader of 10,000 pages may have to download until the first results are there, code included.
const FIRST_RESULT_LIMIT: f64 = 300_000.0;

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let sizes: Vec<String> = match arguments.n.as_slice() {
        [] => vec!["2000".to_owned(), "20000".to_owned()],
        sizes => sizes.iter().map(u32::to_string).collect(),
    };
    setup::npm_packages("tests/bench", &["--ignore-scripts"])?;
    page::build()?;
    let corpus = prepare::folder().join("search");
    eprintln!("cutting the documentation into chunks");
    run::run(
        run::cargo()
            .args(["run", "--quiet", "--release", "--package=anchorite-bench"])
            .args(["--bin=bench_search", "--"])
            .arg(html(arguments)?)
            .arg(&corpus)
            .args(&sizes)
            .stdout(std::io::stderr()),
    )?;
    let mut driver = run::command("node");
    driver
        .arg("tests/bench/search.mjs")
        .args(["--reps", &arguments.output.reps.to_string()])
        .arg("--corpus")
        .arg(corpus)
        .arg("--ours")
        .arg(run::root().join("www/dist"))
        .arg("--brotli")
        .arg(prepare::folder().join("brotli"))
        .args(sizes.iter().flat_map(|size| ["--n", size]))
        .env("ANCHORITE_CHROMIUM", setup::chromium()?);
    let engines = names(&all_unless_named(&arguments.engine));
    driver.args(engines.iter().flat_map(|name| ["--engine", name]));
    measure(driver, &arguments.output, verdicts)
}

fn html(arguments: &Arguments) -> anyhow::Result<PathBuf> {
    if let Some(folder) = &arguments.html {
        return Ok(folder.clone());
    }
    let root = run::output(run::command("rustc").args(["--print", "sysroot"]))?;
    let folder = PathBuf::from(root.trim()).join("share/doc/rust/html");
    folder
        .is_dir()
        .then_some(folder)
        .context("the toolchain has no documentation: `rustup component add rust-docs`, or give a folder with --html")
}

fn verdicts(rows: &[Row]) -> Vec<Verdict> {
    let mut models: Vec<&str> = rows.iter().map(|row| row.model.as_str()).collect();
    models.dedup();
    let mut verdicts = Vec::new();
    for model in models {
        let of_model: Vec<Row> = rows
            .iter()
            .filter(|row| row.model == model)
            .cloned()
            .collect();
        let of = |engine| Of {
            group: "search",
            engine,
            kind: None,
        };
        let value = |engine, metric| median(&of_model, of(engine), None, metric);
        let mut push = |name: String, unit, value: Option<f64>, bar: Option<Bar>| {
            verdicts.extend(value.map(|value| Verdict::new(name, value, unit, bar)));
        };
        push(
            format!("{model}: hit@10"),
            "share",
            value("anchorite", "hit10"),
            value("minisearch", "hit10").map(Bar::AtLeast),
        );
        push(
            format!("{model}: bytes of the first query's index"),
            "bytes",
            value("anchorite", "first_bytes"),
            value("pagefind", "first_bytes").map(Bar::AtMost),
        );
        let first = value("anchorite", "first_bytes").zip(value("anchorite", "code_brotli"));
        let is_site = model.ends_with("pages");
        push(
            format!("{model}: bytes until the first results"),
            "bytes",
            first.map(|(index, code)| index + code),
            is_site.then_some(Bar::AtMost(FIRST_RESULT_LIMIT)),
        );
    }
    verdicts
}

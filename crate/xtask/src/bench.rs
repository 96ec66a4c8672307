//! Measures our engine and others on the same machine within the same minutes.

mod build;
mod gpu;
mod lookup;
mod prefix;
mod prepare;
pub(crate) mod samples;
mod search;
mod table;
mod verdicts;

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde::Serialize;

use crate::wasm::Instructions;
use crate::{run, setup};
use prepare::Onnx;
use samples::Row;
use verdicts::Verdict;

/// The benchmark to run.
#[derive(clap::Subcommand)]
pub(crate) enum Bench {
    /// Language models, the embedder and the reader in Chromium, one thread, against transformers.js and wllama.
    Cpu(CpuArguments),
    /// The language model on WebGPU in Chromium, against transformers.js; or natively, counted and timed.
    Gpu(gpu::Arguments),
    /// The embedder natively, one thread, against onnxruntime.
    Embed(Output),
    /// Bundles built from nothing, again, and after one page has changed: seconds, bytes, memory.
    Build(build::Arguments),
    /// Search by words in Chromium, against Pagefind, MiniSearch and Orama, and by meaning, against hnswlib-wasm, voy and Orama, on
    /// the toolchain's own documentation.
    Search(search::Arguments),
    /// The generator's answers about the guide, one thread, with and without guessing tokens from the passages.
    Lookup(lookup::Arguments),
    /// The first token of a later question about the same site, with and without reusing the previous one's prefix.
    Prefix(prefix::Arguments),
}

#[derive(clap::Args)]
pub(crate) struct CpuArguments {
    /// Only these groups.
    #[arg(long, value_enum)]
    only: Vec<Group>,
    /// Only these engines.
    #[arg(long, value_enum)]
    engine: Vec<Engine>,
    /// Only these types of the language model.
    #[arg(long, value_enum)]
    r#type: Vec<Type>,
    #[command(flatten)]
    output: Output,
}

#[derive(clap::Args)]
pub(crate) struct Output {
    /// Timed repetitions of each measurement, engine after engine.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    reps: u32,
    /// Print JSON lines on standard output: rows, then one object with the ratios.
    #[arg(long)]
    json: bool,
    /// Write the JSON lines to this file too.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Group {
    Lm,
    Embed,
    Adapter,
    Qwen3,
    /// Real weights, and prompts as a page writes them.
    Grounded,
    Read,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    Anchorite,
    Transformers,
    Wllama,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Type {
    #[value(name = "Q8_0", alias = "q8_0")]
    Q8_0,
    #[value(name = "Q4_0", alias = "q4_0")]
    Q4_0,
    #[value(name = "Q4_K_M", alias = "q4_k_m")]
    Q4KM,
}

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    match bench {
        Bench::Cpu(arguments) => cpu(arguments),
        Bench::Gpu(arguments) => gpu::run(arguments),
        Bench::Embed(output) => embed(output),
        Bench::Build(arguments) => build::run(arguments),
        Bench::Search(arguments) => search::run(arguments),
        Bench::Lookup(arguments) => lookup::run(arguments),
        Bench::Prefix(arguments) => prefix::run(arguments),
    }
}

fn cpu(arguments: &CpuArguments) -> anyhow::Result<()> {
    let groups = all_unless_named(&arguments.only);
    let engines = all_unless_named(&arguments.engine);
    let types = all_unless_named(&arguments.r#type);
    setup::npm_packages("tests/bench", &["--ignore-scripts"])?;
    if engines.contains(&Engine::Anchorite) {
        prepare::modules(&Instructions::ALL)?;
    }
    prepare::gguf_models(&groups, &types)?;
    if engines.contains(&Engine::Transformers) {
        let decoder = groups.contains(&Group::Lm).then_some(Onnx::Decoder);
        let minilm = groups.contains(&Group::Embed).then_some(Onnx::Minilm);
        let wanted: Vec<Onnx> = decoder.into_iter().chain(minilm).collect();
        prepare::onnx_models(&wanted)?;
    }
    let mut options = vec![
        ("--only", names(&groups)),
        ("--engine", names(&engines)),
        ("--type", names(&types)),
    ];
    if groups.contains(&Group::Grounded) {
        let [generator, adapter] = prepare::pulled(&[setup::GENERATOR, setup::ADAPTERS[0]])?;
        options.extend([
            ("--generator", vec![generator]),
            ("--adapter", vec![adapter]),
        ]);
    }
    let driver = in_chromium(&arguments.output, &options)?;
    measure(driver, &arguments.output, verdicts::cpu)
}

/// The command of the driver that runs engines in Chromium; each option is repeated for each of its values.
fn in_chromium(output: &Output, options: &[(&str, Vec<String>)]) -> anyhow::Result<Command> {
    let mut driver = run::command("node");
    driver
        .arg("tests/bench/run.mjs")
        .args(["--reps", &output.reps.to_string()])
        .arg("--target")
        .arg(prepare::folder())
        .arg("--shipped")
        .arg(run::root().join("models/default"))
        .env("ANCHORITE_CHROMIUM", setup::chromium()?);
    for (option, values) in options {
        driver.args(values.iter().flat_map(|value| [*option, value]));
    }
    Ok(driver)
}

fn embed(output: &Output) -> anyhow::Result<()> {
    let program = prepare::program("bench_embed")?;
    prepare::onnx_models(&[Onnx::Minilm])?;
    let mut driver = run::command("node");
    driver
        .arg("tests/bench/embed.mjs")
        .args(["--reps", &output.reps.to_string()])
        .arg("--ours")
        .arg(program)
        .arg("--embedder")
        .arg(run::root().join("models/int8/embedder.gguf"))
        .arg("--python")
        .arg(prepare::python()?)
        .arg("--onnx")
        .arg(prepare::folder().join("models/minilm-onnx"))
        // Ours would use all cores; the peer is limited to one.
        .env("RAYON_NUM_THREADS", "1");
    measure(driver, output, verdicts::embed)
}

fn all_unless_named<T: ValueEnum + Clone>(named: &[T]) -> Vec<T> {
    match named {
        [] => T::value_variants().to_vec(),
        _ => named.to_vec(),
    }
}

/// The driver's names for `values`, which are those of the command line.
fn names<T: ValueEnum>(values: &[T]) -> Vec<String> {
    values
        .iter()
        .filter_map(ValueEnum::to_possible_value)
        .map(|value| value.get_name().to_owned())
        .collect()
}

#[derive(Serialize)]
struct Summary<'v> {
    summary: &'v [Verdict],
}

/// Runs the driver, forwards its rows as they come, and ends with the verdicts on them.
fn measure(
    mut driver: Command,
    output: &Output,
    judge: fn(&[Row]) -> Vec<Verdict>,
) -> anyhow::Result<()> {
    let mut file = match &output.out {
        Some(path) => Some(
            File::create(path).with_context(|| format!("could not write `{}`", path.display()))?,
        ),
        None => None,
    };
    let mut pass_on = |line: &str| -> anyhow::Result<()> {
        if output.json {
            println!("{line}");
        }
        if let Some(file) = &mut file {
            writeln!(file, "{line}").context("could not write the rows")?;
        }
        Ok(())
    };
    let mut child = driver
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start `node`")?;
    let stdout = child
        .stdout
        .take()
        .context("the driver has no standard output")?;
    let mut rows = Vec::new();
    for line in BufReader::new(stdout).lines() {
        let line = line.context("could not read the driver's rows")?;
        let row = serde_json::from_str(&line)
            .with_context(|| format!("the driver printed what is no row: `{line}`"))?;
        pass_on(&line)?;
        rows.push(row);
    }
    let status = child.wait().context("could not wait for the driver")?;
    if !status.success() {
        bail!("the driver failed ({status}); its error stands above");
    }
    let verdicts = judge(&rows);
    pass_on(&serde_json::to_string(&Summary { summary: &verdicts })?)?;
    if !output.json {
        print!("{}", table::table(&rows, &verdicts));
    }
    Ok(())
}

//! Makes the modules, models and packages that the benchmarks run, each once, below `target/bench`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;

use super::{Group, Type};
use crate::wasm::{self, Instructions};
use crate::{models, run, setup};

const PACKAGE: &str = "anchorite-bench";
const MODULE: &str = "anchorite_bench";

/// Passages per question, as many as when the figures in `docs/benchmarks.md` were measured.
pub(super) const N_PASSAGES: &str = "3";

/// The folder for everything made for the benchmarks.
pub(super) fn folder() -> PathBuf {
    run::target().join("bench")
}

/// Builds the module for each of `all` as the page ships it: with and without the relaxed instructions that only some
/// browsers have.
pub(super) fn modules(all: &[Instructions]) -> anyhow::Result<()> {
    setup::wasm_target()?;
    for &instructions in all {
        let folder = folder().join("wasm").join(instructions.name());
        wasm::modules(&[PACKAGE], &[MODULE], instructions, &folder)?;
    }
    Ok(())
}

/// Writes the GGUF files that these groups load.
pub(super) fn gguf_models(groups: &[Group], types: &[Type]) -> anyhow::Result<()> {
    let mut names: Vec<String> = Vec::new();
    if groups.contains(&Group::Lm) {
        let files = super::names(types);
        names.extend(
            files
                .iter()
                .map(|kind| format!("smollm2-135m-{}.gguf", kind.to_lowercase())),
        );
    }
    if groups.contains(&Group::Adapter) {
        names.extend(["q8_0", "lora-a", "lora-b"].map(|part| format!("smollm2-135m-{part}.gguf")));
    }
    if groups.contains(&Group::Qwen3) {
        names.push("qwen3-0.6b-q8_0.gguf".to_owned());
    }
    gguf_files(names)
}

/// Writes the GGUF files of these names.
pub(super) fn gguf_files(mut names: Vec<String>) -> anyhow::Result<()> {
    let models = folder().join("models");
    names.retain(|name| !models.join(name).exists());
    if names.is_empty() {
        return Ok(());
    }
    run::run(
        run::cargo()
            .args(["run", "--quiet", "--release", "--package", PACKAGE])
            .args(["--bin=bench_models", "--"])
            .arg(models)
            .args(names),
    )
}

/// Builds one of the native programs, `bench_embed`, `bench_gpu` or `bench_search`, and returns its path.
pub(super) fn program(name: &str) -> anyhow::Result<PathBuf> {
    eprintln!("building `{name}`");
    run::run(
        run::cargo()
            .args(["build", "--quiet", "--release", "--package", PACKAGE])
            .args(["--bin", name]),
    )?;
    Ok(run::target().join("release").join(name))
}

/// Where `anchorite pull` keeps these models; they are pulled if they are missing.
pub(super) fn pulled<const N: usize>(names: &[&str; N]) -> anyhow::Result<[String; N]> {
    if !setup::generator()? {
        bail!("nothing is measured without {}", setup::GENERATOR);
    }
    let listed = run::output(run::command(run::target().join("debug/anchorite")).arg("models"))?;
    let mut paths = names.map(|_| String::new());
    for (path, name) in paths.iter_mut().zip(names) {
        let line = listed
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name} ")));
        let found = line.and_then(|line| line.split_once(" here "));
        let (_, found) =
            found.with_context(|| format!("`anchorite models` doesn't say where `{name}` lies"))?;
        found.trim().clone_into(path);
    }
    Ok(paths)
}

/// The user guide as a bundle, the command line that asks it, and the questions about it.
pub(super) struct Guide {
    pub(super) program: PathBuf,
    pub(super) bundle: PathBuf,
    pub(super) questions: Vec<String>,
}

/// The fields of a file of questions that are needed here.
#[derive(Deserialize)]
pub(super) struct Questions {
    pub(super) questions: Vec<Question>,
}

#[derive(Deserialize)]
pub(super) struct Question {
    pub(super) question: String,
}

/// Reads one of the files in `tests/fixtures/questions`.
pub(super) fn questions(path: &Path) -> anyhow::Result<Questions> {
    let text =
        fs::read_to_string(path).with_context(|| format!("could not read `{}`", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("`{}` holds no questions", path.display()))
}

/// Builds the command line, and returns its path.
pub(super) fn command_line() -> anyhow::Result<PathBuf> {
    eprintln!("building the command line");
    run::run(run::cargo().args(["build", "--quiet", "--release", "--bin=anchorite"]))?;
    Ok(run::target().join("release/anchorite"))
}

/// Builds the command line, and the guide's bundle with it.
pub(super) fn guide() -> anyhow::Result<Guide> {
    let program = command_line()?;
    if !setup::generator()? {
        bail!("nothing is measured without {}", setup::GENERATOR);
    }
    let bundle = folder().join("guide");
    run::run(
        run::command(&program)
            .args(["build", "docs", "--json", "--no-calibration"])
            .args(["--generator", setup::GENERATOR, "--bundle"])
            .arg(&bundle)
            .stdout(std::io::stderr()),
    )?;
    let path = run::root().join("tests/fixtures/questions/docs.json");
    let read = questions(&path)?;
    let questions = read.questions.into_iter().map(|one| one.question).collect();
    Ok(Guide {
        program,
        bundle,
        questions,
    })
}

/// An ONNX model that transformers.js or onnxruntime loads.
#[derive(Clone, Copy)]
pub(super) enum Onnx {
    /// The language model in 8 bits.
    Decoder,
    /// The language model in 4 bits.
    DecoderQ4,
    /// The sentence embedder in 8 bits.
    Minilm,
}

/// Writes the ONNX models that are missing.
pub(super) fn onnx_models(wanted: &[Onnx]) -> anyhow::Result<()> {
    let models = folder().join("models");
    let mut parts: Vec<(&str, PathBuf)> = Vec::new();
    for model in wanted {
        let (option, name) = match model {
            Onnx::Decoder => ("--decoder", "smollm2-135m-onnx"),
            Onnx::DecoderQ4 => ("--decoder-q4", "smollm2-135m-q4-onnx"),
            Onnx::Minilm => ("--minilm", "minilm-onnx"),
        };
        let path = models.join(name);
        if path.exists() {
            continue;
        }
        if matches!(model, Onnx::Minilm) {
            parts.push(("--source", models::fetch()?));
        }
        parts.push((option, path));
    }
    if parts.is_empty() {
        return Ok(());
    }
    eprintln!("making the ONNX models");
    let mut script = run::command(python()?);
    script.arg("tests/bench/onnx_models.py");
    for (option, path) in parts {
        script.arg(option).arg(path);
    }
    run::run(&mut script)
}

/// A Python with the packages of `tests/bench/requirements.txt`.
pub(super) fn python() -> anyhow::Result<PathBuf> {
    let environment = folder().join("python");
    let program = environment.join("bin/python");
    let requirements = run::root().join("tests/bench/requirements.txt");
    let wanted = fs::read(&requirements)
        .with_context(|| format!("could not read `{}`", requirements.display()))?;
    let stamp = environment.join("requirements.txt");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(program);
    }
    eprintln!("installing Python packages");
    run::run(
        run::command("python3")
            .args(["-m", "venv"])
            .arg(&environment),
    )
    .context("Python 3 with `venv` is missing; on Debian install python3-venv")?;
    install(&program, &requirements)?;
    fs::write(&stamp, &wanted).with_context(|| format!("could not write `{}`", stamp.display()))?;
    Ok(program)
}

fn install(program: &Path, requirements: &Path) -> anyhow::Result<()> {
    run::run(
        run::command(program)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(requirements)
            // Its output is progress; standard output is reserved for the rows.
            .stdout(std::io::stderr()),
    )
}

//! Converts a folder written by PEFT into an adapter's GGUF file, and lists the contents of an adapter file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anchorite::Phrases;
use anchorite::model::adapter::{Adapter, ConvertOptions, Stored, Summary, Voice, convert};
use anchorite::model::config::ModelConfig;
use anchorite::model::parts::Parts;
use anyhow::Context;
use clap::Subcommand;

use crate::models::split_gguf;
use crate::report::Hint;
use crate::voice;

/// The files of a folder written by PEFT.
const CONFIG: &str = "adapter_config.json";
const TENSORS: &str = "adapter_model.safetensors";
/// Longest configuration that is read, in bytes.
const MAX_CONFIG: u64 = 1 << 20;
/// Longest adapter that is read, in bytes: a longer file is a model.
const MAX_TENSORS: u64 = 4 << 30;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    step: Step,
}

#[derive(Subcommand)]
enum Step {
    /// Turn a LoRA that PEFT trained into a GGUF file.
    Convert(ConvertArguments),
    /// Say what an adapter's GGUF file changes, and how much.
    Inspect(InspectArguments),
    /// Say whether a voice changes facts or citations, and how often it has its manner.
    Check(voice::Arguments),
}

#[derive(clap::Args)]
struct ConvertArguments {
    /// The folder that PEFT's `save_pretrained` wrote, or its `adapter_model.safetensors`.
    from: PathBuf,
    /// The GGUF file of the model that the adapter was trained on.
    #[arg(long, value_name = "FILE")]
    base: PathBuf,
    /// Where the adapter goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The adapter's name; default: that of the file it is written to.
    #[arg(long)]
    name: Option<String>,
    /// Storage type of its numbers: f16 is half as large, and rounds.
    #[arg(long = "type", value_enum, default_value_t = TypeArgument::F32)]
    stored: TypeArgument,
    /// A TOML file with the `label`, `openings` and `closings` of the voice that the adapter was trained for.
    #[arg(long, value_name = "FILE")]
    voice: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum TypeArgument {
    F32,
    F16,
}

#[derive(clap::Args)]
struct InspectArguments {
    /// The adapter's GGUF file.
    file: PathBuf,
    /// Print it as JSON on standard output.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.step {
        Step::Convert(arguments) => run_convert(arguments),
        Step::Inspect(arguments) => run_inspect(arguments),
        Step::Check(arguments) => voice::run(arguments),
    }
}

fn run_convert(arguments: &ConvertArguments) -> anyhow::Result<ExitCode> {
    let (config, tensors) = sources(&arguments.from)?;
    let base = base(&arguments.base)?;
    let stem = arguments.out.file_stem().and_then(|stem| stem.to_str());
    let options = ConvertOptions {
        name: arguments
            .name
            .clone()
            .or_else(|| stem.map(str::to_owned))
            .unwrap_or_else(|| "adapter".to_owned()),
        stored: match arguments.stored {
            TypeArgument::F32 => Stored::F32,
            TypeArgument::F16 => Stored::F16,
        },
        voice: arguments.voice.as_deref().map(read_voice).transpose()?,
    };
    let bytes = convert(
        &read(&config, MAX_CONFIG)?,
        &read(&tensors, MAX_TENSORS)?,
        &base,
        &options,
    )
    .with_context(|| format!("could not convert `{}`", arguments.from.display()))?;
    // Read back as a page would read it.
    let parts = Parts::new(vec![bytes]);
    Adapter::load(&parts, &base).context("the converted adapter cannot be read")?;
    let summary = Summary::read(&parts).context("the converted adapter cannot be read")?;
    std::fs::write(&arguments.out, parts.into_parts().concat())
        .with_context(|| format!("could not write `{}`", arguments.out.display()))?;
    print(&summary);
    Ok(ExitCode::SUCCESS)
}

/// The voice that a file describes.
fn read_voice(path: &Path) -> anyhow::Result<Voice> {
    let text = String::from_utf8(read(path, MAX_CONFIG)?)
        .with_context(|| format!("could not read `{}`", path.display()))?;
    let voice: Voice = toml::from_str(&text)
        .with_context(|| format!("could not read the voice `{}`", path.display()))?;
    voice
        .check()
        .map_err(anchorite::EngineError::from)
        .and_then(|()| Phrases::new(&voice).map(|_| ()))
        .with_context(|| format!("could not use the voice `{}`", path.display()))?;
    Ok(voice)
}

/// The configuration and the tensors of an adapter.
fn sources(from: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
    let (folder, tensors) = match from.is_dir() {
        true => (from.to_path_buf(), from.join(TENSORS)),
        false => (
            from.parent().unwrap_or(Path::new("")).to_path_buf(),
            from.to_path_buf(),
        ),
    };
    let config = folder.join(CONFIG);
    let pickled = tensors.extension().is_some_and(|end| end == "bin")
        || (!tensors.exists() && folder.join("adapter_model.bin").exists());
    if pickled {
        // Reading a pickle runs any code that it holds.
        return Err(Hint::error(
            format!("`{}` holds its tensors as a pickle", folder.display()),
            "save it again with PEFT's `save_pretrained(..., safe_serialization=True)`",
        ));
    }
    for path in [&tensors, &config] {
        if !path.is_file() {
            return Err(Hint::error(
                format!("there is no `{}`", path.display()),
                format!("give the folder that PEFT wrote, with `{CONFIG}` and `{TENSORS}`"),
            ));
        }
    }
    Ok((config, tensors))
}

fn read(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let len = std::fs::metadata(path)
        .with_context(|| format!("could not read `{}`", path.display()))?
        .len();
    if len > limit {
        return Err(Hint::error(
            format!(
                "`{}` is too large, expected at most {limit} bytes: `{len}`",
                path.display()
            ),
            "give an adapter: a whole model is none",
        ));
    }
    std::fs::read(path).with_context(|| format!("could not read `{}`", path.display()))
}

/// The sizes of a base model, from the header of its file.
fn base(path: &Path) -> anyhow::Result<ModelConfig> {
    let gguf = split_gguf::read_head(path)?;
    ModelConfig::from_gguf(&gguf)
        .with_context(|| format!("could not read the base `{}`", path.display()))
}

fn run_inspect(arguments: &InspectArguments) -> anyhow::Result<ExitCode> {
    let bytes = read(&arguments.file, MAX_TENSORS)?;
    let summary = Summary::read(&Parts::new(vec![bytes]))
        .with_context(|| format!("could not read `{}`", arguments.file.display()))?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&summary)?);
    } else {
        print(&summary);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(summary: &Summary) {
    // Texts from the file, stripped of anything that could control a terminal.
    let text = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    println!("name        {}", text(&summary.name));
    println!("base        {}", text(&summary.architecture));
    if let Some(voice) = &summary.voice {
        println!("voice       {}", text(&voice.label));
    }
    println!("alpha       {}", summary.alpha);
    let ranks = summary.ranks.iter();
    let ranks: Vec<String> = ranks
        .map(|(rank, n)| format!("{rank} ({n} matrices)"))
        .collect();
    println!("rank        {}", ranks.join(", "));
    println!("bytes       {}", summary.bytes);
    for (kind, target) in &summary.targets {
        println!(
            "{:<11} {} matrices, norm of the change {:.4}",
            text(kind),
            target.matrices,
            target.norm
        );
    }
}

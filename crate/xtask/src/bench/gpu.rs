//! Measures the language model on a graphics device: in Chromium against a peer, and natively, counted and timed.

use clap::ValueEnum;

use super::prepare::{self, Onnx};
use super::verdicts;
use super::{Output, Type, all_unless_named, in_chromium, measure, names};
use crate::wasm::Instructions;
use crate::{run, setup};

/// Without one of the first three: WebGPU in Chromium, against transformers.js.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Natively: count what each decoded token sends to the device, against figures that peers published.
    #[arg(long)]
    trace: bool,
    /// Natively: time the products of each type, in every form of the kernels.
    #[arg(long, conflicts_with = "trace")]
    kernels: bool,
    /// Natively: time prompts, and decoding after short and long ones.
    #[arg(long, conflicts_with_all = ["trace", "kernels"])]
    native: bool,
    /// In Chromium: only these engines.
    #[arg(long, value_enum)]
    engine: Vec<Engine>,
    /// Only these types of the language model.
    #[arg(long, value_enum)]
    r#type: Vec<Type>,
    #[command(flatten)]
    output: Output,
}

/// Without wllama: its WebGPU backend requires half precision in shaders, which no software adapter has.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    Anchorite,
    Transformers,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.trace {
        return trace(&arguments.output);
    }
    if arguments.kernels {
        let judge = |_: &[super::Row]| Vec::new();
        return natively("kernels", &[], &arguments.output, judge);
    }
    if arguments.native {
        let types = all_unless_named(&arguments.r#type);
        prepare::gguf_models(&[super::Group::Lm], &types)?;
        let options = [("--type", names(&types))];
        return natively("speed", &options, &arguments.output, verdicts::far);
    }
    browser(arguments)
}

fn browser(arguments: &Arguments) -> anyhow::Result<()> {
    let engines = all_unless_named(&arguments.engine);
    let types = match &arguments.r#type[..] {
        [] => vec![Type::Q8_0, Type::Q4_0],
        named => named.to_vec(),
    };
    setup::npm_packages("tests/bench", &["--ignore-scripts"])?;
    if engines.contains(&Engine::Anchorite) {
        // The CPU kernels don't matter here, so one build is enough.
        prepare::modules(&[Instructions::Simd128])?;
        prepare::gguf_models(&[super::Group::Lm], &types)?;
    }
    if engines.contains(&Engine::Transformers) {
        prepare::onnx_models(&[Onnx::DecoderQ4])?;
    }
    let options = [
        ("--only", vec!["gpu".to_owned()]),
        ("--engine", names(&engines)),
        ("--type", names(&types)),
    ];
    let driver = in_chromium(&arguments.output, &options)?;
    measure(driver, &arguments.output, verdicts::gpu)
}

fn trace(output: &Output) -> anyhow::Result<()> {
    let shapes = ["smollm2-135m", "llama-3.2-1b"];
    let files = shapes
        .iter()
        .flat_map(|shape| ["q4_0", "lora-a"].map(|part| format!("{shape}-{part}.gguf")));
    prepare::gguf_files(files.collect())?;
    let options = [("--model", shapes.map(str::to_owned).to_vec())];
    natively("trace", &options, output, verdicts::trace)
}

/// Runs one of the driver's tasks in the native program; each option is repeated for each of its values.
fn natively(
    what: &str,
    options: &[(&str, Vec<String>)],
    output: &Output,
    judge: fn(&[super::Row]) -> Vec<verdicts::Verdict>,
) -> anyhow::Result<()> {
    setup::vulkan()?;
    let program = prepare::program("bench_gpu")?;
    let mut driver = run::command("node");
    driver
        .arg("tests/bench/gpu.mjs")
        .args(["--do", what])
        .args(["--reps", &output.reps.to_string()])
        .arg("--ours")
        .arg(program)
        .arg("--models")
        .arg(prepare::folder().join("models"));
    setup::quiet_vulkan(&mut driver);
    for (option, values) in options {
        driver.args(values.iter().flat_map(|value| [*option, value]));
    }
    measure(driver, output, judge)
}

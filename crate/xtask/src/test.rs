//! Runs every test runner in turn, quick ones first, and closes with one line for each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::bail;

use crate::{demo, docs, page, run, setup, tidy};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only the quick part: house rules, formatting, and the unit tests.
    #[arg(long)]
    quick: bool,
    /// Only the runner of this name; may be given several times. `arm` runs only if it is named.
    #[arg(long, value_name = "NAME", conflicts_with = "quick")]
    only: Vec<String>,
    /// Fail if a test was skipped because something it needs is missing.
    #[arg(long)]
    no_skips: bool,
}

/// A runner's name and its work.
type Runner = (&'static str, fn() -> anyhow::Result<()>);

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let quick: [Runner; 3] = [("rules", tidy::rules), ("compile", compile), ("unit", unit)];
    let slow: [Runner; 9] = [
        ("docs", || docs::run(false)),
        ("lints", tidy::lints),
        ("site", site),
        ("fuzz", fuzz),
        ("kernels", kernels),
        ("golden", golden),
        ("types", types),
        ("browser", browser),
        ("demo", check_demo),
    ];
    // Compiling for another processor takes minutes, so these run only when they are named.
    let named: [Runner; 1] = [("arm", arm)];
    let mut runners = if arguments.quick {
        quick.to_vec()
    } else {
        [quick.as_slice(), slow.as_slice()].concat()
    };
    if !arguments.only.is_empty() {
        runners.extend(named);
        let names: Vec<_> = runners.iter().map(|runner| runner.0).collect();
        if let Some(unknown) = arguments
            .only
            .iter()
            .find(|name| !names.contains(&name.as_str()))
        {
            bail!(
                "no runner is named `{unknown}`; expected one of {}",
                names.join(", ")
            );
        }
        runners.retain(|runner| arguments.only.iter().any(|name| name == runner.0));
    }
    let skipped = run::target().join("skipped.txt");
    if skipped.exists() {
        fs::remove_file(&skipped)?;
    }
    let mut lines = Vec::new();
    let mut n_failed = 0;
    for (name, work) in runners {
        eprintln!("== {name}");
        #[expect(
            clippy::disallowed_methods,
            reason = "the xtask runs natively and owns the clock"
        )]
        let start = Instant::now();
        let result = work();
        let verdict = match &result {
            Ok(()) => "passed".to_owned(),
            Err(error) => {
                n_failed += 1;
                format!("FAILED: {error:#}")
            }
        };
        eprintln!("== {name}: {verdict}");
        lines.push(format!(
            "{name:<8} {:>7.1} s  {verdict}",
            start.elapsed().as_secs_f64()
        ));
    }
    println!("{}", lines.join("\n"));
    let skips = skips(&skipped)?;
    for (reason, n) in &skips {
        println!("skipped, {n} times: {reason}");
    }
    println!(
        "{} passed, {n_failed} failed, {} native tests skipped something",
        lines.len() - n_failed,
        skips.values().sum::<usize>()
    );
    if arguments.no_skips && !skips.is_empty() {
        bail!("tests were skipped, and --no-skips was given");
    }
    if n_failed > 0 {
        bail!("{n_failed} runner(s) failed");
    }
    Ok(())
}

/// Why native tests were skipped, as recorded by the harness, and how often.
fn skips(path: &Path) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut skips = BTreeMap::new();
    if path.exists() {
        for reason in fs::read_to_string(path)?.lines() {
            *skips.entry(reason.to_owned()).or_default() += 1;
        }
    }
    Ok(skips)
}

/// Compiles the command line and every native test, so that the other runners' times don't include it.
///
/// No call names a package: one selection means one set of features, so each dependency is compiled once.
fn compile() -> anyhow::Result<()> {
    run::run(run::cargo().args(["build", "--quiet", "--bin=anchorite"]))?;
    run::run(run::cargo().args(["test", "--quiet", "--no-run"]))
}

/// The unit tests, next to the code.
fn unit() -> anyhow::Result<()> {
    setup::data()?;
    run::run(run::cargo().args(["test", "--quiet", "--lib", "--bins"]))?;
    // The examples of the crates' READMEs.
    run::run(run::cargo().args(["test", "--quiet", "--doc"]))?;
    integration(&[
        "bundle",
        "rust_book",
        "search",
        "words",
        "check_cases",
        "compat",
        "contract",
        "follow_up",
    ])
}

/// The command line, end to end.
fn site() -> anyhow::Result<()> {
    setup::generator()?;
    setup::embedder()?;
    // Sites hold the page's files.
    page::build()?;
    integration(&["site"])
}

/// Runs only the sites of reported situations, and prints what is right and wrong for each.
pub(crate) fn cases() -> anyhow::Result<()> {
    run::run(run::cargo().args(["build", "--quiet", "--bin=anchorite"]))?;
    run::run(run::cargo().args([
        "test",
        "--quiet",
        "--test=site",
        "--",
        "--nocapture",
        "reported::",
    ]))
}

/// Each parser and reader on its corpus, and on seeded mutations of it.
fn fuzz() -> anyhow::Result<()> {
    integration(&["fuzz"])
}

/// Each kernel against its twin.
fn kernels() -> anyhow::Result<()> {
    setup::vulkan()?;
    integration(&["kernels"])
}

/// The CPU's products and loops on an emulated 64-bit ARM, with and without its dot product.
fn arm() -> anyhow::Result<()> {
    const TARGET: &str = "aarch64-unknown-linux-gnu";
    setup::arm(TARGET)?;
    // A Cortex-A76 has the dot product, a Cortex-A72 doesn't.
    for processor in ["cortex-a76", "cortex-a72"] {
        run::run(
            run::cargo()
                .args(["test", "--quiet", "--target", TARGET])
                .args(["--package", "anchorite-model", "--lib", "forward::"])
                .env("QEMU_CPU", processor)
                .env(
                    "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
                    "aarch64-linux-gnu-gcc",
                )
                .env(
                    "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER",
                    "qemu-aarch64 -L /usr/aarch64-linux-gnu",
                ),
        )?;
    }
    Ok(())
}

/// Whole models against recorded results.
fn golden() -> anyhow::Result<()> {
    setup::vulkan()?;
    setup::generator()?;
    setup::embedder()?;
    integration(&["golden"])
}

fn integration(names: &[&str]) -> anyhow::Result<()> {
    let tests = names.iter().flat_map(|name| ["--test", name]);
    let mut cargo = run::cargo();
    setup::quiet_vulkan(&mut cargo);
    run::run(cargo.arg("test").args(tests))
}

/// The page and the double of its engine, against the types that come from Rust.
fn types() -> anyhow::Result<()> {
    page::build()?;
    run::run(run::command("npm").args(["--prefix", "www", "run", "--silent", "check"]))
}

/// The real page in Chromium.
fn browser() -> anyhow::Result<()> {
    let chromium = setup::chromium()?;
    setup::generator()?;
    setup::embedder()?;
    page::build()?;
    run::run(
        run::command("node")
            .args(["--test", "--test-concurrency=1", "tests/browser/"])
            .env("ANCHORITE_CHROMIUM", chromium),
    )
}

/// The demo asks itself about the user guide.
fn check_demo() -> anyhow::Result<()> {
    demo::run(&demo::Arguments::checking("docs"))
}

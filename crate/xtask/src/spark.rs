//! Builds the user guide, rendered as a site, on one machine and on Spark's local cluster, and compares the two
//! bundles.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::run;

/// Packages that the job needs, at the versions that were tested.
const PACKAGES: [&str; 3] = ["pyspark==4.0.1", "pyarrow==22.0.0", "pandas==2.3.3"];
/// A cluster of two workers on this machine, quiet but for the job's own output.
const SUBMIT: &str = "--master local[2] --conf spark.ui.enabled=false --conf spark.ui.showConsoleProgress=false \
--conf spark.log.level=ERROR pyspark-shell";
const JOB: &str = "docs/examples/spark_build.py";

/// Fails if any file of the two bundles differs.
pub(crate) fn run() -> anyhow::Result<()> {
    if !run::exists("java") {
        bail!(
            "Java 17 or newer is missing; install it, for example `apt-get install openjdk-17-jre-headless`"
        );
    }
    let folder = run::target().join("spark");
    let python = python(&folder)?;
    run::run(run::cargo().args(["build", "--quiet", "--bin=anchorite"]))?;
    let anchorite = run::target().join("debug/anchorite");
    let work = folder.join("work");
    if work.exists() {
        fs::remove_dir_all(&work)
            .with_context(|| format!("could not empty `{}`", work.display()))?;
    }
    let (site, alone, spread) = (
        work.join("rendered"),
        work.join("alone"),
        work.join("spread"),
    );
    let build = |input: &[&Path], kind: &str, out: &Path| {
        run::run(
            run::command(&anchorite)
                .arg("build")
                .args(input)
                .arg(kind)
                .arg(out)
                .args(["--no-generator", "--no-cache"]),
        )
    };
    println!("== the user guide as a site");
    crate::page::build()?;
    build(&[Path::new("docs")], "--out", &site)?;
    println!("== anchorite build");
    build(&[Path::new("--site"), &site], "--bundle", &alone)?;
    println!("== Spark, local[2], 3 partitions");
    run::run(
        Command::new(&python)
            .current_dir(run::root())
            .arg(JOB)
            .arg("--site")
            .arg(&site)
            .arg("--tables")
            .arg(work.join("tables"))
            .arg("--out")
            .arg(&spread)
            .arg("--anchorite")
            .arg(&anchorite)
            .args(["--partitions", "3", "--no-generator"])
            .env("PYSPARK_PYTHON", &python)
            .env("SPARK_LOCAL_IP", "127.0.0.1")
            .env("PYSPARK_SUBMIT_ARGS", SUBMIT),
    )?;
    let (alone, spread) = (files(&alone)?, files(&spread)?);
    if alone != spread {
        bail!("the bundles differ");
    }
    println!(
        "== the same: {} files, {} bytes",
        alone.len(),
        alone.iter().map(|(_, bytes)| bytes.len()).sum::<usize>()
    );
    Ok(())
}

/// A Python with the packages, made once.
fn python(folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    let venv = folder.join("venv");
    let python = venv.join("bin/python");
    let stamp = venv.join("packages");
    let wanted = PACKAGES.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    if !run::exists("python3") {
        bail!("Python 3.10 or newer is missing; install it with its `venv` module");
    }
    fs::create_dir_all(folder).with_context(|| format!("could not make `{}`", folder.display()))?;
    run::run(run::command("python3").args(["-m", "venv"]).arg(&venv))?;
    run::run(
        run::command(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(PACKAGES),
    )?;
    fs::write(&stamp, wanted).with_context(|| format!("could not write `{}`", stamp.display()))?;
    Ok(python)
}

/// Names and bytes of all files of a bundle, in order.
fn files(bundle: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for folder in [bundle.to_owned(), bundle.join("files")] {
        let entries = fs::read_dir(&folder)
            .with_context(|| format!("could not list `{}`", folder.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_file() {
                let bytes = fs::read(&path)
                    .with_context(|| format!("could not read `{}`", path.display()))?;
                let name = path.strip_prefix(bundle).unwrap_or(&path);
                files.push((name.display().to_string(), bytes));
            }
        }
    }
    files.sort();
    Ok(files)
}

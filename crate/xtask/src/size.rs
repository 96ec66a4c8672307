//! Turns the built page into a table of what a reader downloads: raw, gzip and brotli bytes of each code file.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Serialize;

use crate::{page, run};

/// All code, brotli.
const CODE_LIMIT: usize = 1_000_000;
/// The elements and the client without the worker, gzip.
const ELEMENTS_LIMIT: usize = 40_000;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Print JSON on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct FileSize {
    name: String,
    bytes: usize,
    gzip: usize,
    brotli: usize,
}

#[derive(Serialize)]
struct Report {
    files: Vec<FileSize>,
    code_brotli: usize,
    code_brotli_limit: usize,
    elements_gzip: usize,
    elements_gzip_limit: usize,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    page::build()?;
    let dist = run::root().join("www/dist");
    let names = [
        "anchorite.js",
        "anchorite-worker.js",
        "anchorite_web_bg.wasm",
        "anchorite-worker-relaxed.js",
        "anchorite_web_relaxed_bg.wasm",
    ];
    let files = names
        .iter()
        .map(|name| measure(&dist, name))
        .collect::<anyhow::Result<Vec<_>>>()?;
    // A reader downloads one of the two modules, with its worker.
    let brotli = |files: &[FileSize]| files.iter().map(|file| file.brotli).sum::<usize>();
    let report = Report {
        code_brotli: brotli(&files[1..3]).max(brotli(&files[3..])) + files[0].brotli,
        code_brotli_limit: CODE_LIMIT,
        elements_gzip: files[0].gzip,
        elements_gzip_limit: ELEMENTS_LIMIT,
        files,
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        for file in &report.files {
            println!(
                "{:<29} {:>9} raw {:>9} gzip {:>9} brotli",
                file.name, file.bytes, file.gzip, file.brotli
            );
        }
    }
    if report.code_brotli > CODE_LIMIT || report.elements_gzip > ELEMENTS_LIMIT {
        bail!(
            "over budget: code {} of {CODE_LIMIT} brotli, elements {} of {ELEMENTS_LIMIT} gzip",
            report.code_brotli,
            report.elements_gzip
        );
    }
    Ok(())
}

fn measure(dist: &Path, name: &str) -> anyhow::Result<FileSize> {
    let path = dist.join(name);
    let bytes = fs::read(&path).with_context(|| format!("could not read `{}`", path.display()))?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&bytes)?;
    let mut brotli = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 24,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut bytes.as_slice(), &mut brotli, &parameters)?;
    Ok(FileSize {
        name: name.to_owned(),
        bytes: bytes.len(),
        gzip: gzip.finish()?.len(),
        brotli: brotli.len(),
    })
}

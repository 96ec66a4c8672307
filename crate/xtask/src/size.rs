//! Turns the built page into a table of what a visitor downloads: raw, gzip and brotli bytes of each code file.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::{page, run, setup};

/// Limit on all code that answers (worker, module, elements), in bytes of brotli.
const CODE_LIMIT: usize = 1_000_000;
/// Limit on the module that answers, in bytes of brotli.
const ENGINE_LIMIT: usize = 600_000;
/// Limit on all code of a search-only page (worker, module, element), in bytes of brotli. Together with the index bytes
/// of its first query over 10,000 pages, it should fit into 300,000.
const SEARCH_CODE_LIMIT: usize = 180_000;
/// Limit on the module that searches, in bytes of brotli.
const SEARCH_LIMIT: usize = 160_000;
/// Limit on the module that embeds queries, in bytes of brotli.
const EMBEDDER_LIMIT: usize = 110_000;
/// Limit on the elements and the client without the worker, in bytes of gzip.
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

/// A download of a visitor.
#[derive(Serialize)]
struct Download {
    what: String,
    bytes: u64,
    /// The budget; models have none.
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Report {
    /// Totals with their limits, and the models, as the README lists them.
    downloads: Vec<Download>,
    files: Vec<FileSize>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    page::build()?;
    let dist = run::root().join("www/dist");
    let size = |name: &str| measure(&dist, name);
    let elements = size("anchorite.js")?;
    let search_element = size("anchorite-search.js")?;
    // A script and its module, for browsers without and with relaxed SIMD; a visitor downloads one of the two pairs.
    let pairs = |script: &str, module: &str| -> anyhow::Result<[FileSize; 4]> {
        Ok([
            size(&format!("{script}.js"))?,
            size(&format!("{module}_bg.wasm"))?,
            size(&format!("{script}-relaxed.js"))?,
            size(&format!("{module}_relaxed_bg.wasm"))?,
        ])
    };
    let engine = pairs("anchorite-worker", "anchorite_answers")?;
    let search = pairs("anchorite-search-worker", "anchorite_search")?;
    let embedder = pairs("anchorite-embedder", "anchorite_embedder")?;
    let module = |files: &[FileSize; 4]| files[1].brotli.max(files[3].brotli);
    let code = |files: &[FileSize; 4], script: &FileSize| {
        let pair = |pair: &[FileSize]| pair.iter().map(|file| file.brotli).sum::<usize>();
        pair(&files[..2]).max(pair(&files[2..])) + script.brotli
    };
    let download = |what: &str, bytes: usize, limit| Download {
        what: what.to_owned(),
        bytes: bytes as u64,
        limit: Some(limit),
    };
    let mut report = Report {
        downloads: vec![
            download(
                "all code of a page that asks (WebAssembly, worker, elements), brotli",
                code(&engine, &elements),
                CODE_LIMIT,
            ),
            download("of that, WebAssembly", module(&engine), ENGINE_LIMIT),
            download(
                "all code of a page that searches by words, brotli",
                code(&search, &search_element),
                SEARCH_CODE_LIMIT,
            ),
            download("of that, WebAssembly", module(&search), SEARCH_LIMIT),
            download(
                "WebAssembly that search by meaning adds, brotli",
                module(&embedder),
                EMBEDDER_LIMIT,
            ),
            download(
                "elements and client without a worker, gzip",
                elements.gzip,
                ELEMENTS_LIMIT,
            ),
        ],
        files: [elements, search_element]
            .into_iter()
            .chain(engine)
            .chain(search)
            .chain(embedder)
            .collect(),
    };
    report.downloads.extend(models()?);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        for file in &report.files {
            println!(
                "{:<34} {:>9} raw {:>9} gzip {:>9} brotli",
                file.name, file.bytes, file.gzip, file.brotli
            );
        }
        for Download { what, bytes, limit } in &report.downloads {
            let limit = limit.map_or_else(String::new, |limit| format!("of {limit:>10}"));
            println!("{what:<70} {bytes:>10} {limit}");
        }
    }
    let over: Vec<String> = report
        .downloads
        .iter()
        .filter_map(|Download { what, bytes, limit }| {
            let limit = (*limit)?;
            (*bytes > limit as u64).then(|| format!("{what}: {bytes} of {limit}"))
        })
        .collect();
    if !over.is_empty() {
        bail!("over budget: {}", over.join("; "));
    }
    Ok(())
}

/// The models that ship, and the generator and adapter that are pulled by name.
fn models() -> anyhow::Result<Vec<Download>> {
    #[derive(Deserialize)]
    struct Registry {
        model: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        name: String,
        bytes: Option<u64>,
    }
    let folder = run::root().join("models");
    let path = folder.join("registry.toml");
    let text = fs::read_to_string(&path)
        .with_context(|| format!("could not read `{}`", path.display()))?;
    let registry: Registry = toml::from_str(&text).context("`models/registry.toml`")?;
    let download = |what, bytes| Download {
        what,
        bytes,
        limit: None,
    };
    let mut found = Vec::new();
    for name in ["embedder", "reader"] {
        let path = folder.join("default").join(format!("{name}.gguf"));
        let about =
            fs::metadata(&path).with_context(|| format!("could not read `{}`", path.display()))?;
        found.push(download(format!("the {name}"), about.len()));
    }
    for name in [setup::GENERATOR, setup::ADAPTERS[0]] {
        let entry = registry.model.iter().find(|entry| entry.name == name);
        let entry = entry.with_context(|| format!("no model is called `{name}`"))?;
        let bytes = entry
            .bytes
            .with_context(|| format!("`{name}` has no `bytes` in the registry"))?;
        found.push(download(format!("optional: {name}"), bytes));
    }
    Ok(found)
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

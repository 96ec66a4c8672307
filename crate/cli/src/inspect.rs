//! Turns a bundle's folder into a table of its files, having checked the hash of each.

use std::path::PathBuf;
use std::process::ExitCode;

use anchorite::index::bundle::Role;

use crate::{assemble, bundle};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder that `anchorite build` wrote.
    bundle: PathBuf,
    /// Print the manifest as JSON on standard output.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let manifest = bundle::manifest(&arguments.bundle)?;
    for file in &manifest.files {
        bundle::parts(&arguments.bundle, file)?;
    }
    // Reading the index as well finds what a right hash can't: a build that wrote nonsense.
    let session = bundle::open(&arguments.bundle, &manifest)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&manifest)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!("bundle      {}", manifest.id);
    println!(
        "format      {} (anchorite {})",
        manifest.format, manifest.anchorite
    );
    println!("documents   {}", manifest.documents);
    println!("chunks      {}", manifest.chunks);
    if let Some(vectors) = &session.index().vectors {
        println!(
            "vectors     {} dimensions, {}",
            vectors.dimension(),
            vectors.mode()
        );
    }
    let index = session.index();
    let filters = index.filters().map(|filters| filters.counts());
    for (name, values) in filters.unwrap_or_default() {
        println!("filter      {name}: {} value(s)", values.len());
    }
    for key in index.sort_keys() {
        println!("sort key    {key}");
    }
    if manifest.file(Role::Reader).is_some() {
        let calibration = manifest.calibration.as_ref();
        println!("answers     {}", assemble::certified(calibration));
        for bin in calibration.iter().flat_map(|found| &found.reliability) {
            println!(
                "            probability {:.2}: {} of {} right",
                bin.probability, bin.right, bin.questions
            );
        }
    }
    for file in &manifest.files {
        println!(
            "{:<11} {:>12} bytes in {} part(s)  {}",
            file.role,
            file.bytes,
            file.parts.len(),
            file.name
        );
    }
    println!(
        "{:<11} {:>12} bytes in {} shard(s)",
        "shards", manifest.shards.bytes, manifest.shards.count
    );
    println!("every hash is right");
    Ok(ExitCode::SUCCESS)
}

//! Lists the files of a bundle's folder, after checking the hash of each.

use std::path::PathBuf;
use std::process::ExitCode;

use anchorite::index::bundle::Role;
use anchorite::index::{ChunkIdx, Index};

use crate::build::summary;
use crate::bundle;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder that `anchorite build` wrote.
    bundle: PathBuf,
    /// Print what was read of each page instead, section by section: the text that search and answers know.
    #[arg(long)]
    text: bool,
    /// Print the manifest as JSON on standard output; with `--text`, each section on a line of its own.
    #[arg(long)]
    json: bool,
}

/// A section as it was indexed.
#[derive(serde::Serialize)]
struct Section<'a> {
    url: String,
    title: &'a str,
    headings: &'a [String],
    text: String,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let dir = bundle::folder(&arguments.bundle);
    let manifest = bundle::manifest(&dir)?;
    for file in &manifest.files {
        bundle::parts(&dir, file)?;
    }
    // Reading the index too finds an error that a correct hash can't reveal: a build that wrote nonsense.
    let session = bundle::open(&dir, &manifest)?;
    if arguments.text {
        return print_text(session.index(), arguments.json);
    }
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
        println!("answers     {}", summary::certified(calibration));
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

fn print_text(index: &Index, json: bool) -> anyhow::Result<ExitCode> {
    for section in sections(index) {
        if json {
            println!("{}", serde_json::to_string(&section)?);
            continue;
        }
        let above = match section.headings {
            [] => section.title.to_owned(),
            headings => headings.join(" > "),
        };
        println!("{}  {above}\n", section.url);
        println!("{}\n", section.text);
    }
    Ok(ExitCode::SUCCESS)
}

/// Every section with its text, by document and then in reading order.
fn sections(index: &Index) -> impl Iterator<Item = Section<'_>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let range = index.section(ChunkIdx(next));
        let first = ChunkIdx(next);
        next = range.end;
        let (chunk, document) = index.chunk(first).zip(index.document(first))?;
        let texts = range.filter_map(|idx| index.chunk(ChunkIdx(idx)));
        Some(Section {
            url: index.url(first),
            title: &document.title,
            headings: &chunk.headings,
            text: texts
                .map(|chunk| chunk.text.as_str())
                .collect::<Vec<_>>()
                .join("\n\n"),
        })
    })
}

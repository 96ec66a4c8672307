//! Searches a bundle and prints the best sections.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anchorite::SearchRequest;
use anchorite::index::Sort;

use crate::bundle;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder that `anchorite build` wrote.
    bundle: PathBuf,
    /// The words to look for.
    #[arg(required = true, num_args = 1..)]
    query: Vec<String>,
    /// Number of sections to print.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    limit: u16,
    /// Only documents with this value of a filter, as NAME=VALUE; one of several values of the same filter is enough.
    #[arg(long, value_parser = filter)]
    filter: Vec<(String, String)>,
    /// Documents by one of their values instead of the best sections, as NAME or NAME:desc.
    #[arg(long, value_name = "NAME[:desc]", value_parser = sort)]
    sort: Option<Sort>,
    /// Print JSON on standard output.
    #[arg(long)]
    json: bool,
}

fn filter(argument: &str) -> Result<(String, String), String> {
    let (name, value) = argument
        .split_once('=')
        .ok_or_else(|| format!("expected NAME=VALUE, found `{argument}`"))?;
    Ok((name.to_owned(), value.to_owned()))
}

fn sort(argument: &str) -> Result<Sort, String> {
    let (by, order) = argument.rsplit_once(':').unwrap_or((argument, "asc"));
    let descending = match order {
        "asc" => false,
        "desc" => true,
        other => {
            return Err(format!(
                "expected `asc` or `desc` after the colon, found `{other}`"
            ));
        }
    };
    Ok(Sort {
        by: by.to_owned(),
        descending,
    })
}

fn filters(pairs: &[(String, String)]) -> BTreeMap<String, Vec<String>> {
    let mut filters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in pairs {
        filters.entry(name.clone()).or_default().push(value.clone());
    }
    filters
}

/// A line of the document's metadata, if it has any.
fn meta(meta: &BTreeMap<String, String>) -> String {
    let pairs = meta.iter().map(|(name, value)| format!("{name}: {value}"));
    match pairs.collect::<Vec<_>>() {
        pairs if pairs.is_empty() => String::new(),
        pairs => format!("\n   {}", pairs.join("  ")),
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let dir = bundle::folder(&arguments.bundle);
    let manifest = bundle::manifest(&dir)?;
    let session = bundle::open(&dir, &manifest)?;
    let request = SearchRequest {
        limit: usize::from(arguments.limit),
        filters: filters(&arguments.filter),
        sort: arguments.sort.clone(),
    };
    let results = session
        .search(&arguments.query.join(" "), &request)?
        .results;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&results)?);
        return Ok(ExitCode::SUCCESS);
    }
    for (idx, result) in results.iter().enumerate() {
        let mut path = vec![result.title.as_str()];
        path.extend(
            result
                .headings
                .iter()
                .map(String::as_str)
                .filter(|heading| *heading != result.title),
        );
        println!(
            "{}. {}\n   {}\n   {}{}",
            idx + 1,
            path.join(" > "),
            result.url,
            result.snippet,
            meta(&result.meta)
        );
    }
    if results.is_empty() {
        eprintln!("nothing found");
    }
    Ok(ExitCode::SUCCESS)
}

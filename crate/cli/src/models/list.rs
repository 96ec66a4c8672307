//! Lists the models of the registry and the cache folder, with their properties and which of them are here.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use crate::models::registry::Entry;
use crate::models::store::{ModelArguments, Store};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    models: ModelArguments,
    /// Print the list as JSON on standard output.
    #[arg(long)]
    json: bool,
}

/// A model as listed.
#[derive(Serialize)]
struct Listed<'r> {
    #[serde(flatten)]
    entry: &'r Entry,
    /// `yes`, `no`, or `other-length` for a file of the wrong length. Hashes are only compared when the model is used.
    here: &'static str,
    /// Where its file is, or would be.
    path: PathBuf,
    /// The hash pinned when it was pulled, if the registry has none.
    pinned: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let registry = arguments.models.registry()?;
    let store = arguments.models.store()?;
    let list = registry
        .entries()
        .iter()
        .map(|entry| listed(entry, &store))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&list)?);
        return Ok(ExitCode::SUCCESS);
    }
    let width = |of: fn(&Entry) -> &str| {
        let widths = list.iter().map(|listed| of(listed.entry).len());
        widths.max().unwrap_or(0)
    };
    let (name, licence) = (width(|entry| &entry.name), width(|entry| &entry.licence));
    for Listed {
        entry,
        here,
        path,
        pinned,
    } in &list
    {
        let bytes = entry.bytes.map_or("unknown".to_owned(), |n| n.to_string());
        let place = match *here {
            "yes" => format!("here     {}", path.display()),
            "no" => format!("not here {}", entry.source),
            _ => format!("here, but of another length: {}", path.display()),
        };
        println!(
            "{:<name$}  {bytes:>11} bytes  {:<licence$}  {place}",
            entry.name, entry.licence
        );
        if entry.sha256.is_none() && pinned.is_none() {
            println!(
                "{:<name$}  no SHA-256 is known: pull it with --sha256 or --trust-first",
                ""
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn listed<'r>(entry: &'r Entry, store: &Store) -> anyhow::Result<Listed<'r>> {
    let path = store.path(entry);
    let len = std::fs::metadata(&path).ok().map(|about| about.len());
    let here = match (len, entry.bytes) {
        (None, _) => "no",
        (Some(found), Some(expected)) if found != expected => "other-length",
        _ => "yes",
    };
    Ok(Listed {
        entry,
        here,
        path,
        pinned: match entry.sha256 {
            Some(_) => None,
            None => store.pin(entry)?,
        },
    })
}

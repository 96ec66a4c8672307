//! Resolves `--generator` and `--adapter` to weights, by name or as files, and tests them before they are used.

use std::path::Path;

use anchorite::Phrases;
use anchorite::check::Source;
use anchorite::index::bundle::{Role, WeightFile};
use anchorite::model::adapter::Voice;
use anchorite::model::error::LoadError;
use anchorite::model::generate::Generator;
use anchorite::model::parts::Parts;
use anchorite::model::{Adapter, ChatTemplate};
use anchorite::prompt::{self, Form};
use anyhow::Context;

use crate::models::registry::{Entry, Kind, MAX_MODEL_BYTES};
use crate::models::split_gguf;
use crate::models::store::ModelArguments;
use crate::report::Hint;

/// Maximum length of a file's name in a manifest.
const MAX_NAME: usize = 200;

/// True if a value denotes a file, not a name: names have no folder, and weight files end in `.gguf`.
pub(crate) fn is_file(value: &str) -> bool {
    value.contains(std::path::is_separator) || value.to_ascii_lowercase().ends_with(".gguf")
}

/// The reader that the registry names for an embedder, if it was pulled; an embedder given as a file has none.
pub(crate) fn own_reader(
    named: &ModelArguments,
    embedder: &str,
) -> anyhow::Result<Option<WeightFile>> {
    if is_file(embedder) {
        return Ok(None);
    }
    let (registry, store) = (named.registry()?, named.store()?);
    let entry = registry.companion_of(registry.find(embedder)?)?;
    entry
        .filter(|entry| store.path(entry).is_file())
        .map(|entry| pulled(named, entry, Role::Reader))
        .transpose()
}

/// The adapter that the registry names for a generator; a generator given as a file has none.
pub(crate) fn own_adapter(
    named: &ModelArguments,
    generator: &str,
) -> anyhow::Result<Option<WeightFile>> {
    if is_file(generator) {
        return Ok(None);
    }
    let registry = named.registry()?;
    let entry = registry.companion_of(registry.find(generator)?)?;
    entry
        .map(|entry| pulled(named, entry, Role::Adapter))
        .transpose()
}

/// The file that a value names, or the pulled model with this name.
pub(crate) fn chosen(
    named: &ModelArguments,
    value: &str,
    role: Role,
) -> anyhow::Result<WeightFile> {
    if is_file(value) {
        return read(Path::new(value), role);
    }
    let kind = match role {
        Role::Adapter => Kind::Adapter,
        Role::Embedder => Kind::Embedder,
        _ => Kind::Generator,
    };
    let registry = named.registry()?;
    let entry = registry.find(value)?;
    if entry.kind != kind {
        return Err(Hint::error(
            format!(
                "`{}` is of another kind, expected {}: `{}`",
                entry.name,
                kind.as_str(),
                entry.kind.as_str()
            ),
            match entry.kind {
                Kind::Reader => "it is used with its embedder, without an option".to_owned(),
                kind => format!("give it with --{}", kind.as_str()),
            },
        ));
    }
    pulled(named, entry, role)
}

fn pulled(named: &ModelArguments, entry: &Entry, role: Role) -> anyhow::Result<WeightFile> {
    Ok(WeightFile {
        role,
        name: format!("{}.gguf", entry.name),
        label: None,
        bytes: named.store()?.read(entry)?,
    })
}

fn read(path: &Path, role: Role) -> anyhow::Result<WeightFile> {
    let hint = format!("give a GGUF file, or a name that `anchorite models` lists, with --{role}");
    let (whole, bytes) = split_gguf::read(path, MAX_MODEL_BYTES, &hint)?;
    let name = whole.file_name().and_then(|name| name.to_str());
    let name = name.filter(|name| name.len() <= MAX_NAME && !name.chars().any(char::is_control));
    let name = name.ok_or_else(|| {
        Hint::error(
            format!(
                "could not read `{}`: its name is not text of at most {MAX_NAME} bytes, and readers would see it",
                path.display()
            ),
            hint,
        )
    })?;
    Ok(WeightFile {
        role,
        name: name.to_owned(),
        label: None,
        bytes,
    })
}

/// Refuses now anything that a visitor's browser would refuse: a generator that can't write, an adapter that doesn't
/// fit it, a voice whose phrases could make a statement. Returns the voice of each adapter.
pub(crate) fn check<'f>(
    generator: &WeightFile,
    adapters: impl IntoIterator<Item = &'f WeightFile>,
) -> anyhow::Result<Vec<Option<Voice>>> {
    let parts = |file: &WeightFile| Parts::new(vec![file.bytes.clone()]);
    let (config, template) = Generator::check(parts(generator))
        .with_context(|| format!("generator `{}` cannot be used", generator.name))?;
    let Some(template) = template else {
        return Err(Hint::error(
            format!("generator `{}` has no chat template", generator.name),
            "choose an instruct or chat version of the model",
        ));
    };
    try_template(&generator.name, &template)?;
    let mut voices = Vec::new();
    for adapter in adapters {
        let loaded = Adapter::load(&parts(adapter), &config).map_err(|error| {
            let hint = match error {
                LoadError::TensorShape { .. }
                | LoadError::AdapterTarget { .. }
                | LoadError::MetadataValue { .. } => {
                    "give the generator that the adapter was trained for, or another adapter"
                }
                _ => error.hint(),
            };
            let (name, of) = (&adapter.name, &generator.name);
            Hint::error(
                format!("adapter `{name}` does not fit generator `{of}`: {error}"),
                hint,
            )
        })?;
        if let Some(voice) = &loaded.voice {
            Phrases::new(voice)
                .with_context(|| format!("adapter `{}` cannot be used", adapter.name))?;
        }
        voices.push(loaded.voice);
    }
    Ok(voices)
}

/// Renders the engine's prompts in each form: only rendering reveals a template's limits.
fn try_template(name: &str, template: &ChatTemplate) -> anyhow::Result<()> {
    let source = Source {
        number: 1,
        heading_path: "Guide > First steps".to_owned(),
        text: "A first sentence. \"A second\" one.".to_owned(),
    };
    for form in [Form::Evidence, Form::Passages, Form::Long] {
        let messages = prompt::messages(form, "What is said first?", std::slice::from_ref(&source));
        template.render(&messages, true).map_err(|error| {
            Hint::error(
                format!("generator `{name}` cannot be used: {error}"),
                error.hint(),
            )
        })?;
    }
    Ok(())
}

//! Turns the options of a build into the generator and the adapters of its bundle, each tested before it is added.

use std::path::Path;

use anchorite::index::bundle::{Role, WeightFile};

use crate::models::choice::{check, chosen, own_adapter};
use crate::report::Hint;
use crate::settings::{BundleArguments, read_model};
use crate::voice;

/// Maximum adapters in a bundle: far more voices than one site needs.
const MAX_ADAPTERS: usize = 16;

/// The generator and its adapters, checked as thoroughly as by loading them; none if none are wanted.
pub(crate) fn writers(
    arguments: &BundleArguments,
    models: &Path,
) -> anyhow::Result<Vec<WeightFile>> {
    // An owner's own folder may contain one; the folder that ships does not.
    let is_in_folder = || models.join("generator.gguf").exists();
    let generator = match &arguments.generator {
        _ if arguments.no_generator => return Ok(Vec::new()),
        Some(value) => chosen(&arguments.named, value, Role::Generator)?,
        None if is_in_folder() => shipped(models, Role::Generator, "generator.gguf")?,
        None if arguments.adapter.is_empty() => return Ok(Vec::new()),
        None => {
            return Err(Hint::error(
                "an adapter was given, and no generator",
                "give the generator that it is for with --generator",
            ));
        }
    };
    let mut adapters = Vec::new();
    if arguments.adapter.len() > MAX_ADAPTERS {
        return Err(Hint::error(
            format!(
                "too many adapters, expected at most {MAX_ADAPTERS}: `{}`",
                arguments.adapter.len()
            ),
            "build bundles of their own for some",
        ));
    }
    let is_none = |value: &String| value == "none";
    if arguments.adapter.len() > 1 && arguments.adapter.iter().any(is_none) {
        return Err(Hint::error(
            "an adapter was given, and none was asked for",
            "leave out `--adapter none`, or the others",
        ));
    }
    let wanted = arguments.adapter.iter().filter(|value| !is_none(value));
    for value in wanted {
        adapters.push(chosen(&arguments.named, value, Role::Adapter)?);
    }
    if let Some(value) = &arguments.generator
        && arguments.adapter.is_empty()
    {
        adapters.extend(own_adapter(&arguments.named, value)?);
    }
    // The folder's adapter belongs to the folder's generator.
    let is_shipped = arguments.generator.is_none() && arguments.adapter.is_empty();
    if is_shipped && models.join("adapter.gguf").exists() {
        adapters.push(shipped(models, Role::Adapter, "adapter.gguf")?);
    }
    for (idx, adapter) in adapters.iter().enumerate() {
        if adapters[..idx]
            .iter()
            .any(|before| before.name == adapter.name)
        {
            return Err(Hint::error(
                format!("two adapters are called `{}`", adapter.name),
                "give each once, and files that differ under names that differ",
            ));
        }
    }
    let voices = check(&generator, &adapters)?;
    let value = arguments.generator.as_deref().unwrap_or("generator.gguf");
    voice::admit(&arguments.named, (value, &generator), &adapters, &voices)?;
    for (adapter, voice) in adapters.iter_mut().zip(voices) {
        adapter.label = voice.map(|voice| voice.label);
    }
    Ok(std::iter::once(generator).chain(adapters).collect())
}

fn shipped(models: &Path, role: Role, name: &str) -> anyhow::Result<WeightFile> {
    Ok(WeightFile {
        role,
        name: name.to_owned(),
        label: None,
        bytes: read_model(models, name)?,
    })
}

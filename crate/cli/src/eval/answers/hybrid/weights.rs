//! Loads the generator and the adapters that `--generator`, `--adapter` and `--bare-adapter` name.

use anchorite::index::bundle::{Role, WeightFile};
use anchorite::model::adapter::Adapter;
use anchorite::model::generate::Generator;
use anchorite::model::parts::Parts;
use anyhow::Context;
use serde::Serialize;

use super::arguments::Arguments;
use super::rows::{Row, Speaker};
use crate::models::choice;
use crate::report::Hint;

/// A file of weights, as reported.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) bytes: u64,
}

/// The generator and its adapters.
pub(super) struct Writers {
    pub(super) generator: Generator,
    pub(super) named: Named,
    pub(super) adapter: Option<(Named, Adapter)>,
    pub(super) bare_adapter: Option<(Named, Adapter)>,
}

impl Writers {
    /// True if the weights for `speaker` were given.
    pub(super) fn have(&self, speaker: Speaker) -> bool {
        match speaker {
            Speaker::None | Speaker::Base => true,
            Speaker::Adapter => self.adapter.is_some(),
            Speaker::BareAdapter => self.bare_adapter.is_some(),
        }
    }
}

/// Loads the weights that the arguments name.
///
/// # Errors
/// If no generator is named, or a file can't be read, is of another kind, or does not fit the generator.
pub(super) fn load(arguments: &Arguments) -> anyhow::Result<Writers> {
    let Some(value) = &arguments.generator else {
        return Err(Hint::error(
            "a table compares what a generator writes, and none was given",
            "name one with --generator, as `anchorite build` takes it",
        ));
    };
    let named = &arguments.named;
    let generator = choice::chosen(named, value, Role::Generator)?;
    let adapter = match arguments.adapter.as_deref() {
        Some("none") => None,
        Some(value) => Some(choice::chosen(named, value, Role::Adapter)?),
        None => choice::own_adapter(named, value)?,
    };
    let bare = arguments.bare_adapter.as_deref();
    let bare = bare.map(|value| choice::chosen(named, value, Role::Adapter));
    let adapters = [adapter, bare.transpose()?];
    choice::check(&generator, adapters.iter().flatten())?;
    let [adapter, bare_adapter] = adapters;
    let told = Named::of(&generator);
    let loaded = pollster::block_on(Generator::load(
        Parts::new(vec![generator.bytes]),
        None,
        arguments.backend.into(),
        "asked for with --backend",
    ));
    let generator = loaded.context("could not load the generator")?;
    let adapt = |file: Option<WeightFile>| {
        let load = |file: WeightFile| -> anyhow::Result<(Named, Adapter)> {
            let told = Named::of(&file);
            let adapter = Adapter::load(&Parts::new(vec![file.bytes]), generator.config());
            let adapter =
                adapter.with_context(|| format!("could not load adapter `{}`", told.name))?;
            Ok((told, adapter))
        };
        file.map(load).transpose()
    };
    Ok(Writers {
        adapter: adapt(adapter)?,
        bare_adapter: adapt(bare_adapter)?,
        generator,
        named: told,
    })
}

impl Named {
    fn of(file: &WeightFile) -> Self {
        Self {
            name: file.name.clone(),
            bytes: file.bytes.len() as u64,
        }
    }
}

/// The requested rows, in the table's order; by default, all rows whose weights were given.
///
/// # Errors
/// If a requested row needs an adapter that was not given.
pub(super) fn rows(wanted: &[Row], writers: &Writers) -> anyhow::Result<Vec<Row>> {
    let has = |row: &Row| writers.have(row.speaker());
    if let Some(row) = wanted.iter().find(|row| !has(row)) {
        let option = match row.speaker() {
            Speaker::BareAdapter => "--bare-adapter",
            _ => "--adapter",
        };
        return Err(Hint::error(
            format!("there is no adapter for the row `{}`", row.name()),
            format!("name one with {option}, or leave the row out"),
        ));
    }
    let asked = Row::ALL.into_iter();
    let asked = asked.filter(|row| wanted.is_empty() || wanted.contains(row));
    let (kept, left_out): (Vec<Row>, Vec<Row>) = asked.partition(has);
    if !left_out.is_empty() {
        let names: Vec<&str> = left_out.into_iter().map(Row::name).collect();
        eprintln!("left out, for want of an adapter: {}", names.join("; "));
    }
    Ok(kept)
}

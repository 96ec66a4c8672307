//! Opens a bundle's folder as a session, checking the length and hash of every file it reads.

use std::path::{Path, PathBuf};

use anchorite::index::Index;
use anchorite::index::bundle::{self, FileEntry, MANIFEST_PATH, Manifest, Role};
use anchorite::model::adapter::Adapter;
use anchorite::model::embed::Embedder;
use anchorite::model::generate::{BackendRequest, Generator};
use anchorite::model::parts::Parts;
use anchorite::model::read::Reader;
use anchorite::{EngineError, Session, Thresholds};
use anyhow::Context;

use crate::report::Hint;
use crate::site::destination::FOLDER;

/// The folder of a bundle: the one given, or the one in the site that was given.
pub(crate) fn folder(dir: &Path) -> PathBuf {
    let in_site = dir.join(FOLDER);
    match in_site.join(MANIFEST_PATH).is_file() {
        true => in_site,
        false => dir.to_owned(),
    }
}

/// Reads `DIR/manifest.json`.
pub(crate) fn manifest(dir: &Path) -> anyhow::Result<Manifest> {
    let path = dir.join(MANIFEST_PATH);
    let bytes = std::fs::read(&path).map_err(|cause| {
        Hint::error(
            format!("could not read `{}`: {cause}", path.display()),
            "give the folder of a bundle, or of a site with one, that `anchorite build` wrote",
        )
    })?;
    Manifest::parse(&bytes).with_context(|| format!("could not read `{}`", path.display()))
}

/// A session that searches by words, by meaning if the bundle has an embedder, and reads if it has a reader.
pub(crate) fn open(dir: &Path, manifest: &Manifest) -> anyhow::Result<Session> {
    let index = index(dir, manifest)
        .with_context(|| format!("could not read the bundle `{}`", dir.display()))?;
    let mut session = Session::new(index, manifest.id.clone(), Thresholds::of(manifest));
    let embedder = embedder(dir, manifest)?;
    if let Some(reader) = reader(dir, manifest, embedder.as_ref())? {
        session.set_reader(reader);
    }
    if let Some(embedder) = embedder {
        session.set_embedder(embedder)?;
    }
    Ok(session)
}

/// The bundle's embedder, if there is one.
pub(crate) fn embedder(dir: &Path, manifest: &Manifest) -> anyhow::Result<Option<Embedder>> {
    let parts = weights(dir, manifest, Role::Embedder)?;
    parts
        .map(|parts| Embedder::load(parts).context("could not load the embedder"))
        .transpose()
}

/// The bundle's reader, if there is one; it may share the layers of the bundle's embedder.
pub(crate) fn reader(
    dir: &Path,
    manifest: &Manifest,
    embedder: Option<&Embedder>,
) -> anyhow::Result<Option<Reader>> {
    let parts = weights(dir, manifest, Role::Reader)?;
    parts
        .map(|parts| Reader::load(parts, embedder).context("could not load the reader"))
        .transpose()
}

/// The whole index: on this machine, reading only the shards that a query needs gains nothing.
pub(crate) fn index(dir: &Path, manifest: &Manifest) -> anyhow::Result<Index> {
    let resident = file_bytes(dir, manifest, Role::Index)?.unwrap_or_default();
    let mut index = bundle::read_index(manifest, &resident)?;
    if let Some(vectors) = file_bytes(dir, manifest, Role::Vectors)? {
        bundle::read_vectors(manifest, &vectors, &mut index)?;
    }
    loop {
        let missing = index.missing_shards();
        if missing.is_empty() {
            break;
        }
        for shard in missing {
            index.insert_shard(shard.id, &read(&dir.join(&shard.path))?)?;
        }
    }
    Ok(index)
}

/// Adds the bundle's generator, if there is one, with the named adapter, or else the first.
pub(crate) fn add_generator(
    session: &mut Session,
    dir: &Path,
    manifest: &Manifest,
    backend: BackendRequest,
    adapter: Option<&str>,
) -> anyhow::Result<()> {
    let adapter = adapter_file(manifest, adapter)?;
    let Some(parts) = weights(dir, manifest, Role::Generator)? else {
        return Ok(());
    };
    let generator = pollster::block_on(Generator::load(
        parts,
        None,
        backend,
        "asked for with --backend",
    ))
    .context("could not load the generator")?;
    let adapter = match adapter {
        Some(file) => {
            let bytes = Parts::new(self::parts(dir, file)?);
            let adapter = Adapter::load(&bytes, generator.config());
            Some(adapter.with_context(|| format!("could not load adapter `{}`", file.name))?)
        }
        None => None,
    };
    session.set_generator(generator, adapter)?;
    let (dir, manifest) = (dir.to_path_buf(), manifest.clone());
    session.set_reload(Box::new(move |backend, reason| {
        let parts = weights(&dir, &manifest, Role::Generator);
        Box::pin(async move {
            let missing = |reason: String| EngineError::Reload { reason };
            let parts = parts
                .map_err(|error| missing(error.to_string()))?
                .ok_or_else(|| missing("the bundle names none".to_owned()))?;
            Ok(Generator::load(parts, None, backend, &reason).await?)
        })
    }));
    Ok(())
}

/// The adapter with this name, with or without `.gguf`; the first one if no name is given.
fn adapter_file<'m>(
    manifest: &'m Manifest,
    name: Option<&str>,
) -> anyhow::Result<Option<&'m FileEntry>> {
    let Some(name) = name else {
        return Ok(manifest.file(Role::Adapter));
    };
    let adapters = || {
        let files = manifest.files.iter();
        files.filter(|file| file.role == Role::Adapter)
    };
    let stem = |name: &'m str| name.strip_suffix(".gguf").unwrap_or(name);
    let found = adapters().find(|file| file.name == name || stem(&file.name) == name);
    if found.is_some() {
        return Ok(found);
    }
    let names: Vec<&str> = adapters().map(|file| stem(&file.name)).collect();
    let hint = match names.is_empty() {
        true => "build it with `anchorite build --adapter FILE`".to_owned(),
        false => format!("its adapters are: {}", names.join(", ")),
    };
    Err(Hint::error(
        format!("the bundle has no adapter `{name}`"),
        hint,
    ))
}

fn weights(dir: &Path, manifest: &Manifest, role: Role) -> anyhow::Result<Option<Parts>> {
    manifest
        .file(role)
        .map(|file| Ok(Parts::new(parts(dir, file)?)))
        .transpose()
}

fn file_bytes(dir: &Path, manifest: &Manifest, role: Role) -> anyhow::Result<Option<Vec<u8>>> {
    manifest
        .file(role)
        .map(|file| Ok(parts(dir, file)?.concat()))
        .transpose()
}

/// Reads and checks the parts of one file.
pub(crate) fn parts(dir: &Path, file: &FileEntry) -> anyhow::Result<Vec<Vec<u8>>> {
    file.parts
        .iter()
        .map(|part| {
            let bytes = read(&dir.join(&part.path))?;
            part.verify(&bytes)?;
            Ok(bytes)
        })
        .collect()
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).map_err(|cause| {
        Hint::error(
            format!("could not read `{}`: {cause}", path.display()),
            "copy every file that the build wrote, or build the bundle again",
        )
    })
}

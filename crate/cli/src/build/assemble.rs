//! Turns documents, chunks and embeddings into a bundle on disk: the last step of a build, on one machine or after many.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anchorite::index::bundle::{self, Calibration, Role, WeightFile};
use anchorite::index::{Index, IndexOptions};
use anchorite::model::embed::Embedder;
use anchorite::model::parts::Parts;
use anchorite::model::read::Reader;
use anyhow::Context;

use crate::build::cache::TextKey;
use crate::build::calibrate;
use crate::build::embedder::language::Languages;
use crate::build::embedder::{Chosen, Fitted, Site};
use crate::build::select::Selected;
use crate::build::summary::{Reuse, Summary, peak_memory_bytes};
use crate::build::write_bundle::write_files;
use crate::models::shipped::READER;
use crate::settings::{BundleArguments, read_model};

/// The models of a bundle, before they are fitted to its site.
pub(crate) struct Models<'m> {
    /// `None` for search by words alone.
    pub(crate) embedder: Option<Chosen>,
    pub(crate) languages: &'m Languages,
    /// The folder that the reader comes from.
    pub(crate) folder: &'m Path,
    /// The generator and its adapters.
    pub(crate) writers: Vec<WeightFile>,
}

/// Indexes, lays out and writes a bundle.
///
/// `embeddings` has one entry for each of `keys`, which are the keys of the chunks, if there is an embedder; `out` is the
/// folder that receives it.
pub(crate) fn assemble(
    selected: Selected,
    keys: &[TextKey],
    embeddings: HashMap<TextKey, Vec<f32>>,
    mut models: Models<'_>,
    arguments: &BundleArguments,
    out: &Path,
) -> anyhow::Result<Summary> {
    let site = Site {
        chunks: &selected.chunks,
        text: &|at| selected.embedding_text(at),
        embedding: &|at| embeddings.get(&keys[at]).map(Vec::as_slice),
        languages: models.languages,
    };
    let mut chosen = models.embedder.take();
    let own_reader = chosen.as_mut().and_then(|chosen| chosen.reader.take());
    let fitted = chosen.map(|chosen| chosen.fitted(&site, false));
    let fitted = fitted.transpose()?;
    let embedder_summary = fitted.as_ref().map(Fitted::summary);
    let vectors = match fitted {
        Some(_) => Some(in_order(keys, embeddings)?),
        None => None,
    };
    let options = IndexOptions {
        similarity: fitted.as_ref().and_then(|fitted| fitted.similarity),
        ..IndexOptions::default()
    };
    let Selected {
        documents,
        chunks,
        n_sections,
        left_out,
    } = selected;
    let n_chunks = chunks.len();
    let mut index = Index::build(&documents, chunks, vectors, &options)?;
    if let Some(fitted) = &fitted {
        fitted.complete(&mut index)?;
    }
    let (embedder, file) = fitted.map(|fitted| (fitted.embedder, fitted.file)).unzip();
    let weights = weights(arguments, file, own_reader, models)?;
    let mut written = bundle::write(&index, &weights, env!("CARGO_PKG_VERSION"))?;
    written.set_calibration(calibration(&index, embedder, &weights, arguments)?)?;
    let mut bytes = BTreeMap::new();
    for file in &written.manifest.files {
        *bytes.entry(file.role.to_string()).or_default() += file.bytes;
    }
    bytes.insert("shards".to_owned(), written.manifest.shards.bytes);
    let (files_changed, bytes_changed) = write_files(out, &written)?;
    Ok(Summary {
        documents: documents.len(),
        sections: n_sections,
        chunks: n_chunks,
        left_out,
        warnings: Vec::new(),
        n_warnings: 0,
        reuse: Reuse::default(),
        bytes_total: bytes.values().sum(),
        bytes,
        bytes_changed,
        files: written.files.len(),
        files_changed,
        site: None,
        vectors: index
            .vectors
            .as_ref()
            .map(|vectors| vectors.mode().to_string()),
        seconds: 0.0,
        steps: BTreeMap::new(),
        peak_memory_bytes: peak_memory_bytes(),
        calibration: written.manifest.calibration.clone(),
        embedder: embedder_summary,
        has_reader: written.manifest.file(Role::Reader).is_some(),
        bundle: written.manifest.id.clone(),
    })
}

/// Calibrates on the site's own questions; `None` without a reader, if not wanted, or with too few questions.
fn calibration(
    index: &Index,
    embedder: Option<Embedder>,
    weights: &[WeightFile],
    arguments: &BundleArguments,
) -> anyhow::Result<Option<Calibration>> {
    let reader = weights.iter().find(|file| file.role == Role::Reader);
    let models = embedder.zip(reader);
    let Some((embedder, reader)) = models.filter(|_| !arguments.no_calibration) else {
        return Ok(None);
    };
    let reader = Parts::new(vec![reader.bytes.clone()]);
    let reader = Reader::load(reader, Some(&embedder)).context("could not load the reader")?;
    calibrate::calibrate(index, &embedder, &reader)
}

/// The keys of the chunks' embedding texts, in order.
pub(crate) fn keys(selected: &Selected) -> Vec<TextKey> {
    use rayon::prelude::*;
    (0..selected.chunks.len())
        .into_par_iter()
        .map(|at| crate::build::cache::text_key(&selected.embedding_text(at)))
        .collect()
}

/// One embedding per key, in order; the last use of a key moves its embedding instead of copying it.
fn in_order(
    keys: &[TextKey],
    mut embeddings: HashMap<TextKey, Vec<f32>>,
) -> anyhow::Result<Vec<Vec<f32>>> {
    let mut uses: HashMap<&TextKey, usize> = HashMap::new();
    for key in keys {
        *uses.entry(key).or_default() += 1;
    }
    keys.iter()
        .map(|key| {
            let left = uses.entry(key).or_default();
            *left -= 1;
            let embedding = if *left == 0 {
                embeddings.remove(key)
            } else {
                embeddings.get(key).cloned()
            };
            embedding.context("a chunk has no embedding")
        })
        .collect()
}

/// The models of a bundle: the embedder, the reader if there is one, and the generator and its adapters.
fn weights(
    arguments: &BundleArguments,
    embedder: Option<WeightFile>,
    own_reader: Option<WeightFile>,
    models: Models<'_>,
) -> anyhow::Result<Vec<WeightFile>> {
    let mut weights: Vec<WeightFile> = embedder.into_iter().collect();
    // The reader that ships reads English; whoever gives a folder has one that reads the site.
    let of_folder = models.languages.is_english() || arguments.models.is_some();
    let reader = match own_reader {
        _ if arguments.no_reader => None,
        // The gate knows what the signs of each reader mean beside its embedder's similarities.
        Some(own) => Some(own.bytes),
        None if of_folder && models.folder.join(READER).exists() => {
            Some(read_model(models.folder, READER)?)
        }
        None => None,
    };
    weights.extend(reader.map(|bytes| WeightFile {
        role: Role::Reader,
        name: READER.to_owned(),
        label: None,
        bytes,
    }));
    weights.extend(models.writers);
    Ok(weights)
}

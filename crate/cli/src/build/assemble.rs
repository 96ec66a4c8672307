//! Turns documents, chunks and embeddings into a bundle on disk: the last step of a build, on one machine or after many.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anchorite::index::bundle::{self, Calibration, Role, WeightFile};
use anchorite::index::document::Document;
use anchorite::index::{Index, IndexOptions};
use anchorite::model::embed::Embedder;
use anchorite::model::parts::Parts;
use anchorite::model::read::Reader;
use anyhow::Context;

use crate::build::cache::TextKey;
use crate::build::calibrate;
use crate::build::select::Selected;
use crate::build::summary::{Reuse, Summary, peak_memory_bytes};
use crate::build::write_bundle::write_files;
use crate::models::shipped::{EMBEDDER, READER};
use crate::settings::{BundleArguments, read_model};

/// Indexes, lays out and writes a bundle.
///
/// `embeddings` has one entry for each of `keys`, which are the keys of the chunks; `weights` are the bundle's models; `out` is
/// the folder that receives it.
pub(crate) fn assemble(
    selected: Selected,
    keys: &[TextKey],
    embeddings: HashMap<TextKey, Vec<f32>>,
    weights: &[WeightFile],
    arguments: &BundleArguments,
    out: &Path,
) -> anyhow::Result<Summary> {
    let vectors = in_order(keys, embeddings)?;
    let Selected {
        documents,
        chunks,
        n_sections,
        left_out,
    } = selected;
    let n_chunks = chunks.len();
    let index = Index::build(&documents, chunks, Some(vectors), &IndexOptions::default())?;
    let mut written = bundle::write(&index, weights, env!("CARGO_PKG_VERSION"))?;
    written.set_calibration(calibration(&index, weights, arguments)?)?;
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
        has_reader: written.manifest.file(Role::Reader).is_some(),
        bundle: written.manifest.id.clone(),
    })
}

/// Calibrates on the site's own questions; `None` without a reader, if not wanted, or with too few questions.
fn calibration(
    index: &Index,
    weights: &[WeightFile],
    arguments: &BundleArguments,
) -> anyhow::Result<Option<Calibration>> {
    let bytes = |role| {
        let file = weights.iter().find(|file| file.role == role)?;
        Some(Parts::new(vec![file.bytes.clone()]))
    };
    let models = bytes(Role::Embedder).zip(bytes(Role::Reader));
    let Some((embedder, reader)) = models.filter(|_| !arguments.no_calibration) else {
        return Ok(None);
    };
    let embedder = Embedder::load(embedder).context("could not load the embedder")?;
    let reader = Reader::load(reader).context("could not load the reader")?;
    calibrate::calibrate(index, &embedder, &reader)
}

/// The keys of the chunks' embedding texts, in order.
pub(crate) fn keys(documents: &[Document], selected: &Selected) -> Vec<TextKey> {
    use rayon::prelude::*;
    selected
        .chunks
        .par_iter()
        .map(|chunk| {
            let title = &documents[chunk.document as usize].title;
            crate::build::cache::text_key(&chunk.embedding_text(title))
        })
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
pub(crate) fn weights(
    arguments: &BundleArguments,
    models: &Path,
    embedder: Vec<u8>,
    writers: Vec<WeightFile>,
) -> anyhow::Result<Vec<WeightFile>> {
    let mut weights = vec![WeightFile {
        role: Role::Embedder,
        name: EMBEDDER.to_owned(),
        label: None,
        bytes: embedder,
    }];
    if !arguments.no_reader && models.join(READER).exists() {
        weights.push(WeightFile {
            role: Role::Reader,
            name: READER.to_owned(),
            label: None,
            bytes: read_model(models, READER)?,
        });
    }
    weights.extend(writers);
    Ok(weights)
}

//! Turns an index and weights into the files of a bundle; `super::read` reads them.

use std::collections::HashSet;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::manifest::{MAX_CHUNKS, part_path, shard_path};
use super::table::write::Written;
use super::*;
use crate::hex;
use crate::index::Index;
use crate::lexical::postings::push_varint;
use crate::lexical::shard::TermShard;
use crate::shard::Family;
use crate::vector::VectorIndex;

/// Weights to ship with an index.
#[derive(Debug, Clone)]
pub struct WeightFile {
    /// Purpose of the file.
    pub role: Role,
    /// Display name.
    pub name: String,
    /// Label by which visitors choose an adapter with a voice.
    pub label: Option<String>,
    /// The GGUF file.
    pub bytes: Vec<u8>,
}

/// A bundle, ready to be written to a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The manifest, which is also the last of `files`.
    pub manifest: Manifest,
    /// Path and content of every file, shards included, `manifest.json` last: a site updated file by file never names a
    /// missing file.
    pub files: Vec<(String, Vec<u8>)>,
}

/// Lays out a bundle. The same index and weights give the same bytes.
///
/// # Errors
/// [`BundleError::Incomplete`] if the index was read from a bundle and not all of its shards are loaded;
/// [`BundleError::TooLarge`] if there are more chunks or bytes than the format holds;
/// [`BundleError::Malformed`] if a weights file is empty or a chunk's id is not of the kind that chunking makes;
/// [`BundleError::ManifestField`] if two weights files other than adapters share a role, or a name is too long.
pub fn write(
    index: &Index,
    weights: &[WeightFile],
    anchorite_version: &str,
) -> Result<Bundle, BundleError> {
    if let n_missing @ 1.. = index.n_missing() {
        return Err(BundleError::Incomplete { n_missing });
    }
    let count = |what: &str, len: usize| {
        u32::try_from(len)
            .ok()
            .filter(|&n| n <= MAX_CHUNKS)
            .ok_or(BundleError::TooLarge {
                what: what.to_owned(),
                expected: u64::from(MAX_CHUNKS),
                found: len as u64,
            })
    };
    let mut bundle = Vec::new();
    let (resident, shards) = index_files(index, &mut bundle)?;
    let mut files = vec![add(&mut bundle, Role::Index, "index", &resident)?];
    if let Some(vectors) = &index.vectors {
        let file = vectors_file(vectors, &mut bundle)?;
        files.push(add(&mut bundle, Role::Vectors, "vectors", &file)?);
    }
    for file in weights {
        let entry = add(&mut bundle, file.role, &file.name, &file.bytes)?;
        files.push(FileEntry {
            label: file.label.clone(),
            ..entry
        });
    }
    let mut manifest = Manifest {
        format: FORMAT,
        anchorite: anchorite_version.to_owned(),
        id: String::new(),
        documents: count("number of documents", index.n_documents())?,
        chunks: count("number of chunks", index.n_chunks())?,
        embedding_dimension: index
            .dimension()
            .map(|n| count("dimension", n))
            .transpose()?,
        similarity: index.similarity.filter(|_| index.vectors.is_some()),
        shards,
        calibration: None,
        files,
    };
    manifest.id = manifest.content_id();
    bundle.push((MANIFEST_PATH.to_owned(), json(&manifest)?));
    Ok(Bundle {
        manifest,
        files: bundle,
    })
}

/// Serialises the manifest, after checking everything that readers of it rely on.
fn json(manifest: &Manifest) -> Result<Vec<u8>, BundleError> {
    manifest.check()?;
    let mut json =
        serde_json::to_vec_pretty(manifest).map_err(|error| BundleError::ManifestSyntax {
            reason: error.to_string(),
        })?;
    json.push(b'\n');
    Ok(json)
}

impl Bundle {
    /// Sets the calibration from the site's own questions. This changes the manifest and its id, but no other file.
    ///
    /// # Errors
    /// [`BundleError::ManifestField`] for a share or probability that is out of range.
    pub fn set_calibration(&mut self, calibration: Option<Calibration>) -> Result<(), BundleError> {
        self.manifest.calibration = calibration;
        self.manifest.id = self.manifest.content_id();
        let json = json(&self.manifest)?;
        if let Some((_, manifest)) = self.files.last_mut() {
            *manifest = json;
        }
        Ok(())
    }
}

/// Cuts a file into parts and adds those that are missing.
fn add(
    bundle: &mut Vec<(String, Vec<u8>)>,
    role: Role,
    name: &str,
    bytes: &[u8],
) -> Result<FileEntry, BundleError> {
    if bytes.is_empty() {
        return Err(malformed(
            role.as_str(),
            "its length",
            "at least one byte",
            0,
        ));
    }
    let mut parts = Vec::new();
    for part in bytes.chunks(MAX_PART_BYTES) {
        let sha256 = hex(&Sha256::digest(part));
        let path = part_path(&sha256, role);
        if !bundle.iter().any(|(other, _)| *other == path) {
            bundle.push((path.clone(), part.to_vec()));
        }
        parts.push(PartEntry {
            path,
            bytes: part.len() as u64,
            sha256,
        });
    }
    let sha256 = hex(&Sha256::digest(bytes));
    Ok(FileEntry {
        role,
        name: name.to_owned(),
        label: None,
        bytes: bytes.len() as u64,
        sha256,
        parts,
    })
}

/// Lays out the index: adds its shards, and returns the file that names them.
fn index_files(
    index: &Index,
    bundle: &mut Vec<(String, Vec<u8>)>,
) -> Result<(Vec<u8>, ShardTotals), BundleError> {
    let held: Vec<&TermShard> = index.lexical.shards().collect();
    let (first_terms, terms) = wire_terms::write::shards(&held)?;
    let (spelling_keys, spelling) = wire_spelling::write::shards(&index.lexical.spelling)?;
    let (first_chunks, texts) = wire_texts::write::shards(index)?;
    let filters = index.filters.as_ref().map(filters::write).transpose()?;
    let names = index.orders.names();
    let orders = (0..names.len()).filter_map(|idx| index.orders.get(idx));
    let orders: Vec<Vec<u8>> = orders.map(orders::write).collect();
    let families = Family::ALL.map(|family| match family {
        Family::Terms => terms.as_slice(),
        Family::Spelling => &spelling,
        Family::Texts => &texts,
        Family::Filters => filters.as_slice(),
        Family::Orders => &orders,
        // Named by the vectors file, which is not fetched for lexical search.
        Family::Vectors => &[],
    });
    let compressed = families
        .map(|files| -> Vec<Vec<u8>> { files.iter().map(|file| deflate::deflate(file)).collect() });
    let tables = compressed
        .each_ref()
        .map(|files| table::write::table(files));
    let resident = resident::write::file(
        &index.lexical,
        resident::write::Shards {
            first_terms: &first_terms,
            spelling_keys: &spelling_keys,
            first_chunks: &first_chunks,
            has_filters: index.filters.is_some(),
            orders: names,
            tables: tables.iter().map(Written::wire).collect(),
        },
    )?;
    let mut totals = ShardTotals::default();
    for file in compressed.iter().flatten() {
        totals.count += 1;
        totals.bytes += file.len() as u64;
    }
    let pages = tables.into_iter().flat_map(|table| table.pages);
    add_shards(compressed.into_iter().flatten().chain(pages), bundle)?;
    Ok((deflate::deflate(&resident), totals))
}

fn add_shards(
    files: impl Iterator<Item = Vec<u8>>,
    bundle: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), BundleError> {
    let mut seen: HashSet<String> = bundle.iter().map(|(path, _)| path.clone()).collect();
    for file in files {
        if file.len() > MAX_PART_BYTES {
            return Err(BundleError::TooLarge {
                what: "a shard of the index".to_owned(),
                expected: MAX_PART_BYTES as u64,
                found: file.len() as u64,
            });
        }
        let path = shard_path(&hex(&Sha256::digest(&file)));
        if seen.insert(path.clone()) {
            bundle.push((path, file));
        }
    }
    Ok(())
}

/// Lays out the vectors: adds their shards, if any, and returns the file that names them.
fn vectors_file(
    vectors: &VectorIndex,
    bundle: &mut Vec<(String, Vec<u8>)>,
) -> Result<Vec<u8>, BundleError> {
    let unwritable = |error| malformed(VECTORS, "the section", "to be written", error);
    let section = vectors.to_bytes().map_err(unwritable)?;
    let shards = vectors.shards().into_iter();
    let shards: Vec<Vec<u8>> = shards
        .map(|shard| {
            let mut bytes = Vec::new();
            shard.push_bytes(&mut bytes);
            deflate::deflate(&bytes)
        })
        .collect();
    let table = table::write::whole(&shards);
    let small = |what: &str, len: usize| {
        u32::try_from(len).map_err(|_| BundleError::TooLarge {
            what: what.to_owned(),
            expected: u64::from(u32::MAX),
            found: len as u64,
        })
    };
    let file = VectorsFile {
        layout: layout_name(vectors.layout()),
        dimension: small("dimension", vectors.dimension())?,
        chunks: small("number of vectors", vectors.len())?,
        checksum: checksum(&section),
        section: &section,
        table: table.wire(),
    };
    let bytes = to_bytes(VECTORS, &file)?;
    add_shards(shards.into_iter(), bundle)?;
    Ok(bytes)
}

pub(super) fn to_bytes(role: &'static str, file: &impl Serialize) -> Result<Vec<u8>, BundleError> {
    postcard::to_allocvec(file)
        .map_err(|error| malformed(role, "its structure", "to be written", error))
}

pub(super) fn varints(numbers: impl Iterator<Item = u32>) -> Vec<u8> {
    let mut bytes = Vec::new();
    numbers.for_each(|number| push_varint(&mut bytes, number));
    bytes
}

pub(super) fn front_coded(words: &Dictionary) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut before = "";
    for word in words.iter() {
        push_shared(&mut bytes, before, word);
        before = word;
    }
    bytes
}

/// Appends `word`, front-coded: the length shared with `before`, the length of the rest, the rest.
pub(super) fn push_shared(bytes: &mut Vec<u8>, before: &str, word: &str) {
    let shared = before.bytes().zip(word.bytes()).take_while(|(a, b)| a == b);
    let n_shared = shared.count();
    let more = &word.as_bytes()[n_shared..];
    for length in [n_shared, more.len()] {
        // The tokenizer cuts words at 40 characters.
        push_varint(bytes, u32::try_from(length).unwrap_or(u32::MAX));
    }
    bytes.extend_from_slice(more);
}

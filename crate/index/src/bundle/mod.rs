//! Turns an index and weights into the files that a site serves, and those files back into an index.
//!
//! No other module knows the layout. A bundle is a small `manifest.json`, always fetched fresh, and files that never
//! change under their name:
//!
//! | role | file | holds |
//! |------|------|-------|
//! | `index` | DEFLATE of postcard of [`resident`] | counts, lengths, first words of shards, their lengths and hashes |
//! | `vectors` | postcard of [`VectorsFile`] | one opaque, checksummed section of 8-bit vectors, or codes for their shards |
//! | `embedder`, `generator`, `adapter` | GGUF | weights, as given |
//!
//! Each is cut into parts of at most 20 MiB, named by their SHA-256 in the manifest. Pieces of the index that only some
//! queries read are shards, named by their SHA-256 in the `index` file or in a page of a [`table`] that `index` names:
//!
//! | shard | DEFLATE of postcard of | holds |
//! |-------|------------------------|-------|
//! | terms | [`wire_terms`] | front-coded words, lists of chunks as varints |
//! | spelling | [`wire_spelling`] | words by first letter and length, and their frequency |
//! | texts | [`wire_texts`] | URLs, titles, headings, texts |
//! | filters | [`filters`] | the documents with each value |
//! | orders | (no postcard) [`orders`] | the ranks of documents by one of their values |
//! | vectors | (no postcard) rows of `vector` | 8-bit vectors near each other |
//!
//! The length and hash of a part or shard are checked before it is parsed, and no count inside it is trusted.

mod deflate;
mod filters;
mod manifest;
mod orders;
mod resident;
mod wire_spelling;
mod insert;
mod table;
mod wire_terms;
mod wire_texts;
#[cfg(feature = "build")]
mod write;

pub use manifest::{
    Calibration, FORMAT, FileEntry, MANIFEST_PATH, MAX_PART_BYTES, Manifest, OLDEST_FORMAT,
    PartEntry, ReliabilityBin, Role, ShardTotals,
};
pub(crate) use table::ShardTable;
use table::TableWire;
#[cfg(feature = "build")]
pub use write::{Bundle, WeightFile, write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{BundleError, Contradiction};
use crate::hex;
use crate::index::Index;
use crate::lexical::dictionary::Dictionary;
use crate::lexical::postings::Varints;
use crate::shard::Family;
use crate::vector::{GRAPH_LAYOUT, Layout, VectorIndex};

/// Longest word of the dictionary, in bytes: 40 characters of up to 4 bytes, plus room for characters that grow when
/// lower-cased.
const MAX_TERM_BYTES: usize = 512;
/// Layout of vectors without a graph.
const FLAT_LAYOUT: &str = "flat 2";
/// Layout of vectors that are cut into shards.
const SHARDS_LAYOUT: &str = "shards 2";
const LAYOUTS: [(&str, Layout); 3] = [
    (FLAT_LAYOUT, Layout::Flat),
    (GRAPH_LAYOUT, Layout::Graph),
    (SHARDS_LAYOUT, Layout::Shards),
];
/// Name of the vector index in errors.
const VECTORS: &str = "vectors";

/// The vector index as stored.
#[derive(Serialize, Deserialize)]
struct VectorsFile<'b> {
    /// Layout of the section: one of [`LAYOUTS`]; for a graph, the name and version of its library.
    layout: &'b str,
    dimension: u32,
    chunks: u32,
    /// First 16 bytes of the section's SHA-256.
    checksum: [u8; 16],
    section: &'b [u8],
    /// The table of its shards; empty if the section holds all vectors.
    #[serde(borrow)]
    table: TableWire<'b>,
}

fn checksum(section: &[u8]) -> [u8; 16] {
    Sha256::digest(section)
        .first_chunk()
        .copied()
        .unwrap_or_default()
}

/// Reads the lexical index from the file with role [`Role::Index`], checked against the manifest. No shards are loaded
/// yet.
///
/// # Errors
/// [`BundleError::MissingFile`] if the manifest lists no such file; [`BundleError::Length`] or [`BundleError::Hash`] if
/// it is not the one listed; [`BundleError::Malformed`] if its content is wrong.
pub fn read_index(manifest: &Manifest, bytes: &[u8]) -> Result<Index, BundleError> {
    listed(manifest, Role::Index)?.verify(bytes)?;
    let index = resident::read(bytes)?;
    let same = |place, expected: u64, found: u64| {
        if expected == found {
            Ok(())
        } else {
            Err(malformed(resident::ROLE, place, expected, found))
        }
    };
    let (documents, chunks) = (manifest.documents.into(), manifest.chunks.into());
    same("number of documents", documents, index.n_documents() as u64)?;
    same("number of chunks", chunks, index.n_chunks() as u64)?;
    let totals = Family::ALL.map(|family| index.shards.totals(family));
    let n_shards = totals.iter().map(|&(n_shards, _)| n_shards as u64).sum();
    let n_bytes = totals.iter().map(|&(_, n_bytes)| n_bytes).sum();
    same("number of shards", manifest.shards.count.into(), n_shards)?;
    same("bytes of shards", manifest.shards.bytes, n_bytes)?;
    Ok(index)
}

/// Adds the vector index from the file with role [`Role::Vectors`], checked against the manifest.
///
/// # Errors
/// As for [`read_index`]; [`BundleError::UnknownGraph`] if another library made the graph, or the layout is of another
/// version.
pub fn read_vectors(
    manifest: &Manifest,
    bytes: &[u8],
    index: &mut Index,
) -> Result<(), BundleError> {
    listed(manifest, Role::Vectors)?.verify(bytes)?;
    let n_chunks = index.n_chunks();
    let vectors = vectors_from(bytes, n_chunks, &mut index.shards)?;
    let expected = manifest.embedding_dimension.unwrap_or(0);
    if vectors.dimension() != expected as usize {
        let found = vectors.dimension();
        return Err(malformed(VECTORS, "dimension", expected, found));
    }
    index.vectors = Some(vectors);
    Ok(())
}

fn listed(manifest: &Manifest, role: Role) -> Result<&FileEntry, BundleError> {
    manifest.file(role).ok_or(BundleError::MissingFile {
        role: role.as_str(),
    })
}

/// Decodes a field that holds nothing but varints.
fn numbers(role: &'static str, place: &'static str, bytes: &[u8]) -> Result<Vec<u32>, BundleError> {
    let mut varints = Varints::new(bytes);
    let numbers = varints.by_ref().collect();
    if varints.is_empty() {
        Ok(numbers)
    } else {
        Err(malformed(role, place, "whole numbers", "a part of one"))
    }
}

/// Running sums of a field's lengths: the start of each, and the end of the last.
fn sums(role: &'static str, place: &'static str, bytes: &[u8]) -> Result<Vec<u32>, BundleError> {
    let mut sums = vec![0_u32];
    for number in numbers(role, place, bytes)? {
        let sum = sums.last().copied().unwrap_or(0).checked_add(number);
        sums.push(sum.ok_or_else(|| malformed(role, place, "a sum within 32 bits", "more"))?);
    }
    Ok(sums)
}

/// Front-coded words in increasing order: for each, the length it shares with the previous one, then the rest.
fn words(role: &'static str, place: &'static str, bytes: &[u8]) -> Result<Dictionary, BundleError> {
    let wrong = |found: &str| malformed(role, place, "words in increasing order", found);
    let mut words = Dictionary::default();
    let mut word: Vec<u8> = Vec::new();
    let mut varints = Varints::new(bytes);
    while !varints.is_empty() {
        let lengths = varints.next().zip(varints.next());
        let (shared, n_more) = lengths.ok_or_else(|| wrong("a part of a number"))?;
        let (shared, n_more) = (shared as usize, n_more as usize);
        if shared > word.len() || n_more > MAX_TERM_BYTES || shared + n_more > MAX_TERM_BYTES {
            return Err(wrong("a length beyond its word"));
        }
        word.truncate(shared);
        word.extend_from_slice(
            varints
                .take_bytes(n_more)
                .ok_or_else(|| wrong("a part of a word"))?,
        );
        let text = std::str::from_utf8(&word).map_err(|_| wrong("bytes that are not UTF-8"))?;
        if !words.push(text) {
            return Err(wrong("a word out of order"));
        }
    }
    Ok(words)
}

fn vectors_from(
    bytes: &[u8],
    n_chunks: usize,
    shards: &mut ShardTable,
) -> Result<VectorIndex, BundleError> {
    let file: VectorsFile<'_> = read_whole(VECTORS, bytes)?;
    let mut layouts = LAYOUTS.into_iter();
    let Some((_, layout)) = layouts.find(|(name, _)| *name == file.layout) else {
        let kind = |layout: &str| layout.split(' ').next().map(str::to_owned);
        let mut same_kind = LAYOUTS.iter().map(|(name, _)| *name);
        return Err(BundleError::UnknownGraph {
            expected: same_kind
                .find(|name| kind(name) == kind(file.layout))
                .unwrap_or(GRAPH_LAYOUT),
            found: file.layout.chars().take(100).collect(),
        });
    };
    if file.checksum != checksum(file.section) {
        return Err(malformed(
            VECTORS,
            "checksum of the section",
            hex(&checksum(file.section)),
            hex(&file.checksum),
        ));
    }
    if file.chunks as usize != n_chunks {
        return Err(malformed(
            VECTORS,
            "number of chunks",
            n_chunks,
            file.chunks,
        ));
    }
    let vectors = VectorIndex::from_bytes(file.section, layout, file.dimension as usize, n_chunks)
        .map_err(|wrong| contradiction(VECTORS, wrong))?;
    shards.read_family(Family::Vectors, &file.table, vectors.n_shards())?;
    Ok(vectors)
}

#[cfg(feature = "build")]
fn layout_name(layout: Layout) -> &'static str {
    match layout {
        Layout::Flat => FLAT_LAYOUT,
        Layout::Graph => GRAPH_LAYOUT,
        Layout::Shards => SHARDS_LAYOUT,
    }
}

fn read_whole<'b, T: Deserialize<'b>>(
    role: &'static str,
    bytes: &'b [u8],
) -> Result<T, BundleError> {
    let (value, rest) = postcard::take_from_bytes(bytes)
        .map_err(|error| malformed(role, "its structure", "the format's layout", error))?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(malformed(role, "its end", "no more bytes", rest.len()))
    }
}

fn malformed(
    role: &'static str,
    place: &'static str,
    expected: impl ToString,
    found: impl ToString,
) -> BundleError {
    BundleError::Malformed {
        role,
        place,
        expected: expected.to_string(),
        found: found.to_string(),
    }
}

fn contradiction(role: &'static str, wrong: Contradiction) -> BundleError {
    malformed(role, wrong.place, wrong.expected, wrong.found)
}

#[cfg(all(test, feature = "build"))]
mod tests;

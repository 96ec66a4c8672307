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
mod read;
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
pub use read::{read_index, read_vectors};
pub(crate) use table::ShardTable;
use table::TableWire;
#[cfg(feature = "build")]
pub use write::{Bundle, WeightFile, write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{BundleError, Contradiction};
use crate::lexical::dictionary::Dictionary;
use crate::lexical::postings::Varints;
use crate::vector::{GRAPH_LAYOUT, Layout};

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

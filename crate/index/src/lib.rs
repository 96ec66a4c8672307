//! Turns documents into an index, and a query into ranked passages.
//!
//! The modules follow the path of a page: its bytes are parsed into a document, documents are cut into chunks, and
//! chunks are indexed by their words and by their embeddings; a query's two rankings are fused into hits. The bundle is
//! how an index is stored and loaded. No models, no files, no JavaScript: bytes come from the caller.

pub mod document;
pub mod sentence;
#[cfg(feature = "build")]
pub mod parse;
pub mod chunk;
pub mod lexical;
pub mod vector;
mod similarity;
pub mod fuse;
pub mod filters;
mod order;
mod chunk_store;
mod top;
mod index;
mod find;
pub mod shard;
mod snippet;
pub mod bundle;
pub mod error;

pub use chunk::Chunk;
pub use chunk_store::{ChunkIdx, DocumentEntry};
pub use document::{Document, Section};
pub use filters::Filters;
pub use find::{Hit, SearchOptions, SearchOutcome};
pub use fuse::Ranked;
pub use index::Index;
#[cfg(feature = "build")]
pub use index::IndexOptions;
pub use order::Sort;
pub use shard::{Family, Shard, ShardId};
pub use similarity::{Similarity, closeness};
pub use snippet::{marks, snippet};

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        digits.push(DIGITS[usize::from(byte >> 4)]);
        digits.push(DIGITS[usize::from(byte & 15)]);
    }
    digits
}

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! Turns the part of an index that every search needs into bytes and back: counts, lengths, and where the shards are.

use serde::{Deserialize, Serialize};

use super::table::{ShardTable, TableWire};
use super::{malformed, read_whole, sums, words};
use crate::chunk_store::ChunkStore;
use crate::error::BundleError;
use crate::index::Index;
use crate::lexical::collection::Collection;
use crate::lexical::spelling::Spelling;
use crate::lexical::{Languages, LexicalIndex};
use crate::order::Orders;
use crate::shard::Family;

pub(super) const ROLE: &str = "index";

/// The file fetched before any search. Number fields are consecutive varints.
#[derive(Serialize, Deserialize)]
struct ResidentFile<'b> {
    /// One byte per chunk: its quantised length in words.
    lengths: &'b [u8],
    /// Number of chunks in each document.
    document_chunks: &'b [u8],
    /// Documents with a weight other than 1.
    weights: Vec<(u32, f32)>,
    /// Primary subtags of the documents' language tags.
    #[serde(borrow)]
    languages: Vec<&'b str>,
    /// Stop words of languages other than English.
    stop_words: &'b [u8],
    /// The first word of each term shard.
    first_terms: &'b [u8],
    /// First letter and length of the first word in each spelling shard.
    spelling_keys: &'b [u8],
    /// Number of chunks in each text shard.
    text_chunks: &'b [u8],
    has_filters: bool,
    /// Names of the values that documents can be sorted by, in order.
    #[serde(borrow)]
    orders: Vec<&'b str>,
    /// The table of shards of each family, in order.
    #[serde(borrow)]
    tables: Vec<TableWire<'b>>,
}

/// Reads an index with no shards loaded.
pub(super) fn read(bytes: &[u8]) -> Result<Index, BundleError> {
    let bytes = super::deflate::inflate(ROLE, bytes)?;
    let file: ResidentFile<'_> = read_whole(ROLE, &bytes)?;
    let first_chunks = sums(ROLE, "chunks of documents", file.document_chunks)?;
    let collection = Collection::new(file.lengths.to_owned(), first_chunks, file.weights)
        .map_err(|wrong| super::contradiction(ROLE, wrong))?;
    let n_chunks = collection.n_chunks();
    let mut firsts = sums(ROLE, "chunks of shards", file.text_chunks)?;
    let end = firsts.pop().unwrap_or(0);
    if end as usize != n_chunks || !firsts.is_sorted_by(|a, b| a < b) {
        return Err(malformed(ROLE, "chunks of shards", n_chunks, end));
    }
    let first_terms = words(ROLE, "first words", file.first_terms)?;
    let spelling_keys = super::wire_spelling::read_keys(file.spelling_keys)?;
    let languages = Languages {
        names: file.languages.iter().map(|&name| name.to_owned()).collect(),
        stop_words: words(ROLE, "words without topic", file.stop_words)?,
    };
    let n_shards = Family::ALL.map(|family| match family {
        Family::Terms => first_terms.len(),
        Family::Spelling => spelling_keys.len(),
        Family::Texts => firsts.len(),
        Family::Filters => usize::from(file.has_filters),
        Family::Orders => file.orders.len(),
        // The vectors file has its own table.
        Family::Vectors => 0,
    });
    let shards = ShardTable::read(&file.tables, n_shards)?;
    Ok(Index {
        lexical: LexicalIndex::absent(
            collection,
            languages,
            Spelling::absent(spelling_keys),
            first_terms,
        ),
        texts: ChunkStore::absent(firsts),
        vectors: None,
        similarity: None,
        filters: None,
        orders: Orders::absent(file.orders.iter().map(|&name| name.to_owned()).collect()),
        shards,
    })
}

#[cfg(feature = "build")]
pub(super) mod write {
    use super::*;
    use crate::bundle::write::{front_coded, varints};
    use crate::lexical::dictionary::Dictionary;
    use crate::lexical::spelling::Key;

    /// The fields of the resident file that describe the shards.
    pub(in crate::bundle) struct Shards<'s> {
        pub(in crate::bundle) first_terms: &'s Dictionary,
        pub(in crate::bundle) spelling_keys: &'s [Key],
        pub(in crate::bundle) first_chunks: &'s [u32],
        pub(in crate::bundle) has_filters: bool,
        pub(in crate::bundle) orders: &'s [String],
        pub(in crate::bundle) tables: Vec<TableWire<'s>>,
    }

    pub(in crate::bundle) fn file(
        lexical: &LexicalIndex,
        shards: Shards<'_>,
    ) -> Result<Vec<u8>, BundleError> {
        let (lengths, first_chunks, weights) = lexical.collection.parts();
        let languages = &lexical.languages;
        let gaps = |bounds: &[u32]| varints(bounds.windows(2).map(|pair| pair[1] - pair[0]));
        let n_chunks = u32::try_from(lengths.len()).unwrap_or(u32::MAX);
        let text_bounds = [shards.first_chunks, &[n_chunks]].concat();
        let file = ResidentFile {
            lengths,
            document_chunks: &gaps(first_chunks),
            weights: weights.to_vec(),
            languages: languages.names.iter().map(String::as_str).collect(),
            stop_words: &front_coded(&languages.stop_words),
            first_terms: &front_coded(shards.first_terms),
            spelling_keys: &crate::bundle::wire_spelling::write::keys(shards.spelling_keys),
            text_chunks: &gaps(&text_bounds),
            has_filters: shards.has_filters,
            orders: shards.orders.iter().map(String::as_str).collect(),
            tables: shards.tables,
        };
        crate::bundle::write::to_bytes(ROLE, &file)
    }
}

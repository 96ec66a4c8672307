//! Looks up the text, heading and document of a chunk, if the shard that holds it is loaded.

use std::collections::{BTreeMap, BTreeSet};

use crate::chunk::Chunk;

/// Position of a chunk in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkIdx(pub u32);

/// A document's entry in the index, without its text, which is in the chunks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentEntry {
    /// The address that visitors open, without an anchor.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Metadata shown next to a hit, such as `image` or `date`, by name.
    pub meta: BTreeMap<String, String>,
}

/// The chunks of an index, in shards of consecutive chunks.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ChunkStore {
    /// Position of each shard's first chunk; the first is 0.
    firsts: Vec<u32>,
    shards: Vec<Option<TextShard>>,
}

/// Consecutive chunks, and their documents.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TextShard {
    /// The position of the first of `documents`.
    pub(crate) first_document: u32,
    pub(crate) documents: Vec<DocumentEntry>,
    pub(crate) chunks: Vec<Chunk>,
}

impl ChunkStore {
    /// Shards that are not loaded yet; `firsts` increases and starts at 0.
    pub(crate) fn absent(firsts: Vec<u32>) -> Self {
        let shards = firsts.iter().map(|_| None).collect();
        Self { firsts, shards }
    }

    /// A single shard with everything.
    #[cfg(feature = "build")]
    pub(crate) fn whole(shard: TextShard) -> Self {
        Self {
            firsts: vec![0],
            shards: vec![Some(shard)],
        }
    }

    #[cfg(feature = "build")]
    pub(crate) fn n_shards(&self) -> usize {
        self.firsts.len()
    }

    /// The positions of a shard's chunks, `n_chunks` in all.
    pub(crate) fn range(&self, shard: usize, n_chunks: u32) -> std::ops::Range<u32> {
        let first = self.firsts.get(shard).copied().unwrap_or(n_chunks);
        first..self.firsts.get(shard + 1).copied().unwrap_or(n_chunks)
    }

    pub(crate) fn insert(&mut self, idx: usize, shard: TextShard) {
        if let Some(place) = self.shards.get_mut(idx) {
            *place = Some(shard);
        }
    }

    pub(crate) fn is_loaded(&self, shard: usize) -> bool {
        self.shards.get(shard).is_some_and(Option::is_some)
    }

    /// The shard that holds a chunk, loaded or not.
    fn shard_of(&self, chunk: u32) -> usize {
        self.firsts
            .partition_point(|&first| first <= chunk)
            .saturating_sub(1)
    }

    /// The shards of `chunks` that are not loaded.
    pub(crate) fn missing(&self, chunks: impl Iterator<Item = u32>) -> BTreeSet<u32> {
        let mut missing = BTreeSet::new();
        for shard in chunks.map(|chunk| self.shard_of(chunk)) {
            if !self.is_loaded(shard) {
                missing.extend(u32::try_from(shard).ok());
            }
        }
        missing
    }

    fn place(&self, chunk: ChunkIdx) -> Option<(&TextShard, usize)> {
        let shard = self.shard_of(chunk.0);
        let first = *self.firsts.get(shard)?;
        let held = self.shards.get(shard)?.as_ref()?;
        Some((held, (chunk.0 - first) as usize))
    }

    pub(crate) fn chunk(&self, chunk: ChunkIdx) -> Option<&Chunk> {
        let (shard, idx) = self.place(chunk)?;
        shard.chunks.get(idx)
    }

    pub(crate) fn document(&self, chunk: ChunkIdx) -> Option<&DocumentEntry> {
        let (shard, idx) = self.place(chunk)?;
        let document = shard.chunks.get(idx)?.document;
        let idx = document.checked_sub(shard.first_document)? as usize;
        shard.documents.get(idx)
    }

    /// All loaded chunks, with their documents, in order.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        self.shards.iter().flatten().flat_map(|shard| &shard.chunks)
    }
}

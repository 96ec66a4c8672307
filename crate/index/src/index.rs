//! Turns a query into hits: both rankings, fused, with what each says.

use std::collections::HashMap;
use std::ops::Range;

use crate::chunk::Chunk;
use crate::fuse::{self, FusionOptions, Ranked};
use crate::lexical::{LexicalIndex, LexicalOptions, LexicalScores};
use crate::vector::VectorIndex;

/// Position of a chunk in [`Index::chunks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkIdx(pub u32);

/// What is kept of a document: its text is in the chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentEntry {
    /// The address readers open, without an anchor.
    pub url: String,
    /// Its title.
    pub title: String,
}

/// Everything that a search needs.
#[derive(Debug)]
pub struct Index {
    /// The documents, as [`Chunk::document`] counts them.
    pub documents: Vec<DocumentEntry>,
    /// All chunks, in the order of the documents and in reading order.
    pub chunks: Vec<Chunk>,
    /// Search by words.
    pub lexical: LexicalIndex,
    /// Search by meaning; `None` where no embedder was used.
    pub vectors: Option<VectorIndex>,
}

/// How an index is built.
#[cfg(feature = "build")]
#[derive(Debug, Clone, Default)]
pub struct IndexOptions {
    /// How embeddings are indexed.
    pub vectors: crate::vector::VectorOptions,
}

/// How hits are chosen.
#[derive(Debug, Clone)]
pub struct SearchOptions {
    /// The most hits to return. Default 10.
    pub limit: usize,
    /// How far down each ranking is read before they are fused. Default 100.
    pub depth: usize,
    /// The most hits from one document, so that one long page does not fill the list; `None` for no such limit. Default 3.
    pub per_document: Option<usize>,
    /// How words are weighed.
    pub lexical: LexicalOptions,
    /// How the two rankings are joined.
    pub fusion: FusionOptions,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self {
            limit: 10,
            depth: 100,
            per_document: Some(3),
            lexical: LexicalOptions::default(),
            fusion: FusionOptions::default(),
        }
    }
}

impl SearchOptions {
    /// For search while typing: the last word may be unfinished.
    pub fn while_typing(limit: usize) -> Self {
        Self {
            limit,
            lexical: LexicalOptions {
                prefix: true,
                ..LexicalOptions::default()
            },
            ..Self::default()
        }
    }
}

/// A chunk found for a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Which chunk.
    pub chunk: ChunkIdx,
    /// 1 for the first of every ranking, towards 0 for the last of one. Comparable within one query only.
    pub score: f32,
    /// Its place by words, with its BM25 score; `None` if it shares none, or is too far down.
    pub lexical: Option<Ranked>,
    /// Its place by embedding, with its cosine; `None` without embeddings, or if it is too far down.
    pub vector: Option<Ranked>,
    /// The share of the query, weighted by idf, whose words the chunk has: 1 all, 0 none.
    pub coverage: f32,
}

impl Index {
    /// Indexes chunks, and embeddings if there are any: one for each chunk, in order.
    ///
    /// # Errors
    /// [`BuildError::NoChunks`](crate::error::BuildError), or where chunks, documents and embeddings do not fit
    /// each other.
    #[cfg(feature = "build")]
    pub fn build(
        documents: &[crate::document::Document],
        chunks: Vec<Chunk>,
        embeddings: Option<Vec<Vec<f32>>>,
        options: &IndexOptions,
    ) -> Result<Self, crate::error::BuildError> {
        use crate::error::BuildError;
        if chunks.is_empty() {
            return Err(BuildError::NoChunks);
        }
        let titles: Vec<&str> = documents
            .iter()
            .map(|document| document.title.as_str())
            .collect();
        let lexical = LexicalIndex::build(&titles, &chunks)?;
        let vectors = match embeddings {
            Some(embeddings) if embeddings.len() != chunks.len() => {
                return Err(BuildError::EmbeddingCount {
                    expected: chunks.len(),
                    found: embeddings.len(),
                });
            }
            Some(embeddings) => Some(VectorIndex::build(&embeddings, options.vectors)?),
            None => None,
        };
        let documents = documents
            .iter()
            .map(|document| DocumentEntry {
                url: document.url.clone(),
                title: document.title.clone(),
            })
            .collect();
        Ok(Self {
            documents,
            chunks,
            lexical,
            vectors,
        })
    }

    /// The best chunks for a query, by its words and, where there is one, by its embedding.
    ///
    /// An embedding of another dimension than [`dimension`](Self::dimension) finds nothing: compare them once, when
    /// the embedder is loaded.
    pub fn search(
        &self,
        query: &str,
        embedding: Option<&[f32]>,
        options: &SearchOptions,
    ) -> Vec<Hit> {
        let depth = options.depth.max(options.limit);
        let lexical = self.lexical.search(query, depth, &options.lexical);
        let vector = self
            .vectors
            .as_ref()
            .zip(embedding)
            .map(|(vectors, embedding)| vectors.search(embedding, depth));
        self.fuse(&lexical, vector.as_deref(), options)
    }

    /// Joins a ranking by words with one by embeddings, `(chunk, cosine)` with the nearest first, wherever it is from.
    pub fn fuse(
        &self,
        lexical: &LexicalScores,
        vector: Option<&[(u32, f32)]>,
        options: &SearchOptions,
    ) -> Vec<Hit> {
        let mut n_of_document: HashMap<u32, usize> = HashMap::new();
        fuse::fuse(&lexical.ranked, vector, &options.fusion)
            .into_iter()
            .filter(|fused| {
                let Some(chunk) = self.chunks.get(fused.chunk as usize) else {
                    return false;
                };
                let n_hits = n_of_document.entry(chunk.document).or_insert(0);
                *n_hits += 1;
                options.per_document.is_none_or(|limit| *n_hits <= limit)
            })
            .take(options.limit)
            .map(|fused| Hit {
                chunk: ChunkIdx(fused.chunk),
                score: fused.score,
                lexical: fused.lexical,
                vector: fused.vector,
                coverage: lexical.coverage(fused.chunk),
            })
            .collect()
    }

    /// The chunk at a position; `None` past the end.
    pub fn chunk(&self, chunk: ChunkIdx) -> Option<&Chunk> {
        self.chunks.get(chunk.0 as usize)
    }

    /// The document of a chunk; `None` past the end.
    pub fn document(&self, chunk: ChunkIdx) -> Option<&DocumentEntry> {
        self.documents.get(self.chunk(chunk)?.document as usize)
    }

    /// The address that opens a chunk at its heading; empty past the end.
    pub fn url(&self, chunk: ChunkIdx) -> String {
        let Some((document, chunk)) = self.document(chunk).zip(self.chunk(chunk)) else {
            return String::new();
        };
        match &chunk.anchor {
            Some(anchor) => format!("{}#{anchor}", document.url),
            None => document.url.clone(),
        }
    }

    /// The chunks of the same section as `chunk`, itself included, in reading order.
    pub fn section(&self, chunk: ChunkIdx) -> Range<u32> {
        let Some(centre) = self.chunk(chunk) else {
            return 0..0;
        };
        let is_same = |other: &&Chunk| {
            (other.document, &other.anchor, &other.headings)
                == (centre.document, &centre.anchor, &centre.headings)
        };
        let idx = chunk.0 as usize;
        let count = |n: usize| u32::try_from(n).unwrap_or(0);
        let n_before = count(self.chunks[..idx].iter().rev().take_while(is_same).count());
        let n_after = count(self.chunks[idx..].iter().take_while(is_same).count());
        chunk.0 - n_before..chunk.0 + n_after
    }

    /// Length of the embeddings; `None` where there are none.
    pub fn dimension(&self) -> Option<usize> {
        self.vectors.as_ref().map(VectorIndex::dimension)
    }
}

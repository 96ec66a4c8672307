//! Turns documents and their chunks into everything that a search reads, whole or in shards that are loaded as needed.

#[cfg(feature = "build")]
use std::collections::BTreeMap;
use std::ops::Range;

use crate::bundle::ShardTable;
use crate::chunk::Chunk;
#[cfg(feature = "build")]
use crate::chunk_store::TextShard;
use crate::chunk_store::{ChunkIdx, ChunkStore, DocumentEntry};
use crate::filters::Filters;
use crate::lexical::LexicalIndex;
use crate::order::Orders;
use crate::shard::{Family, Shard, ShardId};
use crate::similarity::Similarity;
use crate::vector::VectorIndex;

/// Everything that a search needs, as far as it has been loaded.
///
/// An index that was built is whole. An index read from a bundle starts with the part that every search needs;
/// [`search_loaded`](Self::search_loaded) names the shards that a query needs beyond it, and
/// [`insert_shard`](Self::insert_shard) adds them.
#[derive(Debug)]
pub struct Index {
    /// Search by words.
    pub lexical: LexicalIndex,
    /// Search by meaning; `None` without an embedder, or until the vectors are read.
    pub vectors: Option<VectorIndex>,
    /// The cosines of unrelated texts; `None` for an embedder with the scale of the one that ships.
    pub similarity: Option<Similarity>,
    pub(crate) texts: ChunkStore,
    /// Filters of the documents; `None` if documents have none, or until their shard is inserted.
    pub(crate) filters: Option<Filters>,
    pub(crate) orders: Orders,
    /// Where to fetch the shards that are not loaded.
    pub(crate) shards: ShardTable,
}

/// How an index is built.
#[cfg(feature = "build")]
#[derive(Debug, Clone, Default)]
pub struct IndexOptions {
    /// How embeddings are indexed.
    pub vectors: crate::vector::VectorOptions,
    /// See [`Index::similarity`].
    pub similarity: Option<Similarity>,
}

/// The name under which a document's metadata has its language, on a site in several.
const LANGUAGE: &str = "lang";

/// A document's metadata without its title, which the entry already has.
#[cfg(feature = "build")]
fn shown(document: &crate::document::Document, names_language: bool) -> BTreeMap<String, String> {
    let language = document.language.as_ref().filter(|_| names_language);
    let language = language.map(|tag| (LANGUAGE.to_owned(), tag.clone()));
    let meta = document.meta.iter().filter(|(name, _)| *name != "title");
    let meta = meta.map(|(name, value)| (name.clone(), value.clone()));
    language.into_iter().chain(meta).collect()
}

impl Index {
    /// Indexes chunks and, if there are any, embeddings: one per chunk, in order.
    ///
    /// # Errors
    /// [`BuildError::NoChunks`](crate::error::BuildError), or another variant if chunks, documents and embeddings do
    /// not match.
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
        let lexical = LexicalIndex::build(documents, &chunks)?;
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
        let filters = Filters::build(documents);
        let orders = Orders::build(documents);
        let names_language = lexical.languages.names.len() > 1;
        let documents = documents
            .iter()
            .map(|document| DocumentEntry {
                url: document.url.clone(),
                title: document.title.clone(),
                meta: shown(document, names_language),
            })
            .collect();
        Ok(Self {
            lexical,
            vectors,
            similarity: options.similarity,
            texts: ChunkStore::whole(TextShard {
                first_document: 0,
                documents,
                chunks,
            }),
            filters,
            orders,
            shards: ShardTable::default(),
        })
    }

    /// The shards with the texts of `chunks` that are not loaded.
    pub fn needs_texts(&self, chunks: impl IntoIterator<Item = ChunkIdx>) -> Vec<Shard> {
        let shards = self.texts.missing(chunks.into_iter().map(|chunk| chunk.0));
        self.located(shards.into_iter().map(|number| (Family::Texts, number)))
    }

    /// The shard with the filters, if there are any and it is not loaded.
    pub fn needs_filter_values(&self) -> Vec<Shard> {
        let shard = self.needs_filters().then_some((Family::Filters, 0));
        self.located(shard)
    }

    pub(crate) fn needs_filters(&self) -> bool {
        self.filters.is_none() && self.shards.totals(Family::Filters).0 > 0
    }

    /// Where to fetch shards; a page that names several is fetched once.
    pub(crate) fn located(&self, shards: impl IntoIterator<Item = (Family, u32)>) -> Vec<Shard> {
        let mut located: Vec<Shard> = shards
            .into_iter()
            .filter_map(|(family, number)| self.shards.locate(family, number))
            .collect();
        located.dedup_by_key(|shard| shard.id);
        located
    }

    /// Every shard that is not loaded, to load the whole index. As with [`search_loaded`](Self::search_loaded), insert
    /// them and ask again.
    pub fn missing_shards(&self) -> Vec<Shard> {
        let (known, _) = self.shards.known();
        known
            .into_iter()
            .filter(|shard| !self.is_loaded(shard.id))
            .collect()
    }

    /// Every shard and table page whose name is known so far, loaded or not.
    pub fn shards(&self) -> Vec<Shard> {
        self.shards.known().0
    }

    fn is_loaded(&self, id: ShardId) -> bool {
        let number = id.number() as usize;
        if id.is_table() {
            return self.shards.has_page(id);
        }
        match id.family() {
            Family::Terms => self.lexical.is_loaded(number),
            Family::Spelling => self.lexical.spelling.is_loaded(number),
            Family::Texts => self.texts.is_loaded(number),
            Family::Filters => self.filters.is_some(),
            Family::Orders => self.orders.get(number).is_some(),
            Family::Vectors => {
                let vectors = self.vectors.as_ref();
                vectors.is_none_or(|vectors| vectors.is_loaded(number))
            }
        }
    }

    /// Number of shards that are not loaded, including those whose names are not known yet.
    #[cfg(feature = "build")]
    pub(crate) fn n_missing(&self) -> usize {
        let n_terms = (0..self.lexical.n_shards()).filter(|&shard| !self.lexical.is_loaded(shard));
        let n_texts = (0..self.texts.n_shards()).filter(|&shard| !self.texts.is_loaded(shard));
        let vectors = self.vectors.iter();
        let n_vectors = vectors
            .flat_map(|vectors| (0..vectors.n_shards()).filter(|&shard| !vectors.is_loaded(shard)));
        let orders = 0..self.orders.names().len();
        let n_orders = orders.filter(|&idx| self.orders.get(idx).is_none());
        n_terms.count()
            + n_texts.count()
            + n_vectors.count()
            + n_orders.count()
            + usize::from(self.needs_filters())
    }

    /// Number of indexed documents.
    pub fn n_documents(&self) -> usize {
        self.lexical.collection.n_documents()
    }

    /// Number of indexed chunks.
    pub fn n_chunks(&self) -> usize {
        self.lexical.n_chunks()
    }

    /// All loaded chunks, by document and then in reading order.
    pub fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        self.texts.chunks()
    }

    /// The filters of the documents; `None` if there are none, or their shard is not loaded.
    pub fn filters(&self) -> Option<&Filters> {
        self.filters.as_ref()
    }

    /// The names that [`SearchOptions::sort`](crate::SearchOptions::sort) may use.
    pub fn sort_keys(&self) -> &[String] {
        self.orders.names()
    }

    /// The chunk at a position; `None` past the end, or if its shard is not loaded.
    pub fn chunk(&self, chunk: ChunkIdx) -> Option<&Chunk> {
        self.texts.chunk(chunk)
    }

    /// The document of a chunk; `None` past the end, or if its shard is not loaded.
    pub fn document(&self, chunk: ChunkIdx) -> Option<&DocumentEntry> {
        self.texts.document(chunk)
    }

    /// The language tag of a chunk's document; `None` if it is not known, or its shard is not loaded.
    pub fn language(&self, chunk: ChunkIdx) -> Option<&str> {
        if let [only] = &self.lexical.languages.names[..] {
            return Some(only);
        }
        let meta = &self.document(chunk)?.meta;
        meta.get(LANGUAGE).map(String::as_str)
    }

    /// The address that opens a chunk at its heading; empty if the chunk is not loaded.
    pub fn url(&self, chunk: ChunkIdx) -> String {
        let Some((document, chunk)) = self.document(chunk).zip(self.chunk(chunk)) else {
            return String::new();
        };
        match &chunk.anchor {
            Some(anchor) => format!("{}#{anchor}", document.url),
            None => document.url.clone(),
        }
    }

    /// The loaded chunks of `chunk`'s section, `chunk` included, in reading order.
    pub fn section(&self, chunk: ChunkIdx) -> Range<u32> {
        let Some(centre) = self.chunk(chunk) else {
            return 0..0;
        };
        let is_same = |idx: &u32| {
            self.chunk(ChunkIdx(*idx)).is_some_and(|other| {
                (other.document, &other.anchor, &other.headings)
                    == (centre.document, &centre.anchor, &centre.headings)
            })
        };
        let document = self.lexical.collection.chunks(centre.document);
        let before = (document.start..chunk.0).rev().take_while(is_same).last();
        let after = (chunk.0..document.end).take_while(is_same).last();
        before.unwrap_or(chunk.0)..after.unwrap_or(chunk.0) + 1
    }

    /// The chunks of the page that `chunk` is on, in reading order; none if `chunk` is not loaded.
    pub fn page(&self, chunk: ChunkIdx) -> Range<u32> {
        match self.chunk(chunk) {
            Some(chunk) => self.lexical.collection.chunks(chunk.document),
            None => 0..0,
        }
    }

    /// The cosine of a query and a passage, on the scale of the embedder that ships: see [`Similarity::scaled`].
    pub fn similarity_of(&self, cosine: f32) -> f32 {
        match &self.similarity {
            Some(similarity) => similarity.scaled(cosine),
            None => cosine,
        }
    }

    /// Dimension of the embeddings; `None` if there are none.
    pub fn dimension(&self) -> Option<usize> {
        self.vectors.as_ref().map(VectorIndex::dimension)
    }
}

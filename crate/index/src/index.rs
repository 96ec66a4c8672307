//! Turns a query into hits: both rankings, fused, with what each says.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::bundle::ShardTable;
use crate::chunk::Chunk;
use crate::filters::Filters;
use crate::fuse::{self, FusionOptions, Ranked};
use crate::lexical::{self, LexicalIndex, LexicalOptions, LexicalScores};
use crate::shard::{Family, Shard, ShardId};
#[cfg(feature = "build")]
use crate::texts::TextShard;
use crate::texts::Texts;
use crate::vector::VectorIndex;

/// Position of a chunk among all of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkIdx(pub u32);

/// What is kept of a document: its text is in the chunks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentEntry {
    /// The address readers open, without an anchor.
    pub url: String,
    /// Its title.
    pub title: String,
}

/// Everything that a search needs, as far as it is here.
///
/// An index that was built is whole. One that was read from a bundle begins with what every search needs; the shards that a
/// query reads besides are named by [`find`](Self::find) and taken by [`supply`](Self::supply).
#[derive(Debug)]
pub struct Index {
    /// Search by words.
    pub lexical: LexicalIndex,
    /// Search by meaning; `None` where no embedder was used, or before the vectors were read.
    pub vectors: Option<VectorIndex>,
    pub(crate) texts: Texts,
    /// `None` where documents carry none, or before their shard was supplied.
    pub(crate) filters: Option<Filters>,
    /// Where the shards are that are not here.
    pub(crate) shards: ShardTable,
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
    /// How far down each ranking is read before they are fused. Default 300.
    pub depth: usize,
    /// The most hits from one document, so that one long page does not fill the list; `None` for no such limit. Default 3.
    pub per_document: Option<usize>,
    /// What hits must have: for each filter named here, one of the values. Empty by default.
    pub filters: BTreeMap<String, Vec<String>>,
    /// How words are weighed.
    pub lexical: LexicalOptions,
    /// How the two rankings are joined.
    pub fusion: FusionOptions,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self {
            limit: 10,
            depth: 300,
            per_document: Some(3),
            filters: BTreeMap::new(),
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
    /// 1 for the best by words whose meaning is that of the query, towards 0. Comparable within one query only.
    pub score: f32,
    /// Its place by words, with its BM25 score; `None` if it shares none, or is too far down.
    pub lexical: Option<Ranked>,
    /// Its place by embedding, with its cosine; `None` without embeddings, or if it is too far down.
    pub vector: Option<Ranked>,
    /// The share of the query, weighted by idf, whose words the chunk has: 1 all, 0 none.
    pub coverage: f32,
}

/// What a search found, and what it would read besides.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// The best chunks in what is here, best first.
    pub hits: Vec<Hit>,
    /// Shards that are not here; with none, the hits are those of the whole index. Search again when they were supplied: some
    /// only tell which others are missing.
    pub missing: Vec<Shard>,
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
        let documents = documents
            .iter()
            .map(|document| DocumentEntry {
                url: document.url.clone(),
                title: document.title.clone(),
            })
            .collect();
        Ok(Self {
            lexical,
            vectors,
            texts: Texts::whole(TextShard {
                first_document: 0,
                documents,
                chunks,
            }),
            filters,
            shards: ShardTable::default(),
        })
    }

    /// The shards that hold the texts of `chunks` and that are not here.
    pub fn needs_texts(&self, chunks: impl IntoIterator<Item = ChunkIdx>) -> Vec<Shard> {
        let shards = self.texts.missing(chunks.into_iter().map(|chunk| chunk.0));
        self.located(shards.into_iter().map(|number| (Family::Texts, number)))
    }

    /// The shard that holds the filters, where there are any that are not here.
    pub fn needs_filter_values(&self) -> Vec<Shard> {
        let shard = self.needs_filters().then_some((Family::Filters, 0));
        self.located(shard)
    }

    fn needs_filters(&self) -> bool {
        self.filters.is_none() && self.shards.totals(Family::Filters).0 > 0
    }

    /// Where to fetch shards; one page may name several, and is fetched once.
    fn located(&self, shards: impl IntoIterator<Item = (Family, u32)>) -> Vec<Shard> {
        let mut located: Vec<Shard> = shards
            .into_iter()
            .filter_map(|(family, number)| self.shards.locate(family, number))
            .collect();
        located.dedup_by_key(|shard| shard.id);
        located
    }

    /// Every shard that is not here, to take the whole index along. As with [`find`](Self::find), ask again.
    pub fn missing(&self) -> Vec<Shard> {
        let (known, _) = self.shards.known();
        known
            .into_iter()
            .filter(|shard| !self.is_here(shard.id))
            .collect()
    }

    /// Every shard and page of a table whose name is known by now, here or not.
    pub fn shards(&self) -> Vec<Shard> {
        self.shards.known().0
    }

    fn is_here(&self, id: ShardId) -> bool {
        let number = id.number() as usize;
        if id.is_table() {
            return self.shards.has_page(id);
        }
        match id.family() {
            Family::Terms => self.lexical.is_here(number),
            Family::Spelling => self.lexical.spelling.is_here(number),
            Family::Texts => self.texts.is_here(number),
            Family::Filters => self.filters.is_some(),
            Family::Vectors => {
                let vectors = self.vectors.as_ref();
                vectors.is_none_or(|vectors| vectors.is_here(number))
            }
        }
    }

    /// How many shards are not here, those included whose names are not known yet.
    #[cfg(feature = "build")]
    pub(crate) fn n_missing(&self) -> usize {
        let n_terms = (0..self.lexical.n_shards()).filter(|&shard| !self.lexical.is_here(shard));
        let n_texts = (0..self.texts.n_shards()).filter(|&shard| !self.texts.is_here(shard));
        let vectors = self.vectors.iter();
        let n_vectors = vectors
            .flat_map(|vectors| (0..vectors.n_shards()).filter(|&shard| !vectors.is_here(shard)));
        n_terms.count() + n_texts.count() + n_vectors.count() + usize::from(self.needs_filters())
    }

    /// The hits of [`find`](Self::find): all of an index that is whole.
    pub fn search(
        &self,
        query: &str,
        embedding: Option<&[f32]>,
        options: &SearchOptions,
    ) -> Vec<Hit> {
        self.find(query, embedding, options).hits
    }

    /// The best chunks for a query, by its words and, where there is one, by its embedding. Shards that are not here are passed
    /// over, and named; what is in those of vectors is estimated.
    ///
    /// What the query has between quotation marks, hits have in their text, heading or title. An embedding of another dimension
    /// than [`dimension`](Self::dimension) finds nothing: compare them once, when the embedder is loaded.
    pub fn find(
        &self,
        query: &str,
        embedding: Option<&[f32]>,
        options: &SearchOptions,
    ) -> Findings {
        let depth = options.depth.max(options.limit);
        let lexical = self.lexical.search(query, depth, &options.lexical);
        let vectors = self.vectors.as_ref().zip(embedding);
        // Who quotes asks for these words.
        let vectors = vectors.filter(|_| lexical.phrases.is_empty());
        let (near, far) = vectors
            .map(|(vectors, embedding)| vectors.find(embedding, depth))
            .unzip();
        let (hits, unread) = self.fused(&lexical, near.as_deref(), options);
        let filters = !options.filters.is_empty() && self.needs_filters();
        let far = far.unwrap_or_default().into_iter();
        let shards: Vec<(Family, u32)> = lexical
            .missing
            .into_iter()
            .chain(far.map(|number| (Family::Vectors, number)))
            .chain(filters.then_some((Family::Filters, 0)))
            .collect();
        let missing = match shards.is_empty() {
            // Whether a chunk has a phrase only its text tells, once all words are known.
            true => self.needs_texts(unread),
            false => self.located(shards),
        };
        Findings { hits, missing }
    }

    /// Joins a ranking by words with one by embeddings, `(chunk, cosine)` with the nearest first, wherever it is from.
    pub fn fuse(
        &self,
        lexical: &LexicalScores,
        vector: Option<&[(u32, f32)]>,
        options: &SearchOptions,
    ) -> Vec<Hit> {
        self.fused(lexical, vector, options).0
    }

    /// The hits, and chunks that may be some, or not: their texts are not here.
    fn fused(
        &self,
        lexical: &LexicalScores,
        vector: Option<&[(u32, f32)]>,
        options: &SearchOptions,
    ) -> (Vec<Hit>, Vec<ChunkIdx>) {
        let allowed = self.allowed(options);
        let mut n_of_document: HashMap<u32, usize> = HashMap::new();
        let (mut hits, mut unread) = (Vec::new(), Vec::new());
        for fused in fuse::fuse(&lexical.ranked, vector, &options.fusion) {
            if hits.len() + unread.len() >= options.limit {
                break;
            }
            let Some(document) = self.lexical.collection.document(fused.chunk) else {
                continue;
            };
            let is_allowed = allowed.as_ref().is_none_or(|allowed| {
                let allowed = allowed.get(document as usize);
                allowed.copied().unwrap_or(false)
            });
            if !is_allowed {
                continue;
            }
            let chunk = ChunkIdx(fused.chunk);
            match self.has_phrases(chunk, &lexical.phrases) {
                Some(true) => {}
                Some(false) => continue,
                None => {
                    unread.push(chunk);
                    continue;
                }
            }
            let n_hits = n_of_document.entry(document).or_insert(0);
            *n_hits += 1;
            if options.per_document.is_none_or(|limit| *n_hits <= limit) {
                hits.push(Hit {
                    chunk,
                    score: fused.score,
                    lexical: fused.lexical,
                    vector: fused.vector,
                    coverage: lexical.coverage(fused.chunk),
                });
            }
        }
        (hits, unread)
    }

    /// The documents that the filters let through; `None` where there are no filters to go by.
    fn allowed(&self, options: &SearchOptions) -> Option<Vec<bool>> {
        if options.filters.is_empty() {
            return None;
        }
        let none = Filters::default();
        let filters = self.filters.as_ref().unwrap_or(&none);
        Some(filters.allowed(&options.filters, self.n_documents()))
    }

    /// Whether a chunk has all phrases in its text, a heading or its title; `None` where there are phrases and it is not here.
    fn has_phrases(&self, chunk: ChunkIdx, phrases: &[Vec<String>]) -> Option<bool> {
        if phrases.is_empty() {
            return Some(true);
        }
        let (held, document) = self.chunk(chunk).zip(self.document(chunk))?;
        let fields = || {
            let headings = held.headings.iter().map(String::as_str);
            [held.text.as_str(), document.title.as_str()]
                .into_iter()
                .chain(headings)
        };
        let has = |phrase: &Vec<String>| fields().any(|field| lexical::contains(field, phrase));
        Some(phrases.iter().all(has))
    }

    /// How many documents are indexed.
    pub fn n_documents(&self) -> usize {
        self.lexical.collection.n_documents()
    }

    /// How many chunks are indexed.
    pub fn n_chunks(&self) -> usize {
        self.lexical.n_chunks()
    }

    /// All chunks whose shards are here, in the order of the documents and in reading order.
    pub fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        self.texts.chunks()
    }

    /// The filters of the documents; `None` where there are none, or their shard is not here.
    pub fn filters(&self) -> Option<&Filters> {
        self.filters.as_ref()
    }

    /// The chunk at a position; `None` past the end, and where its shard is not here.
    pub fn chunk(&self, chunk: ChunkIdx) -> Option<&Chunk> {
        self.texts.chunk(chunk)
    }

    /// The document of a chunk; `None` past the end, and where its shard is not here.
    pub fn document(&self, chunk: ChunkIdx) -> Option<&DocumentEntry> {
        self.texts.document(chunk)
    }

    /// The address that opens a chunk at its heading; empty where it is not here.
    pub fn url(&self, chunk: ChunkIdx) -> String {
        let Some((document, chunk)) = self.document(chunk).zip(self.chunk(chunk)) else {
            return String::new();
        };
        match &chunk.anchor {
            Some(anchor) => format!("{}#{anchor}", document.url),
            None => document.url.clone(),
        }
    }

    /// The chunks of the same section as `chunk`, itself included, in reading order, as far as they are here.
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

    /// Length of the embeddings; `None` where there are none.
    pub fn dimension(&self) -> Option<usize> {
        self.vectors.as_ref().map(VectorIndex::dimension)
    }
}

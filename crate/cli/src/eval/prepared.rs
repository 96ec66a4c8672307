//! Turns a test set into its index and all embeddings, and these into rankings and figures for each way of searching.

use std::collections::HashSet;
use std::io::Write;

use anchorite::index::bundle::{self, Bundle, Role};
use anchorite::index::chunk::{ChunkOptions, chunk_documents};
use anchorite::index::lexical::LexicalScores;
use anchorite::index::shard::Family;
use anchorite::index::vector::{VectorChoice, VectorOptions};
use anchorite::index::{ChunkIdx, Index, IndexOptions, SearchOptions};
use anchorite::model::embed::Side;
use anyhow::Context;
use sha2::{Digest, Sha256};

use super::beir::{Query, TestSet};
use super::embeddings::CachedEmbedder;
use super::metrics::{Figures, overlap, percentile};
use super::set_report::{Row, SetReport};
use super::{EmbedderArguments, IndexArgument, hash, now};
use crate::build::embedder::language::Languages;
use crate::build::embedder::{Chosen, Site};

/// Number of documents scored per query.
const N_DOCUMENTS: usize = 100;
/// Depth to which rankings of chunks are read; one document may have several chunks.
const DEPTH: usize = 300;

/// A set with its index and all embeddings.
pub(super) struct Prepared {
    pub(super) set: TestSet,
    pub(super) index: Index,
    /// Embeddings of the chunks, in single precision.
    embeddings: Vec<Vec<f32>>,
    /// Embeddings of the queries.
    pub(super) queries: Vec<Vec<f32>>,
    embed_ms: f64,
    embedder_bytes: usize,
    lexical_bytes: u64,
    vector_bytes: u64,
}

/// The source of a ranking by meaning.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Vectors {
    Exact32,
    Exact8,
    Index,
}

impl Prepared {
    /// Embeds and indexes a set as a build does a site.
    pub(super) fn new(
        set: TestSet,
        chosen: Chosen,
        embedder: &EmbedderArguments,
        index: IndexArgument,
    ) -> anyhow::Result<Self> {
        let chunks = chunk_documents(&set.documents, &ChunkOptions::default());
        let texts: Vec<String> = chunks
            .iter()
            .map(|chunk| chunk.embedding_text(&set.documents[chunk.document as usize].title))
            .collect();
        let embeddings = {
            let whole = CachedEmbedder {
                embedder: &chosen.load()?,
                hash: &hash(&chosen.file),
                dir: embedder.cache.as_deref(),
            };
            whole.embed(Side::Passage, &set.name, &texts)?
        };
        let languages = Languages::of(&set.documents, &chunks);
        let site = Site {
            chunks: &chunks,
            text: &|at| texts[at].clone(),
            embedding: &|at| embeddings.get(at).map(Vec::as_slice),
            languages: &languages,
        };
        let fitted = chosen.fitted(&site, embedder.whole_vocabulary)?;
        let cached = CachedEmbedder {
            embedder: &fitted.embedder,
            hash: &hash(&fitted.file),
            dir: embedder.cache.as_deref(),
        };
        let questions: Vec<String> = set.queries.iter().map(|query| query.text.clone()).collect();
        let queries = cached.embed(Side::Query, &format!("queries of {}", set.name), &questions)?;
        let mut embed_ms = Vec::new();
        for question in questions.iter().take(50) {
            let start = now();
            fitted.embedder.embed(Side::Query, &[question])?;
            embed_ms.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        let options = IndexOptions {
            vectors: VectorOptions {
                choice: match index {
                    IndexArgument::Auto => VectorChoice::Auto,
                    IndexArgument::Flat => VectorChoice::Flat,
                    IndexArgument::Graph => VectorChoice::Graph,
                    IndexArgument::Shards => VectorChoice::Shards,
                },
                ..VectorOptions::default()
            },
            similarity: fitted.similarity,
        };
        let index = Index::build(&set.documents, chunks, Some(embeddings.clone()), &options)?;
        let written = bundle::write(&index, &[], env!("CARGO_PKG_VERSION"))?;
        let vectors = written.manifest.file(Role::Vectors);
        Ok(Self {
            lexical_bytes: lexical_bytes(&written)?,
            vector_bytes: vectors.map_or(0, |file| file.bytes),
            embed_ms: percentile(&embed_ms, 0.5),
            embedder_bytes: fitted.file.bytes.len(),
            set,
            index,
            embeddings,
            queries,
        })
    }

    pub(super) fn words(&self, query: &Query) -> LexicalScores {
        let options = SearchOptions::default();
        self.index
            .lexical
            .search(&query.text, DEPTH, &options.lexical)
    }

    pub(super) fn nearest(&self, query: &[f32], vectors: Vectors) -> Vec<(u32, f32)> {
        let mut found = match (vectors, &self.index.vectors) {
            (Vectors::Exact32, _) => nearest(&self.embeddings, query),
            (Vectors::Exact8, Some(index)) => index.search_exact(query, DEPTH),
            (Vectors::Index, Some(index)) => index.search(query, DEPTH),
            (_, None) => Vec::new(),
        };
        for (_, cosine) in &mut found {
            *cosine = self.index.similarity_of(*cosine);
        }
        found
    }

    pub(super) fn report(&self) -> SetReport {
        let mut rows = vec![self.row("keyword", None)];
        for tier in ["meaning", "fused"] {
            for vectors in [Vectors::Exact32, Vectors::Exact8, Vectors::Index] {
                rows.push(self.row(tier, Some(vectors)));
            }
        }
        let recalls = self.queries.iter().map(|query| {
            let ids = |vectors| -> Vec<u32> {
                let nearest = self.nearest(query, vectors);
                nearest.iter().take(10).map(|&(chunk, _)| chunk).collect()
            };
            overlap(&ids(Vectors::Exact8), &ids(Vectors::Index))
        });
        let mode = |vectors: &anchorite::index::vector::VectorIndex| vectors.mode().to_string();
        SetReport {
            set: self.set.name.clone(),
            documents: self.set.documents.len(),
            chunks: self.index.n_chunks(),
            queries: self.set.queries.len(),
            index: self.index.vectors.as_ref().map(mode).unwrap_or_default(),
            index_recall_10: recalls.sum::<f64>() / self.queries.len() as f64,
            embed_ms: self.embed_ms,
            embedder_bytes: self.embedder_bytes,
            rows,
        }
    }

    fn row(&self, tier: &'static str, vectors: Option<Vectors>) -> Row {
        let mut times = Vec::new();
        let (mut all, mut test) = (Vec::new(), Vec::new());
        for (query, embedding) in self.set.queries.iter().zip(&self.queries) {
            let start = now();
            let chunks = self.search(tier, query, embedding, vectors);
            times.push(start.elapsed().as_secs_f64() * 1000.0);
            let figures = Figures::of(&self.documents(&chunks), &query.judgements);
            all.extend(figures);
            test.extend(figures.filter(|_| is_test(&query.id)));
        }
        let vector_bytes = match vectors {
            None => 0,
            Some(Vectors::Exact32) => self.embeddings.iter().map(|one| one.len() as u64 * 4).sum(),
            // Comparing all vectors reads no links of a graph.
            Some(Vectors::Exact8) => self.embeddings.iter().map(|one| one.len() as u64 + 4).sum(),
            Some(Vectors::Index) => self.vector_bytes,
        };
        let lexical_bytes = if tier == "meaning" {
            0
        } else {
            self.lexical_bytes
        };
        Row {
            tier,
            vectors: match vectors {
                None => "",
                Some(Vectors::Exact32) => "f32, all",
                Some(Vectors::Exact8) => "int8, all",
                Some(Vectors::Index) => "int8, index",
            },
            figures: Figures::mean(all),
            ndcg_10_test: Figures::mean(test).ndcg_10,
            bytes: lexical_bytes + vector_bytes,
            ms_p50: percentile(&times, 0.5),
            ms_p95: percentile(&times, 0.95),
        }
    }

    fn search(
        &self,
        tier: &str,
        query: &Query,
        embedding: &[f32],
        vectors: Option<Vectors>,
    ) -> Vec<u32> {
        let Some(vectors) = vectors else {
            return ids(&self.words(query).ranked);
        };
        let nearest = self.nearest(embedding, vectors);
        if tier == "meaning" {
            return ids(&nearest);
        }
        let options = SearchOptions {
            limit: usize::MAX,
            per_document: None,
            ..SearchOptions::default()
        };
        let hits = self
            .index
            .fuse(&self.words(query), Some(&nearest), &options);
        hits.into_iter().map(|hit| hit.chunk.0).collect()
    }

    /// The documents of chunks, each at its best rank.
    pub(super) fn documents(&self, chunks: &[u32]) -> Vec<&str> {
        let mut seen = HashSet::new();
        let documents = chunks
            .iter()
            .filter_map(|&chunk| Some(self.index.document(ChunkIdx(chunk))?.url.as_str()));
        documents
            .filter(|document| seen.insert(*document))
            .take(N_DOCUMENTS)
            .collect()
    }

    pub(super) fn write_rankings(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let document = |&(chunk, score): &(u32, f32)| {
            (
                self.index.document(ChunkIdx(chunk)).map(|one| &one.url),
                chunk,
                score,
            )
        };
        for (query, embedding) in self.set.queries.iter().zip(&self.queries) {
            let words = self.words(query);
            let nearest = self.nearest(embedding, Vectors::Exact8);
            let relevant: Vec<(&str, u32)> = query
                .judgements
                .iter()
                .map(|(document, &grade)| (document.as_str(), grade))
                .collect();
            let line = serde_json::json!({
                "set": self.set.name,
                "query": query.id,
                "text": query.text,
                "test": is_test(&query.id),
                "relevant": relevant,
                "words": words.ranked.iter().map(document).collect::<Vec<_>>(),
                "coverage": words.ranked.iter().map(|(chunk, _)| words.coverage(*chunk)).collect::<Vec<_>>(),
                "nearest": nearest.iter().map(document).collect::<Vec<_>>(),
            });
            writeln!(out, "{line}").context("could not write the rankings")?;
        }
        Ok(())
    }
}

/// Bytes of all that a lexical search may read: the resident file and the term shards.
fn lexical_bytes(bundle: &Bundle) -> anyhow::Result<u64> {
    let file = |path: &str| bundle.files.iter().find(|(other, _)| other == path);
    let resident = bundle.manifest.file(Role::Index);
    let Some((entry, (_, bytes))) =
        resident.and_then(|entry| Some((entry, file(&entry.parts.first()?.path)?)))
    else {
        return Ok(0);
    };
    let mut index = bundle::read_index(&bundle.manifest, bytes)?;
    // Pages of the table name more shards, until all are known.
    loop {
        let pages = index
            .missing_shards()
            .into_iter()
            .filter(|shard| shard.id.is_table());
        let pages: Vec<_> = pages.collect();
        if pages.is_empty() {
            break;
        }
        for page in pages {
            if let Some((path, bytes)) = file(&page.path) {
                index
                    .insert_shard(page.id, bytes)
                    .with_context(|| path.clone())?;
            }
        }
    }
    let shards = index.shards();
    let terms = shards
        .iter()
        .filter(|shard| shard.id.family() == Family::Terms);
    Ok(entry.bytes + terms.map(|shard| u64::from(shard.bytes)).sum::<u64>())
}

/// True if a query belongs to the held-out half: decided by the hash of its id, so that it never changes.
pub(super) fn is_test(id: &str) -> bool {
    Sha256::digest(id).first().is_some_and(|byte| byte & 1 == 1)
}

fn ids(ranking: &[(u32, f32)]) -> Vec<u32> {
    ranking.iter().map(|&(chunk, _)| chunk).collect()
}

/// The nearest of `embeddings`, by comparing all in single precision.
fn nearest(embeddings: &[Vec<f32>], query: &[f32]) -> Vec<(u32, f32)> {
    let dot = |one: &Vec<f32>| one.iter().zip(query).map(|(a, b)| a * b).sum::<f32>();
    let mut all: Vec<(u32, f32)> = (0..).zip(embeddings.iter().map(dot)).collect();
    let nearer = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if DEPTH < all.len() {
        all.select_nth_unstable_by(DEPTH, nearer);
        all.truncate(DEPTH);
    }
    all.sort_unstable_by(nearer);
    all
}

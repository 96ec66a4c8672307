//! Turns embeddings into 8-bit vectors, and a query's embedding into the nearest chunks.
//!
//! | size | vectors | why |
//! |------|---------|-----|
//! | small | every vector is compared ([`int8_vectors`]) | a scan takes less than a millisecond |
//! | middle | the cheaper of a scan and a graph ([`graph`]) | the build measures how many vectors the graph compares |
//! | large | codes of two bits and shards of neighbours ([`clusters`]) | a page fetches the few shards that settle which are nearest |
//!
//! Which one an index uses, and why, is [`VectorIndex::mode`].

mod clusters;
mod graph;
mod int8_vectors;

pub(crate) use graph::LAYOUT as GRAPH_LAYOUT;
pub(crate) use int8_vectors::Int8Vectors;

use clusters::Clusters;
use graph::Graph;
use int8_vectors::Query;

use crate::error::Contradiction;

/// Up to this many vectors, all are compared: in a browser, 8,192 of 384 components take half a millisecond.
pub const GRAPH_FROM: usize = 8192;
/// From this many on, vectors are cut into shards: whole, they would be 19 MB. Below, exact search is worth its bytes.
pub const SHARDS_FROM: usize = 50_000;
/// One comparison in a graph walk costs as much as this many in a scan, which reads memory in order
/// (`docs/decisions/graph-or-scan.md`).
const GRAPH_STEP: usize = 8;
/// A graph adds two fifths to the download, so it must be this many times as fast as a scan.
#[cfg(feature = "build")]
const GRAPH_GAIN: usize = 2;
/// Longer embeddings are refused.
pub const MAX_DIMENSION: usize = 8192;

/// How vectors should be searched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum VectorChoice {
    /// Decided by the number of vectors, and by how many a graph would compare.
    #[default]
    Auto,
    /// Compare every vector.
    Flat,
    /// Walk a graph.
    Graph,
    /// Cut them into shards of neighbours, and keep a code of each.
    Shards,
}

/// How vectors are indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VectorOptions {
    /// How they should be searched.
    pub choice: VectorChoice,
    /// Decides which vectors become the graph's upper layers. The same seed gives the same bytes.
    pub seed: u64,
}

impl Default for VectorOptions {
    fn default() -> Self {
        Self {
            choice: VectorChoice::Auto,
            seed: 1,
        }
    }
}

/// How an index finds neighbours, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VectorMode {
    /// Every vector is compared: exact.
    Flat {
        /// Number of vectors.
        n_vectors: usize,
        /// How many of them a graph would compare, if the build measured it.
        graph_compares: Option<usize>,
    },
    /// A graph is walked: approximate.
    Graph {
        /// Number of vectors.
        n_vectors: usize,
        /// How many of them a search compares, if the build measured it.
        graph_compares: Option<usize>,
    },
    /// Codes are compared, then the shards that the codes leave in doubt: approximate.
    Shards {
        /// Number of vectors.
        n_vectors: usize,
        /// Number of shards.
        n_shards: usize,
        /// Maximum number of shards that a search reads.
        n_probes: usize,
    },
}

impl std::fmt::Display for VectorMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Flat {
                n_vectors,
                graph_compares: Some(n_compared),
            } => write!(
                f,
                "flat scan of {n_vectors} vectors: a graph would compare {n_compared}, each at the cost of {GRAPH_STEP}"
            ),
            Self::Flat { n_vectors, .. } => {
                write!(f, "flat scan of {n_vectors} vectors")?;
                if n_vectors <= GRAPH_FROM {
                    write!(f, ": a graph is not tried up to {GRAPH_FROM}")?;
                }
                Ok(())
            }
            Self::Graph {
                n_vectors,
                graph_compares,
            } => {
                write!(f, "instant-distance graph over {n_vectors} vectors")?;
                if let Some(n_compared) = graph_compares {
                    write!(
                        f,
                        ": it compares {n_compared}, each at the cost of {GRAPH_STEP}"
                    )?;
                }
                Ok(())
            }
            Self::Shards {
                n_vectors,
                n_shards,
                n_probes,
            } => write!(
                f,
                "{n_vectors} vectors in {n_shards} shards, of which a search reads up to {n_probes}"
            ),
        }
    }
}

/// Embeddings of all chunks, searchable.
pub struct VectorIndex {
    dimension: usize,
    vectors: Store,
    /// How many vectors a graph compares, if the build measured it.
    graph_compares: Option<usize>,
}

enum Store {
    Flat(Int8Vectors),
    Graph(Graph),
    Shards(Box<Clusters>),
}

/// How vectors are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Flat,
    Graph,
    /// The resident part; the shards are stored separately.
    Shards,
}

impl std::fmt::Debug for VectorIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VectorIndex")
            .field("dimension", &self.dimension)
            .field("mode", &self.mode())
            .finish()
    }
}

impl VectorIndex {
    /// Indexes one embedding per chunk, in order.
    ///
    /// # Errors
    /// [`BuildError::EmbeddingDimension`](crate::error::BuildError) if they differ in length, are empty or are too
    /// long; `EmbeddingNotFinite` if a component is not a finite number; `Thread` if the system starts no thread.
    #[cfg(feature = "build")]
    pub fn build(
        embeddings: &[Vec<f32>],
        options: VectorOptions,
    ) -> Result<Self, crate::error::BuildError> {
        let rows = rounded(embeddings)?;
        let dimension = rows.dimension();
        let n_vectors = rows.len();
        let mut graph_compares = None;
        let vectors = match options.choice {
            VectorChoice::Flat => Store::Flat(rows),
            VectorChoice::Graph => Store::Graph(Graph::build(&rows, options.seed)?),
            VectorChoice::Shards => Store::Shards(Box::new(Clusters::build(&rows))),
            VectorChoice::Auto if n_vectors <= GRAPH_FROM => Store::Flat(rows),
            VectorChoice::Auto if n_vectors >= SHARDS_FROM => {
                Store::Shards(Box::new(Clusters::build(&rows)))
            }
            VectorChoice::Auto => {
                let graph = Graph::build(&rows, options.seed)?;
                let n_compared = graph.n_compared(&rows);
                graph_compares = Some(n_compared);
                if n_compared * GRAPH_STEP * GRAPH_GAIN < n_vectors {
                    Store::Graph(graph)
                } else {
                    Store::Flat(rows)
                }
            }
        };
        Ok(Self {
            dimension,
            vectors,
            graph_compares,
        })
    }

    /// How this index finds neighbours, and why.
    pub fn mode(&self) -> VectorMode {
        let (n_vectors, graph_compares) = (self.len(), self.graph_compares);
        match &self.vectors {
            Store::Flat(_) => VectorMode::Flat {
                n_vectors,
                graph_compares,
            },
            Store::Graph(_) => VectorMode::Graph {
                n_vectors,
                graph_compares,
            },
            Store::Shards(clusters) => VectorMode::Shards {
                n_vectors,
                n_shards: clusters.n_shards(),
                n_probes: clusters::N_PROBES.min(clusters.n_shards()),
            },
        }
    }

    /// Length of every embedding; a query's embedding must have the same.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Number of indexed chunks.
    pub fn len(&self) -> usize {
        match &self.vectors {
            Store::Flat(rows) => rows.len(),
            Store::Graph(graph) => graph.len(),
            Store::Shards(clusters) => clusters.n_vectors(),
        }
    }

    /// True if there is nothing to find.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The chunks nearest to `embedding` with their cosines, best first, ties in reading order; at most `depth`, and
    /// from a graph at most 128. If vectors are cut into shards, a near chunk has its exact cosine if this search reads
    /// its shard and the shard is loaded, and otherwise an estimate that is off by about 0.01.
    ///
    /// An embedding of another dimension, or without direction, has no neighbours.
    pub fn search(&self, embedding: &[f32], depth: usize) -> Vec<(u32, f32)> {
        self.find(embedding, depth).0
    }

    /// Like [`search`](Self::search), with the shards that it reads but that are not loaded; none if vectors are whole.
    pub(crate) fn find(&self, embedding: &[f32], depth: usize) -> (Vec<(u32, f32)>, Vec<u32>) {
        let Some(query) = self.query(embedding) else {
            return Default::default();
        };
        let (near, missing) = match &self.vectors {
            Store::Flat(rows) => ((0..).zip(rows.similarities(&query)).collect(), Vec::new()),
            Store::Graph(graph) => (graph.search(embedding, &query), Vec::new()),
            Store::Shards(clusters) => clusters.search(&query),
        };
        (best(near, depth), missing)
    }

    /// Like [`search`](Self::search), but compares every loaded vector even if there is a faster way.
    pub fn search_exact(&self, embedding: &[f32], depth: usize) -> Vec<(u32, f32)> {
        let Some(query) = self.query(embedding) else {
            return Vec::new();
        };
        let all = match &self.vectors {
            Store::Flat(rows) => (0..).zip(rows.similarities(&query)).collect(),
            Store::Graph(graph) => graph.scan(&query),
            Store::Shards(clusters) => clusters.scan(&query),
        };
        best(all, depth)
    }

    fn query(&self, embedding: &[f32]) -> Option<Query> {
        (embedding.len() == self.dimension).then(|| Query::new(embedding))?
    }

    /// Number of shards; 0 if vectors are whole.
    pub(crate) fn n_shards(&self) -> usize {
        match &self.vectors {
            Store::Shards(clusters) => clusters.n_shards(),
            _ => 0,
        }
    }

    pub(crate) fn is_loaded(&self, shard: usize) -> bool {
        match &self.vectors {
            Store::Shards(clusters) => clusters.is_loaded(shard),
            _ => true,
        }
    }

    /// All loaded shards, in order.
    #[cfg(feature = "build")]
    pub(crate) fn shards(&self) -> Vec<&Int8Vectors> {
        match &self.vectors {
            Store::Shards(clusters) => clusters.shards().flatten().collect(),
            _ => Vec::new(),
        }
    }

    /// Reads one shard's bytes, and checks everything that a search relies on.
    pub(crate) fn read_shard(
        &self,
        shard: usize,
        bytes: &[u8],
    ) -> Result<Int8Vectors, Contradiction> {
        match &self.vectors {
            Store::Shards(clusters) => clusters.read_shard(shard, bytes),
            _ => Err(Contradiction {
                place: "vectors",
                expected: "shards".to_owned(),
                found: "whole".to_owned(),
            }),
        }
    }

    pub(crate) fn insert(&mut self, shard: usize, rows: Int8Vectors) {
        if let Store::Shards(clusters) = &mut self.vectors {
            clusters.insert(shard, rows);
        }
    }

    /// The vectors as stored, opaque to all but [`from_bytes`](Self::from_bytes); for shards, only the resident part.
    /// Fails only if memory runs out.
    #[cfg(feature = "build")]
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, postcard::Error> {
        match &self.vectors {
            Store::Flat(rows) => {
                let mut bytes = Vec::new();
                rows.push_bytes(&mut bytes);
                Ok(bytes)
            }
            Store::Graph(graph) => graph.to_bytes(),
            Store::Shards(clusters) => Ok(clusters.to_bytes()),
        }
    }

    #[cfg(feature = "build")]
    pub(crate) fn layout(&self) -> Layout {
        match &self.vectors {
            Store::Flat(_) => Layout::Flat,
            Store::Graph(_) => Layout::Graph,
            Store::Shards(_) => Layout::Shards,
        }
    }

    /// Reads the output of `to_bytes`, and checks everything that a search relies on.
    pub(crate) fn from_bytes(
        bytes: &[u8],
        layout: Layout,
        dimension: usize,
        n_chunks: usize,
    ) -> Result<Self, Contradiction> {
        if dimension == 0 || dimension > MAX_DIMENSION {
            return Err(Contradiction {
                place: "dimension",
                expected: format!("1 to {MAX_DIMENSION}"),
                found: dimension.to_string(),
            });
        }
        let vectors = match layout {
            Layout::Flat => Store::Flat(Int8Vectors::from_bytes(bytes, dimension, n_chunks)?),
            Layout::Graph => Store::Graph(Graph::from_bytes(bytes, dimension, n_chunks)?),
            Layout::Shards => {
                Store::Shards(Box::new(Clusters::from_bytes(bytes, dimension, n_chunks)?))
            }
        };
        Ok(Self {
            dimension,
            vectors,
            graph_compares: None,
        })
    }
}

/// The rows of embeddings of one dimension.
#[cfg(feature = "build")]
fn rounded(embeddings: &[Vec<f32>]) -> Result<Int8Vectors, crate::error::BuildError> {
    use crate::error::BuildError;
    let dimension = embeddings.first().map_or(0, Vec::len);
    let mut rows = Int8Vectors::new(dimension);
    for (chunk, embedding) in embeddings.iter().enumerate() {
        let found = embedding.len();
        if found != dimension || found == 0 || found > MAX_DIMENSION {
            let expected = dimension.clamp(1, MAX_DIMENSION);
            return Err(BuildError::EmbeddingDimension {
                chunk,
                expected,
                found,
            });
        }
        if let Some(component) = embedding.iter().position(|x| !x.is_finite()) {
            return Err(BuildError::EmbeddingNotFinite { chunk, component });
        }
        rows.push(embedding);
    }
    Ok(rows)
}

fn best(mut similarities: Vec<(u32, f32)>, depth: usize) -> Vec<(u32, f32)> {
    let by_similarity = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if depth < similarities.len() {
        similarities.select_nth_unstable_by(depth, by_similarity);
        similarities.truncate(depth);
    }
    similarities.sort_unstable_by(by_similarity);
    similarities
}

#[cfg(test)]
mod tests;

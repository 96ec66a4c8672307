//! Turns embeddings into 8-bit vectors, and a query's embedding into the nearest chunks.
//!
//! The only file that names instant-distance. Its graph (HNSW; Malkov and Yashunin, 2018) pays from some thousands of
//! vectors on; below that every vector is compared. Which one an index uses, and why, is [`VectorIndex::mode`].
//!
//! The library does not check the links of a graph that it loads, and a wrong one would panic in a search. So the stored
//! bytes are walked first, by the library's private layout, which [`GRAPH_LAYOUT`] names: a new version of the library
//! means a new name here and a look at [`check_graph`].

use instant_distance::{HnswMap, Search};
use serde::{Deserialize, Serialize};

use crate::error::Contradiction;

/// From so many chunks on a graph is built: comparing 4,000 vectors of 384 bytes takes about a millisecond.
pub const GRAPH_THRESHOLD: usize = 4000;
/// Longer embeddings are refused.
pub const MAX_DIMENSION: usize = 8192;
/// The layout of a stored graph.
pub(crate) const GRAPH_LAYOUT: &str = "instant-distance 0.6.1 postcard";
/// How many candidates the graph keeps while it searches, at most also the number of neighbours that it returns.
const EF_SEARCH: usize = 128;
/// The same while it is built.
#[cfg(feature = "build")]
const EF_CONSTRUCTION: usize = 100;
/// Links of a vertex: `M` of the paper is fixed in instant-distance, twice as many on the lowest layer.
const M: usize = 32;
const NO_LINK: u32 = u32::MAX;

/// Whether to use a graph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GraphChoice {
    /// From [`GRAPH_THRESHOLD`] chunks on.
    #[default]
    Auto,
    /// Never: compare all vectors.
    Flat,
    /// Always.
    Graph,
}

/// How vectors are indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VectorOptions {
    /// Whether to use a graph.
    pub graph: GraphChoice,
    /// Decides which vectors become the graph's upper layers. The same seed gives the same bytes.
    pub seed: u64,
}

impl Default for VectorOptions {
    fn default() -> Self {
        Self {
            graph: GraphChoice::Auto,
            seed: 1,
        }
    }
}

/// How an index finds neighbours, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VectorMode {
    /// Every vector is compared: exact.
    Flat {
        /// Number of vectors, below which a graph does not pay (or a graph was refused by option).
        n_vectors: usize,
    },
    /// A graph is walked: approximate.
    Graph {
        /// Number of vectors.
        n_vectors: usize,
    },
}

impl std::fmt::Display for VectorMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Flat { n_vectors } if n_vectors < GRAPH_THRESHOLD => {
                write!(
                    f,
                    "flat scan: {n_vectors} vectors are fewer than {GRAPH_THRESHOLD}, where a graph pays"
                )
            }
            Self::Flat { n_vectors } => write!(f, "flat scan of {n_vectors} vectors, by option"),
            Self::Graph { n_vectors } if n_vectors < GRAPH_THRESHOLD => {
                write!(
                    f,
                    "instant-distance graph over {n_vectors} vectors, by option"
                )
            }
            Self::Graph { n_vectors } => {
                write!(
                    f,
                    "instant-distance graph: {n_vectors} vectors are at least {GRAPH_THRESHOLD}"
                )
            }
        }
    }
}

/// A unit vector in 8 bits per component: `component = value * scale`, with `scale = largest magnitude / 127`.
#[derive(Debug, Clone, PartialEq)]
struct Vector {
    scale: f32,
    values: Box<[i8]>,
}

impl Vector {
    /// Rounds `embedding`, made unit length first; a vector of zeros stays one.
    fn quantise(embedding: &[f32]) -> Self {
        let norm = embedding.iter().map(|x| x * x).sum::<f32>().sqrt();
        let largest = embedding
            .iter()
            .fold(0.0_f32, |largest, x| largest.max(x.abs()));
        if !(norm > 0.0 && norm.is_finite()) {
            return Self {
                scale: 0.0,
                values: vec![0; embedding.len()].into(),
            };
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the quotient is within -127 and 127"
        )]
        let values = embedding
            .iter()
            .map(|x| (x / largest * 127.0).round() as i8)
            .collect();
        Self {
            scale: largest / norm / 127.0,
            values,
        }
    }

    /// Cosine of the angle to `query`, which has unit length.
    fn similarity(&self, query: &[f32]) -> f32 {
        let mut lanes = [0.0_f32; 8];
        let (values, queries) = (self.values.chunks_exact(8), query.chunks_exact(8));
        let rest = values.remainder().iter().zip(queries.remainder());
        let tail: f32 = rest.map(|(&value, x)| f32::from(value) * x).sum();
        for (values, xs) in values.zip(queries) {
            for lane in 0..8 {
                lanes[lane] += f32::from(values[lane]) * xs[lane];
            }
        }
        (lanes.iter().sum::<f32>() + tail) * self.scale
    }
}

impl instant_distance::Point for Vector {
    /// 1 - cosine, in whole numbers up to the last step. Both lengths are equal in one index.
    fn distance(&self, other: &Self) -> f32 {
        let products = self
            .values
            .iter()
            .zip(&other.values)
            .map(|(&a, &b)| i32::from(a) * i32::from(b));
        1.0 - products.sum::<i32>() as f32 * self.scale * other.scale
    }
}

impl Serialize for Vector {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = self.scale.to_le_bytes().to_vec();
        bytes.extend(self.values.iter().map(|value| value.to_le_bytes()[0]));
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de> Deserialize<'de> for Vector {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <&[u8]>::deserialize(deserializer)?;
        let (scale, values) = bytes
            .split_first_chunk::<4>()
            .ok_or_else(|| serde::de::Error::invalid_length(bytes.len(), &"a scale"))?;
        let values = values
            .iter()
            .map(|&byte| i8::from_le_bytes([byte]))
            .collect();
        Ok(Self {
            scale: f32::from_le_bytes(*scale),
            values,
        })
    }
}

/// Embeddings of all chunks, searchable.
pub struct VectorIndex {
    dimension: usize,
    vectors: Store,
}

enum Store {
    Flat(Vec<Vector>),
    Graph(Box<HnswMap<Vector, u32>>),
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
    /// [`BuildError::EmbeddingDimension`](crate::error::BuildError) if they differ in length, or have none, or too
    /// large a one; `EmbeddingNotFinite` where a component is no number; `Thread` if the system starts no thread.
    #[cfg(feature = "build")]
    pub fn build(
        embeddings: &[Vec<f32>],
        options: VectorOptions,
    ) -> Result<Self, crate::error::BuildError> {
        use crate::error::BuildError;
        let dimension = embeddings.first().map_or(0, Vec::len);
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
        }
        let vectors: Vec<Vector> = embeddings
            .iter()
            .map(|embedding| Vector::quantise(embedding))
            .collect();
        let use_graph = match options.graph {
            GraphChoice::Auto => vectors.len() >= GRAPH_THRESHOLD,
            GraphChoice::Flat => false,
            GraphChoice::Graph => true,
        };
        let vectors = if use_graph {
            Store::Graph(Box::new(build_graph(vectors, options.seed)?))
        } else {
            Store::Flat(vectors)
        };
        Ok(Self { dimension, vectors })
    }

    /// How this index finds neighbours, and why.
    pub fn mode(&self) -> VectorMode {
        match &self.vectors {
            Store::Flat(vectors) => VectorMode::Flat {
                n_vectors: vectors.len(),
            },
            Store::Graph(graph) => VectorMode::Graph {
                n_vectors: graph.values.len(),
            },
        }
    }

    /// Length of every embedding; a query's must be the same.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// How many chunks are indexed.
    pub fn len(&self) -> usize {
        match &self.vectors {
            Store::Flat(vectors) => vectors.len(),
            Store::Graph(graph) => graph.values.len(),
        }
    }

    /// Whether there is nothing to find.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The chunks nearest to `embedding` with the cosine of each, best first, ties in reading order; at most `depth`,
    /// and from a graph at most 128.
    ///
    /// An embedding of another dimension, or without direction, has no neighbours.
    pub fn search(&self, embedding: &[f32], depth: usize) -> Vec<(u32, f32)> {
        let Some(query) = self.unit(embedding) else {
            return Vec::new();
        };
        match &self.vectors {
            Store::Flat(_) => self.scan(&query, depth),
            Store::Graph(graph) => {
                let mut search = Search::default();
                let nearest = graph.search(&Vector::quantise(&query), &mut search);
                // Compared again with the query as it was before it was rounded.
                best(
                    nearest
                        .map(|hit| (*hit.value, hit.point.similarity(&query)))
                        .collect(),
                    depth,
                )
            }
        }
    }

    /// As [`search`](Self::search), but compares every vector even where there is a graph.
    pub fn search_exact(&self, embedding: &[f32], depth: usize) -> Vec<(u32, f32)> {
        self.unit(embedding)
            .map_or_else(Vec::new, |query| self.scan(&query, depth))
    }

    fn unit(&self, embedding: &[f32]) -> Option<Vec<f32>> {
        let norm = embedding.iter().map(|x| x * x).sum::<f32>().sqrt();
        let has_direction = norm > 0.0 && norm.is_finite();
        (embedding.len() == self.dimension && has_direction)
            .then(|| embedding.iter().map(|x| x / norm).collect())
    }

    fn scan(&self, query: &[f32], depth: usize) -> Vec<(u32, f32)> {
        let similarities = match &self.vectors {
            Store::Flat(vectors) => (0..)
                .zip(vectors)
                .map(|(chunk, vector)| (chunk, vector.similarity(query)))
                .collect(),
            Store::Graph(graph) => {
                let chunks = graph.values.iter();
                chunks
                    .zip(graph.iter())
                    .map(|(&chunk, (_, vector))| (chunk, vector.similarity(query)))
                    .collect()
            }
        };
        best(similarities, depth)
    }

    /// The vectors as stored, opaque to all but [`from_bytes`](Self::from_bytes). Fails only for want of memory.
    #[cfg(feature = "build")]
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, postcard::Error> {
        match &self.vectors {
            Store::Flat(vectors) => postcard::to_allocvec(vectors),
            Store::Graph(graph) => postcard::to_allocvec(graph.as_ref()),
        }
    }

    #[cfg(feature = "build")]
    pub(crate) fn is_graph(&self) -> bool {
        matches!(self.vectors, Store::Graph(_))
    }

    /// Reads what `to_bytes` wrote, and checks all that a search will follow.
    pub(crate) fn from_bytes(
        bytes: &[u8],
        is_graph: bool,
        dimension: usize,
        n_chunks: usize,
    ) -> Result<Self, Contradiction> {
        let unreadable = |place: &'static str| {
            move |error: postcard::Error| Contradiction {
                place,
                expected: "its whole layout".to_owned(),
                found: error.to_string(),
            }
        };
        if dimension == 0 || dimension > MAX_DIMENSION {
            return Err(Contradiction {
                place: "dimension",
                expected: format!("1 to {MAX_DIMENSION}"),
                found: dimension.to_string(),
            });
        }
        let vectors = if is_graph {
            check_graph(bytes, dimension, n_chunks)?;
            Store::Graph(Box::new(
                postcard::from_bytes(bytes).map_err(unreadable("graph"))?,
            ))
        } else {
            let (vectors, rest) =
                postcard::take_from_bytes::<Vec<Vector>>(bytes).map_err(unreadable("vectors"))?;
            expect("bytes after the vectors", 0, rest.len())?;
            expect("number of vectors", n_chunks, vectors.len())?;
            for vector in &vectors {
                expect("length of a vector", dimension, vector.values.len())?;
                check_scale(vector.scale)?;
            }
            Store::Flat(vectors)
        };
        Ok(Self { dimension, vectors })
    }
}

/// Builds on one thread, for with more the order of insertion, and with it the graph, would change from run to run.
#[cfg(feature = "build")]
fn build_graph(
    vectors: Vec<Vector>,
    seed: u64,
) -> Result<HnswMap<Vector, u32>, crate::error::BuildError> {
    use crate::error::BuildError;
    let n_vectors = u32::try_from(vectors.len())
        .ok()
        .filter(|&n| n < NO_LINK)
        .ok_or(BuildError::TooMany {
            what: "chunks",
            expected: u64::from(NO_LINK),
            found: vectors.len() as u64,
        })?;
    let values: Vec<u32> = (0..n_vectors).collect();
    let builder = instant_distance::Builder::default()
        .ef_construction(EF_CONSTRUCTION)
        .ef_search(EF_SEARCH)
        .seed(seed);
    #[cfg(not(target_arch = "wasm32"))]
    {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .map_err(|error| BuildError::Thread {
                reason: error.to_string(),
            })?;
        Ok(pool.install(|| builder.build(vectors, values)))
    }
    // In a browser rayon has one thread anyway.
    #[cfg(target_arch = "wasm32")]
    Ok(builder.build(vectors, values))
}

/// Walks a stored graph: `ef_search`, the points, 64 links for each, then for each upper layer 32 links for each of
/// its vertices, the lowest such layer first; then the chunk of each point. A link leads to a vertex of its own layer or nowhere,
/// and every layer holds at least the vertices of the one above, for a search descends from one to the next.
fn check_graph(bytes: &[u8], dimension: usize, n_chunks: usize) -> Result<(), Contradiction> {
    let mut walk = GraphWalk { rest: bytes };
    expect("search width of the graph", EF_SEARCH, walk.number()?)?;
    expect("number of points", n_chunks, walk.number()?)?;
    for _ in 0..n_chunks {
        expect("length of a point", dimension + 4, walk.number()?)?;
        let scale = walk
            .take(dimension + 4)?
            .first_chunk::<4>()
            .copied()
            .unwrap_or_default();
        check_scale(f32::from_le_bytes(scale))?;
    }
    expect("number of vertices", n_chunks, walk.number()?)?;
    walk.links(n_chunks, 2 * M)?;
    let n_layers = walk.number()?;
    let mut n_below = n_chunks;
    for _ in 0..n_layers {
        let n_vertices = walk.number()?;
        if n_vertices == 0 || n_vertices > n_below {
            return Err(Contradiction {
                place: "number of vertices in a layer",
                expected: format!("1 to {n_below}"),
                found: n_vertices.to_string(),
            });
        }
        walk.links(n_vertices, M)?;
        n_below = n_vertices;
    }
    expect("number of chunks of points", n_chunks, walk.number()?)?;
    let mut seen = vec![false; n_chunks];
    for _ in 0..n_chunks {
        let chunk = walk.number()?;
        match seen.get_mut(chunk) {
            Some(seen) if !*seen => *seen = true,
            _ => {
                return Err(Contradiction {
                    place: "chunk of a point",
                    expected: format!("each below {n_chunks} once"),
                    found: chunk.to_string(),
                });
            }
        }
    }
    expect("bytes after the graph", 0, walk.rest.len())
}

struct GraphWalk<'b> {
    rest: &'b [u8],
}

impl<'b> GraphWalk<'b> {
    fn number(&mut self) -> Result<usize, Contradiction> {
        let (number, rest) =
            postcard::take_from_bytes::<u32>(self.rest).map_err(|error| Contradiction {
                place: "graph",
                expected: "a number".to_owned(),
                found: error.to_string(),
            })?;
        self.rest = rest;
        Ok(number as usize)
    }

    fn take(&mut self, len: usize) -> Result<&'b [u8], Contradiction> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| Contradiction {
                place: "graph",
                expected: format!("{len} more bytes"),
                found: self.rest.len().to_string(),
            })?;
        self.rest = rest;
        Ok(taken)
    }

    fn links(&mut self, n_vertices: usize, n_links: usize) -> Result<(), Contradiction> {
        for _ in 0..n_vertices {
            for _ in 0..n_links {
                let link = self.number()?;
                if link >= n_vertices && link != NO_LINK as usize {
                    return Err(Contradiction {
                        place: "link of a vertex",
                        expected: format!("less than {n_vertices}"),
                        found: link.to_string(),
                    });
                }
            }
        }
        Ok(())
    }
}

fn check_scale(scale: f32) -> Result<(), Contradiction> {
    if scale.is_finite() && (0.0..=1.0).contains(&scale) {
        return Ok(());
    }
    Err(Contradiction {
        place: "scale of a vector",
        expected: "0 to 1".to_owned(),
        found: scale.to_string(),
    })
}

fn expect(place: &'static str, expected: usize, found: usize) -> Result<(), Contradiction> {
    if expected == found {
        return Ok(());
    }
    Err(Contradiction {
        place,
        expected: expected.to_string(),
        found: found.to_string(),
    })
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

//! Turns vectors into a graph that is walked towards a query's neighbours: HNSW (Malkov and Yashunin, 2018).
//!
//! The only file that names instant-distance. The library does not check the links of a graph that it loads, and a
//! wrong one would panic in a search. So the stored bytes are walked first, following the library's private layout,
//! which [`LAYOUT`] names: a new version of the library needs a new name here and a review of [`check`].

use instant_distance::{HnswMap, Search};
use serde::{Deserialize, Serialize};

use super::int8_vectors::{Int8Vectors, Query, check_scale, similarity};
use crate::error::Contradiction;

/// The layout of a stored graph.
pub(crate) const LAYOUT: &str = "instant-distance 0.6.1 postcard";
/// Number of candidates that a search keeps, which is also the maximum number of neighbours that it returns.
const EF_SEARCH: usize = 128;
/// The same during the build.
#[cfg(feature = "build")]
const EF_CONSTRUCTION: usize = 100;
/// Links per vertex: the paper's `M`, fixed in instant-distance; the lowest layer has twice as many.
const M: usize = 32;
const NO_LINK: u32 = u32::MAX;

#[cfg(feature = "build")]
thread_local! {
    /// Distances computed on this thread, to choose between a graph and a scan.
    static N_DISTANCES: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// One row, as a point of the library.
#[derive(Debug, Clone, PartialEq)]
struct Vector {
    scale: f32,
    values: Box<[i8]>,
}

impl instant_distance::Point for Vector {
    /// 1 - cosine, in integers until the last step. Both lengths are equal in one index.
    fn distance(&self, other: &Self) -> f32 {
        #[cfg(feature = "build")]
        N_DISTANCES.with(|n_distances| n_distances.set(n_distances.get() + 1));
        let products = self.values.iter().zip(&other.values);
        let dot = products.fold(0_i32, |sum, (&a, &b)| {
            sum.wrapping_add(i32::from(a).wrapping_mul(i32::from(b)))
        });
        1.0 - dot as f32 * self.scale * other.scale
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

fn vector(rows: &Int8Vectors, row: usize) -> Vector {
    Vector {
        scale: rows.scale(row),
        values: rows.row(row).into(),
    }
}

/// All vectors with the links between them.
pub(super) struct Graph(Box<HnswMap<Vector, u32>>);

impl Graph {
    /// Builds on one thread: with more, the order of insertion, and so the graph, would change from run to run.
    #[cfg(feature = "build")]
    pub(super) fn build(rows: &Int8Vectors, seed: u64) -> Result<Self, crate::error::BuildError> {
        use crate::error::BuildError;
        let n_vectors = u32::try_from(rows.len())
            .ok()
            .filter(|&n| n < NO_LINK)
            .ok_or(BuildError::TooMany {
                what: "chunks",
                expected: u64::from(NO_LINK),
                found: rows.len() as u64,
            })?;
        let vectors: Vec<Vector> = (0..rows.len()).map(|row| vector(rows, row)).collect();
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
            Ok(Self(Box::new(
                pool.install(|| builder.build(vectors, values)),
            )))
        }
        // In a browser rayon has one thread anyway.
        #[cfg(target_arch = "wasm32")]
        Ok(Self(Box::new(builder.build(vectors, values))))
    }

    /// Mean number of vectors that a search compares, with some of the vectors themselves as queries.
    #[cfg(feature = "build")]
    pub(super) fn n_compared(&self, rows: &Int8Vectors) -> usize {
        const N_QUERIES: usize = 50;
        let count = || N_DISTANCES.with(std::cell::Cell::get);
        let before = count();
        let step = rows.len().div_ceil(N_QUERIES).max(1);
        let mut search = Search::default();
        let mut n_queries = 0;
        for row in (0..rows.len()).step_by(step) {
            self.0
                .search(&vector(rows, row), &mut search)
                .for_each(drop);
            n_queries += 1;
        }
        usize::try_from(count() - before).unwrap_or(usize::MAX) / n_queries.max(1)
    }

    pub(super) fn len(&self) -> usize {
        self.0.values.len()
    }

    /// Chunks near `query`, at most 128, with the cosine of each, in any order.
    pub(super) fn search(&self, unit: &[f32], query: &Query) -> Vec<(u32, f32)> {
        let mut rounded = Int8Vectors::new(unit.len());
        rounded.push(unit);
        let mut search = Search::default();
        let nearest = self.0.search(&vector(&rounded, 0), &mut search);
        // Compared again with the query before its rounding to 8 bits.
        let cosine = |point: &Vector| similarity(&point.values, point.scale, query);
        nearest.map(|hit| (*hit.value, cosine(hit.point))).collect()
    }

    /// All chunks with the cosine of each.
    pub(super) fn scan(&self, query: &Query) -> Vec<(u32, f32)> {
        let points = self.0.iter().map(|(_, point)| point);
        let cosines = points.map(|point| similarity(&point.values, point.scale, query));
        self.0.values.iter().copied().zip(cosines).collect()
    }

    #[cfg(feature = "build")]
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_allocvec(self.0.as_ref())
    }

    /// Reads the output of `to_bytes`, and checks everything that a search relies on.
    pub(super) fn from_bytes(
        bytes: &[u8],
        dimension: usize,
        n_chunks: usize,
    ) -> Result<Self, Contradiction> {
        check(bytes, dimension, n_chunks)?;
        let graph = postcard::from_bytes(bytes).map_err(|error| Contradiction {
            place: "graph",
            expected: "its whole layout".to_owned(),
            found: error.to_string(),
        })?;
        Ok(Self(Box::new(graph)))
    }
}

/// Walks a stored graph: `ef_search`, the points, 64 links for each, then for each upper layer 32 links for each of its
/// vertices, the lowest such layer first; then the chunk of each point. A link leads to a vertex of its own layer or
/// nowhere, and every layer holds at least the vertices of the one above, because a search descends from one to the next.
fn check(bytes: &[u8], dimension: usize, n_chunks: usize) -> Result<(), Contradiction> {
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

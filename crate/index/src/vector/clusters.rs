//! Turns vectors into shards of neighbours, and a query into the few shards that are near it.
//!
//! What stays resident is one vector for each shard: the mean of its members (an inverted file; Jégou, Douze and Schmid,
//! 2011). A search compares the query with all means, then with the members of the nearest shards, as far as they are here.

use super::rows::{Query, Rows};
use crate::error::Contradiction;

/// No shard holds more vectors.
pub(crate) const MAX_MEMBERS: usize = 108;
/// The most shards that a search reads: one request less than a page may make, for the words.
pub(crate) const N_PROBES: usize = 7;
/// The most vectors that a search reads: 0.2 MiB of 384 components.
const MAX_READ: usize = 534;

/// The vectors of one shard.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cluster {
    /// The chunk of each row, ascending.
    pub(crate) chunks: Vec<u32>,
    pub(crate) rows: Rows,
}

/// All shards, those that are not here as `None`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clusters {
    n_vectors: usize,
    /// The mean of each shard.
    means: Rows,
    /// How many vectors each shard holds.
    sizes: Vec<u32>,
    shards: Vec<Option<Cluster>>,
}

impl Clusters {
    pub(super) fn dimension(&self) -> usize {
        self.means.dimension()
    }

    pub(super) fn n_vectors(&self) -> usize {
        self.n_vectors
    }

    pub(super) fn n_shards(&self) -> usize {
        self.shards.len()
    }

    pub(super) fn is_here(&self, shard: usize) -> bool {
        self.shards.get(shard).is_some_and(Option::is_some)
    }

    #[cfg(feature = "build")]
    pub(super) fn shards(&self) -> impl Iterator<Item = Option<&Cluster>> {
        self.shards.iter().map(Option::as_ref)
    }

    /// The shards that a search reads, nearest first.
    pub(super) fn route(&self, query: &Query) -> Vec<u32> {
        let similarities = (0..).zip(self.means.similarities(query)).collect();
        let nearest = super::best(similarities, N_PROBES).into_iter();
        let mut n_read = 0;
        let within = |shard: &u32| {
            n_read += self.sizes[*shard as usize] as usize;
            n_read <= MAX_READ
        };
        nearest.map(|(shard, _)| shard).take_while(within).collect()
    }

    /// The members of the nearest shards that are here, with the cosine of each, in any order.
    pub(super) fn search(&self, query: &Query) -> Vec<(u32, f32)> {
        let near = self.route(query).into_iter();
        scan(
            near.filter_map(|shard| self.shards[shard as usize].as_ref()),
            query,
        )
    }

    /// The same for all shards that are here.
    pub(super) fn scan(&self, query: &Query) -> Vec<(u32, f32)> {
        scan(self.shards.iter().flatten(), query)
    }

    /// What stays resident: the number of shards, the size of each, the means.
    #[cfg(feature = "build")]
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let numbers = [self.shards.len()].into_iter();
        let sizes = self.sizes.iter().map(|&size| size as usize);
        for number in numbers.chain(sizes) {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            bytes.extend(number.to_le_bytes());
        }
        self.means.push_bytes(&mut bytes);
        bytes
    }

    /// Reads what `to_bytes` wrote; all shards are still to come.
    pub(super) fn from_bytes(
        bytes: &[u8],
        dimension: usize,
        n_vectors: usize,
    ) -> Result<Self, Contradiction> {
        let wrong = |place, expected: String, found: usize| Contradiction {
            place,
            expected,
            found: found.to_string(),
        };
        let (n_shards, rest) = bytes
            .split_first_chunk::<4>()
            .map(|(number, rest)| (u32::from_le_bytes(*number) as usize, rest))
            .ok_or_else(|| {
                wrong(
                    "number of vector shards",
                    "four bytes".to_owned(),
                    bytes.len(),
                )
            })?;
        // Every shard has a member.
        let sizes = n_shards
            .checked_mul(4)
            .filter(|_| n_shards <= n_vectors)
            .and_then(|n_bytes| rest.split_at_checked(n_bytes));
        let Some((sizes, rest)) = sizes else {
            let expected = format!("at most {n_vectors}, with their sizes");
            return Err(wrong("number of vector shards", expected, n_shards));
        };
        let sizes: Vec<u32> = sizes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&size| u32::from_le_bytes(size))
            .collect();
        let in_bounds = |&size: &u32| (1..=MAX_MEMBERS).contains(&(size as usize));
        if let Some(&size) = sizes.iter().find(|size| !in_bounds(size)) {
            let expected = format!("1 to {MAX_MEMBERS}");
            return Err(wrong("size of a vector shard", expected, size as usize));
        }
        let sum: usize = sizes.iter().map(|&size| size as usize).sum();
        if sum != n_vectors {
            let expected = n_vectors.to_string();
            return Err(wrong("vectors in all shards", expected, sum));
        }
        Ok(Self {
            n_vectors,
            means: Rows::from_bytes(rest, dimension, n_shards)?,
            sizes,
            shards: vec![None; n_shards],
        })
    }

    /// Reads one shard: the chunk of each member, then the members.
    pub(super) fn read_shard(&self, shard: usize, bytes: &[u8]) -> Result<Cluster, Contradiction> {
        let size = self.sizes.get(shard).map_or(0, |&size| size as usize);
        let Some((chunks, rest)) = bytes.split_at_checked(size * 4) else {
            return Err(Contradiction {
                place: "chunks of a vector shard",
                expected: size.to_string(),
                found: (bytes.len() / 4).to_string(),
            });
        };
        let chunks: Vec<u32> = chunks
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&chunk| u32::from_le_bytes(chunk))
            .collect();
        let ascend = chunks.windows(2).all(|pair| pair[0] < pair[1]);
        let last = chunks.last().map_or(0, |&chunk| chunk as usize);
        if !ascend || last >= self.n_vectors {
            return Err(Contradiction {
                place: "chunks of a vector shard",
                expected: format!("ascending, below {}", self.n_vectors),
                found: last.to_string(),
            });
        }
        Ok(Cluster {
            chunks,
            rows: Rows::from_bytes(rest, self.dimension(), size)?,
        })
    }

    pub(super) fn insert(&mut self, shard: usize, cluster: Cluster) {
        if let Some(place) = self.shards.get_mut(shard) {
            *place = Some(cluster);
        }
    }
}

#[cfg(feature = "build")]
impl Cluster {
    /// What [`Clusters::read_shard`] reads.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let chunks = self.chunks.iter().flat_map(|chunk| chunk.to_le_bytes());
        let mut bytes: Vec<u8> = chunks.collect();
        self.rows.push_bytes(&mut bytes);
        bytes
    }
}

fn scan<'c>(clusters: impl Iterator<Item = &'c Cluster>, query: &Query) -> Vec<(u32, f32)> {
    let members = |cluster: &'c Cluster| {
        let chunks = cluster.chunks.iter().copied();
        chunks
            .zip(cluster.rows.similarities(query))
            .collect::<Vec<_>>()
    };
    clusters.flat_map(members).collect()
}

#[cfg(feature = "build")]
mod build {
    //! Turns vectors into shards: spherical k-means (Dhillon and Modha, 2001), then shards that are too large are
    //! halved and those that are too small dissolved.

    use super::{Cluster, Clusters, MAX_MEMBERS};
    use crate::vector::rows::Rows;

    /// Of the members that a shard may have, so many per cent are aimed at: what is left is room for those dissolved.
    const FILL_PERCENT: usize = 60;
    /// Smaller shards are not worth a request.
    const MIN_MEMBERS: usize = MAX_MEMBERS / 4;
    /// After so many rounds few vectors still change their shard.
    const N_ROUNDS: usize = 8;
    const N_HALVING_ROUNDS: usize = 4;

    impl Clusters {
        /// Divides `rows`. The same rows give the same shards, with any number of threads: each vector chooses by
        /// itself, and sums run in reading order.
        pub(in crate::vector) fn build(rows: &Rows) -> Self {
            let n_aimed = rows.len().div_ceil(MAX_MEMBERS * FILL_PERCENT / 100).max(1);
            let all: Vec<u32> = (0..).take(rows.len()).collect();
            let groups = k_means(rows, &all, n_aimed, N_ROUNDS);
            let mut groups = groups
                .into_iter()
                .flat_map(|group| halve(rows, group))
                .collect();
            dissolve_small(rows, &mut groups);
            // Shards in the order of their first members: pages that stand together come together.
            groups.sort_unstable();
            let mut means = Rows::new(rows.dimension());
            let mut shards = Vec::with_capacity(groups.len());
            let mut sizes = Vec::with_capacity(groups.len());
            for chunks in groups {
                means.push(&mean(rows, &chunks));
                let mut members = Rows::new(rows.dimension());
                for &chunk in &chunks {
                    members.push_row(rows, chunk as usize);
                }
                sizes.push(u32::try_from(chunks.len()).unwrap_or(u32::MAX));
                shards.push(Some(Cluster {
                    chunks,
                    rows: members,
                }));
            }
            Self {
                n_vectors: rows.len(),
                means,
                sizes,
                shards,
            }
        }
    }

    /// Groups of members, none empty, each ascending.
    fn k_means(rows: &Rows, members: &[u32], n_groups: usize, n_rounds: usize) -> Vec<Vec<u32>> {
        let n_groups = n_groups.min(members.len());
        let mut means = Rows::new(rows.dimension());
        for group in 0..n_groups {
            // Evenly over the pages, for what stands together is alike.
            let member = members[group * members.len() / n_groups];
            means.push_row(rows, member as usize);
        }
        let mut groups = Vec::new();
        for _ in 0..n_rounds {
            groups = vec![Vec::new(); means.len()];
            for (&member, nearest) in members.iter().zip(nearest(rows, members, &means)) {
                groups[nearest].push(member);
            }
            groups.retain(|group: &Vec<u32>| !group.is_empty());
            means = Rows::new(rows.dimension());
            for group in &groups {
                means.push(&mean(rows, group));
            }
        }
        groups
    }

    /// Which mean is nearest to each member; the first of equals.
    fn nearest(rows: &Rows, members: &[u32], means: &Rows) -> Vec<usize> {
        let nearest = |&member: &u32| {
            let query = rows.query(member as usize);
            let mut best = (0, f32::NEG_INFINITY);
            for (idx, similarity) in means.similarities(&query).enumerate() {
                if similarity > best.1 {
                    best = (idx, similarity);
                }
            }
            best.0
        };
        #[cfg(not(target_arch = "wasm32"))]
        {
            use rayon::prelude::*;
            members.par_iter().map(nearest).collect()
        }
        #[cfg(target_arch = "wasm32")]
        members.iter().map(nearest).collect()
    }

    fn mean(rows: &Rows, members: &[u32]) -> Vec<f32> {
        let mut sum = vec![0.0; rows.dimension()];
        for &member in members {
            let scale = rows.scale(member as usize);
            for (sum, &value) in sum.iter_mut().zip(rows.row(member as usize)) {
                *sum += f32::from(value) * scale;
            }
        }
        sum
    }

    /// Parts of a group that are small enough.
    fn halve(rows: &Rows, group: Vec<u32>) -> Vec<Vec<u32>> {
        if group.len() <= MAX_MEMBERS {
            return vec![group];
        }
        let n_parts = group.len().div_ceil(MAX_MEMBERS * FILL_PERCENT / 100);
        let mut parts = k_means(rows, &group, n_parts, N_HALVING_ROUNDS);
        if parts.len() < 2 {
            // All alike: then it does not matter where.
            parts = group.chunks(MAX_MEMBERS).map(<[u32]>::to_vec).collect();
        }
        parts
            .into_iter()
            .flat_map(|part| halve(rows, part))
            .collect()
    }

    /// Gives the members of small groups to the nearest groups that have room.
    fn dissolve_small(rows: &Rows, groups: &mut Vec<Vec<u32>>) {
        let (mut kept, small): (Vec<_>, Vec<_>) = std::mem::take(groups)
            .into_iter()
            .partition(|group: &Vec<u32>| group.len() >= MIN_MEMBERS);
        let mut means = Rows::new(rows.dimension());
        for group in &kept {
            means.push(&mean(rows, group));
        }
        for group in small {
            let mut homeless = Vec::new();
            for &member in &group {
                let query = rows.query(member as usize);
                let near = (0..).zip(means.similarities(&query)).collect();
                let near: Vec<(u32, f32)> = crate::vector::best(near, 8);
                let with_room = near
                    .iter()
                    .find(|(idx, _)| kept[*idx as usize].len() < MAX_MEMBERS);
                match with_room {
                    Some(&(idx, _)) => kept[idx as usize].push(member),
                    None => homeless.push(member),
                }
            }
            if !homeless.is_empty() {
                means.push(&mean(rows, &homeless));
                kept.push(homeless);
            }
        }
        kept.iter_mut().for_each(|group| group.sort_unstable());
        *groups = kept;
    }
}

//! Turns vectors into shards of neighbours, and a query into estimates of all near vectors and the few shards that
//! settle which are nearest.
//!
//! The resident part of a shard is the mean of its members (an inverted file; Jégou, Douze and Schmid, 2011), and for
//! each member a code of about two bits per component ([`codes`]). A search takes three steps:
//!
//! 1. the means tell which shards are near at all; the codes of their members give each an estimated cosine;
//! 2. the estimates tell which members may be on either side of rank ten, and so which shards to read;
//! 3. members of the loaded ones of these shards get their exact cosine; all others keep the estimate.
//!
//! The shards to read depend on the query alone, never on which are loaded, so a question always has the same answer.

#[cfg(feature = "build")]
mod axes;
#[cfg(feature = "build")]
mod build;
mod codes;
#[cfg(feature = "build")]
mod each;
#[cfg(feature = "build")]
mod principal;
mod wire;

use super::int8_vectors::{Int8Vectors, Query};
use codes::Codes;

/// Maximum vectors in one shard.
pub(crate) const MAX_MEMBERS: usize = 108;
/// Maximum shards that a search reads: one less than the requests that a page may make, which leaves one for the words.
pub(crate) const N_PROBES: usize = 7;
/// Maximum vectors that a search reads: 0.2 MiB at 384 components.
const MAX_READ: usize = 540;
/// Members are estimated only in the nearest shards, one in this many: the others are too far.
const SCANNED_SHARE: usize = 3;
/// Up to this many shards are scanned regardless of that share.
const MIN_SCANNED: usize = 512;
/// Number of nearest chunks to find exactly: as many hits as a page shows.
const N_NEAREST: usize = 10;
/// Number of best estimates considered as candidates for the nearest.
const N_CANDIDATES: usize = 300;
/// A shard is not read if its members leave less doubt than this in total.
const MIN_DOUBT: f32 = 0.02;

/// All shards; `None` for those that are not loaded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clusters {
    /// The direction of each shard's mean.
    means: Int8Vectors,
    /// The length of each shard's mean; its members are unit length.
    lengths: Vec<f32>,
    /// Offset of each shard's first member among all members, and the end of the last shard.
    starts: Vec<u32>,
    /// The chunk of each member, ascending in each shard.
    chunks: Vec<u32>,
    /// Codes of the residual of each member from its shard's mean.
    codes: Codes,
    shards: Vec<Option<Int8Vectors>>,
}

/// A member's estimated cosine, before its shard is read.
#[derive(Debug, Clone, Copy)]
struct Estimate {
    shard: u32,
    member: u32,
    cosine: f32,
}

impl Clusters {
    pub(super) fn dimension(&self) -> usize {
        self.means.dimension()
    }

    pub(super) fn n_vectors(&self) -> usize {
        self.chunks.len()
    }

    pub(super) fn n_shards(&self) -> usize {
        self.shards.len()
    }

    pub(super) fn is_loaded(&self, shard: usize) -> bool {
        self.shards.get(shard).is_some_and(Option::is_some)
    }

    #[cfg(feature = "build")]
    pub(super) fn shards(&self) -> impl Iterator<Item = Option<&Int8Vectors>> {
        self.shards.iter().map(Option::as_ref)
    }

    pub(super) fn insert(&mut self, shard: usize, rows: Int8Vectors) {
        if let Some(place) = self.shards.get_mut(shard) {
            *place = Some(rows);
        }
    }

    /// The positions of a shard's members among all members.
    fn members(&self, shard: usize) -> std::ops::Range<usize> {
        self.starts[shard] as usize..self.starts[shard + 1] as usize
    }

    /// The members of the near shards with their cosines, in any order: exact if their shard is among those to read and
    /// is loaded, otherwise estimated. Also the shards to read that are not loaded, the most decisive first.
    pub(super) fn search(&self, query: &Query) -> (Vec<(u32, f32)>, Vec<u32>) {
        let estimates = self.estimates(query);
        let (read, missing): (Vec<u32>, Vec<u32>) = self
            .doubted(&estimates)
            .into_iter()
            .partition(|&shard| self.is_loaded(shard as usize));
        let mut near: Vec<(u32, f32)> = estimates
            .iter()
            .filter(|estimate| !read.contains(&estimate.shard))
            .map(|estimate| (self.chunks[estimate.member as usize], estimate.cosine))
            .collect();
        for shard in read {
            near.extend(self.exact(shard as usize, query));
        }
        (near, missing)
    }

    /// The members of all loaded shards with their exact cosines, in any order.
    pub(super) fn scan(&self, query: &Query) -> Vec<(u32, f32)> {
        let shards = 0..self.n_shards();
        shards.flat_map(|shard| self.exact(shard, query)).collect()
    }

    /// The members of one shard with their exact cosines; none if it is not loaded.
    fn exact(&self, shard: usize, query: &Query) -> impl Iterator<Item = (u32, f32)> {
        let chunks = &self.chunks[self.members(shard)];
        let rows = self.shards[shard].iter();
        rows.flat_map(move |rows| chunks.iter().copied().zip(rows.similarities(query)))
    }

    /// An estimate for each member of the near shards.
    fn estimates(&self, query: &Query) -> Vec<Estimate> {
        let means = (0..).zip(self.means.similarities(query)).collect();
        let n_scanned = MIN_SCANNED.max(self.n_shards() / SCANNED_SHARE);
        let near = super::best(means, n_scanned);
        let tables = self.codes.tables(query);
        let mut estimates = Vec::new();
        for (shard, similarity) in near {
            let mean = similarity * self.lengths[shard as usize];
            let members = (self.starts[shard as usize]..).zip(self.members(shard as usize));
            estimates.extend(members.map(|(member, row)| Estimate {
                shard,
                member,
                cosine: mean + self.codes.estimate(row, &tables),
            }));
        }
        estimates
    }

    /// The shards to read, as many as are allowed, ordered by how much doubt about the nearest their members leave.
    fn doubted(&self, estimates: &[Estimate]) -> Vec<u32> {
        let cosines = (0..).zip(estimates).map(|(idx, e)| (idx, e.cosine));
        let candidates = super::best(cosines.collect(), N_CANDIDATES);
        let cosine = |place: usize| candidates.get(place).or(candidates.last());
        let between = cosine(N_NEAREST - 1).zip(cosine(N_NEAREST));
        let bound = between.map_or(0.0, |(last, next)| (last.1 + next.1) / 2.0);
        let mut doubts: Vec<(u32, f32)> = Vec::new();
        for (idx, cosine) in candidates {
            let Estimate { shard, member, .. } = estimates[idx as usize];
            let error = self.codes.error(member as usize);
            let doubt = doubt((cosine - bound).abs(), error);
            match doubts.iter_mut().find(|(other, _)| *other == shard) {
                Some((_, sum)) => *sum += doubt,
                None => doubts.push((shard, doubt)),
            }
        }
        let n_doubts = doubts.len();
        let mut n_read = 0;
        super::best(doubts, n_doubts)
            .into_iter()
            .filter(|(_, doubt)| *doubt > MIN_DOUBT)
            .map(|(shard, _)| shard)
            .filter(|&shard| {
                let n_members = self.members(shard as usize).len();
                let has_room = n_read + n_members <= MAX_READ;
                n_read += if has_room { n_members } else { 0 };
                has_room
            })
            .take(N_PROBES)
            .collect()
    }
}

/// The probability that an estimate with standard deviation `error` is on the wrong side of a bound at this distance:
/// about that of a normal distribution, without a function that processors round differently.
fn doubt(distance: f32, error: f32) -> f32 {
    /// Beyond this many standard deviations there is no doubt.
    const REACH: f32 = 2.5;
    let share = 1.0 - distance / (REACH * error);
    if share > 0.0 {
        0.5 * share * share
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::doubt;

    #[test]
    fn doubt_is_about_that_of_a_normal_distribution() {
        for (deviations, expected) in [(0.0, 0.5), (0.5, 0.309), (1.0, 0.159), (2.0, 0.023)] {
            let found = doubt(deviations * 0.02, 0.02);
            assert!(
                (found - expected).abs() < 0.025,
                "{deviations} deviations: expected {expected}, found {found}"
            );
        }
        assert_eq!(doubt(0.1, 0.02), 0.0, "beyond reach");
        assert_eq!(doubt(0.1, 0.0), 0.0, "without an error");
    }
}

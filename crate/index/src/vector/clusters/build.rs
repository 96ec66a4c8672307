//! Turns vectors into shards by spherical k-means (Dhillon and Modha, 2001), then halves shards that are too large and
//! dissolves those that are too small.

use super::axes::{self, ShardResiduals};
use super::each::each;
use super::{Clusters, MAX_MEMBERS};
use crate::vector::int8_vectors::{Int8Vectors, length};

/// How full shards are made, as a percentage of [`MAX_MEMBERS`]: the rest is room for members of dissolved shards.
const FILL_PERCENT: usize = 60;
/// Smaller shards are not worth a request.
const MIN_MEMBERS: usize = MAX_MEMBERS / 4;
/// After this many rounds, few vectors still change shards.
const N_ROUNDS: usize = 8;
const N_HALVING_ROUNDS: usize = 4;

impl Clusters {
    /// Divides `rows`. The same rows give the same shards with any number of threads: each vector picks its shard
    /// independently, and sums run in reading order.
    pub(in crate::vector) fn build(rows: &Int8Vectors) -> Self {
        let n_aimed = rows.len().div_ceil(MAX_MEMBERS * FILL_PERCENT / 100).max(1);
        let all: Vec<u32> = (0..).take(rows.len()).collect();
        let groups = k_means(rows, &all, n_aimed, N_ROUNDS);
        let mut groups = groups
            .into_iter()
            .flat_map(|group| halve(rows, group))
            .collect();
        dissolve_small(rows, &mut groups);
        // Order shards by their first members, so that neighbouring pages stay together.
        groups.sort_unstable();
        let mut means = Int8Vectors::new(rows.dimension());
        let mut lengths = Vec::with_capacity(groups.len());
        let mut shards = Vec::with_capacity(groups.len());
        let mut starts = vec![0_u32];
        for group in &groups {
            let mut mean = mean(rows, group);
            mean.iter_mut().for_each(|x| *x /= group.len() as f32);
            lengths.push(length(&mean));
            means.push(&mean);
            let mut members = Int8Vectors::new(rows.dimension());
            for &chunk in group {
                members.push_row(rows, chunk as usize);
            }
            let end = starts.last().copied().unwrap_or(0) as usize + group.len();
            starts.push(u32::try_from(end).unwrap_or(u32::MAX));
            shards.push(Some(members));
        }
        let codes = axes::coded(&ShardResiduals {
            rows,
            means: &means,
            lengths: &lengths,
            groups: &groups,
        });
        Self {
            means,
            lengths,
            starts,
            chunks: groups.concat(),
            codes,
            shards,
        }
    }
}

/// Groups of members, none empty, each ascending.
fn k_means(rows: &Int8Vectors, members: &[u32], n_groups: usize, n_rounds: usize) -> Vec<Vec<u32>> {
    let n_groups = n_groups.min(members.len());
    let mut means = Int8Vectors::new(rows.dimension());
    for group in 0..n_groups {
        // Spread evenly over the pages, because neighbouring chunks are alike.
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
        means = Int8Vectors::new(rows.dimension());
        for group in &groups {
            means.push(&mean(rows, group));
        }
    }
    groups
}

/// The index of the mean nearest to each member; the first of equals.
fn nearest(rows: &Int8Vectors, members: &[u32], means: &Int8Vectors) -> Vec<usize> {
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
    each(members, nearest)
}

fn mean(rows: &Int8Vectors, members: &[u32]) -> Vec<f32> {
    let mut sum = vec![0.0; rows.dimension()];
    for &member in members {
        let scale = rows.scale(member as usize);
        for (sum, &value) in sum.iter_mut().zip(rows.row(member as usize)) {
            *sum += f32::from(value) * scale;
        }
    }
    sum
}

/// Splits a group into parts that are small enough.
fn halve(rows: &Int8Vectors, group: Vec<u32>) -> Vec<Vec<u32>> {
    if group.len() <= MAX_MEMBERS {
        return vec![group];
    }
    let n_parts = group.len().div_ceil(MAX_MEMBERS * FILL_PERCENT / 100);
    let mut parts = k_means(rows, &group, n_parts, N_HALVING_ROUNDS);
    if parts.len() < 2 {
        // All members are alike, so any cut will do.
        parts = group.chunks(MAX_MEMBERS).map(<[u32]>::to_vec).collect();
    }
    parts
        .into_iter()
        .flat_map(|part| halve(rows, part))
        .collect()
}

/// Gives the members of small groups to the nearest groups that have room.
fn dissolve_small(rows: &Int8Vectors, groups: &mut Vec<Vec<u32>>) {
    let (mut kept, small): (Vec<_>, Vec<_>) = std::mem::take(groups)
        .into_iter()
        .partition(|group: &Vec<u32>| group.len() >= MIN_MEMBERS);
    let mut means = Int8Vectors::new(rows.dimension());
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

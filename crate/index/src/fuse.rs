//! Turns two rankings into one.
//!
//! Reciprocal-rank fusion (Cormack, Clarke and Büttcher, 2009): a chunk scores `weight / (k + rank)` for each ranking
//! that holds it, and the sum is divided by its greatest possible value. Only ranks enter, so scores of different kinds
//! need no common scale.

use std::collections::HashMap;

use crate::top::top;

/// How much each ranking counts.
#[derive(Debug, Clone, PartialEq)]
pub struct FusionOptions {
    /// How flat the gain is over ranks: at 0 the second place is worth half the first; large values make all places
    /// alike, and being in both rankings everything. Default 60, as in the paper.
    pub k: f32,
    /// Weight of the ranking by words; 0 leaves it out. Default 1.
    pub lexical_weight: f32,
    /// Weight of the ranking by embeddings; 0 leaves it out. Default 1.
    pub vector_weight: f32,
}

impl Default for FusionOptions {
    fn default() -> Self {
        Self {
            k: 60.0,
            lexical_weight: 1.0,
            vector_weight: 1.0,
        }
    }
}

/// A place in one ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// 1 is the best.
    pub rank: u32,
    /// The score in that ranking: BM25, or a cosine.
    pub score: f32,
}

/// A chunk's places in both rankings, and what they amount to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fused {
    pub(crate) chunk: u32,
    /// 1 for the first of all rankings, towards 0 for the last of one.
    pub(crate) score: f32,
    pub(crate) lexical: Option<Ranked>,
    pub(crate) vector: Option<Ranked>,
}

/// Fuses rankings, each given best first; without an embedding there is only one. Best first, ties in reading order.
pub(crate) fn fuse(
    lexical: &[(u32, f32)],
    vector: Option<&[(u32, f32)]>,
    options: &FusionOptions,
) -> Vec<Fused> {
    let mut fused: HashMap<u32, Fused> = HashMap::new();
    let k = options.k.max(0.0);
    let mut greatest = 0.0;
    let rankings = [
        (Some(lexical), options.lexical_weight),
        (vector, options.vector_weight),
    ];
    for (idx, (ranking, weight)) in rankings.into_iter().enumerate() {
        let Some(ranking) = ranking.filter(|_| weight > 0.0) else {
            continue;
        };
        greatest += weight / (k + 1.0);
        for (rank, &(chunk, score)) in (1_u32..).zip(ranking) {
            let entry = fused.entry(chunk).or_insert(Fused {
                chunk,
                score: 0.0,
                lexical: None,
                vector: None,
            });
            entry.score += weight / (k + rank as f32);
            let place = Some(Ranked { rank, score });
            if idx == 0 {
                entry.lexical = place
            } else {
                entry.vector = place
            }
        }
    }
    fused.values_mut().for_each(|hit| hit.score /= greatest);
    let scores = fused.values().map(|hit| (hit.chunk, hit.score));
    let order = top(scores, fused.len());
    order
        .into_iter()
        .filter_map(|(chunk, _)| fused.remove(&chunk))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(lexical: &[u32], vector: Option<&[u32]>, options: &FusionOptions) -> Vec<u32> {
        let scored = |ranking: &[u32]| {
            ranking
                .iter()
                .map(|&chunk| (chunk, 1.0))
                .collect::<Vec<_>>()
        };
        let fused = fuse(&scored(lexical), vector.map(scored).as_deref(), options);
        fused.into_iter().map(|hit| hit.chunk).collect()
    }

    #[test]
    fn being_in_both_rankings_wins() {
        assert_eq!(
            order(&[1, 2, 3], Some(&[4, 3, 5]), &FusionOptions::default()),
            [3, 1, 4, 2, 5]
        );
    }

    #[test]
    fn one_ranking_alone_keeps_its_order_and_tops_at_one() {
        let fused = fuse(&[(7, 9.0), (3, 2.0)], None, &FusionOptions::default());
        assert_eq!(fused[0].chunk, 7);
        assert!(
            (fused[0].score - 1.0).abs() < 1e-6,
            "first of all rankings: {}",
            fused[0].score
        );
        assert_eq!(
            fused[1].lexical,
            Some(Ranked {
                rank: 2,
                score: 2.0
            })
        );
        assert_eq!(fused[1].vector, None);
    }

    #[test]
    fn a_weight_of_zero_leaves_a_ranking_out() {
        let options = FusionOptions {
            lexical_weight: 0.0,
            ..FusionOptions::default()
        };
        assert_eq!(order(&[1, 2], Some(&[3]), &options), [3]);
    }
}

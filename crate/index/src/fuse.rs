//! Fuses two rankings into one.
//!
//! A convex combination of scores (Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval",
//! 2023): BM25 as a share of the query's best, and the raw cosine. The cosine has an absolute scale, which tells
//! how well any text matches the meaning of this query; where it is low, words decide. A chunk missing from a ranking
//! counts as its last. Reciprocal ranks, which discard both scales, were worse than words alone on one of five test
//! sets (`docs/decisions/scores-not-ranks.md`).

use std::collections::HashMap;

use crate::similarity::{SPREAD, deviations_of_the_greatest};
use crate::top::top;

/// Weights of the rankings, and when a cosine counts at all.
///
/// The defaults were fitted on the development halves of five test sets: `anchorite eval retrieval --calibrate`.
#[derive(Debug, Clone, PartialEq)]
pub struct FusionOptions {
    /// Weight of the lexical ranking; 0 ignores it. Default 0.25.
    pub lexical_weight: f32,
    /// Weight of the vector ranking; 0 ignores it. Default 0.75.
    pub vector_weight: f32,
    /// Standard deviation of the cosines between a query and unrelated texts. If no chunk has any word of a query, only
    /// cosines above the greatest one expected by chance count. Default 0.09: among the 1,396 chunks of the Rust book,
    /// the nearest to made-up words and other topics had 0.19 to 0.31 (0.34 is expected), and the nearest to
    /// paraphrases of the book's own statements 0.4 to 0.9.
    pub chance_spread: f32,
    /// True to hold chunks without any word of the query to that threshold even when other chunks have some. Default
    /// false: cutting a ranking does not improve it.
    pub judges_each: bool,
}

impl Default for FusionOptions {
    fn default() -> Self {
        Self {
            lexical_weight: 0.25,
            vector_weight: 0.75,
            chance_spread: SPREAD,
            judges_each: false,
        }
    }
}

impl FusionOptions {
    /// The greatest cosine expected among `n_chunks` unrelated texts: the maximum of that many draws from a normal
    /// distribution around 0.
    pub(crate) fn chance(&self, n_chunks: usize) -> f32 {
        self.chance_spread * deviations_of_the_greatest(n_chunks)
    }
}

/// A chunk's position in one ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// 1 is the best.
    pub rank: u32,
    /// The score in that ranking: BM25, or a cosine.
    pub score: f32,
}

/// A chunk's positions in both rankings, and the score they add up to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fused {
    pub(crate) chunk: u32,
    /// 1 for the best chunk by words that also means the same as the query, falling towards 0 for one that does
    /// neither.
    pub(crate) score: f32,
    pub(crate) lexical: Option<Ranked>,
    pub(crate) vector: Option<Ranked>,
}

impl Fused {
    /// A chunk with a score but no position in any ranking.
    pub(crate) fn unranked(chunk: u32, score: f32) -> Self {
        Self {
            chunk,
            score,
            lexical: None,
            vector: None,
        }
    }
}

/// One ranking as input to the fusion: its weight, and its scores between 0 and 1.
struct Part<'r> {
    ranking: &'r [(u32, f32)],
    weight: f32,
    /// Divisor of its scores.
    scale: f32,
    /// Score of the chunks missing from the ranking, before division.
    floor: f32,
}

impl<'r> Part<'r> {
    fn by_words(ranking: &'r [(u32, f32)], weight: f32) -> Self {
        let best = ranking.first().map_or(0.0, |&(_, score)| score);
        Self {
            ranking,
            weight,
            scale: if best > 0.0 { best } else { 1.0 },
            floor: 0.0,
        }
    }

    fn by_embeddings(ranking: &'r [(u32, f32)], weight: f32) -> Self {
        Self {
            ranking,
            weight,
            scale: 1.0,
            floor: ranking.last().map_or(0.0, |&(_, score)| score),
        }
    }

    fn value(&self, place: Option<Ranked>) -> f32 {
        let score = place.map_or(self.floor, |ranked| ranked.score);
        self.weight * (score / self.scale).clamp(0.0, 1.0)
    }
}

/// Fuses rankings, each given best first; without an embedding there is only one. The result is best first, ties in
/// reading order.
pub(crate) fn fuse(
    lexical: &[(u32, f32)],
    vector: Option<&[(u32, f32)]>,
    options: &FusionOptions,
) -> Vec<Fused> {
    // A ranking without chunks is no evidence, so its weight is dropped.
    let vector = vector.filter(|ranking| !ranking.is_empty());
    let lexical = Part::by_words(lexical, options.lexical_weight);
    let vector = Part::by_embeddings(
        vector.unwrap_or_default(),
        if vector.is_some() {
            options.vector_weight
        } else {
            0.0
        },
    );
    let mut fused: HashMap<u32, Fused> = HashMap::new();
    for (part, is_lexical) in [(&lexical, true), (&vector, false)] {
        if part.weight <= 0.0 {
            continue;
        }
        for (rank, &(chunk, score)) in (1_u32..).zip(part.ranking) {
            let entry = fused.entry(chunk).or_insert(Fused {
                chunk,
                score: 0.0,
                lexical: None,
                vector: None,
            });
            let place = Some(Ranked { rank, score });
            if is_lexical {
                entry.lexical = place;
            } else {
                entry.vector = place;
            }
        }
    }
    let greatest = lexical.weight.max(0.0) + vector.weight.max(0.0);
    for hit in fused.values_mut() {
        hit.score = (lexical.value(hit.lexical) + vector.value(hit.vector)) / greatest;
    }
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

    const EVEN: FusionOptions = FusionOptions {
        chance_spread: 0.0,
        judges_each: false,
        lexical_weight: 0.5,
        vector_weight: 0.5,
    };

    #[test]
    fn scores_are_those_worked_by_hand() {
        // By words: 8 of 8, 4 of 8. By meaning: 0.6 and 0.2; chunk 1 gets the last, 0.2, too.
        let fused = fuse(&[(1, 8.0), (2, 4.0)], Some(&[(2, 0.6), (3, 0.2)]), &EVEN);
        let found: Vec<(u32, f32)> = fused.iter().map(|hit| (hit.chunk, hit.score)).collect();
        let expected = [
            (1, 0.5 * 1.0 + 0.5 * 0.2),
            (2, 0.5 * 0.5 + 0.5 * 0.6),
            (3, 0.5 * 0.2),
        ];
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found.0, expected.0, "the order of {found:?}");
            assert!(
                (found.1 - expected.1).abs() < 1e-6,
                "expected {expected:?}, found {found:?}"
            );
        }
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn words_decide_where_meaning_is_unsure() {
        let by_words = [(1, 9.0), (2, 5.0)];
        let order = |cosines: [f32; 2]| {
            let fused = fuse(&by_words, Some(&[(2, cosines[0]), (1, cosines[1])]), &EVEN);
            fused[0].chunk
        };
        assert_eq!(order([0.2, 0.1]), 1, "a difference of 0.1");
        assert_eq!(order([0.8, 0.1]), 2, "a difference of 0.7");
    }

    #[test]
    fn one_ranking_alone_keeps_its_order_and_tops_at_one() {
        for vector in [None, Some(&[][..])] {
            let fused = fuse(&[(7, 9.0), (3, 2.0)], vector, &FusionOptions::default());
            assert_eq!(fused[0].chunk, 7);
            assert!(
                (fused[0].score - 1.0).abs() < 1e-6,
                "the best there is: {}",
                fused[0].score
            );
            let second = Ranked {
                rank: 2,
                score: 2.0,
            };
            assert_eq!((fused[1].lexical, fused[1].vector), (Some(second), None));
        }
    }

    #[test]
    fn a_weight_of_zero_leaves_a_ranking_out() {
        let only_meaning = FusionOptions {
            lexical_weight: 0.0,
            ..EVEN
        };
        let fused = fuse(&[(1, 2.0), (2, 1.0)], Some(&[(3, 0.4)]), &only_meaning);
        assert_eq!(fused.iter().map(|hit| hit.chunk).collect::<Vec<_>>(), [3]);
    }
}

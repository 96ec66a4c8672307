//! Turns the development half of a set's queries into nDCG@10 for each weight of words against meaning.

use anchorite::index::SearchOptions;
use serde::Serialize;

use super::metrics::Figures;
use super::prepared::{Prepared, Vectors, is_test};

/// Weights are tried in steps of one twentieth.
const N_STEPS: u8 = 20;

/// One set's figures.
#[derive(Serialize)]
pub(super) struct Fit {
    pub(super) set: String,
    /// Weight of the ranking by words, of a total of 1, and nDCG@10.
    pub(super) ndcg_10: Vec<(f32, f64)>,
}

/// Tries all weights on the queries outside the test half.
pub(super) fn fit(prepared: &Prepared) -> Fit {
    let queries = prepared.set.queries.iter().zip(&prepared.queries);
    let rankings: Vec<_> = queries
        .filter(|(query, _)| !is_test(&query.id))
        .map(|(query, embedding)| {
            let nearest = prepared.nearest(embedding, Vectors::Exact8);
            (query, prepared.words(query), nearest)
        })
        .collect();
    let ndcg = |lexical_weight: f32| {
        let mut options = SearchOptions {
            limit: usize::MAX,
            per_document: None,
            ..SearchOptions::default()
        };
        options.fusion.lexical_weight = lexical_weight;
        options.fusion.vector_weight = 1.0 - lexical_weight;
        let figures = rankings.iter().filter_map(|(query, words, nearest)| {
            let hits = prepared.index.fuse(words, Some(nearest), &options);
            let chunks: Vec<u32> = hits.into_iter().map(|hit| hit.chunk.0).collect();
            Figures::of(&prepared.documents(&chunks), &query.judgements)
        });
        Figures::mean(figures).ndcg_10
    };
    let weights = (0..=N_STEPS).map(|step| f32::from(step) / f32::from(N_STEPS));
    Fit {
        set: prepared.set.name.clone(),
        ndcg_10: weights.map(|weight| (weight, ndcg(weight))).collect(),
    }
}

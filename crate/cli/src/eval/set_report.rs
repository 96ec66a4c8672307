//! Defines the figures of one test set, a row for each way of searching.

use serde::Serialize;

use super::metrics::Figures;

/// All figures of one test set.
#[derive(Serialize)]
pub(super) struct SetReport {
    pub(super) set: String,
    pub(super) documents: usize,
    pub(super) chunks: usize,
    pub(super) queries: usize,
    /// How the vectors are searched, and why.
    pub(super) index: String,
    /// Share of the exact ten nearest chunks that the index finds, 0 to 1.
    pub(super) index_recall_10: f64,
    /// Milliseconds to embed one query, median.
    pub(super) embed_ms: f64,
    /// Length of the embedder's file.
    pub(super) embedder_bytes: usize,
    pub(super) rows: Vec<Row>,
}

/// One way of searching.
#[derive(Serialize)]
pub(super) struct Row {
    /// By words, by meaning, or fused.
    pub(super) tier: &'static str,
    /// Precision of the vectors, and whether all are compared.
    pub(super) vectors: &'static str,
    #[serde(flatten)]
    pub(super) figures: Figures,
    /// nDCG@10 of the held-out half of the queries.
    pub(super) ndcg_10_test: f64,
    /// Bytes of the index files that this way reads.
    pub(super) bytes: u64,
    /// Median milliseconds of one search, without embedding the query.
    pub(super) ms_p50: f64,
    /// The same, 95th percentile.
    pub(super) ms_p95: f64,
}

impl SetReport {
    /// nDCG@10 of fused search, as a page runs it, minus that of the better of its two parts.
    pub(super) fn fused_gain(&self) -> f64 {
        let of = |tier: &str| {
            let mut rows = self.rows.iter().filter(|row| row.tier == tier);
            rows.next_back().map_or(0.0, |row| row.figures.ndcg_10)
        };
        of("fused") - of("keyword").max(of("meaning"))
    }
}

//! Turns a query into hits for the search box, or a question into numbered passages with the evidence for them.

use anchorite_index::{Hit, Index, SearchOptions, snippet};
use serde::Serialize;

use crate::answer::Passage;
use crate::gate::Evidence;

/// A line of the search box.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SearchResult {
    /// The chunk's stable id.
    pub id: String,
    /// Address of the section, with its anchor.
    pub url: String,
    /// The document's title.
    pub title: String,
    /// Headings from the outermost to the chunk's own.
    pub headings: Vec<String>,
    /// The words around the best match.
    pub snippet: String,
    /// The fused score; comparable within one query only.
    pub score: f32,
}

/// The best sections for a query that may still be being typed: one result for each section.
pub fn search(
    index: &Index,
    query: &str,
    embedding: Option<&[f32]>,
    limit: usize,
) -> Vec<SearchResult> {
    // Chunks of one section share an address; more are asked for than shown, so that folding leaves enough.
    let options = SearchOptions::while_typing(limit.saturating_mul(3));
    let mut results: Vec<SearchResult> = Vec::new();
    for hit in index.search(query, embedding, &options) {
        let url = index.url(hit.chunk);
        if results.len() == limit {
            break;
        }
        if results.iter().any(|result| result.url == url) {
            continue;
        }
        if let Some((chunk, document)) = index.chunk(hit.chunk).zip(index.document(hit.chunk)) {
            results.push(SearchResult {
                id: chunk.id.clone(),
                url,
                title: document.title.clone(),
                headings: chunk.headings.clone(),
                snippet: snippet(query, &chunk.text),
                score: hit.score,
            });
        }
    }
    results
}

/// The best passages for a question, best first, and the evidence that the best of them answers.
pub fn passages(
    index: &Index,
    question: &str,
    embedding: Option<&[f32]>,
    limit: usize,
) -> (Vec<Passage>, Evidence) {
    let options = SearchOptions {
        limit,
        ..SearchOptions::default()
    };
    let hits = index.search(question, embedding, &options);
    let passages = hits
        .iter()
        .enumerate()
        .filter_map(|(idx, hit)| passage(index, hit, idx + 1))
        .collect();
    (passages, evidence(&hits, embedding.is_some()))
}

fn passage(index: &Index, hit: &Hit, number: usize) -> Option<Passage> {
    let (chunk, document) = index.chunk(hit.chunk).zip(index.document(hit.chunk))?;
    Some(Passage {
        number,
        id: chunk.id.clone(),
        url: index.url(hit.chunk),
        title: document.title.clone(),
        headings: chunk.headings.clone(),
        text: chunk.text.clone(),
        score: hit.score,
    })
}

/// The strongest similarity and coverage among the first three: fusion may put the nearest passage second.
fn evidence(hits: &[Hit], has_embedding: bool) -> Evidence {
    let first = &hits[..hits.len().min(3)];
    let similarity = first
        .iter()
        .filter_map(|hit| hit.vector.as_ref())
        .map(|ranked| ranked.score)
        .fold(-1.0, f32::max);
    Evidence {
        similarity: has_embedding.then_some(similarity),
        coverage: first.iter().map(|hit| hit.coverage).fold(0.0, f32::max),
    }
}

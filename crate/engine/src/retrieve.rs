//! Turns a query into hits for the search box, or a question into numbered passages with the evidence for them.

use std::collections::BTreeMap;

use anchorite_index::{Hit, Index, SearchOptions, Shard, snippet};
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

/// What is searched for, beside its words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchRequest {
    /// The most results.
    pub limit: usize,
    /// What they must have: for each filter named here, one of the values.
    pub filters: BTreeMap<String, Vec<String>>,
}

/// The results so far, and what would make them complete.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// Best first, at most one for each section.
    pub results: Vec<SearchResult>,
    /// Shards of the index to be supplied before the search is run again; with none, the results are complete.
    pub missing: Vec<Shard>,
}

/// The best sections for a query that may still be being typed, from the shards that are here: one result for each section.
pub fn search(
    index: &Index,
    query: &str,
    embedding: Option<&[f32]>,
    request: &SearchRequest,
) -> Found {
    // Chunks of one section share an address; more are asked for than shown, so that folding leaves enough.
    let options = SearchOptions {
        filters: request.filters.clone(),
        ..SearchOptions::while_typing(request.limit.saturating_mul(3))
    };
    let missing = index.needs(query, embedding, &options);
    let mut results: Vec<SearchResult> = Vec::new();
    let mut without_text = Vec::new();
    for hit in index.search(query, embedding, &options) {
        if results.len() + without_text.len() == request.limit {
            break;
        }
        let Some((chunk, document)) = index.chunk(hit.chunk).zip(index.document(hit.chunk)) else {
            without_text.push(hit.chunk);
            continue;
        };
        let url = index.url(hit.chunk);
        if !results.iter().any(|result| result.url == url) {
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
    // Until all words were looked up, other chunks may come first; their texts can wait.
    let missing = match missing.is_empty() {
        true => index.needs_texts(without_text),
        false => missing,
    };
    Found { results, missing }
}

/// The shards to be supplied before [`passages`] finds all it looks for; ask again until there are none.
pub fn needs(index: &Index, question: &str, embedding: Option<&[f32]>, limit: usize) -> Vec<Shard> {
    let options = passage_options(limit);
    let missing = index.needs(question, embedding, &options);
    if !missing.is_empty() {
        return missing;
    }
    let hits = index.search(question, embedding, &options);
    index.needs_texts(hits.into_iter().map(|hit| hit.chunk))
}

fn passage_options(limit: usize) -> SearchOptions {
    SearchOptions {
        limit,
        ..SearchOptions::default()
    }
}

/// The best passages for a question, best first, and the evidence that the best of them answers.
pub fn passages(
    index: &Index,
    question: &str,
    embedding: Option<&[f32]>,
    limit: usize,
) -> (Vec<Passage>, Evidence) {
    let hits = index.search(question, embedding, &passage_options(limit));
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

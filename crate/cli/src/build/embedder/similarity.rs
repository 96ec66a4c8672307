//! Measures the cosines of a site's unrelated texts, for embedders whose cosines are on a scale of their own.

use anchorite::index::{ChunkIdx, Index, Similarity};
use anchorite::model::embed::{Embedder, Side};
use anchorite::model::error::{LoadError, RunError};
use anchorite::model::gguf::Gguf;
use anchorite::retrieve;
use rayon::prelude::*;

use super::Site;

/// Keys of an embedder with a scale of its own: what was measured before any site.
const MEAN_KEY: &str = "embedding.similarity.mean";
const DEVIATION_KEY: &str = "embedding.similarity.deviation";
/// Weight of what was measured before, in pairs of a site's texts.
const PAIRS_BEFORE: f32 = 500.0;
/// Standard deviations above the mean below which lie 95 % of a normal distribution: as many questions about something
/// else are refused.
const REFUSED: f32 = 1.645;
/// Closeness that unrelated texts have by the words that they share by chance.
const SHARED_BY_CHANCE: f32 = 0.15;
/// Most stretches of text that are taken for questions about something else, and the weight, in such stretches, of what is
/// assumed before.
const MAX_QUESTIONS: usize = 160;
const QUESTIONS_BEFORE: f32 = 40.0;
/// Passages for a question, as on a page.
const N_PASSAGES: usize = 5;
/// Most stretches of text that are taken for queries.
const MAX_QUERIES: usize = 64;
/// Their length, in characters: a question's.
const QUERY_CHARS: usize = 80;
/// Most characters of a word that a stretch may have been cut in.
const MAX_WORD_CHARS: usize = 24;
/// Chunks of one page as far apart as this are about different things.
const APART: usize = 8;

/// The scale that a model's file names; `None` for one with the scale of the embedder that ships.
pub(crate) fn of_model(gguf: &Gguf) -> Result<Option<Similarity>, LoadError> {
    let (mean, deviation) = (gguf.opt_f32(MEAN_KEY)?, gguf.opt_f32(DEVIATION_KEY)?);
    let Some((mean, deviation)) = mean.zip(deviation) else {
        return Ok(None);
    };
    // Only an index shows how near is near.
    let found = Similarity {
        mean,
        deviation,
        near: 0.0,
    };
    match found.is_possible() {
        true => Ok(Some(found)),
        false => Err(LoadError::MetadataValue {
            key: DEVIATION_KEY.to_owned(),
            expected: "a deviation of 0.0001 to 1, and a mean of -1 to 1".to_owned(),
            found: format!("{deviation} and {mean}"),
        }),
    }
}

/// The scale of a site: of stretches of its texts as queries, and passages of other pages or far from them on the same page. A
/// site of few texts counts for little beside `before`.
pub(crate) fn of_site(
    embedder: &Embedder,
    site: &Site<'_>,
    before: Similarity,
) -> anyhow::Result<Similarity> {
    let n_chunks = site.chunks.len();
    let step = n_chunks.div_ceil(MAX_QUERIES).max(1);
    let cosines: Vec<Vec<f32>> = (0..n_chunks)
        .step_by(step)
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|at| {
            let query = stretch(&site.chunks[at].text);
            let Some(query) = embedder.embed(Side::Query, &[query])?.pop() else {
                return Ok(Vec::new());
            };
            let is_unrelated = |other: &usize| {
                site.chunks[*other].document != site.chunks[at].document
                    || other.abs_diff(at) >= APART
            };
            let others = (0..n_chunks).filter(is_unrelated);
            let passages = others.filter_map(|other| (site.embedding)(other));
            Ok(passages.map(|passage| dot(&query, passage)).collect())
        })
        .collect::<Result<_, RunError>>()?;
    let measured = Similarity::measured(&cosines.concat(), before, PAIRS_BEFORE);
    Ok(measured.unwrap_or(before))
}

/// [`Similarity::near`] of a site: how close its own texts come to pages that they are not on.
pub(crate) fn near(index: &Index, embedder: &Embedder) -> anyhow::Result<f32> {
    let n_chunks = u32::try_from(index.n_chunks()).unwrap_or(u32::MAX);
    let step = index.n_chunks().div_ceil(MAX_QUESTIONS).max(1);
    let reached = (0..n_chunks)
        .step_by(step)
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|at| {
            let Some(chunk) = index.chunk(ChunkIdx(at)) else {
                return Ok(None);
            };
            let query = stretch(&chunk.text);
            let Some(embedding) = embedder.embed(Side::Query, &[query])?.pop() else {
                return Ok(None);
            };
            let is_own = |other: ChunkIdx| {
                let is_near = match index.n_documents() {
                    1 => (other.0.abs_diff(at) as usize) < APART,
                    _ => index
                        .chunk(other)
                        .is_some_and(|other| other.document == chunk.document),
                };
                // Copies of a page are about the same.
                is_near
                    || index
                        .chunk(other)
                        .is_some_and(|other| other.text.contains(query))
            };
            Ok(retrieve::closest_without(
                index, query, &embedding, N_PASSAGES, is_own,
            ))
        })
        .collect::<Result<Vec<Option<f32>>, RunError>>()?
        .into_iter()
        .flatten()
        .collect::<Vec<f32>>();
    #[expect(clippy::cast_precision_loss, reason = "a hundred questions")]
    let n = reached.len() as f32;
    let total = n + QUESTIONS_BEFORE;
    // A site of few texts: about the closest of so many unrelated ones, and the words that they share by chance.
    let before = Similarity::chance(index.n_chunks()) + SHARED_BY_CHANCE;
    let mean = reached.iter().sum::<f32>() / n.max(1.0);
    let squares = reached.iter().map(|one| (one - mean) * (one - mean));
    let deviation = (squares.sum::<f32>() / n.max(1.0)).sqrt();
    let near = (n * (mean + REFUSED * deviation) + QUESTIONS_BEFORE * before) / total;
    Ok(near.clamp(0.0, Similarity::MAX_NEAR))
}

/// A stretch from the middle of a text.
fn stretch(text: &str) -> &str {
    let start = text.floor_char_boundary(text.len() / 3);
    let rest = &text[start..];
    // Scripts without spaces begin anywhere.
    let mut begun = rest.char_indices().take(MAX_WORD_CHARS);
    let start = begun
        .find(|(_, c)| c.is_whitespace())
        .map_or(0, |(at, _)| at);
    let rest = rest[start..].trim_start();
    let end = rest
        .char_indices()
        .nth(QUERY_CHARS)
        .map_or(rest.len(), |(at, _)| at);
    &rest[..end]
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_within_its_text() {
        assert_eq!(stretch(""), "");
        assert_eq!(stretch("one two three four"), "three four");
        assert_eq!(stretch("\u{4f60}\u{597d}"), "\u{4f60}\u{597d}");
        assert_eq!(stretch(&"word ".repeat(200)).chars().count(), QUERY_CHARS);
    }
}

//! Turns the retrieval's evidence into a decision: can these documents answer, or don't they say.

use serde::Serialize;

/// What retrieval found for a question.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// Cosine similarity of the best passage, -1 to 1; `None` without an embedder.
    pub similarity: Option<f32>,
    /// Share of the question's terms, weighted by rarity, that the best passage contains; 0 to 1.
    pub coverage: f32,
}

/// At this similarity the passage is about the question, whatever words it uses.
const SIMILARITY_ALONE: f32 = 0.42;
/// Below this similarity shared words are a coincidence.
const SIMILARITY_FLOOR: f32 = 0.32;
/// With the floor reached, this much of the question must stand in the passage.
const COVERAGE_WITH_SIMILARITY: f32 = 0.44;
/// Without an embedder, words are all there is.
const COVERAGE_ALONE: f32 = 0.40;

/// Whether the documents are likely to answer.
///
/// One set of thresholds for all sites, fitted on the questions in `tests/fixtures/questions` by `cargo xtask bench gate --fit`: they
/// let 0.91 and 0.99 of the answerable questions of the two sites through, decline 0.90 and 0.88 of questions about the other
/// site, and only 0.67 and 0.12 of questions near the topic that the pages don't answer. That takes reading, not counting; a
/// fit per site belongs to the build.
pub fn is_answerable(evidence: Evidence) -> bool {
    match evidence.similarity {
        Some(similarity) => {
            similarity >= SIMILARITY_ALONE
                || (similarity >= SIMILARITY_FLOOR && evidence.coverage >= COVERAGE_WITH_SIMILARITY)
        }
        None => evidence.coverage >= COVERAGE_ALONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_meaning_or_meaning_with_words() {
        let cases = [
            (Some(0.7), 0.0, true),
            (Some(0.40), 0.5, true),
            (Some(0.40), 0.3, false),
            (Some(0.1), 1.0, false),
            (None, 0.9, true),
            (None, 0.3, false),
        ];
        for (similarity, coverage, expected) in cases {
            let evidence = Evidence {
                similarity,
                coverage,
            };
            assert_eq!(is_answerable(evidence), expected, "for {evidence:?}");
        }
    }
}

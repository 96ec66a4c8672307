//! The facts about documents and chunks that ranking needs without their texts: counts, lengths, weights.

use crate::error::Contradiction;

/// Facts about every chunk and document that are always resident.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Collection {
    /// [`length_code`] of the number of words in each chunk's text.
    codes: Vec<u8>,
    /// The length of each chunk's text as a share of the mean.
    relative_lengths: Vec<f32>,
    /// Each document's first chunk, and the number of chunks.
    first_chunks: Vec<u32>,
    /// Documents with a weight other than 1, in order, each with its factor.
    weights: Vec<(u32, f32)>,
}

/// Quantises a length in words to one byte, to within an eighth: 0 to 7 exactly, then four steps per doubling. Coarse,
/// because a page holds one for every chunk.
#[cfg(feature = "build")]
pub(crate) fn length_code(n_words: u32) -> u8 {
    if n_words < 8 {
        return u8::try_from(n_words).unwrap_or(0);
    }
    let octave = n_words.ilog2() - 2;
    let code = octave * 4 + (n_words >> octave);
    u8::try_from(code).unwrap_or(u8::MAX)
}

/// Midpoint of the lengths that share a code.
fn coded_length(code: u8) -> f32 {
    if code < 8 {
        return f32::from(code);
    }
    // No length has a larger code.
    let octave = (u32::from(code) / 4 - 1).min(32);
    let low = u64::from(u32::from(code) % 4 + 4) << octave;
    let width = 1_u64 << octave;
    (low * 2 + width - 1) as f32 / 2.0
}

impl Collection {
    /// Checks that the chunks of all documents add up, and that weights are in order and valid.
    pub(crate) fn new(
        codes: Vec<u8>,
        first_chunks: Vec<u32>,
        weights: Vec<(u32, f32)>,
    ) -> Result<Self, Contradiction> {
        let n_chunks = codes.len();
        let wrong = |place, expected: String, found: String| Contradiction {
            place,
            expected,
            found,
        };
        let ends = (first_chunks.first(), first_chunks.last());
        let covers = ends.0 == Some(&0) && ends.1.map(|&end| end as usize) == Some(n_chunks);
        if !covers || !first_chunks.is_sorted() {
            return Err(wrong(
                "chunks of documents",
                format!("counts that add up to {n_chunks}"),
                format!("{:?}", ends.1.unwrap_or(&0)),
            ));
        }
        let n_documents = first_chunks.len() - 1;
        let in_order = weights.is_sorted_by(|a, b| a.0 < b.0);
        let in_range = |&(document, weight): &(u32, f32)| {
            (document as usize) < n_documents && weight.is_finite() && weight >= 0.0
        };
        if !in_order || !weights.iter().all(in_range) {
            return Err(wrong(
                "weights of documents",
                format!("increasing positions below {n_documents}, and weights of 0 or more"),
                "others".to_owned(),
            ));
        }
        let total: f64 = codes
            .iter()
            .map(|&code| f64::from(coded_length(code)))
            .sum();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a mean of lengths is small"
        )]
        let mean = (total.max(1.0) / n_chunks.max(1) as f64) as f32;
        let relative_lengths = codes
            .iter()
            .map(|&code| coded_length(code) / mean)
            .collect();
        Ok(Self {
            codes,
            relative_lengths,
            first_chunks,
            weights,
        })
    }

    pub(crate) fn n_chunks(&self) -> usize {
        self.codes.len()
    }

    pub(crate) fn n_documents(&self) -> usize {
        self.first_chunks.len().saturating_sub(1)
    }

    pub(crate) fn relative_length(&self, chunk: u32) -> f32 {
        let length = self.relative_lengths.get(chunk as usize);
        length.copied().unwrap_or(1.0)
    }

    /// The document of a chunk; `None` past the end.
    pub(crate) fn document(&self, chunk: u32) -> Option<u32> {
        let n_before = self.first_chunks.partition_point(|&first| first <= chunk);
        let document = u32::try_from(n_before).ok()?.checked_sub(1)?;
        ((document as usize) < self.n_documents()).then_some(document)
    }

    /// The chunks of a document.
    pub(crate) fn chunks(&self, document: u32) -> std::ops::Range<u32> {
        let at = |idx: usize| self.first_chunks.get(idx).copied();
        let first = at(document as usize).unwrap_or(0);
        first..at(document as usize + 1).unwrap_or(first)
    }

    /// Factor on a document's scores.
    pub(crate) fn weight(&self, document: u32) -> f32 {
        self.weights
            .binary_search_by_key(&document, |&(document, _)| document)
            .map_or(1.0, |idx| self.weights[idx].1)
    }

    pub(crate) fn has_weights(&self) -> bool {
        !self.weights.is_empty()
    }

    #[cfg(feature = "build")]
    pub(crate) fn parts(&self) -> (&[u8], &[u32], &[(u32, f32)]) {
        (&self.codes, &self.first_chunks, &self.weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_survive_their_code() {
        let mut before = 0;
        for n_words in (0..2000).chain([10_000, 1 << 20, u32::MAX]) {
            let code = length_code(n_words);
            assert!(code >= before, "codes grow: {n_words}");
            before = code;
            let found = coded_length(code);
            let error = (f64::from(found) - f64::from(n_words)).abs() / f64::from(n_words.max(1));
            assert!(error <= 0.125, "{n_words} words became {found}");
        }
    }

    #[test]
    fn chunks_know_their_documents() {
        let collection =
            Collection::new(vec![1; 5], vec![0, 2, 2, 5], vec![(2, 1.5)]).expect("sound");
        let documents: Vec<_> = (0..6).map(|chunk| collection.document(chunk)).collect();
        assert_eq!(
            documents,
            [Some(0), Some(0), Some(2), Some(2), Some(2), None]
        );
        assert_eq!((collection.chunks(1), collection.chunks(2)), (2..2, 2..5));
        assert_eq!((collection.weight(0), collection.weight(2)), (1.0, 1.5));
    }

    #[test]
    fn contradictions_are_refused() {
        for (firsts, weights) in [
            (vec![], vec![]),
            (vec![0, 4], vec![]),
            (vec![0, 3, 2, 5], vec![]),
            (vec![0, 5], vec![(1, 1.0)]),
            (vec![0, 5], vec![(0, f32::NAN)]),
        ] {
            assert!(
                Collection::new(vec![1; 5], firsts.clone(), weights).is_err(),
                "documents that begin at {firsts:?}"
            );
        }
    }
}

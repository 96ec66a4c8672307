//! Turns a query's words into ranked chunks: BM25 over text, headings and titles.
//!
//! `build` makes the lists from chunks, `search` ranks with them; [`crate::bundle`] stores them.

pub(crate) mod stem;
pub(crate) mod tokenize;
pub(crate) mod dictionary;
pub(crate) mod postings;
#[cfg(feature = "build")]
mod build;
mod search;
mod terms;

pub use search::{LexicalOptions, LexicalScores};
pub use terms::terms;

use dictionary::Dictionary;
use postings::PostingList;

use crate::error::Contradiction;

/// Which terms occur in which chunks, compact enough to be fetched by a browser.
#[derive(Debug, Clone, PartialEq)]
pub struct LexicalIndex {
    parts: LexicalParts,
    /// Length of each chunk's text as a share of the mean.
    relative_lengths: Vec<f32>,
}

/// What an index consists of, as it is stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct LexicalParts {
    /// Stems, identifiers, compounds.
    pub(crate) terms: Dictionary,
    /// Words whose stem leaves off two or more of their letters, so that a prefix between stem and word finds them.
    pub(crate) forms: Dictionary,
    /// The term of each form.
    pub(crate) form_terms: Vec<u32>,
    /// The lists of all terms, one after the other; see [`postings`].
    pub(crate) postings: Vec<u8>,
    /// Where each term's list begins, and where the last one ends.
    pub(crate) starts: Vec<u32>,
    /// Words in each chunk's text.
    pub(crate) lengths: Vec<u32>,
    /// Each document's first chunk, and the number of chunks.
    pub(crate) first_chunks: Vec<u32>,
}

impl LexicalIndex {
    /// Checks that every position that a search may follow exists.
    pub(crate) fn new(parts: LexicalParts) -> Result<Self, Contradiction> {
        let n_chunks = parts.lengths.len();
        let n_terms = parts.terms.len();
        equal("number of list starts", n_terms + 1, parts.starts.len())?;
        equal(
            "number of form terms",
            parts.forms.len(),
            parts.form_terms.len(),
        )?;
        if let Some(&term) = parts
            .form_terms
            .iter()
            .find(|&&term| term as usize >= n_terms)
        {
            return Err(contradiction(
                "term of a form",
                format!("less than {n_terms}"),
                term,
            ));
        }
        equal(
            "first chunk of the first document",
            0,
            parts
                .first_chunks
                .first()
                .map_or(0, |&first| first as usize),
        )?;
        equal(
            "end of the last document",
            n_chunks,
            parts.first_chunks.last().map_or(0, |&end| end as usize),
        )?;
        if !parts.first_chunks.is_sorted() {
            return Err(contradiction(
                "first chunks of documents",
                "increasing".to_owned(),
                "decreasing",
            ));
        }
        let n_documents = parts.first_chunks.len().saturating_sub(1);
        equal(
            "end of the last list",
            parts.postings.len(),
            parts.starts.last().map_or(0, |&end| end as usize),
        )?;
        for bounds in parts.starts.windows(2) {
            let list = parts.postings.get(bounds[0] as usize..bounds[1] as usize);
            let (mut chunks_in_range, mut documents_in_range) = (true, true);
            let end = list.and_then(|bytes| {
                PostingList::new(bytes).visit(
                    |posting| chunks_in_range &= (posting.chunk as usize) < n_chunks,
                    |document| documents_in_range &= (document as usize) < n_documents,
                )
            });
            let is_whole = end.is_some_and(|list| list.is_at_end());
            if !(is_whole && chunks_in_range && documents_in_range) {
                let place = format!("byte {}", bounds[0]);
                return Err(contradiction(
                    "a list of chunks",
                    "a whole list within the index".to_owned(),
                    place,
                ));
            }
        }
        let n_words: u64 = parts.lengths.iter().map(|&length| u64::from(length)).sum();
        let mean = n_words.max(1) as f32 / n_chunks.max(1) as f32;
        let relative_lengths = parts
            .lengths
            .iter()
            .map(|&length| length as f32 / mean)
            .collect();
        Ok(Self {
            parts,
            relative_lengths,
        })
    }

    /// How many chunks are indexed.
    pub fn n_chunks(&self) -> usize {
        self.parts.lengths.len()
    }

    /// How many distinct terms there are.
    pub fn n_terms(&self) -> usize {
        self.parts.terms.len()
    }

    #[cfg(feature = "build")]
    pub(crate) fn parts(&self) -> &LexicalParts {
        &self.parts
    }

    fn list(&self, term: usize) -> PostingList<'_> {
        let bounds = self
            .parts
            .starts
            .get(term)
            .zip(self.parts.starts.get(term + 1));
        let bytes =
            bounds.and_then(|(&start, &end)| self.parts.postings.get(start as usize..end as usize));
        PostingList::new(bytes.unwrap_or(&[]))
    }
}

fn equal(place: &'static str, expected: usize, found: usize) -> Result<(), Contradiction> {
    if expected == found {
        Ok(())
    } else {
        Err(contradiction(place, expected.to_string(), found))
    }
}

fn contradiction(place: &'static str, expected: String, found: impl ToString) -> Contradiction {
    Contradiction {
        place,
        expected,
        found: found.to_string(),
    }
}

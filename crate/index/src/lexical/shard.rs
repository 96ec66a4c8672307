//! One range of the sorted dictionary, with the chunks that each of its words occurs in.

use super::dictionary::Dictionary;
use super::postings::PostingList;
use crate::error::Contradiction;

/// The words of one range, each with its posting list.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TermShard {
    /// Stems, identifiers, compounds, pairs of characters.
    pub(crate) terms: Dictionary,
    /// The lists of all terms, one after another; see [`super::postings`].
    pub(crate) postings: Vec<u8>,
    /// Offset of each term's list, and the end of the last one.
    pub(crate) starts: Vec<u32>,
    /// Words as written, if their stem doesn't reveal them: English words whose stem drops two or more letters, so that
    /// a prefix finds them, and all that change in other languages.
    pub(crate) forms: Dictionary,
    /// The terms of each form: several if languages disagree.
    pub(crate) form_terms: Vec<Vec<String>>,
}

impl TermShard {
    /// Checks that every list is complete and stays within `n_chunks` chunks and `n_documents` documents.
    pub(crate) fn check(&self, n_chunks: usize, n_documents: usize) -> Result<(), Contradiction> {
        equal(
            "number of list starts",
            self.terms.len() + 1,
            self.starts.len(),
        )?;
        equal(
            "number of forms' terms",
            self.forms.len(),
            self.form_terms.len(),
        )?;
        let end = self.starts.last().map_or(0, |&end| end as usize);
        equal("end of the last list", self.postings.len(), end)?;
        for bounds in self.starts.windows(2) {
            let list = self.postings.get(bounds[0] as usize..bounds[1] as usize);
            let (mut chunks_in_range, mut documents_in_range) = (true, true);
            let end = list.and_then(|bytes| {
                PostingList::new(bytes).visit(
                    |posting| chunks_in_range &= (posting.chunk as usize) < n_chunks,
                    |document| documents_in_range &= (document as usize) < n_documents,
                )
            });
            let is_whole = end.is_some_and(|list| list.is_at_end());
            if !(is_whole && chunks_in_range && documents_in_range) {
                return Err(Contradiction {
                    place: "a list of chunks",
                    expected: "a whole list within the index".to_owned(),
                    found: format!("byte {}", bounds[0]),
                });
            }
        }
        Ok(())
    }

    /// The list of a term by its rank; an empty one past the end.
    pub(crate) fn list(&self, term: usize) -> PostingList<'_> {
        let bounds = self.starts.get(term).zip(self.starts.get(term + 1));
        let bytes =
            bounds.and_then(|(&start, &end)| self.postings.get(start as usize..end as usize));
        PostingList::new(bytes.unwrap_or(&[]))
    }
}

fn equal(place: &'static str, expected: usize, found: usize) -> Result<(), Contradiction> {
    if expected == found {
        return Ok(());
    }
    Err(Contradiction {
        place,
        expected: expected.to_string(),
        found: found.to_string(),
    })
}

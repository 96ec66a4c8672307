//! Turns a query into hits, and a question into passages: the index with the embedder, without anything that writes.

use anchorite_index::Index;
use anchorite_model::embed::Embedder;

use crate::answer::{Passage, Quote};
use crate::error::EngineError;
use crate::gate::Evidence;
use crate::retrieve::SearchResult;
use crate::{quote, retrieve};

/// A question is a sentence or two; what is longer is a document.
pub const MAX_QUESTION_CHARS: usize = 2_000;

/// One index, with the embedder once it is loaded.
///
/// [`crate::Session`] holds one and adds answers. A program that only searches needs no more than this, and what is
/// linked into it then holds no generator.
pub struct Searcher {
    index: Index,
    embedder: Option<Embedder>,
}

impl Searcher {
    /// A searcher by words.
    pub fn new(index: Index) -> Searcher {
        Searcher {
            index,
            embedder: None,
        }
    }

    /// The index that is searched.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Adds search by meaning.
    ///
    /// # Errors
    /// [`EngineError::EmbedderMismatch`] when the index holds vectors of another length.
    pub fn set_embedder(&mut self, embedder: Embedder) -> Result<(), EngineError> {
        let found = embedder.dimension();
        match self.index.dimension() {
            Some(expected) if expected != found => {
                Err(EngineError::EmbedderMismatch { expected, found })
            }
            Some(_) => {
                self.embedder = Some(embedder);
                Ok(())
            }
            // An index without vectors has nothing to compare a query with.
            None => Ok(()),
        }
    }

    /// The best sections for a query that may still be being typed; none for an empty one.
    ///
    /// # Errors
    /// [`EngineError::QuestionTooLong`], or a failure of the embedder.
    pub fn search(&self, query: &str, limit: usize) -> Result<Vec<SearchResult>, EngineError> {
        check_length(query)?;
        if !query.chars().any(char::is_alphanumeric) {
            return Ok(Vec::new());
        }
        let embedding = self.embed(query)?;
        Ok(retrieve::search(
            &self.index,
            query,
            embedding.as_deref(),
            limit,
        ))
    }

    /// What is read for `question`: at most `limit` passages, and the evidence that they answer it.
    pub(crate) fn read(&self, question: &str, limit: usize) -> Result<Reading, EngineError> {
        let embedding = self.embed(question)?;
        let (passages, evidence) =
            retrieve::passages(&self.index, question, embedding.as_deref(), limit);
        Ok(Reading {
            embedding,
            passages,
            evidence,
        })
    }

    /// The sentence of what was read that answers `question` best.
    pub(crate) fn quote(
        &self,
        question: &str,
        reading: &Reading,
    ) -> Result<Option<Quote>, EngineError> {
        Ok(quote::quote(
            question,
            reading.embedding.as_deref(),
            &reading.passages,
            &self.index,
            self.embedder.as_ref(),
        )?)
    }

    fn embed(&self, text: &str) -> Result<Option<Vec<f32>>, EngineError> {
        let Some(embedder) = &self.embedder else {
            return Ok(None);
        };
        Ok(embedder.embed(&[text])?.pop())
    }
}

/// The passages for one question.
pub(crate) struct Reading {
    /// The question's, where there is an embedder.
    embedding: Option<Vec<f32>>,
    pub(crate) passages: Vec<Passage>,
    pub(crate) evidence: Evidence,
}

pub(crate) fn check_length(question: &str) -> Result<(), EngineError> {
    let found = question.chars().count();
    if found > MAX_QUESTION_CHARS {
        return Err(EngineError::QuestionTooLong {
            found,
            limit: MAX_QUESTION_CHARS,
        });
    }
    Ok(())
}

//! Turns a query into hits, and a question into passages: the index and the embedder, without the generator.

use std::sync::{Mutex, PoisonError};

use anchorite_index::bundle::{self, Manifest};
use anchorite_index::{Index, Shard, ShardId, lexical};
use anchorite_model::embed::{Embedder, Side};

use crate::answer::{Passage, Quote};
use crate::embed::Embed;
use crate::error::EngineError;
use crate::gate::Evidence;
use crate::retrieve::{Found, SearchRequest};
use crate::{quote, retrieve};

/// Longest question, in characters: a sentence or two; anything longer is a document.
pub const MAX_QUESTION_CHARS: usize = 2_000;

/// One index, with the embedder once it is loaded.
///
/// [`crate::Session`] wraps one and adds answers. A program that only searches needs no more than this, and so links no
/// generator, and no embedder either if `E` is not [`Embedder`].
pub struct Searcher<E = Embedder> {
    index: Index,
    embedder: Option<E>,
    /// The last text embedded, kept because a search runs again once its missing shards are supplied.
    embedded: Mutex<Option<(String, Vec<f32>)>>,
}

impl<E: Embed> Searcher<E> {
    /// A searcher by words alone.
    pub fn new(index: Index) -> Self {
        Searcher {
            index,
            embedder: None,
            embedded: Mutex::new(None),
        }
    }

    /// The index it searches.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The embedder, once it is loaded.
    pub fn embedder(&self) -> Option<&E> {
        self.embedder.as_ref()
    }

    /// Adds search by meaning.
    ///
    /// # Errors
    /// [`EngineError::EmbedderMismatch`] when the index holds vectors of another length.
    pub fn set_embedder(&mut self, embedder: E) -> Result<(), EngineError> {
        let found = embedder.dimension();
        match self.index.dimension() {
            Some(expected) if expected != found => {
                Err(EngineError::EmbedderMismatch { expected, found })
            }
            Some(_) => {
                self.embedder = Some(embedder);
                Ok(())
            }
            // An index without vectors has nothing to compare an embedding with.
            None => Ok(()),
        }
    }

    /// Inserts a shard that a search or [`needs`](Self::needs) named.
    ///
    /// # Errors
    /// If the shard is not the one that the index names, or is malformed.
    pub fn insert_shard(&mut self, id: ShardId, bytes: &[u8]) -> Result<(), EngineError> {
        Ok(self.index.insert_shard(id, bytes)?)
    }

    /// Adds the vectors of the index, which search by meaning needs alongside the embedder.
    ///
    /// # Errors
    /// If the bytes are not those that the manifest names, or are malformed.
    pub fn set_vectors(&mut self, manifest: &Manifest, bytes: &[u8]) -> Result<(), EngineError> {
        Ok(bundle::read_vectors(manifest, bytes, &mut self.index)?)
    }

    /// The best sections for a query that may still be being typed, from the shards loaded so far; none for an empty
    /// query.
    ///
    /// # Errors
    /// [`EngineError::QuestionTooLong`], [`EngineError::SortKey`], or a failure of the embedder.
    pub fn search(&self, query: &str, request: &SearchRequest) -> Result<Found, EngineError> {
        check_length(query)?;
        let keys = self.index.sort_keys();
        if let Some(sort) = request
            .sort
            .as_ref()
            .filter(|sort| !keys.contains(&sort.by))
        {
            return Err(EngineError::SortKey {
                expected: keys.to_vec(),
                found: sort.by.clone(),
            });
        }
        if !lexical::is_searchable(query) {
            return Ok(Found::default());
        }
        // A sorted search uses words alone.
        let embedding = match request.sort {
            None => self.embed(query)?,
            Some(_) => None,
        };
        Ok(retrieve::search(
            &self.index,
            query,
            embedding.as_deref(),
            request,
        ))
    }

    /// The shards to supply before `question` is asked; call again until there are none.
    ///
    /// # Errors
    /// [`EngineError::QuestionTooLong`], or a failure of the embedder.
    pub fn needs(&self, question: &str, passages: usize) -> Result<Vec<Shard>, EngineError> {
        check_length(question)?;
        let embedding = self.embed(question)?;
        Ok(retrieve::needs(
            &self.index,
            question,
            embedding.as_deref(),
            passages,
        ))
    }

    /// The passages found for `question`, at most `limit`, and the evidence that they answer it.
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

    /// The sentence of those passages that has most in common with `question`.
    pub(crate) fn quote_by_words(
        &self,
        question: &str,
        reading: &Reading,
    ) -> Result<Option<Quote>, EngineError> {
        quote::by_words(
            question,
            reading.embedding.as_deref(),
            &reading.passages,
            &self.index,
            self.embedder.as_ref(),
        )
    }

    fn embed(&self, text: &str) -> Result<Option<Vec<f32>>, EngineError> {
        let (Some(embedder), Some(_)) = (&self.embedder, &self.index.vectors) else {
            return Ok(None);
        };
        // The embedder was trained on words; symbols alone are only looked up.
        if !text.chars().any(char::is_alphanumeric) {
            return Ok(None);
        }
        // A poisoned lock is safe: the slot is replaced whole.
        let mut embedded = self.embedded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, embedding)) = embedded.as_ref().filter(|(last, _)| last == text) {
            return Ok(Some(embedding.clone()));
        }
        let embedding = embedder.embed(Side::Query, &[text])?.pop();
        *embedded = embedding
            .clone()
            .map(|embedding| (text.to_owned(), embedding));
        Ok(embedding)
    }
}

/// The passages for one question.
pub(crate) struct Reading {
    /// The question's embedding, if there is an embedder.
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

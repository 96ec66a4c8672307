//! Turns texts into embeddings, wherever the model is that makes them.

use anchorite_model::embed::Embedder;

use crate::error::EngineError;

/// What makes the embeddings of queries, of the same kind as those of the index.
///
/// [`crate::Searcher`] takes any, so that a program whose model is elsewhere (a page has it in a module of its own) links none.
pub trait Embed {
    /// Values in an embedding.
    fn dimension(&self) -> usize;

    /// The embedding of each text, of unit length.
    ///
    /// # Errors
    /// Whatever keeps the model from running.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EngineError>;
}

impl Embed for Embedder {
    fn dimension(&self) -> usize {
        Embedder::dimension(self)
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EngineError> {
        Ok(Embedder::embed(self, texts)?)
    }
}

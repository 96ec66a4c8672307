//! Turns texts into embeddings, wherever the model runs.

use anchorite_model::embed::Embedder;

use crate::error::EngineError;

/// An embedder of queries, the same model that embedded the index.
///
/// [`crate::Searcher`] takes any, so that a program whose model is elsewhere (a page has it in a module of its own) links none.
pub trait Embed {
    /// Length of an embedding.
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

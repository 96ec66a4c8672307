//! Turns texts into embeddings, wherever the model runs.

use anchorite_model::embed::{Embedder, Side};

use crate::error::EngineError;

/// An embedder of queries, the same model that embedded the index's passages.
///
/// [`crate::Searcher`] takes any implementation, so a program whose model runs elsewhere (a page has it in a module of
/// its own) links none.
pub trait Embed {
    /// Length of an embedding.
    fn dimension(&self) -> usize;

    /// The embedding of each text, of unit length.
    ///
    /// # Errors
    /// Any failure to run the model.
    fn embed(&self, side: Side, texts: &[&str]) -> Result<Vec<Vec<f32>>, EngineError>;
}

impl Embed for Embedder {
    fn dimension(&self) -> usize {
        Embedder::dimension(self)
    }

    fn embed(&self, side: Side, texts: &[&str]) -> Result<Vec<Vec<f32>>, EngineError> {
        Ok(Embedder::embed(self, side, texts)?)
    }
}

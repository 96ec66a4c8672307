//! Turns another module's embedder into the one that this module's searches use.

use anchorite::{Embed, EngineError};
use wasm_bindgen::prelude::*;

use crate::engine::Engine;
use crate::error::{busy, reason, to_js};

#[wasm_bindgen]
extern "C" {
    /// `Embedder` of the module that has it; both run in one thread, so a search can wait for it.
    pub type JsEmbedder;

    #[wasm_bindgen(method)]
    fn dimension(this: &JsEmbedder) -> usize;

    #[wasm_bindgen(method, catch)]
    fn embed(this: &JsEmbedder, text: &str) -> Result<Vec<f32>, JsValue>;
}

impl Embed for JsEmbedder {
    fn dimension(&self) -> usize {
        self.dimension()
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EngineError> {
        let embed = |text: &&str| self.embed(text);
        let embeddings: Result<_, _> = texts.iter().map(embed).collect();
        embeddings.map_err(|thrown: JsValue| EngineError::Embedder {
            reason: reason(&thrown),
        })
    }
}

#[wasm_bindgen]
impl Engine {
    /// Compares a part with the manifest, for the module that will hold it.
    pub fn check_part(&self, path: &str, bytes: &[u8]) -> Result<(), JsValue> {
        self.files.check(path, bytes)
    }

    /// Makes the index searchable by meaning, with a loaded embedder.
    pub fn set_embedder(&self, embedder: JsEmbedder) -> Result<(), JsValue> {
        let session = self.session()?;
        let mut session = session.try_borrow_mut().map_err(|_| busy())?;
        session
            .set_embedder(embedder)
            .map_err(|error| to_js(&error))
    }
}

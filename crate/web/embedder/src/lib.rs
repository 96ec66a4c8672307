//! Turns the parts of a sentence embedder into one that embeds visitors' queries.
#![cfg(target_arch = "wasm32")]

use std::cell::RefCell;

use anchorite::model::embed::{Embedder as Model, Side};
use anchorite::model::parts::Parts;
use anchorite::{Embed, EngineError};
use anchorite_web_common::{reserve, to_js};
use wasm_bindgen::prelude::*;

/// A sentence embedder, for an `Engine` in another module. All methods throw plain objects `{ code, message, hint }`.
#[wasm_bindgen]
#[derive(Default)]
pub struct Embedder {
    parts: RefCell<Vec<Vec<u8>>>,
    model: Option<Model>,
}

#[wasm_bindgen]
impl Embedder {
    /// An embedder whose parts have yet to arrive.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Embedder {
        Embedder::default()
    }

    /// Makes room for `bytes` of its file, or throws `no_memory`.
    pub fn reserve(&self, bytes: f64) -> Result<(), JsValue> {
        reserve(bytes)
    }

    /// Takes the next part of the file, which the engine with the manifest has already checked.
    #[wasm_bindgen(js_name = addPart)]
    pub fn add_part(&self, bytes: Vec<u8>) {
        self.parts.borrow_mut().push(bytes);
    }

    /// Builds the model from the parts.
    pub fn load(&mut self) -> Result<(), JsValue> {
        let load = |parts| -> Result<Model, EngineError> { Ok(Model::load(Parts::new(parts))?) };
        let model = load(self.parts.take()).map_err(|error| to_js(&error))?;
        self.model = Some(model);
        Ok(())
    }

    /// Values in an embedding; 0 before the model is loaded.
    pub fn dimension(&self) -> usize {
        self.model.as_ref().map_or(0, Embed::dimension)
    }

    /// The embedding of `text`, of unit length: of a query, or of a passage to be found.
    pub fn embed(&self, text: &str, is_query: bool) -> Result<Vec<f32>, JsValue> {
        let side = if is_query { Side::Query } else { Side::Passage };
        let model = self.model.as_ref().ok_or_else(not_loaded)?;
        let embeddings = Embed::embed(model, side, &[text]).map_err(|error| to_js(&error))?;
        embeddings.into_iter().next().ok_or_else(not_loaded)
    }
}

fn not_loaded() -> JsValue {
    to_js(&EngineError::Embedder {
        reason: "it is not loaded yet".to_owned(),
    })
}

//! Turns queries from JavaScript into hits: the index alone, with an embedder that another module lends.
#![cfg(target_arch = "wasm32")]

use anchorite::model::embed::Side;
use anchorite::{Embed, EngineError, Searcher};
use anchorite_web_common::{Opened, export_index_methods, lend_tables, reason};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(start)]
fn start() {
    lend_tables();
}

#[wasm_bindgen]
extern "C" {
    /// `Embedder` of the module that has it; both run in one thread, so a search can wait for it.
    #[wasm_bindgen(
        typescript_type = "Pick<import(\"./anchorite_embedder.js\").Embedder, \"dimension\" | \"embed\">"
    )]
    pub type JsEmbedder;

    #[wasm_bindgen(method)]
    fn dimension(this: &JsEmbedder) -> usize;

    #[wasm_bindgen(method, catch)]
    fn embed(this: &JsEmbedder, text: &str, is_query: bool) -> Result<Vec<f32>, JsValue>;
}

impl Embed for JsEmbedder {
    fn dimension(&self) -> usize {
        self.dimension()
    }

    fn embed(&self, side: Side, texts: &[&str]) -> Result<Vec<Vec<f32>>, EngineError> {
        let embed = |text: &&str| self.embed(text, side == Side::Query);
        let embeddings: Result<_, _> = texts.iter().map(embed).collect();
        embeddings.map_err(|thrown: JsValue| EngineError::Embedder {
            reason: reason(&thrown),
        })
    }
}

/// One bundle, and what has arrived of it.
#[wasm_bindgen]
pub struct Engine {
    opened: Opened<Searcher<JsEmbedder>>,
}

export_index_methods!(Engine);

#[wasm_bindgen]
impl Engine {
    /// Checks the length and SHA-256 of a part that another module holds.
    #[wasm_bindgen(js_name = checkPart)]
    pub fn check_part(&self, path: &str, bytes: &[u8]) -> Result<(), JsValue> {
        self.opened.files.check(path, bytes)
    }

    /// Makes the index searchable by meaning, with a loaded embedder.
    #[wasm_bindgen(js_name = setEmbedder)]
    pub fn set_embedder(&self, embedder: JsEmbedder) -> Result<(), JsValue> {
        self.opened
            .change(|searcher| searcher.set_embedder(embedder))
    }
}

impl Engine {
    fn over(opened: Opened<Searcher<JsEmbedder>>) -> Self {
        Self { opened }
    }
}

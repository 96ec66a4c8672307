//! Turns token ids into the next token's id, and texts into vectors, on the CPU, for a page that holds the clock.
#![cfg(target_arch = "wasm32")]

use anchorite_model::generate::{BackendRequest, Generator};
use anchorite_model::reference::argmax::argmax;
use anchorite_model::{Adapter, TokenId, embed, parts};
use wasm_bindgen::prelude::*;

/// A weights file as it arrives. JavaScript gives up each part, so that no two copies of a file are in memory.
#[wasm_bindgen]
#[derive(Default)]
pub struct Parts(Vec<Vec<u8>>);

#[wasm_bindgen]
impl Parts {
    /// A file of which nothing has arrived.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Parts {
        Parts::default()
    }

    /// Takes the next part.
    pub fn add(&mut self, part: Vec<u8>) {
        self.0.push(part);
    }
}

/// A decoder. What samples, stops and writes text is left out: peers are timed on what comes before.
#[wasm_bindgen]
pub struct Decoder(Generator);

#[wasm_bindgen]
impl Decoder {
    /// Loads a model.
    pub async fn load(file: Parts) -> Result<Decoder, JsError> {
        let parts = parts::Parts::new(file.0);
        let generator = Generator::load(parts, None, BackendRequest::Cpu, "a benchmark").await?;
        Ok(Decoder(generator))
    }

    /// Which of the kernels multiply.
    pub fn kernel(&self) -> String {
        self.0.backend().device.clone()
    }

    /// Runs `tokens` from `position` on; gives the likeliest next token.
    pub async fn run(&mut self, tokens: Vec<u32>, position: usize) -> Result<u32, JsError> {
        let tokens: Vec<TokenId> = tokens.into_iter().map(TokenId).collect();
        let logits = self.0.forward_mut().forward(&tokens, position).await?;
        Ok(argmax(&logits).0)
    }

    /// Puts the adapter whose file is `bytes` on, in place of the last one.
    pub fn put_on(&mut self, bytes: Vec<u8>) -> Result<(), JsError> {
        let adapter = Adapter::load(&parts::Parts::new(vec![bytes]), self.0.config())?;
        Ok(self.0.set_adapter(Some(adapter))?)
    }

    /// Takes the adapter off.
    pub fn take_off(&mut self) -> Result<(), JsError> {
        Ok(self.0.set_adapter(None)?)
    }
}

/// A sentence embedder.
#[wasm_bindgen]
pub struct Embedder(embed::Embedder);

#[wasm_bindgen]
impl Embedder {
    /// Loads a model.
    pub fn load(file: Parts) -> Result<Embedder, JsError> {
        Ok(Embedder(embed::Embedder::load(parts::Parts::new(file.0))?))
    }

    /// The vectors of `texts`, one behind the other.
    pub fn embed(&self, texts: Vec<String>) -> Result<Vec<f32>, JsError> {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(self.0.embed(&texts)?.concat())
    }
}

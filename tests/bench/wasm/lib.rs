//! Wraps the engine for a page that holds the clock: the next token on the CPU, text on WebGPU, vectors of texts,
//! verdicts on passages, and the chunks nearest to a vector.
#![cfg(target_arch = "wasm32")]

mod vectors;

use anchorite_model::forward::GpuForward;
use anchorite_model::generate::{BackendRequest, Generator};
use anchorite_model::ops::argmax::argmax;
use anchorite_model::sample::SampleOptions;
use anchorite_model::{Adapter, Gguf, ModelConfig, TokenId, Weights, embed, parts, read};
use wasm_bindgen::prelude::*;

/// A weights file as it arrives. JavaScript hands over part by part, so that memory never holds two copies of a file.
#[wasm_bindgen]
#[derive(Default)]
pub struct Parts(Vec<Vec<u8>>);

#[wasm_bindgen]
impl Parts {
    /// An empty file, before any part arrives.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Parts {
        Parts::default()
    }

    /// Appends the next part.
    pub fn add(&mut self, part: Vec<u8>) {
        self.0.push(part);
    }
}

/// A decoder without sampling, stopping and detokenising: peers are timed on the steps before those.
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

    /// The kernels that multiply.
    pub fn kernel(&self) -> String {
        self.0.backend().device.clone()
    }

    /// The tokens of a prompt in the model's chat form.
    pub fn tokens(&self, prompt: &str) -> Result<Vec<u32>, JsError> {
        let tokens = self.0.tokenizer().encode(prompt, false)?;
        Ok(tokens.into_iter().map(|token| token.0).collect())
    }

    /// Runs `tokens` from `position` on; returns the likeliest next token.
    pub async fn run(&mut self, tokens: Vec<u32>, position: usize) -> Result<u32, JsError> {
        let tokens: Vec<TokenId> = tokens.into_iter().map(TokenId).collect();
        let logits = self.0.forward_mut().forward(&tokens, position).await?;
        Ok(argmax(&logits).0)
    }

    /// Applies the adapter in the file `bytes`, in place of the last one.
    pub fn put_on(&mut self, bytes: Vec<u8>) -> Result<(), JsError> {
        let adapter = Adapter::load(&parts::Parts::new(vec![bytes]), self.0.config())?;
        Ok(self.0.set_adapter(Some(adapter))?)
    }

    /// Removes the adapter.
    pub fn take_off(&mut self) -> Result<(), JsError> {
        Ok(self.0.set_adapter(None)?)
    }
}

/// A decoder on WebGPU, where the device chooses each token and runs it next.
#[wasm_bindgen]
pub struct GpuDecoder(GpuForward);

#[wasm_bindgen]
impl GpuDecoder {
    /// Loads a model on the adapter that the browser prefers.
    pub async fn load(file: Parts) -> Result<GpuDecoder, JsError> {
        let mut parts = parts::Parts::new(file.0);
        let gguf = Gguf::parse(&parts)?;
        let config = ModelConfig::from_gguf(&gguf)?;
        let weights = Weights::load(&gguf, &mut parts, &config)?;
        Ok(GpuDecoder(GpuForward::load(&config, weights).await?))
    }

    /// The adapter, and the form of the kernels that it runs.
    pub fn device(&self) -> String {
        let gpu = self.0.gpu();
        format!("{}, {}", gpu.info().name, gpu.variant())
    }

    /// Starts a text that nothing ends but the context: runs `prompt` from an empty cache and has the likeliest token chosen.
    pub fn begin(&mut self, prompt: Vec<u32>) -> Result<(), JsError> {
        let prompt: Vec<TokenId> = prompt.into_iter().map(TokenId).collect();
        let options = SampleOptions::default();
        Ok(self.0.begin(&prompt, 0, &prompt, &options, &[])?)
    }

    /// The text's next tokens, while up to `n_ahead` command buffers are in flight.
    pub async fn next(&mut self, n_ahead: usize) -> Result<Vec<u32>, JsError> {
        let tokens = self.0.next(n_ahead).await?;
        Ok(tokens.into_iter().map(|token| token.0).collect())
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

    /// The vectors of `texts`, one after another.
    pub fn embed(&self, texts: Vec<String>) -> Result<Vec<f32>, JsError> {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(self.0.embed(embed::Side::Passage, &texts)?.concat())
    }
}

/// A reader of passages.
#[wasm_bindgen]
pub struct Reader(read::Reader);

#[wasm_bindgen]
impl Reader {
    /// Loads a model.
    pub fn load(file: Parts) -> Result<Reader, JsError> {
        Ok(Reader(read::Reader::load(parts::Parts::new(file.0), None)?))
    }

    /// Reads `question` in the first window of `n_tokens` tokens of each text, question and frame included. Returns,
    /// for each text, the logit of answering it.
    pub fn read(
        &self,
        question: &str,
        texts: Vec<String>,
        n_tokens: usize,
    ) -> Result<Vec<f32>, JsError> {
        let question = self.0.question(question)?;
        let mut windows = Vec::new();
        for text in &texts {
            let cut = self.0.windows(&question, "", text, n_tokens, 0)?;
            windows.extend(cut.into_iter().next());
        }
        let readings = self.0.read(&question, &windows)?;
        Ok(readings.iter().map(|reading| reading.answerable).collect())
    }
}

//! Turns texts into vectors that are close where the texts are close in meaning.

use crate::adapter::Adapter;
use crate::config::ModelConfig;
use crate::error::{LoadError, RunError};
use crate::forward::bert::BertForward;
use crate::gguf::Gguf;
use crate::parts::Parts;
use crate::token::TokenId;
use crate::tokenizer::WordPieceTokenizer;

/// Most tokens read of a text, special tokens included; the rest is cut off. Sentence Transformers trained the model
/// with the same limit.
const MAX_TOKENS: usize = 256;

/// A sentence embedder.
#[derive(Debug)]
pub struct Embedder {
    config: ModelConfig,
    tokenizer: WordPieceTokenizer,
    forward: BertForward,
}

impl Embedder {
    /// Loads an embedder.
    ///
    /// # Errors
    /// Any [`LoadError`]; [`LoadError::UnknownArchitecture`] for a model that is not bert.
    pub fn load(mut parts: Parts) -> Result<Self, LoadError> {
        let gguf = Gguf::parse(&parts)?;
        let config = ModelConfig::encoder_from_gguf(&gguf)?;
        // llama.cpp's `LLAMA_POOLING_TYPE_MEAN`; also used if the file names no pooling type.
        const POOLING_MEAN: u32 = 1;
        let key = "bert.pooling_type";
        match gguf.opt_u32(key)? {
            None | Some(POOLING_MEAN) => {}
            Some(found) => {
                return Err(LoadError::MetadataValue {
                    key: key.into(),
                    expected: format!("{POOLING_MEAN}, the mean"),
                    found: found.to_string(),
                });
            }
        }
        let tokenizer = WordPieceTokenizer::from_gguf(&gguf)?;
        let forward = BertForward::load(&gguf, &mut parts, &config)?;
        Ok(Self {
            config,
            tokenizer,
            forward,
        })
    }

    /// The model's sizes, which loading an adapter for it takes.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Replaces the adapter, or removes it. Vectors computed before the change, including those of an index, are no
    /// longer comparable.
    ///
    /// # Errors
    /// [`RunError::Adapter`] if it was made for another model; the previous one then stays in place.
    pub fn set_adapter(&mut self, adapter: Option<Adapter>) -> Result<(), RunError> {
        self.forward.set_adapter(adapter)
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Values in an embedding.
    pub fn dimension(&self) -> usize {
        self.config.n_embd
    }

    /// Most tokens read of a text; the rest is cut off.
    pub fn max_tokens(&self) -> usize {
        MAX_TOKENS.min(self.config.context_length)
    }

    /// The embedding of each text: a unit vector of [`Embedder::dimension`] values, so a dot product is the cosine.
    ///
    /// A text's embedding does not depend on the other texts.
    ///
    /// # Errors
    /// [`RunError::Tokenize`]; [`RunError::UnknownToken`] or [`RunError::NotFinite`] for a damaged model.
    pub fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, RunError> {
        let texts: Vec<Vec<TokenId>> = texts
            .iter()
            .map(|text| self.tokens(text))
            .collect::<Result<_, _>>()?;
        self.forward.embed(&texts)
    }

    /// The tokens read of a text: the first ones, and the one that ends every text.
    pub fn tokens(&self, text: &str) -> Result<Vec<TokenId>, RunError> {
        let mut tokens = self.tokenizer.encode_text(text)?;
        let limit = self.max_tokens();
        if tokens.len() > limit {
            let last = tokens.pop();
            tokens.truncate(limit - 1);
            tokens.extend(last);
        }
        Ok(tokens)
    }
}

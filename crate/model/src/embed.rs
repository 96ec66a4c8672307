//! Turns texts into vectors that are close where the texts are close in meaning.

use std::sync::Arc;

use crate::adapter::Adapter;
use crate::config::ModelConfig;
use crate::error::{LoadError, RunError};
use crate::forward::bert::BertForward;
use crate::gguf::Gguf;
use crate::parts::Parts;
use crate::token::TokenId;
use crate::tokenizer::EncoderTokenizer;

/// Most tokens read of a text, special tokens included, if the file names no limit; the rest is cut off. Sentence
/// Transformers trained its models with the same limit.
const MAX_TOKENS: usize = 256;
/// Sentence Transformers' `max_seq_length`.
const MAX_TOKENS_KEY: &str = "embedding.max_tokens";
/// Sentence Transformers' `prompts`: the text in front of every query, and of every passage.
const QUERY_PROMPT_KEY: &str = "embedding.prompt.query";
const PASSAGE_PROMPT_KEY: &str = "embedding.prompt.passage";
/// Most bytes of a prompt.
const MAX_PROMPT_BYTES: usize = 1000;

/// The use of a text, which some models are told by a prompt in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A text that others are looked for with.
    Query,
    /// A text to be found.
    Passage,
}

/// A sentence embedder.
#[derive(Debug)]
pub struct Embedder {
    config: ModelConfig,
    tokenizer: Arc<EncoderTokenizer>,
    forward: BertForward,
    query_prompt: String,
    passage_prompt: String,
    max_tokens: usize,
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
        let tokenizer = EncoderTokenizer::from_gguf(&gguf)?;
        let query_prompt = prompt(&gguf, QUERY_PROMPT_KEY)?;
        let passage_prompt = prompt(&gguf, PASSAGE_PROMPT_KEY)?;
        let max_tokens = max_tokens(&gguf, config.context_length)?;
        let forward = BertForward::load(&gguf, &mut parts, &config)?;
        Ok(Self {
            config,
            tokenizer: Arc::new(tokenizer),
            forward,
            query_prompt,
            passage_prompt,
            max_tokens,
        })
    }

    /// The model's sizes, which loading an adapter for it takes.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The tokenizer, which a reader on this embedder's layers shares.
    pub(crate) fn tokenizer(&self) -> &Arc<EncoderTokenizer> {
        &self.tokenizer
    }

    /// The layers, whose matrices a reader on them shares.
    pub(crate) fn forward(&self) -> &BertForward {
        &self.forward
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
        self.max_tokens
    }

    /// The embedding of each text: a unit vector of [`Embedder::dimension`] values, so a dot product is the cosine.
    ///
    /// A text's embedding does not depend on the other texts.
    ///
    /// # Errors
    /// [`RunError::Tokenize`]; [`RunError::UnknownToken`] or [`RunError::NotFinite`] for a damaged model.
    pub fn embed(&self, side: Side, texts: &[&str]) -> Result<Vec<Vec<f32>>, RunError> {
        let texts: Vec<Vec<TokenId>> = texts
            .iter()
            .map(|text| self.tokens(side, text))
            .collect::<Result<_, _>>()?;
        self.forward.embed(&texts)
    }

    /// The tokens read of a text: its prompt, the first tokens of the text, and the one that ends every text.
    ///
    /// # Errors
    /// [`RunError::Tokenize`].
    pub fn tokens(&self, side: Side, text: &str) -> Result<Vec<TokenId>, RunError> {
        let prompt = match side {
            Side::Query => &self.query_prompt,
            Side::Passage => &self.passage_prompt,
        };
        let mut tokens = match prompt.as_str() {
            "" => self.tokenizer.encode_text(text)?,
            prompt => self.tokenizer.encode_text(&format!("{prompt}{text}"))?,
        };
        let limit = self.max_tokens();
        if tokens.len() > limit {
            let last = tokens.pop();
            tokens.truncate(limit - 1);
            tokens.extend(last);
        }
        Ok(tokens)
    }
}

/// The text in front of every query or passage.
fn prompt(gguf: &Gguf, key: &str) -> Result<String, LoadError> {
    let prompt = gguf.opt_string(key)?.unwrap_or_default();
    if prompt.len() > MAX_PROMPT_BYTES {
        return Err(LoadError::MetadataValue {
            key: key.into(),
            expected: format!("at most {MAX_PROMPT_BYTES} bytes"),
            found: prompt.len().to_string(),
        });
    }
    Ok(prompt.to_owned())
}

/// The most tokens of a text, which must leave room for one between those that every text has.
fn max_tokens(gguf: &Gguf, context_length: usize) -> Result<usize, LoadError> {
    let named = gguf.opt_u32(MAX_TOKENS_KEY)?.map(|n| n as usize);
    match named {
        Some(found) if !(3..=context_length).contains(&found) => Err(LoadError::MetadataValue {
            key: MAX_TOKENS_KEY.into(),
            expected: format!("3 to {context_length}, the positions that the model has"),
            found: found.to_string(),
        }),
        named => Ok(named.unwrap_or(MAX_TOKENS).min(context_length)),
    }
}

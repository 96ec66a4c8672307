//! Turns GGUF metadata into the numbers the forward passes need, checked once.
//!
//! Source: key names of llama.cpp (`llama-arch.cpp`), `{arch}.` standing for `general.architecture`.

mod family;
mod keys;
mod rope;

pub use family::{Activation, Architecture, RopeOrder, Traits};
pub use rope::{Rope, RopeFactors, Yarn};

use keys::Keys;
use rope::Stretching;

use crate::error::LoadError;
use crate::gguf::split::Split;
use crate::gguf::{Gguf, Value};

/// Gemma 3 has one global layer after every five with a window, unless the file says otherwise.
const WINDOW_PATTERN: usize = 6;

/// Layers of Gemma 3 27B, the one size whose queries are not scaled by head size.
const GEMMA3_27B_LAYERS: usize = 62;

/// The sizes and constants of a model. All counts are at least 1.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// The family.
    pub architecture: Architecture,
    /// Differences of the family's layers from those of other families.
    pub traits: Traits,
    /// `general.name`, or the architecture if the file has no name.
    pub name: String,
    /// `general.languages`: the languages that it was trained on, as BCP 47 tags; empty if the file names none.
    pub languages: Vec<String>,
    /// Transformer layers.
    pub n_layers: usize,
    /// `C`: width of the residual stream.
    pub n_embd: usize,
    /// `H`: query heads.
    pub n_heads: usize,
    /// `K`: key and value heads; divides `n_heads`.
    pub n_kv_heads: usize,
    /// `D`: values in a head; query rows are `H * D`, which need not be `C`.
    pub head_size: usize,
    /// `F`: width of the feed-forward block.
    pub n_ff: usize,
    /// `V`: tokens in the vocabulary.
    pub n_vocab: usize,
    /// Tokens the model was trained to attend over.
    pub context_length: usize,
    /// Added to the mean square (decoders) or variance (bert) before the root.
    pub norm_eps: f32,
    /// Factor on a token's embedding row when it is looked up.
    pub embd_scale: f32,
    /// Factor on attention scores before the softmax: usually `1 / sqrt(D)`.
    pub query_scale: f32,
    /// `c`: logits become `c * tanh(logit / c)`; `None` leaves them as they are.
    pub logit_cap: Option<f32>,
    /// RoPE of queries and keys, in layers that see every position.
    pub rope: Rope,
    /// The tensor that holds this RoPE's factors.
    pub rope_factors: RopeFactors,
    /// The layers that see only a window; `None` if every layer sees every position.
    pub local: Option<LocalLayers>,
}

/// The languages that a file names; none if it names none.
fn languages(gguf: &Gguf) -> Result<Vec<String>, LoadError> {
    const KEY: &str = "general.languages";
    if !gguf.metadata.contains_key(KEY) {
        return Ok(Vec::new());
    }
    let tags = gguf.strings(KEY)?;
    Ok(tags.into_iter().map(str::to_owned).collect())
}

/// The layers that see only nearby positions.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalLayers {
    /// Positions that a token sees, its own included.
    pub n_visible: usize,
    /// RoPE of queries and keys in these layers.
    pub rope: Rope,
    /// `[n_layers]`: true for each layer that sees only the window.
    pub is_local: Vec<bool>,
}

impl ModelConfig {
    /// As [`Self::from_gguf`], for a file that must hold an encoder.
    ///
    /// # Errors
    /// As [`Self::from_gguf`]; [`LoadError::UnknownArchitecture`] for a model that is not bert.
    pub(crate) fn encoder_from_gguf(gguf: &Gguf) -> Result<Self, LoadError> {
        let config = Self::from_gguf(gguf)?;
        match config.architecture {
            Architecture::Bert => Ok(config),
            other => Err(LoadError::UnknownArchitecture {
                expected: Architecture::Bert.name(),
                found: other.name().to_owned(),
            }),
        }
    }

    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// Missing, mistyped or unsupported metadata; [`LoadError::UnknownArchitecture`]; a missing `token_embd.weight`.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, LoadError> {
        if let Some(Split { no, count }) = Split::of(gguf)? {
            return Err(LoadError::SplitPart {
                part: no + 1,
                count,
            });
        }
        let name = gguf.string("general.architecture")?;
        let unknown = || LoadError::UnknownArchitecture {
            expected: Architecture::ALL,
            found: name.to_owned(),
        };
        let architecture = Architecture::of(name).ok_or_else(unknown)?;
        let keys = Keys {
            gguf,
            prefix: architecture.name(),
        };
        let n_layers = keys.count("block_count", 1 << 10)?;
        let n_embd = keys.count("embedding_length", 1 << 16)?;
        let n_heads = keys.count("attention.head_count", 1 << 10)?;
        let n_kv_heads = keys
            .opt_count("attention.head_count_kv", n_heads)?
            .unwrap_or(n_heads);
        if !n_heads.is_multiple_of(n_kv_heads) {
            return Err(keys.refuse("attention.head_count_kv", "a divisor of the head count"));
        }
        let head_size = head_size(&keys, n_embd, n_heads)?;
        if gguf
            .opt_u32(&keys.name("expert_count"))?
            .is_some_and(|n| n > 0)
        {
            return Err(keys.refuse("expert_count", "a model without experts"));
        }
        // Gemma 2 soft-caps attention scores too, which the attention kernels don't do.
        if keys.opt_limit("attn_logit_softcapping")?.is_some() {
            return Err(keys.refuse("attn_logit_softcapping", "no cap on attention scores"));
        }
        let norm_eps = keys.positive(if architecture.is_decoder() {
            "attention.layer_norm_rms_epsilon"
        } else {
            "attention.layer_norm_epsilon"
        })?;
        let stretching = Stretching::read(&keys, keys.count("context_length", 1 << 24)?)?;
        let base = keys.opt_positive("rope.freq_base")?.unwrap_or(10_000.0);
        let rope = stretching.rope(base, rope::rotated(&keys, architecture, head_size)?, true);
        let is_gemma = architecture == Architecture::Gemma3;
        let query_width = if is_gemma && n_layers == GEMMA3_27B_LAYERS {
            (n_embd / n_heads).max(1)
        } else {
            head_size
        };
        Ok(Self {
            architecture,
            traits: architecture.traits(),
            name: gguf
                .opt_string("general.name")?
                .unwrap_or(architecture.name())
                .to_owned(),
            languages: languages(gguf)?,
            n_layers,
            n_embd,
            n_heads,
            n_kv_heads,
            head_size,
            n_ff: keys.count("feed_forward_length", 1 << 20)?,
            n_vocab: n_vocab(gguf, n_embd)?,
            context_length: stretching.context,
            norm_eps,
            embd_scale: if is_gemma { root(n_embd) } else { 1.0 },
            query_scale: 1.0 / root(query_width),
            logit_cap: keys.opt_limit("final_logit_softcapping")?,
            rope,
            rope_factors: stretching.factors,
            // Other families' files may name a window too, but llama.cpp doesn't apply it either.
            local: if is_gemma {
                local_layers(&keys, &stretching, rope.dim, n_layers)?
            } else {
                None
            },
        })
    }

    /// `K * D`: width of one token's keys, or of its values, in a layer's cache.
    pub fn kv_width(&self) -> usize {
        self.n_kv_heads * self.head_size
    }

    /// `H * D`: width of one token's queries.
    pub fn q_width(&self) -> usize {
        self.n_heads * self.head_size
    }

    /// A layer's window and RoPE; `None` for a layer that sees every position.
    pub fn window(&self, layer_idx: usize) -> Option<&LocalLayers> {
        self.local
            .as_ref()
            .filter(|local| local.is_local[layer_idx])
    }
}

/// `attention.key_length`, or an even share of the embedding.
fn head_size(keys: &Keys<'_>, n_embd: usize, n_heads: usize) -> Result<usize, LoadError> {
    let head_size = keys.opt_count("attention.key_length", 1 << 10)?;
    if head_size.is_none() && !n_embd.is_multiple_of(n_heads) {
        return Err(keys.refuse("attention.head_count", "a divisor of the embedding length"));
    }
    let head_size = head_size.unwrap_or(n_embd / n_heads);
    if head_size == 0 {
        return Err(keys.refuse("attention.head_count", "at most the embedding length"));
    }
    let value_size = keys
        .opt_count("attention.value_length", 1 << 10)?
        .unwrap_or(head_size);
    if value_size != head_size {
        return Err(keys.refuse("attention.value_length", &format!("{head_size}")));
    }
    Ok(head_size)
}

/// The layers with a window, and their RoPE, which is never stretched.
fn local_layers(
    keys: &Keys<'_>,
    stretching: &Stretching,
    rotated: usize,
    n_layers: usize,
) -> Result<Option<LocalLayers>, LoadError> {
    let key = "attention.sliding_window";
    let n_visible = match keys.gguf.opt_u32(&keys.name(key))? {
        // 0 means no window.
        None | Some(0) => return Ok(None),
        Some(_) => keys.count(key, 1 << 24)?,
    };
    let key = "attention.sliding_window_pattern";
    let is_local = match keys.gguf.metadata.get(&keys.name(key)) {
        Some(Value::Array(layers)) => layers
            .iter()
            .map(|is_local| match is_local {
                Value::Bool(is_local) => Some(*is_local),
                number => number.as_integer().map(|number| number != 0),
            })
            .collect::<Option<Vec<bool>>>()
            .filter(|layers| layers.len() == n_layers)
            .ok_or_else(|| keys.refuse(key, &format!("true or false for {n_layers} layers")))?,
        _ => {
            let every = keys.opt_count(key, 1 << 10)?.unwrap_or(WINDOW_PATTERN);
            (0..n_layers).map(|idx| idx % every < every - 1).collect()
        }
    };
    let base = keys.opt_positive("rope.freq_base_swa")?.unwrap_or(10_000.0);
    Ok(Some(LocalLayers {
        n_visible,
        rope: stretching.rope(base, rotated, false),
        is_local,
    }))
}

/// The rows of the embedding matrix.
fn n_vocab(gguf: &Gguf, n_embd: usize) -> Result<usize, LoadError> {
    let embedding = gguf.entry("token_embd.weight")?;
    match embedding.shape[..] {
        [_, n_vocab] if (1..=1 << 22).contains(&n_vocab) => Ok(n_vocab),
        _ => Err(LoadError::TensorShape {
            name: "token_embd.weight".into(),
            expected: vec![n_embd, n_tokens(gguf)],
            found: embedding.shape.clone(),
        }),
    }
}

/// Tokens in the file's vocabulary; 0 if it has none.
fn n_tokens(gguf: &Gguf) -> usize {
    match gguf.metadata.get("tokenizer.ggml.tokens") {
        Some(Value::Array(tokens)) => tokens.len(),
        _ => 0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "widths are far below 2^24")]
fn root(n: usize) -> f32 {
    (n as f32).sqrt()
}

#[cfg(test)]
mod tests;

//! Turns GGUF metadata into the numbers that the forward passes need, checked once.
//!
//! Source: key names of llama.cpp (`llama-arch.cpp`), `{arch}.` standing for `general.architecture`.

use crate::error::LoadError;
use crate::gguf::{Gguf, Value};

/// A family of models that share one forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Decoder with RMS norm, rotary positions on neighbouring pairs, grouped queries, SwiGLU.
    Llama,
    /// Encoder with layer norm after each block, learned positions, GELU.
    Bert,
}

impl Architecture {
    /// The name in `general.architecture`, which is also the prefix of the keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Bert => "bert",
        }
    }
}

/// The sizes and constants of a model. All counts are at least 1.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// The family.
    pub architecture: Architecture,
    /// `general.name`, or the architecture where the file gives no name.
    pub name: String,
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
    /// Tokens the model was trained to see at once.
    pub context_length: usize,
    /// Added to the mean square (llama) or variance (bert) before the root.
    pub norm_eps: f32,
    /// Base of the rotary frequencies: pair `i` turns by `position * rope_base ^ (-2 i / rope_dim)`.
    pub rope_base: f32,
    /// Values of each head that are rotated, from the start; even.
    pub rope_dim: usize,
    /// Positions are multiplied by this before rotating; 1 where the context was not stretched.
    pub rope_scale: f32,
}

impl ModelConfig {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// Missing, mistyped or unsupported metadata; [`LoadError::UnknownArchitecture`]; a missing `token_embd.weight`.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, LoadError> {
        let architecture = match gguf.string("general.architecture")? {
            "llama" => Architecture::Llama,
            "bert" => Architecture::Bert,
            other => {
                let found = other.to_owned();
                return Err(LoadError::UnknownArchitecture {
                    expected: "llama or bert",
                    found,
                });
            }
        };
        let keys = Keys {
            gguf,
            prefix: architecture.name(),
        };
        let n_embd = keys.count("embedding_length", 1 << 16)?;
        let n_heads = keys.count("attention.head_count", 1 << 10)?;
        let n_kv_heads = keys
            .opt_count("attention.head_count_kv", n_heads)?
            .unwrap_or(n_heads);
        if !n_heads.is_multiple_of(n_kv_heads) {
            return Err(keys.refuse("attention.head_count_kv", "a divisor of the head count"));
        }
        let head_size = keys.opt_count("attention.key_length", 1 << 10)?;
        if head_size.is_none() && !n_embd.is_multiple_of(n_heads) {
            return Err(keys.refuse("attention.head_count", "a divisor of the embedding length"));
        }
        let head_size = head_size.unwrap_or(n_embd / n_heads);
        let value_size = keys
            .opt_count("attention.value_length", 1 << 10)?
            .unwrap_or(head_size);
        if value_size != head_size {
            return Err(keys.refuse("attention.value_length", &format!("{head_size}")));
        }
        let rope_dim = keys
            .opt_count("rope.dimension_count", head_size)?
            .unwrap_or(head_size);
        if architecture == Architecture::Llama && !rope_dim.is_multiple_of(2) {
            return Err(keys.refuse("rope.dimension_count", "an even number"));
        }
        if keys.opt_count("expert_count", usize::MAX)?.is_some() {
            return Err(keys.refuse("expert_count", "a model without experts"));
        }
        let norm_eps = keys.positive(match architecture {
            Architecture::Llama => "attention.layer_norm_rms_epsilon",
            Architecture::Bert => "attention.layer_norm_epsilon",
        })?;
        let rope_base = match gguf.opt_f32(&keys.name("rope.freq_base"))? {
            Some(_) => keys.positive("rope.freq_base")?,
            None => 10_000.0,
        };
        let embedding = gguf.entry("token_embd.weight")?;
        let n_vocab = match embedding.shape[..] {
            [_, n_vocab] if (1..=1 << 22).contains(&n_vocab) => n_vocab,
            _ => {
                return Err(LoadError::TensorShape {
                    name: "token_embd.weight".into(),
                    expected: vec![n_embd, n_tokens(gguf)],
                    found: embedding.shape.clone(),
                });
            }
        };
        Ok(Self {
            architecture,
            name: gguf
                .opt_string("general.name")?
                .unwrap_or(architecture.name())
                .to_owned(),
            n_layers: keys.count("block_count", 1 << 10)?,
            n_embd,
            n_heads,
            n_kv_heads,
            head_size,
            n_ff: keys.count("feed_forward_length", 1 << 20)?,
            n_vocab,
            context_length: keys.count("context_length", 1 << 24)?,
            norm_eps,
            rope_base,
            rope_dim,
            rope_scale: keys.rope_scale()?,
        })
    }

    /// `K * D`: values of one token's keys, or values, in the cache of a layer.
    pub fn kv_width(&self) -> usize {
        self.n_kv_heads * self.head_size
    }

    /// `H * D`: values of one token's queries.
    pub fn q_width(&self) -> usize {
        self.n_heads * self.head_size
    }
}

/// Tokens in the file's vocabulary, 0 where it has none.
fn n_tokens(gguf: &Gguf) -> usize {
    match gguf.metadata.get("tokenizer.ggml.tokens") {
        Some(Value::Array(tokens)) => tokens.len(),
        _ => 0,
    }
}

/// Metadata under the architecture's prefix.
struct Keys<'g> {
    gguf: &'g Gguf,
    prefix: &'static str,
}

impl Keys<'_> {
    fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.prefix)
    }

    /// A count from 1 to `limit` that must be there.
    fn count(&self, key: &str, limit: usize) -> Result<usize, LoadError> {
        let missing = || LoadError::MissingMetadata {
            key: self.name(key),
        };
        self.opt_count(key, limit)?.ok_or_else(missing)
    }

    fn opt_count(&self, key: &str, limit: usize) -> Result<Option<usize>, LoadError> {
        let name = self.name(key);
        // Per-layer counts come as arrays; `opt_u32` refuses these by their type.
        let Some(found) = self.gguf.opt_u32(&name)? else {
            return Ok(None);
        };
        match usize::try_from(found) {
            Ok(count) if (1..=limit).contains(&count) => Ok(Some(count)),
            _ => Err(self.refuse(key, &format!("1 to {limit}"))),
        }
    }

    fn positive(&self, key: &str) -> Result<f32, LoadError> {
        let found = self.gguf.f32(&self.name(key))?;
        if found.is_finite() && found > 0.0 {
            return Ok(found);
        }
        Err(self.refuse(key, "a positive number"))
    }

    /// Linear stretching only; the other ways change frequencies one by one.
    fn rope_scale(&self) -> Result<f32, LoadError> {
        match self.gguf.opt_string(&self.name("rope.scaling.type"))? {
            None | Some("none") => Ok(1.0),
            Some("linear") => Ok(1.0 / self.positive("rope.scaling.factor")?),
            Some(_) => Err(self.refuse("rope.scaling.type", "none or linear")),
        }
    }

    /// The error for a value that was read but will not do.
    fn refuse(&self, key: &str, expected: &str) -> LoadError {
        let name = self.name(key);
        let found = match self.gguf.metadata.get(&name) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => match (value.as_integer(), value.as_float()) {
                (Some(number), _) => number.to_string(),
                (_, Some(number)) => number.to_string(),
                _ => value.kind().into(),
            },
            None => "nothing".into(),
        };
        LoadError::MetadataValue {
            key: name,
            expected: expected.into(),
            found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::TensorEntry;
    use crate::gguf::TensorType;

    fn gguf() -> Gguf {
        let mut gguf = Gguf::default();
        for (key, value) in [
            ("general.architecture", Value::from("llama")),
            ("llama.block_count", 2u32.into()),
            ("llama.embedding_length", 64u32.into()),
            ("llama.feed_forward_length", 96u32.into()),
            ("llama.attention.head_count", 8u32.into()),
            ("llama.attention.head_count_kv", 4u32.into()),
            ("llama.context_length", 128u32.into()),
            ("llama.attention.layer_norm_rms_epsilon", 1e-5f32.into()),
        ] {
            gguf.metadata.insert(key.into(), value);
        }
        let shape = vec![64, 512];
        let entry = TensorEntry {
            kind: TensorType::F32,
            shape,
            offset: 0,
            bytes: 64 * 512 * 4,
        };
        gguf.tensors.insert("token_embd.weight".into(), entry);
        gguf
    }

    fn with(key: &str, value: impl Into<Value>) -> Result<ModelConfig, LoadError> {
        let mut gguf = gguf();
        gguf.metadata.insert(key.into(), value.into());
        ModelConfig::from_gguf(&gguf)
    }

    #[test]
    fn reads_sizes_and_fills_in_defaults() {
        let config = ModelConfig::from_gguf(&gguf()).unwrap();
        assert_eq!(
            (config.n_heads, config.n_kv_heads, config.head_size),
            (8, 4, 8),
            "heads"
        );
        assert_eq!(
            (config.rope_dim, config.rope_base, config.rope_scale),
            (8, 1e4, 1.0),
            "rope"
        );
        assert_eq!(
            (config.n_vocab, config.kv_width()),
            (512, 32),
            "from the embedding's rows"
        );
    }

    #[test]
    fn refuses_what_it_cannot_compute_and_says_what_would_do() {
        let message = |key: &str, value: Value| with(key, value).unwrap_err().to_string();
        for (key, value, expected) in [
            (
                "general.architecture",
                Value::from("mamba"),
                "model architecture is not supported, expected llama or bert: `mamba`",
            ),
            (
                "llama.attention.head_count_kv",
                3u32.into(),
                "metadata `llama.attention.head_count_kv` is not supported, expected a divisor of the \
                 head count: `3`",
            ),
            (
                "llama.block_count",
                0u32.into(),
                "metadata `llama.block_count` is not supported, expected 1 to 1024: `0`",
            ),
            (
                "llama.embedding_length",
                4_000_000_000u32.into(),
                "metadata `llama.embedding_length` is not supported, expected 1 to 65536: `4000000000`",
            ),
            (
                "llama.attention.layer_norm_rms_epsilon",
                f32::NAN.into(),
                "metadata `llama.attention.layer_norm_rms_epsilon` is not supported, expected a \
                 positive number: `NaN`",
            ),
            (
                "llama.rope.scaling.type",
                "yarn".into(),
                "metadata `llama.rope.scaling.type` is not supported, expected none or linear: `yarn`",
            ),
            (
                "llama.block_count",
                "two".into(),
                "metadata `llama.block_count` has the wrong type, expected whole number: `string`",
            ),
        ] {
            assert_eq!(message(key, value), expected, "{key}");
        }
    }

    #[test]
    fn names_missing_metadata() {
        let mut gguf = gguf();
        gguf.metadata.remove("llama.context_length");
        let expected = LoadError::MissingMetadata {
            key: "llama.context_length".into(),
        };
        assert_eq!(
            ModelConfig::from_gguf(&gguf),
            Err(expected),
            "names the key"
        );
    }
}

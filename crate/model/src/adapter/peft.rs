//! Turns PEFT's `adapter_config.json` and the names of its tensors into scales and targets, and refuses by name what a
//! plain LoRA can't express.
//!
//! Source: `LoraConfig` and `get_pattern_key` of PEFT, `convert_lora_to_gguf.py` of llama.cpp.

use std::fmt;

use fancy_regex::Regex;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;

use crate::gguf::stand_in;

/// Longest configuration accepted, in bytes.
const MAX_CONFIG_BYTES: usize = 1 << 20;
/// Most patterns with an alpha or a rank of their own.
const MAX_PATTERNS: usize = 512;
/// Longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 512;
/// PEFT's default, for a configuration without `lora_alpha`.
const DEFAULT_ALPHA: f64 = 8.0;
/// Prefixes of initialisation methods that change the base's own weights, so that the adapter fits only that changed
/// base.
const BASE_CHANGING_INITS: [&str; 5] = ["pissa", "olora", "loftq", "corda", "lora_ga"];

/// A PEFT adapter that can't become a GGUF file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// A configuration that is not JSON of the expected form.
    #[error("`adapter_config.json` cannot be read: {reason}")]
    Config {
        /// Why.
        reason: String,
    },
    /// A setting that has no equivalent in a plain LoRA.
    #[error("`{key}` in `adapter_config.json` is not supported, expected {expected}: `{found}`")]
    Setting {
        /// The setting.
        key: &'static str,
        /// The values accepted.
        expected: String,
        /// The value found.
        found: String,
    },
    /// A placeholder for a file that was never fetched, such as a Git LFS pointer.
    #[error("`{file}` is {found}, not the file itself")]
    StandIn {
        /// The file's name.
        file: &'static str,
        /// Kind of the placeholder, such as `a Git LFS pointer`.
        found: &'static str,
    },
    /// Tensors that are not a safetensors file.
    #[error("`adapter_model.safetensors` cannot be read: {reason}")]
    File {
        /// Why.
        reason: String,
    },
    /// A tensor that is not half of a pair for an adaptable matrix.
    #[error("tensor `{name}` cannot be converted: {reason}")]
    Tensor {
        /// The tensor's name.
        name: String,
        /// The reason it was refused.
        reason: String,
    },
    /// A tensor of another type.
    #[error(
        "tensor `{name}` has a type that is not supported, expected F32, F16 or BF16: `{found}`"
    )]
    Type {
        /// The tensor's name.
        name: String,
        /// The type found.
        found: String,
    },
    /// A tensor that does not fit the base.
    #[error("tensor `{name}` does not fit the base, expected {expected}: `{found}`")]
    Shape {
        /// The tensor's name.
        name: String,
        /// Rows and columns expected.
        expected: String,
        /// Rows and columns found.
        found: String,
    },
    /// A value that is not finite, before or after scaling.
    #[error("tensor `{name}` holds a number that is infinite or none, near value {place}, {when}")]
    NotFinite {
        /// The tensor's name.
        name: String,
        /// Index of the value in the file's order.
        place: usize,
        /// Step at which the value stopped being finite.
        when: &'static str,
    },
    /// A file without a single pair.
    #[error("`adapter_model.safetensors` holds no `lora_A`/`lora_B` pair")]
    Empty,
    /// A base that takes no adapter of this kind.
    #[error("base model `{name}` cannot be adapted: {reason}")]
    Base {
        /// The base's name.
        name: String,
        /// Why.
        reason: String,
    },
}

impl ConvertError {
    /// Advice for whoever sees the error.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::StandIn { .. } => stand_in::HINT,
            Self::Config { .. } | Self::File { .. } | Self::Empty => {
                "give the folder that PEFT's `save_pretrained` wrote"
            }
            Self::Setting { .. } => {
                "train a plain LoRA, or merge this adapter into its base and convert that"
            }
            Self::Tensor { .. } => {
                "train only q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj and down_proj"
            }
            Self::Type { .. } => "save the adapter as float32, float16 or bfloat16",
            Self::Shape { .. } => "give the base that the adapter was trained on",
            Self::NotFinite { .. } => {
                "the file is damaged or its training went wrong; with --type f16 numbers can also be too large"
            }
            Self::Base { .. } => "give the GGUF file of a llama, qwen2, qwen3 or gemma3 model",
        }
    }
}

/// The part of a configuration that matters for a plain LoRA.
#[derive(Debug)]
pub(super) struct Config {
    /// `r`, if it holds for every matrix.
    pub(super) rank: Option<usize>,
    alpha: f64,
    is_rank_stabilised: bool,
    alpha_patterns: Vec<(Regex, f64)>,
}

/// The JSON as PEFT writes it. Settings not listed here don't change what a trained adapter computes.
#[derive(Deserialize)]
#[serde(default)]
struct Raw {
    peft_type: Option<String>,
    r: Option<u64>,
    lora_alpha: Option<f64>,
    use_rslora: Option<bool>,
    use_dora: Option<bool>,
    use_qalora: Option<bool>,
    fan_in_fan_out: Option<bool>,
    lora_bias: Option<bool>,
    bias: Option<String>,
    modules_to_save: Option<Value>,
    layer_replication: Option<Value>,
    trainable_token_indices: Option<Value>,
    target_parameters: Option<Value>,
    alora_invocation_tokens: Option<Value>,
    use_bdlora: Option<Value>,
    kasa_config: Option<Value>,
    monteclora_config: Option<Value>,
    arrow_config: Option<Value>,
    init_lora_weights: Option<Value>,
    rank_pattern: Option<Patterns>,
    alpha_pattern: Option<Patterns>,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            peft_type: Some("LORA".to_owned()),
            r: None,
            lora_alpha: Some(DEFAULT_ALPHA),
            use_rslora: None,
            use_dora: None,
            use_qalora: None,
            fan_in_fan_out: None,
            lora_bias: None,
            bias: None,
            modules_to_save: None,
            layer_replication: None,
            trainable_token_indices: None,
            target_parameters: None,
            alora_invocation_tokens: None,
            use_bdlora: None,
            kasa_config: None,
            monteclora_config: None,
            arrow_config: None,
            init_lora_weights: None,
            rank_pattern: None,
            alpha_pattern: None,
        }
    }
}

/// Numbers by pattern, in the order of the file: the first match wins.
#[derive(Default)]
struct Patterns(Vec<(String, f64)>);

impl<'de> Deserialize<'de> for Patterns {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Patterns;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("numbers by pattern")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Patterns, A::Error> {
                let mut patterns = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    patterns.push(entry);
                }
                Ok(Patterns(patterns))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// [`ConvertError::Config`], and [`ConvertError::Setting`] for a setting that a plain LoRA can't express.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ConvertError> {
        let unreadable = |reason: String| ConvertError::Config { reason };
        if bytes.len() > MAX_CONFIG_BYTES {
            let (limit, found) = (MAX_CONFIG_BYTES, bytes.len());
            return Err(unreadable(format!("more than {limit} bytes: {found}")));
        }
        // serde would also read the struct from a JSON array, which no PEFT file is.
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Err(unreadable("expected an object".to_owned()));
        }
        let raw: Raw =
            serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))?;
        raw.check()?;
        let alpha = raw.lora_alpha.unwrap_or(DEFAULT_ALPHA);
        // llama.cpp reads 0 as "unscaled", so 0 can't be written; besides, such an adapter would do nothing.
        if !alpha.is_finite() || alpha == 0.0 {
            return Err(setting("lora_alpha", "a number other than 0", alpha));
        }
        let ranks = raw.rank_pattern.unwrap_or_default();
        let rank = match raw.r {
            Some(0) => return Err(setting("r", "1 or more", 0)),
            Some(rank) if ranks.0.is_empty() => Some(usize::try_from(rank).unwrap_or(usize::MAX)),
            _ => None,
        };
        Ok(Self {
            rank,
            alpha,
            is_rank_stabilised: raw.use_rslora == Some(true),
            alpha_patterns: compiled(raw.alpha_pattern.unwrap_or_default())?,
        })
    }

    /// The alpha to write to the file: it makes `alpha / rank` the scale of every pair of `rank` without an alpha of
    /// its own.
    #[expect(clippy::cast_precision_loss, reason = "a rank is at most 1024")]
    pub(super) fn file_alpha(&self, rank: usize) -> f64 {
        match self.is_rank_stabilised {
            true => self.alpha * (rank as f64).sqrt(),
            false => self.alpha,
        }
    }

    /// The factor to multiply into a module's `B`, given `file_alpha`.
    pub(super) fn factor(
        &self,
        module: &str,
        rank: usize,
        file_alpha: f64,
    ) -> Result<f64, ConvertError> {
        let mut alpha = self.alpha;
        for (pattern, own) in &self.alpha_patterns {
            let is_match = pattern.is_match(module).map_err(|error| {
                let pattern = pattern.as_str();
                setting(
                    "alpha_pattern",
                    &format!("a simpler pattern ({error})"),
                    pattern,
                )
            })?;
            if is_match {
                alpha = *own;
                break;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a rank is at most 1024")]
        let stabiliser = match self.is_rank_stabilised {
            true => (rank as f64).sqrt(),
            false => 1.0,
        };
        Ok(alpha * stabiliser / file_alpha)
    }
}

impl Raw {
    fn check(&self) -> Result<(), ConvertError> {
        match self.peft_type.as_deref() {
            None | Some("LORA") => {}
            Some(other) => return Err(setting("peft_type", "LORA", other)),
        }
        for (key, value) in [
            ("use_dora", self.use_dora),
            ("use_qalora", self.use_qalora),
            ("fan_in_fan_out", self.fan_in_fan_out),
            ("lora_bias", self.lora_bias),
        ] {
            if value == Some(true) {
                return Err(setting(key, "false", true));
            }
        }
        match self.bias.as_deref() {
            None | Some("none") => {}
            Some(other) => return Err(setting("bias", "none", other)),
        }
        for (key, value) in [
            ("modules_to_save", &self.modules_to_save),
            ("layer_replication", &self.layer_replication),
            ("trainable_token_indices", &self.trainable_token_indices),
            ("target_parameters", &self.target_parameters),
            ("alora_invocation_tokens", &self.alora_invocation_tokens),
            ("use_bdlora", &self.use_bdlora),
            ("kasa_config", &self.kasa_config),
            ("monteclora_config", &self.monteclora_config),
            ("arrow_config", &self.arrow_config),
        ] {
            let is_empty = match value {
                None | Some(Value::Null | Value::Bool(false)) => true,
                Some(Value::Array(list)) => list.is_empty(),
                Some(Value::Object(map)) => map.is_empty(),
                Some(_) => false,
            };
            if let Some(found) = value.as_ref().filter(|_| !is_empty) {
                return Err(setting(key, "null", shortened(&found.to_string())));
            }
        }
        if let Some(Value::String(way)) = &self.init_lora_weights {
            let folded = way.to_lowercase();
            if BASE_CHANGING_INITS
                .iter()
                .any(|name| folded.starts_with(name))
            {
                let expected = "a way that leaves the base as it is";
                return Err(setting("init_lora_weights", expected, shortened(way)));
            }
        }
        Ok(())
    }
}

fn setting(key: &'static str, expected: &str, found: impl ToString) -> ConvertError {
    ConvertError::Setting {
        key,
        expected: expected.to_owned(),
        found: found.to_string(),
    }
}

/// A text cut to a length that fits in a message.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Compiles PEFT's patterns: regular expressions that match the end of a module's name, from a dot on.
fn compiled(patterns: Patterns) -> Result<Vec<(Regex, f64)>, ConvertError> {
    let key = "alpha_pattern";
    if patterns.0.len() > MAX_PATTERNS {
        let expected = format!("at most {MAX_PATTERNS} patterns");
        return Err(setting(key, &expected, patterns.0.len()));
    }
    let compile = |(pattern, alpha): (String, f64)| {
        if pattern.len() > MAX_PATTERN_BYTES {
            let expected = format!("patterns of at most {MAX_PATTERN_BYTES} bytes");
            return Err(setting(key, &expected, pattern.len()));
        }
        if !alpha.is_finite() {
            return Err(setting(key, "finite numbers", alpha));
        }
        let regex = Regex::new(&format!(r"^(?:.*\.)?(?:{pattern})$"))
            .map_err(|_| setting(key, "names or regular expressions", shortened(&pattern)))?;
        Ok((regex, alpha))
    };
    patterns.0.into_iter().map(compile).collect()
}

/// Which half of a pair a tensor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// `[rank, columns]`.
    A,
    /// `[rows, rank]`.
    B,
}

/// A tensor's module, as the base names it, and its half of the pair.
///
/// # Errors
/// [`ConvertError::Tensor`] for anything but half of a pair.
pub(super) fn place(name: &str) -> Result<(&str, Side), ConvertError> {
    let refuse = |reason: &str| {
        Err(ConvertError::Tensor {
            name: shortened(name),
            reason: reason.to_owned(),
        })
    };
    let path = name.strip_prefix("base_model.model.").unwrap_or(name);
    if path.contains("lora_magnitude_vector") {
        return refuse("it is the magnitude of a DoRA, which no LoRA can say");
    }
    if path.contains("lora_embedding_") {
        return refuse("it changes the embeddings, which take no adapter");
    }
    if path.contains(".modules_to_save.") {
        return refuse("it is a whole matrix (`modules_to_save`), not a pair");
    }
    if path.ends_with(".bias") {
        return refuse("it is a bias, and only matrices are adapted");
    }
    let halves = [(".lora_A.", Side::A), (".lora_B.", Side::B)];
    let found = halves.into_iter().find_map(|(mark, side)| {
        let (module, rest) = path.rsplit_once(mark)?;
        // Older files include the adapter's name: `lora_A.default.weight`.
        let rest = rest.strip_suffix("weight")?;
        let is_plain = rest.is_empty() || rest.strip_suffix('.').is_some_and(|n| !n.contains('.'));
        is_plain.then_some((module, side))
    });
    match found {
        Some(found) => Ok(found),
        None => refuse("it is neither `lora_A.weight` nor `lora_B.weight` of a module"),
    }
}

/// llama.cpp's name for a module's base tensor.
///
/// # Errors
/// [`ConvertError::Tensor`], with the tensor's own name, for modules that take no adapter.
pub(super) fn target(module: &str, name: &str) -> Result<String, ConvertError> {
    let refuse = |reason: String| {
        Err(ConvertError::Tensor {
            name: shortened(name),
            reason,
        })
    };
    let last = module.rsplit('.').next().unwrap_or(module);
    match last {
        "lm_head" => {
            return refuse("it changes the output (`lm_head`), which is not converted".into());
        }
        "embed_tokens" => {
            return refuse(
                "it changes the embeddings (`embed_tokens`), which take no adapter".into(),
            );
        }
        _ => {}
    }
    let unknown = || {
        refuse(format!(
            "`{}` is no matrix that can be adapted",
            shortened(module)
        ))
    };
    // The path before the layers depends on the model: bare, with a head, or next to an image encoder.
    let path = match module.strip_prefix("layers.") {
        Some(path) => path,
        None => match module.split_once(".layers.") {
            Some((before, path))
                if before
                    .split('.')
                    .all(|part| ["model", "language_model"].contains(&part)) =>
            {
                path
            }
            _ => return unknown(),
        },
    };
    let Some((layer, matrix)) = path.split_once('.') else {
        return unknown();
    };
    let stem = match matrix {
        "self_attn.q_proj" => "attn_q",
        "self_attn.k_proj" => "attn_k",
        "self_attn.v_proj" => "attn_v",
        "self_attn.o_proj" => "attn_output",
        "mlp.gate_proj" => "ffn_gate",
        "mlp.up_proj" => "ffn_up",
        "mlp.down_proj" => "ffn_down",
        _ => return unknown(),
    };
    if layer.is_empty() || !layer.bytes().all(|byte| byte.is_ascii_digit()) {
        return unknown();
    }
    Ok(format!("blk.{layer}.{stem}.weight"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_usual_shape_lead_to_one_target() {
        for name in [
            "base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight",
            "base_model.model.model.layers.3.self_attn.q_proj.lora_A.default.weight",
            "base_model.model.layers.3.self_attn.q_proj.lora_A.weight",
            "model.layers.3.self_attn.q_proj.lora_A.weight",
            "layers.3.self_attn.q_proj.lora_A.weight",
            "base_model.model.model.language_model.layers.3.self_attn.q_proj.lora_A.weight",
            "base_model.model.language_model.model.layers.3.self_attn.q_proj.lora_A.weight",
        ] {
            let (module, side) = place(name).expect(name);
            assert_eq!(side, Side::A, "{name}");
            let found = target(module, name).expect(name);
            assert_eq!(found, "blk.3.attn_q.weight", "{name}");
        }
    }

    #[test]
    fn what_is_no_pair_on_a_matrix_is_refused_by_name() {
        for (name, reason) in [
            ("base_model.model.lm_head.lora_A.weight", "`lm_head`"),
            ("model.embed_tokens.lora_B.weight", "`embed_tokens`"),
            ("model.embed_tokens.lora_embedding_A", "embeddings"),
            ("model.layers.0.mlp.up_proj.lora_magnitude_vector", "DoRA"),
            ("lm_head.modules_to_save.default.weight", "modules_to_save"),
            ("model.layers.0.mlp.up_proj.lora_B.bias", "bias"),
            ("model.layers.0.mlp.up_proj.weight", "neither"),
            ("model.layers.0.mlp.up_proj.lora_A.a.b.weight", "neither"),
            ("vision.layers.0.mlp.up_proj.lora_A.weight", "no matrix"),
            ("model.layers.x.mlp.up_proj.lora_A.weight", "no matrix"),
            (
                "model.layers.0.mlp.experts.1.up_proj.lora_A.weight",
                "no matrix",
            ),
        ] {
            let found = place(name).and_then(|(module, _)| target(module, name));
            let message = found.expect_err(name).to_string();
            assert!(message.contains(reason), "{name}: {message}");
        }
    }

    fn factors(config: &str, modules: &[(&str, usize)]) -> (f64, Vec<f64>) {
        let config = Config::parse(config.as_bytes()).expect("a good configuration");
        let alpha = config.file_alpha(config.rank.unwrap_or(8));
        let factor = |(module, rank): &(&str, usize)| config.factor(module, *rank, alpha).unwrap();
        (alpha, modules.iter().map(factor).collect())
    }

    #[test]
    fn scales_are_those_of_peft() {
        let (alpha, found) = factors(r#"{"r": 4, "lora_alpha": 32}"#, &[("q_proj", 4)]);
        assert_eq!((alpha, &found[..]), (32.0, &[1.0][..]), "alpha / r");
        let (alpha, found) = factors(r#"{"r": 8}"#, &[("q_proj", 8)]);
        assert_eq!((alpha, &found[..]), (8.0, &[1.0][..]), "PEFT's default");
        let (alpha, found) = factors(
            r#"{"r": 16, "lora_alpha": 32, "use_rslora": true}"#,
            &[("q_proj", 16), ("k_proj", 4)],
        );
        // 32 / 4 = 128 / 16; 32 / 2 = 16 is half of 128 / 4.
        assert_eq!(
            (alpha, &found[..]),
            (128.0, &[1.0, 0.5][..]),
            "alpha / sqrt(r)"
        );
        let (alpha, found) = factors(
            r#"{"r": 8, "lora_alpha": 16, "rank_pattern": {"v_proj": 2}, "alpha_pattern":
               {"model.layers.1.self_attn.q_proj": 8, "q_proj": 64, "^model\\.layers\\.[0-9]+\\.mlp.*": 4}}"#,
            &[
                ("model.layers.1.self_attn.q_proj", 8),
                ("model.layers.2.self_attn.q_proj", 8),
                ("model.layers.2.self_attn.xq_proj", 8),
                ("model.layers.2.mlp.up_proj", 8),
                ("model.layers.2.self_attn.v_proj", 2),
            ],
        );
        assert_eq!(alpha, 16.0);
        assert_eq!(
            found,
            [0.5, 4.0, 1.0, 0.25, 1.0],
            "the first pattern that fits, from a dot on"
        );
    }

    #[test]
    fn what_no_plain_lora_can_say_is_refused() {
        for (config, expected) in [
            ("[]", "cannot be read"),
            (r#"{"lora_alpha": "x"}"#, "cannot be read"),
            (r#"{"lora_alpha": 0}"#, "`lora_alpha`"),
            (r#"{"r": 0}"#, "`r`"),
            (r#"{"peft_type": "IA3"}"#, "`peft_type`"),
            (r#"{"use_dora": true}"#, "`use_dora`"),
            (r#"{"bias": "all"}"#, "`bias`"),
            (r#"{"modules_to_save": ["lm_head"]}"#, "`modules_to_save`"),
            (r#"{"fan_in_fan_out": true}"#, "`fan_in_fan_out`"),
            (r#"{"kasa_config": {"beta": 1}}"#, "`kasa_config`"),
            (
                r#"{"init_lora_weights": "pissa_niter_4"}"#,
                "`init_lora_weights`",
            ),
            (r#"{"alpha_pattern": {"(": 1}}"#, "`alpha_pattern`"),
        ] {
            let error = Config::parse(config.as_bytes()).expect_err(config);
            assert!(error.to_string().contains(expected), "{config}: {error}");
            assert!(!error.hint().is_empty(), "{config}");
        }
        let harmless = r#"{"peft_type": "LORA", "bias": "none", "modules_to_save": null, "target_parameters": [],
            "init_lora_weights": "gaussian", "use_dora": false, "target_modules": ["q_proj"], "lora_dropout": 0.1}"#;
        assert!(
            Config::parse(harmless.as_bytes()).is_ok(),
            "what PEFT writes of its own accord"
        );
    }
}

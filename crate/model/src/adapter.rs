//! Turns a LoRA file into pairs of small matrices, each checked against the model it adapts.
//!
//! A pair changes `y = W x` into `y = W x + scale * B (A x)`; the weights themselves stay untouched, so an adapter can
//! be set or removed between two tokens. Source of the keys: llama.cpp's `convert_lora_to_gguf.py`.

mod convert;
mod peft;
mod summary;
mod voice;

pub use convert::{ConvertOptions, Stored, convert};
pub use peft::ConvertError;
pub use summary::{Summary, Target};
pub use voice::{MAX_LABEL, Voice};

use std::collections::BTreeMap;

use crate::config::{Architecture, ModelConfig};
use crate::error::{LoadError, RunError};
use crate::gguf::Gguf;
use crate::parts::Parts;
use crate::quant;

/// A LoRA adapter.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    /// `general.name` of its file, or `adapter`.
    pub name: String,
    /// The style of answer it was trained for, if its file names one.
    pub voice: Option<Voice>,
    /// Keyed by the base tensor's name, such as `blk.0.attn_q.weight`.
    pub pairs: BTreeMap<String, LoraPair>,
}

/// The change to one matrix of `N` rows and `C` columns.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraPair {
    /// `R`: rows of `a`, columns of `b`.
    pub rank: usize,
    /// `alpha / R`; 1 if alpha is missing or 0, as in llama.cpp.
    pub scale: f32,
    /// `[R, C]`, row-major.
    pub a: Vec<f32>,
    /// `[N, R]`, row-major.
    pub b: Vec<f32>,
}

/// Matrices of a layer that can be adapted.
pub const LAYER_TARGETS: [&str; 7] = [
    "attn_q",
    "attn_k",
    "attn_v",
    "attn_output",
    "ffn_gate",
    "ffn_up",
    "ffn_down",
];

/// Ranks above this are no longer small.
const MAX_RANK: usize = 1 << 10;

impl Adapter {
    /// Reads an adapter for the model of `config`.
    ///
    /// # Errors
    /// As [`Gguf::parse`]; metadata that does not declare a LoRA for this architecture; the adapter variants of
    /// [`LoadError`]; [`LoadError::TensorShape`] if a pair does not fit its matrix.
    pub fn load(parts: &Parts, config: &ModelConfig) -> Result<Self, LoadError> {
        Self::load_with(&Gguf::parse(parts)?, parts, config, |_| false)
    }

    /// As [`Self::load`], from a file that may hold other tensors as well: those that `is_other` knows by name.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn load_with(
        gguf: &Gguf,
        parts: &Parts,
        config: &ModelConfig,
        is_other: impl Fn(&str) -> bool,
    ) -> Result<Self, LoadError> {
        let alpha = alpha(gguf)?;
        expect(gguf, "general.architecture", config.architecture.name())?;
        let mut pairs = BTreeMap::new();
        for base in bases(gguf, is_other)? {
            let shape = target_shape(base, config)?;
            let pair = load_pair(gguf, parts, base, alpha, Some(shape))?;
            pairs.insert(base.to_owned(), pair);
        }
        Ok(Self {
            name: name(gguf)?,
            voice: Voice::read(gguf)?,
            pairs,
        })
    }

    /// Checks that every pair fits a model, for an adapter that was loaded for another one.
    ///
    /// # Errors
    /// [`LoadError::AdapterTarget`], [`LoadError::TensorShape`].
    pub fn check(&self, config: &ModelConfig) -> Result<(), LoadError> {
        for (base, pair) in &self.pairs {
            let (n_rows, n_cols) = target_shape(base, config)?;
            for (suffix, values, len) in [("lora_a", &pair.a, n_cols), ("lora_b", &pair.b, n_rows)]
            {
                if values.len() != pair.rank * len {
                    return Err(LoadError::TensorShape {
                        name: format!("{base}.{suffix}"),
                        expected: vec![pair.rank, len],
                        found: vec![values.len()],
                    });
                }
            }
        }
        Ok(())
    }

    /// The pairs of an adapter, checked against a model; empty without an adapter.
    ///
    /// # Errors
    /// [`RunError::Adapter`] if it was made for another model.
    pub(crate) fn pairs_for(
        adapter: Option<Self>,
        config: &ModelConfig,
    ) -> Result<BTreeMap<String, LoraPair>, RunError> {
        let Some(adapter) = adapter else {
            return Ok(BTreeMap::new());
        };
        match adapter.check(config) {
            Ok(()) => Ok(adapter.pairs),
            Err(source) => Err(RunError::Adapter {
                adapter: adapter.name,
                source,
            }),
        }
    }
}

/// Rows and columns of a matrix that can be adapted.
fn target_shape(base: &str, config: &ModelConfig) -> Result<(usize, usize), LoadError> {
    let unknown = || LoadError::AdapterTarget { name: base.into() };
    let stem = base.strip_suffix(".weight").ok_or_else(unknown)?;
    // An encoder has neither an output over the vocabulary nor a gate.
    let is_decoder = config.architecture != Architecture::Bert;
    if stem == "output" && is_decoder {
        return Ok((config.n_vocab, config.n_embd));
    }
    let (layer, stem) = stem
        .strip_prefix("blk.")
        .and_then(|s| s.split_once('.'))
        .ok_or_else(unknown)?;
    let layer_idx = layer
        .parse::<usize>()
        .ok()
        .filter(|idx| *idx < config.n_layers);
    // Only the canonical spelling: `blk.00` would be a second name for the same matrix.
    if layer_idx.is_none_or(|idx| idx.to_string() != layer) {
        return Err(unknown());
    }
    let (c, q, kv, f) = (
        config.n_embd,
        config.q_width(),
        config.kv_width(),
        config.n_ff,
    );
    match stem {
        "attn_q" => Ok((q, c)),
        "attn_k" | "attn_v" => Ok((kv, c)),
        "attn_output" => Ok((c, q)),
        "ffn_gate" if is_decoder => Ok((f, c)),
        "ffn_up" => Ok((f, c)),
        "ffn_down" => Ok((c, f)),
        _ => Err(unknown()),
    }
}

/// The alpha of a file that declares a LoRA; 0 if it has none.
fn alpha(gguf: &Gguf) -> Result<f32, LoadError> {
    expect(gguf, "general.type", "adapter")?;
    expect(gguf, "adapter.type", "lora")?;
    let alpha = gguf.opt_f32("adapter.lora.alpha")?.unwrap_or(0.0);
    if !alpha.is_finite() {
        return Err(LoadError::MetadataValue {
            key: "adapter.lora.alpha".into(),
            expected: "a finite number".into(),
            found: alpha.to_string(),
        });
    }
    Ok(alpha)
}

/// `general.name`, or `adapter`.
fn name(gguf: &Gguf) -> Result<String, LoadError> {
    Ok(gguf
        .opt_string("general.name")?
        .unwrap_or("adapter")
        .to_owned())
}

/// True for the name of either tensor of a pair.
pub(crate) fn is_of_pair(name: &str) -> bool {
    name.ends_with(".lora_a") || name.ends_with(".lora_b")
}

/// The base tensors a file has pairs for, at least one; a file that holds anything else but `is_other` is refused.
fn bases(gguf: &Gguf, is_other: impl Fn(&str) -> bool) -> Result<Vec<&str>, LoadError> {
    let mut bases = Vec::new();
    for name in gguf.tensors.keys() {
        if let Some(base) = name.strip_suffix(".lora_a") {
            bases.push(base);
        } else if let Some(base) = name.strip_suffix(".lora_b") {
            partner(gguf, name, &format!("{base}.lora_a"))?;
        } else if !is_other(name) {
            return Err(LoadError::UnknownTensor {
                name: name.clone(),
                architecture: "lora".into(),
            });
        }
    }
    if bases.is_empty() {
        return Err(LoadError::AdapterEmpty);
    }
    Ok(bases)
}

/// Reads the pair of a base tensor; `shape` is its rows and columns, if the model is known.
fn load_pair(
    gguf: &Gguf,
    parts: &Parts,
    base: &str,
    alpha: f32,
    shape: Option<(usize, usize)>,
) -> Result<LoraPair, LoadError> {
    let (a_name, b_name) = (format!("{base}.lora_a"), format!("{base}.lora_b"));
    partner(gguf, &a_name, &b_name)?;
    let (a_shape, b_shape) = (&gguf.entry(&a_name)?.shape, &gguf.entry(&b_name)?.shape);
    let wrong = |name: String, expected: Vec<usize>, found: &[usize]| LoadError::TensorShape {
        name,
        expected,
        found: found.to_vec(),
    };
    let rank = match a_shape[..] {
        [_, found] if !(1..=MAX_RANK).contains(&found) => {
            return Err(LoadError::AdapterRank {
                name: a_name,
                limit: MAX_RANK,
                found,
            });
        }
        [n_cols, rank] if shape.is_none_or(|(_, expected)| n_cols == expected) => rank,
        _ => {
            let rank = a_shape.get(1).map_or(1, |&rank| rank.clamp(1, MAX_RANK));
            let n_cols = shape.map_or(a_shape.first().copied().unwrap_or(1), |(_, n)| n);
            return Err(wrong(a_name, vec![n_cols, rank], a_shape));
        }
    };
    let n_rows = shape.map_or(b_shape.get(1).copied().unwrap_or(1), |(n, _)| n);
    if b_shape[..] != [rank, n_rows] {
        return Err(wrong(b_name, vec![rank, n_rows], b_shape));
    }
    #[expect(clippy::cast_precision_loss, reason = "a rank is at most 1024")]
    let scale = if alpha == 0.0 {
        1.0
    } else {
        alpha / rank as f32
    };
    Ok(LoraPair {
        rank,
        scale,
        a: load_values(gguf, parts, &a_name)?,
        b: load_values(gguf, parts, &b_name)?,
    })
}

fn load_values(gguf: &Gguf, parts: &Parts, name: &str) -> Result<Vec<f32>, LoadError> {
    let entry = gguf.entry(name)?;
    let bytes = gguf.tensor(parts, name)?;
    if let Some(place) = quant::not_finite(entry.kind, &bytes) {
        let name = name.to_owned();
        return Err(LoadError::NotFinite { name, place });
    }
    let mut values = vec![0.0; entry.n_values()];
    quant::dequantize(entry.kind, &bytes, &mut values);
    Ok(values)
}

fn partner(gguf: &Gguf, name: &str, expected: &str) -> Result<(), LoadError> {
    if gguf.tensors.contains_key(expected) {
        return Ok(());
    }
    Err(LoadError::AdapterUnpaired {
        name: name.into(),
        expected: expected.into(),
    })
}

fn expect(gguf: &Gguf, key: &str, expected: &str) -> Result<(), LoadError> {
    let found = gguf.string(key)?;
    if found == expected {
        return Ok(());
    }
    let (expected, found) = (format!("`{expected}`"), found.to_owned());
    Err(LoadError::MetadataValue {
        key: key.into(),
        expected,
        found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::TensorType;
    use crate::gguf::write::{TensorOut, Writer};
    use crate::tiny::Tiny;

    fn config(tiny: &Tiny) -> ModelConfig {
        let gguf = Gguf::parse(&Parts::new(vec![tiny.gguf()])).unwrap();
        ModelConfig::from_gguf(&gguf).unwrap()
    }

    fn load(writer: &Writer) -> Result<Adapter, LoadError> {
        Adapter::load(
            &Parts::new(vec![writer.finish()]),
            &config(&Tiny::default()),
        )
    }

    #[track_caller]
    fn refuses(writer: &Writer, message: &str) {
        let error = load(writer).unwrap_err();
        assert_eq!(
            error.to_string(),
            message,
            "the message says what does not fit"
        );
        assert!(!error.hint().is_empty(), "the hint says what to do");
    }

    #[test]
    fn reads_every_pair() {
        let adapter = load(&Tiny::default().adapter_writer(4, 8.0)).unwrap();
        assert_eq!(
            adapter.pairs.len(),
            2 * LAYER_TARGETS.len() + 1,
            "all matrices and the output"
        );
        let pair = &adapter.pairs["blk.1.ffn_down.weight"];
        assert_eq!((pair.rank, pair.scale), (4, 2.0), "alpha / rank");
        assert_eq!(
            (pair.a.len(), pair.b.len()),
            (4 * 96, 64 * 4),
            "rank by inputs, outputs by rank"
        );
        assert_eq!(adapter.name, "tiny adapter", "from the file");
    }

    #[test]
    fn an_alpha_of_zero_or_none_means_a_scale_of_one() {
        let zero = Tiny::default().adapter_writer(4, 0.0);
        let mut missing = Tiny::default().adapter_writer(4, 8.0);
        missing
            .metadata
            .retain(|(key, _)| key != "adapter.lora.alpha");
        for (case, writer) in [("zero", zero), ("missing", missing)] {
            let adapter = load(&writer).unwrap();
            let scales: Vec<f32> = adapter.pairs.values().map(|pair| pair.scale).collect();
            assert_eq!(scales, vec![1.0; scales.len()], "{case}");
        }
    }

    #[test]
    fn refuses_an_adapter_of_another_shape() {
        let other = Tiny {
            n_ff: 128,
            ..Tiny::default()
        };
        refuses(
            &other.adapter_writer(4, 8.0),
            "tensor `blk.0.ffn_down.weight.lora_a` has the wrong shape, expected 96 x 4: `128 x 4`",
        );
    }

    #[test]
    fn refuses_an_adapter_of_a_deeper_model() {
        let other = Tiny {
            n_layers: 3,
            ..Tiny::default()
        };
        refuses(
            &other.adapter_writer(4, 8.0),
            "adapter changes `blk.2.attn_k.weight`, which this model does not have or cannot adapt",
        );
    }

    #[test]
    fn refuses_numbers_that_are_none() {
        for (kind, bytes) in [
            (TensorType::F32, f32::NAN.to_le_bytes().to_vec()),
            (TensorType::F16, vec![0, 0x7c]),
        ] {
            let mut writer = Tiny::default().adapter_writer(4, 8.0);
            let tensor = &mut writer.tensors[1];
            *tensor = TensorOut::pack(&tensor.name, kind, &[4, 64], &[0.5; 256]);
            let start = 7 * kind.block_bytes();
            tensor.bytes[start..start + bytes.len()].copy_from_slice(&bytes);
            refuses(
                &writer,
                "tensor `blk.0.attn_q.weight.lora_b` holds a number that is infinite or none, near value 7",
            );
        }
    }

    #[test]
    fn refuses_a_rank_of_none() {
        let mut writer = Tiny::default().adapter_writer(4, 8.0);
        for (tensor, shape) in writer.tensors.iter_mut().zip([[64, 0], [0, 64]]) {
            *tensor = TensorOut::pack(&tensor.name, TensorType::F32, &shape, &[]);
        }
        refuses(
            &writer,
            "adapter tensor `blk.0.attn_q.weight.lora_a` has another rank than can be run, expected 1 to 1024: `0`",
        );
    }

    #[test]
    fn refuses_half_a_pair() {
        let mut writer = Tiny::default().adapter_writer(4, 8.0);
        writer
            .tensors
            .retain(|tensor| tensor.name != "blk.0.attn_q.weight.lora_b");
        refuses(
            &writer,
            "adapter tensor `blk.0.attn_q.weight.lora_a` has no partner, expected \
             `blk.0.attn_q.weight.lora_b`",
        );
        let mut writer = Tiny::default().adapter_writer(4, 8.0);
        writer
            .tensors
            .retain(|tensor| tensor.name != "blk.0.attn_q.weight.lora_a");
        refuses(
            &writer,
            "adapter tensor `blk.0.attn_q.weight.lora_b` has no partner, expected \
             `blk.0.attn_q.weight.lora_a`",
        );
    }

    #[test]
    fn refuses_what_is_no_adapter() {
        refuses(
            &Tiny::default().writer(),
            "metadata `general.type` is missing",
        );
        let mut writer = Tiny::default().adapter_writer(4, 8.0);
        writer.tensors.clear();
        refuses(&writer, "adapter holds no `lora_a`/`lora_b` pair");
        writer.add(TensorOut::pack(
            "blk.0.attn_q.weight",
            TensorType::F32,
            &[4],
            &[0.0; 4],
        ));
        refuses(
            &writer,
            "tensor `blk.0.attn_q.weight` is not known for architecture `lora`",
        );
    }

    #[test]
    fn refuses_an_adapter_of_another_family() {
        let mut writer = Tiny::default().adapter_writer(4, 8.0);
        writer.metadata[0].1 = "qwen2".into();
        refuses(
            &writer,
            "metadata `general.architecture` is not supported, expected `llama`: `qwen2`",
        );
    }
}

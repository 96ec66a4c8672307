//! Turns PEFT's configuration and safetensors into a GGUF LoRA for a base model.
//!
//! Bytes in, bytes out; the same input gives the same bytes. Names, shapes and the order of rows are those of
//! llama.cpp's `convert_lora_to_gguf.py`. A GGUF file has one alpha, and scales each pair by `alpha / rank`: if PEFT
//! scales a module differently, the ratio is multiplied into its `B`.

use std::collections::BTreeMap;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::peft::{Config, ConvertError, Side, place, target};
use super::{MAX_RANK, Voice, target_shape};
use crate::config::{ModelConfig, RopeOrder};
use crate::gguf::TensorType;
use crate::gguf::stand_in::{START_BYTES, stand_in};
use crate::gguf::write::{TensorOut, Writer};
use crate::quant;

/// How the matrices of a converted adapter are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stored {
    /// Single precision: lossless.
    #[default]
    F32,
    /// Half precision: half the size.
    F16,
}

/// Name and number format of a converted adapter.
#[derive(Debug, Clone, Default)]
pub struct ConvertOptions {
    /// `general.name`.
    pub name: String,
    /// The type of its matrices.
    pub stored: Stored,
    /// The style of answer it was trained for; `None` for an adapter without set phrases.
    pub voice: Option<Voice>,
}

/// The matrices of a pair found so far.
#[derive(Default)]
struct Halves<'t> {
    module: &'t str,
    a: Option<(&'t str, TensorView<'t>)>,
    b: Option<(&'t str, TensorView<'t>)>,
}

/// Converts the `adapter_config.json` and `adapter_model.safetensors` of an adapter that PEFT trained on `base`.
///
/// # Errors
/// Any [`ConvertError`], naming the setting or the tensor.
pub fn convert(
    config: &[u8],
    tensors: &[u8],
    base: &ModelConfig,
    options: &ConvertOptions,
) -> Result<Vec<u8>, ConvertError> {
    check_base(base)?;
    for (file, bytes) in [
        ("adapter_config.json", config),
        ("adapter_model.safetensors", tensors),
    ] {
        if let Some(found) = stand_in(&bytes[..bytes.len().min(START_BYTES)]) {
            return Err(ConvertError::StandIn { file, found });
        }
    }
    let config = Config::parse(config)?;
    let tensors = SafeTensors::deserialize(tensors).map_err(|error| ConvertError::File {
        reason: error.to_string(),
    })?;
    let mut names = tensors.names();
    // Names come in no fixed order; sorted, they make error messages deterministic.
    names.sort_unstable();
    let mut pairs: BTreeMap<String, Halves<'_>> = BTreeMap::new();
    for name in names {
        let (module, side) = place(name)?;
        let pair = pairs.entry(target(module, name)?).or_default();
        pair.module = module;
        let view = tensors.tensor(name).map_err(|error| ConvertError::File {
            reason: error.to_string(),
        })?;
        let half = match side {
            Side::A => &mut pair.a,
            Side::B => &mut pair.b,
        };
        if let Some((other, _)) = half.replace((name, view)) {
            return Err(ConvertError::Tensor {
                name: name.to_owned(),
                reason: format!("`{other}` changes the same matrix"),
            });
        }
    }
    let mut read = Vec::with_capacity(pairs.len());
    for (target, halves) in &pairs {
        read.push((
            target,
            halves.module,
            pair(target, halves, base, config.rank)?,
        ));
    }
    let Some((_, _, first)) = read.first() else {
        return Err(ConvertError::Empty);
    };
    let alpha = config.file_alpha(config.rank.unwrap_or(first.rank));
    let mut writer = Writer::new();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the file's alpha is an f32"
    )]
    let file_alpha = alpha as f32;
    if !file_alpha.is_finite() || file_alpha == 0.0 {
        return Err(ConvertError::Setting {
            key: "lora_alpha",
            expected: "a number that 32 bits hold".to_owned(),
            found: alpha.to_string(),
        });
    }
    writer
        .set("general.type", "adapter")
        .set("general.architecture", base.architecture.name())
        .set("general.name", options.name.as_str())
        .set("adapter.type", "lora")
        .set("adapter.lora.alpha", file_alpha);
    if let Some(voice) = &options.voice {
        voice.write(&mut writer);
    }
    for (target, module, pair) in read {
        let factor = config.factor(module, pair.rank, alpha)?;
        let b = scaled(reordered(target, pair.b, pair.rank, base), factor);
        let shapes = [[pair.n_cols, pair.rank], [pair.rank, pair.n_rows]];
        for (((suffix, name), shape), values) in
            [("lora_a", pair.names.0), ("lora_b", pair.names.1)]
                .into_iter()
                .zip(shapes)
                .zip([pair.a, b])
        {
            let tensor = stored(
                &format!("{target}.{suffix}"),
                options.stored,
                &shape,
                &values,
            );
            finite(name, tensor.kind, &tensor.bytes, "as it is written")?;
            writer.add(tensor);
        }
    }
    Ok(writer.finish())
}

fn check_base(base: &ModelConfig) -> Result<(), ConvertError> {
    let reason = if !base.architecture.is_decoder() {
        format!("`{}` is no family that writes", base.architecture.name())
    } else if !base.head_size.is_multiple_of(2) {
        format!("its heads have an odd size: {}", base.head_size)
    } else {
        return Ok(());
    };
    Err(ConvertError::Base {
        name: base.name.clone(),
        reason,
    })
}

/// A pair as plain floats, in the source's order.
struct Pair<'t> {
    names: (&'t str, &'t str),
    rank: usize,
    n_rows: usize,
    n_cols: usize,
    a: Vec<f32>,
    b: Vec<f32>,
}

fn pair<'t>(
    target: &str,
    halves: &Halves<'t>,
    base: &ModelConfig,
    expected_rank: Option<usize>,
) -> Result<Pair<'t>, ConvertError> {
    let lonely = |name: &str, other: &str| ConvertError::Tensor {
        name: name.to_owned(),
        reason: format!("`{other}` of the same module is missing"),
    };
    let ((a_name, a), (b_name, b)) = match (&halves.a, &halves.b) {
        (Some(a), Some(b)) => (a, b),
        (Some((name, _)), None) => return Err(lonely(name, "lora_B")),
        (None, Some((name, _))) => return Err(lonely(name, "lora_A")),
        (None, None) => return Err(ConvertError::Empty),
    };
    let (n_rows, n_cols) = target_shape(target, base).map_err(|_| ConvertError::Tensor {
        name: (*a_name).to_owned(),
        reason: format!("base model `{}` has no `{target}`", base.name),
    })?;
    let fits = |name: &str, found: &[usize], expected: [Option<usize>; 2]| {
        let is_right = found.len() == 2
            && found
                .iter()
                .zip(expected)
                .all(|(found, expected)| expected.is_none_or(|expected| *found == expected));
        if is_right {
            return Ok(());
        }
        let text = |sizes: Vec<String>| sizes.join(" x ");
        let size = |size: Option<usize>| size.map_or("rank".to_owned(), |size| size.to_string());
        Err(ConvertError::Shape {
            name: name.to_owned(),
            expected: text(expected.map(size).to_vec()),
            found: text(found.iter().map(usize::to_string).collect()),
        })
    };
    fits(a_name, a.shape(), [expected_rank, Some(n_cols)])?;
    let rank = a.shape()[0];
    if !(1..=MAX_RANK).contains(&rank) {
        return Err(ConvertError::Tensor {
            name: (*a_name).to_owned(),
            reason: format!("it has rank {rank}, expected 1 to {MAX_RANK}"),
        });
    }
    fits(b_name, b.shape(), [Some(n_rows), Some(rank)])?;
    Ok(Pair {
        names: (a_name, b_name),
        rank,
        n_rows,
        n_cols,
        a: values(a_name, a)?,
        b: values(b_name, b)?,
    })
}

fn values(name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, ConvertError> {
    let kind = match view.dtype() {
        Dtype::F32 => TensorType::F32,
        Dtype::F16 => TensorType::F16,
        Dtype::BF16 => TensorType::BF16,
        other => {
            return Err(ConvertError::Type {
                name: name.to_owned(),
                found: format!("{other:?}"),
            });
        }
    };
    finite(name, kind, view.data(), "in the file")?;
    // The safetensors reader has checked the bytes against shape and type.
    let mut values = vec![0.0; view.data().len() / kind.block_bytes()];
    quant::dequantize(kind, view.data(), &mut values);
    Ok(values)
}

fn finite(
    name: &str,
    kind: TensorType,
    bytes: &[u8],
    when: &'static str,
) -> Result<(), ConvertError> {
    match quant::not_finite(kind, bytes) {
        None => Ok(()),
        Some(place) => Err(ConvertError::NotFinite {
            name: name.to_owned(),
            place,
            when,
        }),
    }
}

/// The rows of `B` in the row order of the base's file.
///
/// PEFT's models have the two rows of a rotary pair half a head apart. llama.cpp's files of the llama family have them
/// as neighbours, so the rows of each query and key head are interleaved; other families keep their order.
fn reordered(target: &str, b: Vec<f32>, rank: usize, base: &ModelConfig) -> Vec<f32> {
    let is_turned = [".attn_q.weight", ".attn_k.weight"]
        .iter()
        .any(|end| target.ends_with(end));
    if base.traits.rope_order != RopeOrder::Neighbours || !is_turned {
        return b;
    }
    let half = base.head_size / 2;
    let mut out = Vec::with_capacity(b.len());
    for head in b.chunks_exact(base.head_size * rank) {
        let (first, second) = head.split_at(half * rank);
        for (one, other) in first.chunks_exact(rank).zip(second.chunks_exact(rank)) {
            out.extend_from_slice(one);
            out.extend_from_slice(other);
        }
    }
    out
}

fn scaled(mut values: Vec<f32>, factor: f64) -> Vec<f32> {
    if factor != 1.0 {
        for value in &mut values {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "what grows too large is found when it is written"
            )]
            let product = (f64::from(*value) * factor) as f32;
            *value = product;
        }
    }
    values
}

fn stored(name: &str, stored: Stored, shape: &[usize], values: &[f32]) -> TensorOut {
    let kind = match stored {
        Stored::F32 => TensorType::F32,
        Stored::F16 => TensorType::F16,
    };
    TensorOut::pack(name, kind, shape, values)
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;

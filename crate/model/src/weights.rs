//! Turns a GGUF file into a model's weights: each tensor by its role, its shape checked.
//!
//! Capitals: `C` residual width, `H` heads, `K` key/value heads, `D` head size, `F` feed-forward width, `V` vocabulary.
//! Source of the names: llama.cpp's `llama-arch.cpp`.

use std::collections::BTreeMap;

use crate::config::{Architecture, ModelConfig, RopeFactors};
use crate::error::LoadError;
use crate::gguf::{Gguf, TensorType};
use crate::parts::Parts;
use crate::quant;

/// A matrix of `n_rows` outputs by `n_cols` inputs: row-major blocks exactly as in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// How the values are stored.
    pub kind: TensorType,
    /// Outputs.
    pub n_rows: usize,
    /// Inputs; whole blocks of `kind`.
    pub n_cols: usize,
    /// The stored rows.
    pub bytes: Vec<u8>,
}

impl Matrix {
    /// Unpacks one row.
    ///
    /// # Panics
    /// If there is no such row, or `values` is not one row long.
    pub fn row(&self, row_idx: usize, values: &mut [f32]) {
        let row_bytes = self.bytes.len() / self.n_rows;
        let bytes = &self.bytes[row_idx * row_bytes..(row_idx + 1) * row_bytes];
        quant::dequantize(self.kind, bytes, values);
    }

    /// Unpacks everything, `[n_rows, n_cols]`.
    pub fn to_f32(&self) -> Vec<f32> {
        let mut values = vec![0.0; self.n_rows * self.n_cols];
        quant::dequantize(self.kind, &self.bytes, &mut values);
        values
    }
}

/// The weights of a decoder, its matrices as stored or as a device keeps them (`M`).
#[derive(Debug, Clone, PartialEq)]
pub struct Weights<M = Matrix> {
    /// `[V, C]`: the row of each token.
    pub token_embd: M,
    /// `[C]`: gain of the norm before the output.
    pub output_norm: Vec<f32>,
    /// `[V, C]`; `None` where the output shares `token_embd`.
    pub output: Option<M>,
    /// `[V]`, in models that have one.
    pub output_bias: Option<Vec<f32>>,
    /// `[rope.dim / 2]`: each pair's frequency is divided by its factor (the stretched contexts of Llama 3.1 and of
    /// `longrope`).
    pub rope_factors: Option<Vec<f32>>,
    /// From input to output.
    pub layers: Vec<LayerWeights<M>>,
}

/// The weights of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerWeights<M = Matrix> {
    /// `[C]`: gain of the norm before attention.
    pub attn_norm: Vec<f32>,
    /// `[H * D, C]`
    pub attn_q: M,
    /// `[K * D, C]`
    pub attn_k: M,
    /// `[K * D, C]`
    pub attn_v: M,
    /// `[C, H * D]`
    pub attn_output: M,
    /// `[H * D]`, in models that have one.
    pub attn_q_bias: Option<Vec<f32>>,
    /// `[K * D]`, in models that have one.
    pub attn_k_bias: Option<Vec<f32>>,
    /// `[K * D]`, in models that have one.
    pub attn_v_bias: Option<Vec<f32>>,
    /// `[C]`, in models that have one.
    pub attn_output_bias: Option<Vec<f32>>,
    /// `[F]`, in models that have one.
    pub ffn_gate_bias: Option<Vec<f32>>,
    /// `[F]`, in models that have one.
    pub ffn_up_bias: Option<Vec<f32>>,
    /// `[C]`, in models that have one.
    pub ffn_down_bias: Option<Vec<f32>>,
    /// `[D]`: gain of the norm of each query head, before RoPE, in families that norm heads.
    pub attn_q_norm: Option<Vec<f32>>,
    /// `[D]`: the same for keys.
    pub attn_k_norm: Option<Vec<f32>>,
    /// `[C]`: gain of the norm after attention, in families that norm a block's output.
    pub post_attention_norm: Option<Vec<f32>>,
    /// `[C]`: gain of the norm before the feed-forward block.
    pub ffn_norm: Vec<f32>,
    /// `[F, C]`
    pub ffn_gate: M,
    /// `[F, C]`
    pub ffn_up: M,
    /// `[C, F]`
    pub ffn_down: M,
    /// `[C]`: gain of the norm after the feed-forward block, in families that norm a block's output.
    pub post_ffw_norm: Option<Vec<f32>>,
}

impl Weights {
    /// Reads all weights in file order, dropping each part of the file once it is read.
    ///
    /// # Errors
    /// [`LoadError::MissingTensor`], [`LoadError::TensorShape`], [`LoadError::NotFinite`], and [`LoadError::UnknownTensor`]
    /// for a tensor that this architecture would leave unused.
    pub fn load(gguf: &Gguf, parts: &mut Parts, config: &ModelConfig) -> Result<Self, LoadError> {
        Self::load_as(gguf, parts, config, |matrix| matrix)
    }
}

impl<M> Weights<M> {
    /// As [`Weights::load`], but packs each matrix before reading the next: the file's bytes and the converted weights
    /// are never all in memory at once.
    pub(crate) fn load_as(
        gguf: &Gguf,
        parts: &mut Parts,
        config: &ModelConfig,
        pack: impl FnMut(Matrix) -> M,
    ) -> Result<Self, LoadError> {
        let mut tensors = Tensors::load(gguf, parts, |_| true, pack)?;
        let c = config.n_embd;
        let (q, kv, f, v) = (
            config.q_width(),
            config.kv_width(),
            config.n_ff,
            config.n_vocab,
        );
        let weights = Self {
            token_embd: tensors.matrix("token_embd.weight", v, c)?,
            output_norm: tensors.vector("output_norm.weight", c)?,
            output: tensors.opt_matrix("output.weight", v, c)?,
            output_bias: match config.traits.has_output_bias {
                true => tensors.opt_vector("output.bias", v)?,
                false => None,
            },
            rope_factors: rope_factors(&mut tensors, config)?,
            layers: (0..config.n_layers)
                .map(|layer_idx| {
                    let name = |stem: &str| format!("blk.{layer_idx}.{stem}");
                    // Families with this norm need the gain; in others it is refused as unknown.
                    let mut gain = |is_there: bool, stem: &str, len: usize| {
                        let gain = is_there.then(|| tensors.vector(&name(stem), len));
                        gain.transpose()
                    };
                    let traits = config.traits;
                    let attn_q_norm = gain(
                        traits.has_head_norms,
                        "attn_q_norm.weight",
                        config.head_size,
                    )?;
                    let attn_k_norm = gain(
                        traits.has_head_norms,
                        "attn_k_norm.weight",
                        config.head_size,
                    )?;
                    let post_attention_norm =
                        gain(traits.has_post_norms, "post_attention_norm.weight", c)?;
                    let post_ffw_norm = gain(traits.has_post_norms, "post_ffw_norm.weight", c)?;
                    // The bias is optional; in families whose graph does not add it, it is refused as unknown.
                    let mut bias = |stem: &str, len: usize| match traits.has_block_biases {
                        true => tensors.opt_vector(&name(stem), len),
                        false => Ok(None),
                    };
                    let attn_output_bias = bias("attn_output.bias", c)?;
                    let ffn_gate_bias = bias("ffn_gate.bias", f)?;
                    let ffn_up_bias = bias("ffn_up.bias", f)?;
                    let ffn_down_bias = bias("ffn_down.bias", c)?;
                    Ok(LayerWeights {
                        attn_norm: tensors.vector(&name("attn_norm.weight"), c)?,
                        attn_q: tensors.matrix(&name("attn_q.weight"), q, c)?,
                        attn_k: tensors.matrix(&name("attn_k.weight"), kv, c)?,
                        attn_v: tensors.matrix(&name("attn_v.weight"), kv, c)?,
                        attn_output: tensors.matrix(&name("attn_output.weight"), c, q)?,
                        attn_q_bias: tensors.opt_vector(&name("attn_q.bias"), q)?,
                        attn_k_bias: tensors.opt_vector(&name("attn_k.bias"), kv)?,
                        attn_v_bias: tensors.opt_vector(&name("attn_v.bias"), kv)?,
                        attn_output_bias,
                        ffn_gate_bias,
                        ffn_up_bias,
                        ffn_down_bias,
                        attn_q_norm,
                        attn_k_norm,
                        post_attention_norm,
                        ffn_norm: tensors.vector(&name("ffn_norm.weight"), c)?,
                        ffn_gate: tensors.matrix(&name("ffn_gate.weight"), f, c)?,
                        ffn_up: tensors.matrix(&name("ffn_up.weight"), f, c)?,
                        ffn_down: tensors.matrix(&name("ffn_down.weight"), c, f)?,
                        post_ffw_norm,
                    })
                })
                .collect::<Result<_, LoadError>>()?,
        };
        tensors.finish(config)?;
        Ok(weights)
    }
}

impl Weights {
    /// Converts every matrix to another layout.
    pub(crate) fn map<M>(self, mut pack: impl FnMut(Matrix) -> M) -> Weights<M> {
        Weights {
            token_embd: pack(self.token_embd),
            output_norm: self.output_norm,
            output: self.output.map(&mut pack),
            output_bias: self.output_bias,
            rope_factors: self.rope_factors,
            layers: self
                .layers
                .into_iter()
                .map(|layer| LayerWeights {
                    attn_norm: layer.attn_norm,
                    attn_q: pack(layer.attn_q),
                    attn_k: pack(layer.attn_k),
                    attn_v: pack(layer.attn_v),
                    attn_output: pack(layer.attn_output),
                    attn_q_bias: layer.attn_q_bias,
                    attn_k_bias: layer.attn_k_bias,
                    attn_v_bias: layer.attn_v_bias,
                    attn_output_bias: layer.attn_output_bias,
                    ffn_gate_bias: layer.ffn_gate_bias,
                    ffn_up_bias: layer.ffn_up_bias,
                    ffn_down_bias: layer.ffn_down_bias,
                    attn_q_norm: layer.attn_q_norm,
                    attn_k_norm: layer.attn_k_norm,
                    post_attention_norm: layer.post_attention_norm,
                    ffn_norm: layer.ffn_norm,
                    ffn_gate: pack(layer.ffn_gate),
                    ffn_up: pack(layer.ffn_up),
                    ffn_down: pack(layer.ffn_down),
                    post_ffw_norm: layer.post_ffw_norm,
                })
                .collect(),
        }
    }
}

/// The factors for the configuration's context; those for another context are skipped.
fn rope_factors<M>(
    tensors: &mut Tensors<M>,
    config: &ModelConfig,
) -> Result<Option<Vec<f32>>, LoadError> {
    let mut read = |name: &str| tensors.opt_vector(name, config.rope.dim / 2);
    if config.rope_factors == RopeFactors::Always {
        return read("rope_freqs.weight");
    }
    // Only llama's graph reads these two; in other families they are refused as unknown.
    if config.architecture != Architecture::Llama {
        return Ok(None);
    }
    let (short, long) = (
        read("rope_factors_short.weight")?,
        read("rope_factors_long.weight")?,
    );
    Ok(match config.rope_factors {
        RopeFactors::Long => long,
        _ => short,
    })
}

/// All tensors of a file, handed out one by one by role.
pub(crate) struct Tensors<M> {
    by_name: BTreeMap<String, (Vec<usize>, Tensor<M>)>,
}

enum Tensor<M> {
    /// One dimension.
    Vector(Vec<f32>),
    /// Two dimensions or more.
    Matrix(M),
}

impl<M> Tensors<M> {
    /// Takes every tensor with a name that is wanted out of `parts`, front to back.
    pub(crate) fn load(
        gguf: &Gguf,
        parts: &mut Parts,
        is_wanted: impl Fn(&str) -> bool,
        mut pack: impl FnMut(Matrix) -> M,
    ) -> Result<Self, LoadError> {
        let wanted = gguf.tensors.iter().filter(|(name, _)| is_wanted(name));
        let mut in_order: Vec<_> = wanted.collect();
        in_order.sort_by_key(|(_, entry)| entry.offset);
        let mut by_name = BTreeMap::new();
        for (name, entry) in in_order {
            parts.drop_before(entry.offset);
            let matrix = Matrix {
                kind: entry.kind,
                n_cols: entry.shape.first().copied().unwrap_or(1),
                n_rows: entry.shape.iter().skip(1).product(),
                bytes: gguf.tensor(parts, name)?.into_owned(),
            };
            if let Some(place) = quant::not_finite(matrix.kind, &matrix.bytes) {
                let name = name.clone();
                return Err(LoadError::NotFinite { name, place });
            }
            let tensor = match entry.shape.len() {
                0 | 1 => Tensor::Vector(matrix.to_f32()),
                _ => Tensor::Matrix(pack(matrix)),
            };
            by_name.insert(name.clone(), (entry.shape.clone(), tensor));
        }
        parts.drop_before(u64::MAX);
        Ok(Self { by_name })
    }

    /// The matrix of this name, `n_rows` outputs by `n_cols` inputs.
    pub(crate) fn matrix(
        &mut self,
        name: &str,
        n_rows: usize,
        n_cols: usize,
    ) -> Result<M, LoadError> {
        let missing = || LoadError::MissingTensor { name: name.into() };
        self.opt_matrix(name, n_rows, n_cols)?.ok_or_else(missing)
    }

    /// The same, if the file has it.
    pub(crate) fn opt_matrix(
        &mut self,
        name: &str,
        n_rows: usize,
        n_cols: usize,
    ) -> Result<Option<M>, LoadError> {
        match self.take(name, vec![n_cols, n_rows])? {
            Some(Tensor::Matrix(matrix)) => Ok(Some(matrix)),
            // Asking for two dimensions always yields a matrix.
            Some(Tensor::Vector(_)) | None => Ok(None),
        }
    }

    /// The vector of this name, as plain floats.
    pub(crate) fn vector(&mut self, name: &str, len: usize) -> Result<Vec<f32>, LoadError> {
        let missing = || LoadError::MissingTensor { name: name.into() };
        self.opt_vector(name, len)?.ok_or_else(missing)
    }

    /// The same, if the file has it.
    pub(crate) fn opt_vector(
        &mut self,
        name: &str,
        len: usize,
    ) -> Result<Option<Vec<f32>>, LoadError> {
        match self.take(name, vec![len])? {
            Some(Tensor::Vector(values)) => Ok(Some(values)),
            Some(Tensor::Matrix(_)) | None => Ok(None),
        }
    }

    fn take(&mut self, name: &str, expected: Vec<usize>) -> Result<Option<Tensor<M>>, LoadError> {
        let Some((found, tensor)) = self.by_name.remove(name) else {
            return Ok(None);
        };
        if found != expected {
            return Err(LoadError::TensorShape {
                name: name.into(),
                expected,
                found,
            });
        }
        Ok(Some(tensor))
    }

    /// Refuses a file with unused tensors: ignoring them would silently change the model.
    pub(crate) fn finish(self, config: &ModelConfig) -> Result<(), LoadError> {
        match self.by_name.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(LoadError::UnknownTensor {
                name,
                architecture: config.architecture.name().into(),
            }),
        }
    }
}

#[cfg(test)]
#[path = "weights_tests.rs"]
mod tests;

//! Measures how far the graphics device is from plain floats, for families, types and kernel variants, with and without
//! an adapter.
//!
//! Each model is random and small. The reference is the CPU's forward pass over the dequantised weights, which
//! quantises no activations; keys and values are f16 on both.

use anchorite_model::config::Architecture;
use anchorite_model::forward::{CpuForward, GpuForward};
use anchorite_model::gguf::TensorType;
use anchorite_model::gguf::write::TensorOut;
use anchorite_model::gpu::{Gpu, Precision, Variant};
use anchorite_model::ops::argmax::argmax;
use anchorite_model::weights::Matrix;
use anchorite_model::{Adapter, Gguf, ModelConfig, Parts, RunError, TokenId, Weights};

use crate::blocks::random_blocks;
use crate::tiny::{Random, Tiny};

/// Families of decoders.
pub const FAMILIES: [Architecture; 4] = [
    Architecture::Llama,
    Architecture::Qwen2,
    Architecture::Qwen3,
    Architecture::Gemma3,
];

/// Tokens of the prompt whose logits are compared.
const N_PROMPT: usize = 104;
/// The first tokens of the prompt, which run together in tiles.
const N_TOGETHER: usize = 96;
/// Tokens whose logits a device returns at once.
const N_AT_ONCE: usize = 8;

/// Largest NMSE of the logits, and least share of tokens whose likeliest successor is the same.
pub fn bounds(variant: Variant) -> (f64, f64) {
    match variant.precision {
        // A single key that rounds to a different f16 than the CPU's costs about 1e-6.
        Precision::F32 => (1e-5, 0.99),
        Precision::F16 => (1e-4, 0.99),
        // As for the CPU's own quantised kernels, which are not the reference here.
        Precision::Int8 => (1e-2, 0.9),
    }
}

/// A model, and its logits in plain floats.
pub struct Expected {
    config: ModelConfig,
    weights: Weights,
    adapter: Adapter,
    /// `[N_PROMPT, V]`, without the adapter and with it.
    logits: [Vec<f32>; 2],
}

/// The error of one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// The largest NMSE of all logits compared.
    pub nmse: f64,
    /// The share of greedy choices that agree.
    pub agreement: f64,
}

fn prompt() -> Vec<TokenId> {
    (0..)
        .take(N_PROMPT)
        .map(|i| TokenId(i * 37 % 287))
        .collect()
}

impl Expected {
    /// A random model of a family whose matrices are stored as `kind`.
    pub fn new(family: Architecture, kind: TensorType) -> Self {
        let tiny = Tiny {
            n_embd: 512,
            n_ff: 256,
            context_length: 128,
            ..Tiny::of(family)
        };
        let mut writer = tiny.writer();
        let mut random = Random(9);
        for tensor in writer
            .tensors
            .iter_mut()
            .filter(|tensor| tensor.shape.len() > 1)
        {
            let (n_cols, n_rows) = (tensor.shape[0], tensor.shape[1]);
            *tensor = TensorOut {
                name: tensor.name.clone(),
                kind,
                shape: tensor.shape.clone(),
                bytes: random_blocks(kind, n_rows, n_cols, &mut random),
            };
        }
        let mut parts = Parts::new(vec![writer.finish()]);
        let gguf = Gguf::parse(&parts).expect("a GGUF file");
        let config = ModelConfig::from_gguf(&gguf).expect("a configuration");
        let weights = Weights::load(&gguf, &mut parts, &config).expect("weights");
        let bytes = tiny.adapter_writer(3, 3.0).finish();
        let adapter = Adapter::load(&Parts::new(vec![bytes]), &config).expect("an adapter");
        let mut on_cpu = CpuForward::new(&config, in_floats(weights.clone()));
        let logits = [None, Some(adapter.clone())].map(|adapter| {
            on_cpu.set_adapter(adapter).expect("it fits");
            let prompt = prompt();
            let pieces = prompt
                .chunks(N_PROMPT / 2)
                .enumerate()
                .map(|(idx, tokens)| {
                    let position = idx * N_PROMPT / 2;
                    on_cpu
                        .forward_last(tokens, position, tokens.len())
                        .expect("logits")
                });
            pieces.collect::<Vec<_>>().concat()
        });
        Self {
            config,
            weights,
            adapter,
            logits,
        }
    }

    /// The model on a device.
    ///
    /// # Errors
    /// The reason why it can't run there.
    pub fn on(&self, gpu: Gpu) -> Result<GpuForward, String> {
        let load = GpuForward::load_on(gpu, &self.config, self.weights.clone());
        pollster::block_on(load).map_err(|error| error.to_string())
    }

    /// Compares tokens together in tiles, then one by one, then a few at a time.
    ///
    /// # Errors
    /// The error that stopped the device.
    pub fn compare(&self, model: &mut GpuForward, has_adapter: bool) -> Result<Found, RunError> {
        model.set_adapter(has_adapter.then(|| self.adapter.clone()))?;
        let prompt = prompt();
        let n_vocab = self.config.n_vocab;
        let mut found = Found {
            nmse: 0.0,
            agreement: 0.0,
        };
        let (mut n_compared, mut n_agreed) = (0, 0);
        let mut look = |position: usize, rows: &[f32]| {
            for (idx, row) in rows.chunks_exact(n_vocab).enumerate() {
                let expected =
                    &self.logits[usize::from(has_adapter)][(position + idx) * n_vocab..][..n_vocab];
                found.nmse = found.nmse.max(crate::nmse(row, expected));
                n_compared += 1;
                n_agreed += u32::from(argmax(row) == argmax(expected));
            }
        };
        let run = |model: &mut GpuForward, from: usize, to: usize, n: usize| {
            pollster::block_on(model.forward_last(&prompt[from..to], from, n))
        };
        look(N_TOGETHER - 1, &run(model, 0, N_TOGETHER, 1)?);
        for position in N_TOGETHER..N_PROMPT {
            look(position, &run(model, position, position + 1, 1)?);
        }
        for position in (0..N_PROMPT).step_by(N_AT_ONCE) {
            look(
                position,
                &run(model, position, position + N_AT_ONCE, N_AT_ONCE)?,
            );
        }
        found.agreement = f64::from(n_agreed) / f64::from(n_compared);
        Ok(found)
    }
}

/// The weights, dequantised to floats.
fn in_floats(mut weights: Weights) -> Weights {
    let float = |matrix: &mut Matrix| {
        let values = matrix.to_f32();
        matrix.bytes = anchorite_model::quant::quantize(TensorType::F32, &values);
        matrix.kind = TensorType::F32;
    };
    float(&mut weights.token_embd);
    weights.output.iter_mut().for_each(float);
    for layer in &mut weights.layers {
        for matrix in [
            &mut layer.attn_q,
            &mut layer.attn_k,
            &mut layer.attn_v,
            &mut layer.attn_output,
            &mut layer.ffn_gate,
            &mut layer.ffn_up,
            &mut layer.ffn_down,
        ] {
            float(matrix);
        }
    }
    weights
}

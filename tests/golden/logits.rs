//! Compares the forward pass, with and without an adapter, with candle's model in single precision.
//!
//! Candle gets the weights unpacked to floats and the adapter merged into them, `W + scale * B A`; ours keeps the
//! blocks and applies the adapter at run time.

use std::collections::HashMap;

use anchorite_model::adapter::Adapter;
use anchorite_model::config::ModelConfig;
use anchorite_model::forward::{CpuForward, Forward};
use anchorite_model::gguf::{Gguf, TensorType};
use anchorite_model::parts::Parts;
use anchorite_model::token::TokenId;
use anchorite_model::weights::{Matrix, Weights};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::llama2_c::{Cache, Config, Llama};
use harness::tiny::Tiny;
use pollster::block_on;

struct Model {
    config: ModelConfig,
    weights: Weights,
}

fn load(tiny: &Tiny) -> Model {
    let mut parts = Parts::new(vec![tiny.gguf()]);
    let gguf = Gguf::parse(&parts).expect("a GGUF file");
    let config = ModelConfig::from_gguf(&gguf).expect("a configuration");
    let weights = Weights::load(&gguf, &mut parts, &config).expect("weights");
    Model { config, weights }
}

/// Candle's logits of the last token, in single precision.
fn candle(
    model: &Model,
    adapter: Option<&Adapter>,
    tokens: &[u32],
) -> candle_core::Result<Vec<f32>> {
    let Model { config, weights } = model;
    let mut tensors = HashMap::new();
    let mut matrix = |name: &str, base: &str, matrix: &Matrix| -> candle_core::Result<()> {
        let (n, c) = (matrix.n_rows, matrix.n_cols);
        let mut tensor = Tensor::from_vec(matrix.to_f32(), (n, c), &Device::Cpu)?;
        if let Some(pair) = adapter.and_then(|adapter| adapter.pairs.get(base)) {
            let a = Tensor::from_slice(&pair.a, (pair.rank, c), &Device::Cpu)?;
            let b = Tensor::from_slice(&pair.b, (n, pair.rank), &Device::Cpu)?;
            tensor = (tensor + (b.matmul(&a)? * f64::from(pair.scale))?)?;
        }
        tensors.insert(format!("{name}.weight"), tensor);
        Ok(())
    };
    let output = weights.output.as_ref().unwrap_or(&weights.token_embd);
    matrix(
        "model.embed_tokens",
        "token_embd.weight",
        &weights.token_embd,
    )?;
    matrix("lm_head", "output.weight", output)?;
    for (layer_idx, layer) in weights.layers.iter().enumerate() {
        for (name, stem, weight) in [
            ("self_attn.q_proj", "attn_q", &layer.attn_q),
            ("self_attn.k_proj", "attn_k", &layer.attn_k),
            ("self_attn.v_proj", "attn_v", &layer.attn_v),
            ("self_attn.o_proj", "attn_output", &layer.attn_output),
            ("mlp.gate_proj", "ffn_gate", &layer.ffn_gate),
            ("mlp.up_proj", "ffn_up", &layer.ffn_up),
            ("mlp.down_proj", "ffn_down", &layer.ffn_down),
        ] {
            let base = format!("blk.{layer_idx}.{stem}.weight");
            matrix(&format!("model.layers.{layer_idx}.{name}"), &base, weight)?;
        }
    }
    let mut gain = |name: String, gain: &[f32]| -> candle_core::Result<()> {
        tensors.insert(format!("{name}.weight"), Tensor::new(gain, &Device::Cpu)?);
        Ok(())
    };
    gain("model.norm".into(), &weights.output_norm)?;
    for (layer_idx, layer) in weights.layers.iter().enumerate() {
        let name = |stem: &str| format!("model.layers.{layer_idx}.{stem}");
        gain(name("input_layernorm"), &layer.attn_norm)?;
        gain(name("post_attention_layernorm"), &layer.ffn_norm)?;
    }
    let candle_config = Config {
        dim: config.n_embd,
        hidden_dim: config.n_ff,
        n_layers: config.n_layers,
        n_heads: config.n_heads,
        n_kv_heads: config.n_kv_heads,
        vocab_size: config.n_vocab,
        seq_len: config.context_length,
        norm_eps: config.norm_eps.into(),
    };
    let vars = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    let mut cache = Cache::new(true, &candle_config, vars.pp("rot"))?;
    let llama = Llama::load(vars, candle_config)?;
    let tokens = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
    let logits = llama.forward(&tokens, 0, &mut cache)?;
    logits.squeeze(0)?.get(tokens.dim(1)? - 1)?.to_vec1()
}

fn tokens() -> Vec<u32> {
    let n_vocab = u32::try_from(Tiny::N_VOCAB).expect("a small vocabulary");
    (0..23).map(|i| (i * 41 + 7) % n_vocab).collect()
}

/// Largest normalised error of the CPU and any other backend: activations multiplied by int8 and int4 weights are
/// quantised to int8, and the cache holds f16.
fn bound(kind: TensorType) -> f64 {
    match kind {
        TensorType::Q8_0 | TensorType::Q4_0 => 1e-3,
        _ => 1e-6,
    }
}

#[track_caller]
fn agrees_with_candle(start: impl Fn(&Model) -> Forward) {
    use TensorType::{F16, F32, Q4_0, Q8_0};
    for kind in [F32, F16, Q8_0, Q4_0] {
        for is_tied in [false, true] {
            let tiny = Tiny {
                kind,
                is_tied,
                ..Tiny::default()
            };
            let model = load(&tiny);
            let adapter = Parts::new(vec![tiny.adapter_writer(4, 8.0).finish()]);
            let adapter = Adapter::load(&adapter, &model.config).expect("an adapter");
            let mut forward = start(&model);
            let ids: Vec<TokenId> = tokens().into_iter().map(TokenId).collect();
            let mut run = |adapter: Option<&Adapter>| {
                forward
                    .set_adapter(adapter.cloned())
                    .expect("the adapter fits");
                let found = block_on(forward.forward(&ids, 0)).expect("the model runs");
                let expected = candle(&model, adapter, &tokens()).expect("candle runs");
                let (got, bound) = (harness::nmse(&found, &expected), bound(kind));
                let case = format!("{kind}, tied {is_tied}, adapter {}", adapter.is_some());
                println!("{case}: NMSE bound {bound:e}, got {got:e}");
                assert!(got <= bound, "{case}: NMSE bound {bound:e}, got {got:e}");
                found
            };
            let (plain, adapted) = (run(None), run(Some(&adapter)));
            let change = harness::nmse(&adapted, &plain);
            println!("{kind}, tied {is_tied}: the adapter changes the logits by {change:.2}");
            assert!(
                change > 0.1,
                "an adapter without effect proves nothing: {change}"
            );
        }
    }
}

#[test]
fn agrees_with_candle_on_the_cpu() {
    agrees_with_candle(|model| {
        Forward::Cpu(Box::new(CpuForward::new(
            &model.config,
            model.weights.clone(),
        )))
    });
}

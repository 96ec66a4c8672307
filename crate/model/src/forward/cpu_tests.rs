//! Compares the CPU forward pass with one assembled from the reference twins, and with itself run another way.

use super::*;
use crate::config::Architecture;
use crate::error::LoadError;
use crate::forward::test_nmse;
use crate::gguf::{Gguf, TensorType};
use crate::parts::Parts;
use crate::reference::{
    add::add, attention::attention, embed::embed, geglu::geglu, lora::lora, matmul::matmul,
    rms_norm::rms_norm, swiglu::swiglu,
};
use crate::tiny::Tiny;
use crate::weights::Matrix;

struct Model {
    config: ModelConfig,
    weights: Weights,
}

fn model(tiny: &Tiny) -> Model {
    let mut parts = Parts::new(vec![tiny.gguf()]);
    let gguf = Gguf::parse(&parts).unwrap();
    let config = ModelConfig::from_gguf(&gguf).unwrap();
    let weights = Weights::load(&gguf, &mut parts, &config).unwrap();
    Model { config, weights }
}

fn forward(model: &Model) -> CpuForward {
    CpuForward::new(&model.config, model.weights.clone())
}

fn adapter(tiny: &Tiny, config: &ModelConfig) -> Adapter {
    let parts = Parts::new(vec![tiny.adapter_writer(4, 8.0).finish()]);
    Adapter::load(&parts, config).unwrap()
}

fn tokens(n: usize) -> Vec<TokenId> {
    (0..n)
        .map(|i| TokenId(u32::try_from((i * 37 + 5) % Tiny::N_VOCAB).unwrap()))
        .collect()
}

/// The whole model, built from the twins alone.
fn reference(model: &Model, adapter: Option<&Adapter>, tokens: &[TokenId]) -> Vec<f32> {
    let Model { config, weights } = model;
    let apply = |name: &str, matrix: &Matrix, bias: Option<&Vec<f32>>, x: &[f32]| {
        let mut y = vec![0.0; x.len() / matrix.n_cols * matrix.n_rows];
        matmul(matrix, x, &mut y);
        if let Some(bias) = bias {
            y.chunks_exact_mut(bias.len()).for_each(|y| add(bias, y));
        }
        if let Some(pair) = adapter.and_then(|adapter| adapter.pairs.get(name)) {
            lora(pair, x, &mut y);
        }
        y
    };
    let normed = |x: &[f32], gain: &[f32]| {
        let mut y = vec![0.0; x.len()];
        rms_norm(x, gain, config.norm_eps, &mut y);
        y
    };
    let mut x = vec![0.0; tokens.len() * config.n_embd];
    embed(&weights.token_embd, tokens, &mut x);
    x.iter_mut().for_each(|x| *x *= config.embd_scale);
    // Families without this gain skip the norm.
    let opt_normed = |x: Vec<f32>, gain: &Option<Vec<f32>>| match gain {
        Some(gain) => normed(&x, gain),
        None => x,
    };
    for (layer_idx, layer) in weights.layers.iter().enumerate() {
        let name = |stem: &str| format!("blk.{layer_idx}.{stem}.weight");
        let y = normed(&x, &layer.attn_norm);
        let mut q = apply(
            &name("attn_q"),
            &layer.attn_q,
            layer.attn_q_bias.as_ref(),
            &y,
        );
        let mut k = apply(
            &name("attn_k"),
            &layer.attn_k,
            layer.attn_k_bias.as_ref(),
            &y,
        );
        let v = apply(
            &name("attn_v"),
            &layer.attn_v,
            layer.attn_v_bias.as_ref(),
            &y,
        );
        q = opt_normed(q, &layer.attn_q_norm);
        k = opt_normed(k, &layer.attn_k_norm);
        let (n_visible, rope, factors) = match config.window(layer_idx) {
            None => (None, &config.rope, weights.rope_factors.as_deref()),
            Some(window) => (Some(window.n_visible), &window.rope, None),
        };
        crate::reference::rope::rope(config, rope, factors, config.n_heads, 0, &mut q);
        crate::reference::rope::rope(config, rope, factors, config.n_kv_heads, 0, &mut k);
        let mut gathered = vec![0.0; q.len()];
        attention(config, n_visible, 0, &q, &k, &v, &mut gathered);
        let bias = layer.attn_output_bias.as_ref();
        let y = apply(&name("attn_output"), &layer.attn_output, bias, &gathered);
        add(&opt_normed(y, &layer.post_attention_norm), &mut x);
        let y = normed(&x, &layer.ffn_norm);
        let bias = layer.ffn_gate_bias.as_ref();
        let gate = apply(&name("ffn_gate"), &layer.ffn_gate, bias, &y);
        let bias = layer.ffn_up_bias.as_ref();
        let up = apply(&name("ffn_up"), &layer.ffn_up, bias, &y);
        let mut wide = vec![0.0; gate.len()];
        match config.traits.activation {
            Activation::Silu => swiglu(&gate, &up, &mut wide),
            Activation::GeluTanh => geglu(&gate, &up, &mut wide),
        }
        let bias = layer.ffn_down_bias.as_ref();
        let y = apply(&name("ffn_down"), &layer.ffn_down, bias, &wide);
        add(&opt_normed(y, &layer.post_ffw_norm), &mut x);
    }
    let last = normed(&x[x.len() - config.n_embd..], &weights.output_norm);
    let output = weights.output.as_ref().unwrap_or(&weights.token_embd);
    let bias = weights.output_bias.as_ref();
    let logits = apply("output.weight", output, bias, &last);
    let cap = |logit: f32| {
        config
            .logit_cap
            .map_or(logit, |cap| cap * (logit / cap).tanh())
    };
    logits.into_iter().map(cap).collect()
}

/// With and without an adapter; `bounds` in that order.
#[track_caller]
fn agrees(case: &str, tiny: &Tiny, bounds: [f64; 2]) {
    let model = model(tiny);
    let adapter = adapter(tiny, &model.config);
    for (adapter, bound) in [Some(adapter), None].into_iter().zip(bounds) {
        let expected = reference(&model, adapter.as_ref(), &tokens(19));
        let mut forward = forward(&model);
        forward.set_adapter(adapter.clone()).unwrap();
        let got = test_nmse(&forward.forward(&tokens(19), 0).unwrap(), &expected);
        let case = format!("{case}, adapter {}", adapter.is_some());
        println!("{case}: bound {bound:e}, got {got:e}");
        assert!(got <= bound, "{case}: bound {bound:e}, got {got:e}");
    }
}

#[test]
fn agrees_with_the_twins() {
    use TensorType::{F16, F32, Q4_0, Q8_0};
    // The cache holds f16. Activations are quantised once per product, and the rounding errors add up over layers.
    for (kind, bound) in [(F32, 1e-6), (F16, 1e-6), (Q8_0, 1e-3), (Q4_0, 1e-3)] {
        for (is_tied, has_bias) in [(false, false), (true, true)] {
            let tiny = Tiny {
                kind,
                is_tied,
                has_bias,
                ..Tiny::default()
            };
            // With block weights the pair is quantised too, and this pair's change is as large as the weights.
            let bounds = [2.0 * bound, bound];
            agrees(&format!("{kind}, tied {is_tied}"), &tiny, bounds);
        }
    }
}

const FAMILIES: [Architecture; 4] = [
    Architecture::Llama,
    Architecture::Qwen2,
    Architecture::Qwen3,
    Architecture::Gemma3,
];

#[test]
fn agrees_with_the_twins_for_every_family() {
    for family in FAMILIES {
        // Per layer, for the same reason.
        for (kind, bound) in [(TensorType::F32, 1e-6), (TensorType::Q8_0, 5e-4)] {
            let tiny = Tiny {
                kind,
                ..Tiny::of(family)
            };
            let bound = bound * tiny.n_layers as f64;
            agrees(&format!("{family:?} {kind}"), &tiny, [bound; 2]);
        }
    }
}

#[test]
fn forgets_what_left_the_window() {
    // The one layer sees only the last tokens, so the others must not matter.
    let model = model(&Tiny {
        n_layers: 1,
        ..Tiny::of(Architecture::Gemma3)
    });
    let n_visible = model.config.window(0).unwrap().n_visible;
    let mut tokens = tokens(n_visible + 5);
    let mut forward = forward(&model);
    let mut last = |tokens: &[TokenId]| forward.forward(tokens, 0).unwrap();
    let expected = last(&tokens);
    tokens[..5].fill(TokenId(1));
    assert_eq!(last(&tokens), expected, "5 tokens before the window");
    tokens[5] = TokenId(1);
    assert_ne!(last(&tokens), expected, "the first token of the window");
}

#[test]
fn gives_the_same_however_the_prompt_is_cut() {
    let kinds = [TensorType::F32, TensorType::Q8_0];
    for (family, kind) in FAMILIES
        .into_iter()
        .flat_map(|f| kinds.map(|kind| (f, kind)))
    {
        let context_length = 2 * MAX_BATCH;
        let model = model(&Tiny {
            kind,
            context_length,
            ..Tiny::of(family)
        });
        let tokens = tokens(MAX_BATCH + 9);
        let mut forward = forward(&model);
        let whole = forward.forward(&tokens, 0).unwrap();
        forward.reset();
        let mut single = Vec::new();
        for (position, token) in tokens.iter().enumerate() {
            single = forward.forward(&[*token], position).unwrap();
        }
        assert_eq!(whole, single, "{family:?} {kind}: token by token");
        forward.forward(&[TokenId(0); 3], 5).unwrap();
        assert_eq!(
            forward.forward(&tokens[5..], 5),
            Ok(whole),
            "{family:?} {kind}: the end replaced twice"
        );
    }
}

#[test]
fn swaps_adapters_between_runs() {
    let tiny = Tiny::default();
    let model = model(&tiny);
    let mut forward = forward(&model);
    let plain = forward.forward(&tokens(7), 0).unwrap();
    forward
        .set_adapter(Some(adapter(&tiny, &model.config)))
        .unwrap();
    let adapted = forward.forward(&tokens(7), 0).unwrap();
    assert!(
        test_nmse(&adapted, &plain) > 0.01,
        "the adapter changes the logits"
    );
    forward.set_adapter(None).unwrap();
    assert_eq!(
        forward.forward(&tokens(7), 0),
        Ok(plain),
        "taken off, nothing of it stays"
    );
}

#[test]
fn refuses_what_it_cannot_run() {
    let tiny = Tiny {
        context_length: 8,
        ..Tiny::default()
    };
    let model = model(&tiny);
    let mut forward = forward(&model);
    let message = |result: Result<Vec<f32>, RunError>| result.unwrap_err().to_string();
    assert_eq!(
        message(forward.forward(&[], 0)),
        "prompt is empty, expected at least one token",
        "empty"
    );
    assert_eq!(
        message(forward.forward(&tokens(9), 0)),
        "prompt of 9 tokens does not fit into the context of 8 tokens",
        "long"
    );
    assert_eq!(
        message(forward.forward(&tokens(1), 3)),
        "run must continue at position 0 or before: `3`",
        "gap"
    );
    assert_eq!(
        message(forward.forward(&[TokenId(9999)], 0)),
        "token is not in the vocabulary of 288 tokens: `9999`",
        "unknown token"
    );
    let other = Tiny { n_ff: 128, ..tiny };
    let error = forward.set_adapter(Some(adapter(&other, &self::model(&other).config)));
    assert!(
        matches!(
            &error,
            Err(RunError::Adapter {
                source: LoadError::TensorShape { .. },
                ..
            })
        ),
        "an adapter of another shape: {error:?}"
    );
    let mut damaged = model;
    damaged.weights.output_norm[0] = f32::NAN;
    assert_eq!(
        message(self::forward(&damaged).forward(&tokens(3), 0)),
        "logits are not finite at position 2",
        "damaged weights"
    );
}

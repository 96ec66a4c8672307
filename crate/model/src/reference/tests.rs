//! Compares each twin with values worked out by hand.

use super::*;
use crate::adapter::LoraPair;
use crate::config::{Architecture, ModelConfig, Rope, RopeFactors, RopeOrder, Traits, Yarn};
use crate::gguf::TensorType;
use crate::quant;
use crate::token::TokenId;
use crate::weights::Matrix;

const ROPE: Rope = Rope {
    base: 10_000.0,
    dim: 2,
    scale: 1.0,
    yarn: None,
    magnitude: 1.0,
};

fn config() -> ModelConfig {
    ModelConfig {
        architecture: Architecture::Llama,
        traits: Traits::default(),
        languages: Vec::new(),
        name: "by hand".into(),
        n_layers: 1,
        n_embd: 4,
        n_heads: 2,
        n_kv_heads: 1,
        head_size: 2,
        n_ff: 4,
        n_vocab: 3,
        context_length: 8,
        norm_eps: 0.0,
        embd_scale: 1.0,
        query_scale: 0.5f32.sqrt(),
        logit_cap: None,
        rope: ROPE,
        rope_factors: RopeFactors::Always,
        local: None,
    }
}

fn matrix(n_rows: usize, n_cols: usize, values: &[f32]) -> Matrix {
    let bytes = quant::quantize(TensorType::F32, values);
    Matrix {
        kind: TensorType::F32,
        n_rows,
        n_cols,
        bytes,
    }
}

#[track_caller]
fn close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "as many values");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-6,
            "expected {expected}, got {found}"
        );
    }
}

#[test]
fn embeds_by_row() {
    let mut y = [0.0; 4];
    embed::embed(
        &matrix(2, 2, &[1.0, 2.0, 3.0, 4.0]),
        &[TokenId(1), TokenId(0)],
        &mut y,
    );
    close(&y, &[3.0, 4.0, 1.0, 2.0]);
}

#[test]
fn norms_by_power() {
    let mut y = [0.0; 2];
    rms_norm::rms_norm(&[3.0, 4.0], &[1.0, 2.0], 0.0, &mut y);
    // The mean square is 12.5.
    close(&y, &[3.0 / 12.5f32.sqrt(), 8.0 / 12.5f32.sqrt()]);
}

#[test]
fn norms_by_variance() {
    let mut x = [1.0, 3.0];
    layer_norm::layer_norm(&mut x, &[1.0, 2.0], &[0.5, 0.0], 0.0);
    close(&x, &[-0.5, 2.0]);
}

#[test]
fn multiplies_and_adapts() {
    let x = [1.0, -1.0];
    let mut y = [0.0; 2];
    matmul::matmul(&matrix(2, 2, &[1.0, 2.0, 3.0, 5.0]), &x, &mut y);
    close(&y, &[-1.0, -2.0]);
    let pair = LoraPair {
        rank: 1,
        scale: 0.5,
        a: vec![2.0, 4.0],
        b: vec![1.0, -3.0],
    };
    lora::lora(&pair, &x, &mut y);
    // A x is -2, halved to -1.
    close(&y, &[-2.0, 1.0]);
}

#[test]
fn turns_pairs_by_position() {
    let mut x = [1.0, 0.0, 1.0, 0.0];
    rope::rope(&config(), &ROPE, None, 1, 0, &mut x);
    close(&x, &[1.0, 0.0, 1f32.cos(), 1f32.sin()]);
    let halved = rope::turn(&ROPE, Some(&[2.0]), 3, 0);
    close(&halved, &[1.5f32.cos(), 1.5f32.sin()]);

    let wide = Rope { dim: 4, ..ROPE };
    let mut config = ModelConfig {
        head_size: 4,
        ..config()
    };
    let (far, slow) = (1f32, 0.01f32);
    for (order, expected) in [
        (RopeOrder::Neighbours, [far.cos(), far.sin(), 0.0, 0.0]),
        (RopeOrder::Halves, [far.cos(), 0.0, far.sin(), 0.0]),
    ] {
        config.traits.rope_order = order;
        let mut x = [1.0, 0.0, 0.0, 0.0];
        rope::rope(&config, &wide, None, 1, 1, &mut x);
        close(&x, &expected);
    }
    let mut x = [0.0, 1.0, 0.0, 0.0];
    rope::rope(&config, &wide, None, 1, 1, &mut x);
    close(&x, &[0.0, slow.cos(), 0.0, slow.sin()]);
}

#[test]
fn pairs_before_a_ramp_keep_their_frequency() {
    // Base 1 rotates all pairs alike, so only the ramp from pair 1 to pair 3 tells them apart.
    let rope = Rope {
        base: 1.0,
        dim: 10,
        scale: 0.25,
        yarn: Some(Yarn { from: 1.0, to: 3.0 }),
        magnitude: 2.0,
    };
    for (pair, expected) in [4f32, 4.0, 2.5, 1.0, 1.0].into_iter().enumerate() {
        let expected = [2.0 * expected.cos(), 2.0 * expected.sin()];
        close(&rope::turn(&rope, None, 4, pair), &expected);
        let (cos, sin) = crate::ops::rope::turn(&rope, None, 4, pair);
        close(&[cos, sin], &expected);
    }
}

#[test]
fn attends_to_what_came_before() {
    // Token 0 sees only itself; both queries of token 1 see two equal keys.
    let (k, v) = ([1.0, 0.0, 1.0, 0.0], [2.0, 4.0, 6.0, 8.0]);
    let mut y = [0.0; 8];
    attention::attention(&config(), None, 0, &[1.0; 8], &k, &v, &mut y);
    close(&y, &[2.0, 4.0, 2.0, 4.0, 4.0, 6.0, 4.0, 6.0]);
    // Through a window of one position each sees only itself.
    attention::attention(&config(), Some(1), 0, &[1.0; 8], &k, &v, &mut y);
    close(&y, &[2.0, 4.0, 2.0, 4.0, 6.0, 8.0, 6.0, 8.0]);
}

#[test]
fn shares_sum_to_one_for_any_scores() {
    let mut x = [1000.0, 1000.0 + 3f32.ln()];
    crate::ops::softmax::softmax(&mut x);
    assert!((x[0] - 0.25).abs() < 1e-4, "one to three: {x:?}");
    assert!((x[0] + x[1] - 1.0).abs() < 1e-6, "in all one: {x:?}");
}

#[test]
fn activates() {
    let mut y = [0.0; 2];
    swiglu::swiglu(&[0.0, 2.0], &[5.0, 3.0], &mut y);
    close(&y, &[0.0, 6.0 / (1.0 + (-2f32).exp())]);
    geglu::geglu(&[1.0, -1.0], &[1.0, 2.0], &mut y);
    // By the approximation, 1 / 2 * (1 + tanh(0.8335649)) is 0.8411920.
    close(&y, &[0.841_192, -0.317_616]);
    let mut x = [0.0, 1.0, -1.0, 30.0];
    gelu::gelu(&mut x);
    // Phi(1) = 0.8413447.
    close(&x, &[0.0, 0.841_344_7, -0.158_655_3, 30.0]);
}

#[test]
fn chooses_the_first_of_the_largest() {
    assert_eq!(
        crate::ops::argmax::argmax(&[1.0, 3.0, 3.0]),
        TokenId(1),
        "first of equals"
    );
    assert_eq!(
        crate::ops::argmax::argmax(&[]),
        TokenId(0),
        "nothing to choose from"
    );
}

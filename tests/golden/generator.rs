//! Compares the default generator, with and without its adapter, with what PyTorch recorded when it was trained.
//!
//! `tests/fixtures/golden/generator.json` is written by `models/recipes/generator/`, from the weights as they stand in
//! the GGUF file.

use std::path::{Path, PathBuf};

use anchorite_model::generate::{BackendRequest, Generator};
use anchorite_model::reference::argmax::argmax;
use anchorite_model::{Adapter, Parts, TokenId};
use pollster::block_on;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    tokens: Vec<u32>,
    without_adapter: Decode,
    with_adapter: Decode,
}

/// A greedy decode.
#[derive(Deserialize)]
struct Decode {
    tokens: Vec<u32>,
    /// The largest logits behind the prompt, largest first.
    first_step: Vec<Logit>,
}

impl Decode {
    /// The tokens up to the end of the message; what stands behind it answers nothing.
    fn message(&self) -> &[u32] {
        let end = self
            .tokens
            .iter()
            .position(|token| *token == END_OF_MESSAGE);
        &self.tokens[..end.map_or(self.tokens.len(), |end| end + 1)]
    }

    /// How far the first choice lies before the second.
    fn margin(&self) -> f32 {
        self.first_step[0].logit - self.first_step[1].logit
    }
}

/// `<|im_end|>` of the default generator.
const END_OF_MESSAGE: u32 = 2;

#[derive(Deserialize)]
struct Logit {
    token: u32,
    logit: f32,
}

fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(relative)
}

fn parts(relative: &str) -> Parts {
    let bytes = std::fs::read(path(relative)).expect("a file of the default models");
    Parts::new(vec![bytes])
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(path("tests/fixtures/golden/generator.json"));
    serde_json::from_str(&text.expect("the recorded decodes")).expect("the recorded decodes")
}

fn load(backend: BackendRequest) -> Generator {
    let model = parts("models/default/generator.gguf");
    block_on(Generator::load(model, None, backend, "a test")).expect("the generator loads")
}

/// The logits behind the prompt, and the `n_tokens` likeliest tokens one after another.
fn decode(generator: &mut Generator, prompt: &[u32], n_tokens: usize) -> (Vec<f32>, Vec<u32>) {
    let prompt: Vec<TokenId> = prompt.iter().copied().map(TokenId).collect();
    let forward = generator.forward_mut();
    let first = block_on(forward.forward(&prompt, 0)).expect("logits");
    let (mut logits, mut tokens) = (first.clone(), Vec::new());
    while tokens.len() < n_tokens {
        let token = argmax(&logits);
        tokens.push(token.0);
        let position = prompt.len() + tokens.len() - 1;
        logits = block_on(forward.forward(&[token], position)).expect("logits");
    }
    (first, tokens)
}

/// Runs every case on `backend`; the logits recorded may be missed by `bound`.
fn decodes_as_recorded(backend: BackendRequest, bound: f32) {
    let mut generator = load(backend);
    let adapter = Adapter::load(&parts("models/default/adapter.gguf"), generator.config());
    let adapter = adapter.expect("the default adapter");
    let mut n_compared = 0;
    for (case_idx, case) in cases().into_iter().enumerate() {
        for (adapter, recorded) in [
            (None, &case.without_adapter),
            (Some(adapter.clone()), &case.with_adapter),
        ] {
            let name = format!(
                "{} case {case_idx}, adapter {}",
                generator.backend().kind,
                adapter.is_some()
            );
            generator.set_adapter(adapter).expect("it fits");
            let message = recorded.message();
            let (logits, tokens) = decode(&mut generator, &case.tokens, message.len());
            let worst = recorded.first_step.iter().fold(0.0f32, |worst, entry| {
                worst.max((logits[TokenId(entry.token).idx()] - entry.logit).abs())
            });
            println!("{name}: logits off by {worst:.1e}, bound {bound:.0e}");
            assert!(
                worst <= bound,
                "{name}: logits off by {worst}, bound {bound}"
            );
            // A choice that the bound could turn round is no choice to compare.
            if recorded.margin() > 2.0 * bound {
                n_compared += 1;
                assert_eq!(tokens, message, "{name}: greedy tokens");
            }
        }
    }
    assert!(
        n_compared >= 3,
        "{n_compared} of 6 decodes had a clear first choice"
    );
}

#[test]
fn decodes_as_recorded_on_the_gpu() {
    // Says so and skips where the tests are told that there is no device.
    if harness::gpu::gpu().is_some() {
        // A software adapter rounds activations to 8 bits as the CPU does; keys and values are halves on both.
        decodes_as_recorded(BackendRequest::Gpu, 0.25);
    }
}

#[test]
fn decodes_as_recorded_on_the_cpu() {
    // The CPU rounds activations to 8 bits before it multiplies, and keys and values to halves.
    decodes_as_recorded(BackendRequest::Cpu, 0.25);
}

//! Compares greedy decoding of a small real model with the story that llama2.c's `run.c` tells.

use std::ops::ControlFlow;

use anchorite_model::generate::{BackendRequest, GenerateOptions, Generator, StopReason};
use anchorite_model::gguf::TensorType;
use anchorite_model::parts::Parts;
use harness::stories::Stories;
use pollster::block_on;

fn load(stories: &Stories, backend: BackendRequest) -> Generator {
    let parts = stories.gguf.chunks(100_000).map(<[u8]>::to_vec).collect();
    block_on(Generator::load(Parts::new(parts), None, backend, "a test")).expect("the model loads")
}

/// Decodes 200 tokens from nothing but the start token.
fn tell(generator: &mut Generator) -> String {
    let prompt = generator
        .tokenizer()
        .encode("", true)
        .expect("no text is a text");
    assert_eq!(prompt.len(), 1, "only the start token");
    let options = GenerateOptions {
        max_tokens: 200,
        ..GenerateOptions::default()
    };
    let mut streamed = String::new();
    let generation = block_on(generator.generate(
        &prompt,
        &options,
        || 0.0,
        async |text| {
            streamed.push_str(text);
            ControlFlow::Continue(())
        },
    ))
    .expect("the model runs");
    assert_eq!(
        generation.n_generated_tokens, 200,
        "every step gives a token"
    );
    assert_eq!(generation.stop, StopReason::MaxTokens, "the story goes on");
    assert_eq!(generation.text, streamed, "streamed as returned");
    generation.text
}

#[track_caller]
fn tells_the_story(backend: BackendRequest) {
    let Some(data_dir) = harness::data_dir() else {
        return;
    };
    let stories = Stories::load(&data_dir, TensorType::F32);
    let mut generator = load(&stories, backend);
    let text = tell(&mut generator);
    println!(
        "{}: 200 tokens, {} bytes",
        generator.backend().kind,
        text.len()
    );
    assert_eq!(text, stories.expected, "on {}", generator.backend().kind);
}

#[test]
fn tells_the_reference_story_on_the_cpu() {
    tells_the_story(BackendRequest::Cpu);
}

#[test]
fn tells_the_reference_story_on_the_gpu() {
    // Reports a skip if the tests are told that there is no device.
    if harness::gpu::gpu().is_some() {
        tells_the_story(BackendRequest::Gpu);
    }
}

#[test]
fn stays_close_when_quantised() {
    let Some(data_dir) = harness::data_dir() else {
        return;
    };
    let exact = Stories::load(&data_dir, TensorType::F32);
    let logits = |stories: &Stories| {
        let mut generator = load(stories, BackendRequest::Cpu);
        let prompt = generator
            .tokenizer()
            .encode(&exact.expected[..200], true)
            .expect("tokens");
        let logits = block_on(generator.forward_mut().forward(&prompt, 0)).expect("the model runs");
        (logits, tell(&mut generator))
    };
    let (expected, _) = logits(&exact);
    // With only 64 channels, few errors average out; larger models lose less.
    for (kind, bound) in [
        (TensorType::F16, 1e-5),
        (TensorType::Q8_0, 1e-3),
        (TensorType::Q4_0, 0.1),
    ] {
        let (found, text) = logits(&Stories::load(&data_dir, kind));
        let got = harness::nmse(&found, &expected);
        println!(
            "{kind} logits: NMSE bound {bound:e}, got {got:e}; tells {:.60}...",
            text
        );
        assert!(
            got <= bound,
            "{kind} logits: NMSE bound {bound:e}, got {got:e}"
        );
        assert!(
            text.starts_with("Once upon a time"),
            "{kind} still begins a story: {text}"
        );
    }
}

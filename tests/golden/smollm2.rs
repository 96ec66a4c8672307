//! Compares a real model's text with llama.cpp's from the same file, and the tokens drawn on one backend with another's.
//!
//! `record_llama_cpp/record_smollm2.py` made the record. The file is pulled, not committed; without it these tests are skipped.

use std::ops::ControlFlow;

use anchorite_model::generate::{BackendRequest, GenerateOptions, Generation, Generator};
use anchorite_model::ops::argmax::argmax;
use anchorite_model::sample::Sampler;
use anchorite_model::{Parts, TokenId};
use harness::gpu::Numbers;
use harness::smollm2::{self, Case, DRAWN, DRAWN_PROMPT, N_DRAWN};
use pollster::block_on;
use sha2::{Digest, Sha256};

/// With 4-bit weights both engines quantise activations to 8 bits, each in its own way. Each is about 1e-4 (NMSE) from
/// the logits in floats, and a choice between two tokens whose logits are closer than this may go either way
/// (`record_llama_cpp`).
const CLOSE: f32 = 0.5;

/// Size of the nudge to each logit that a clear draw must survive: more than rounding moves most logits, see [`CLOSE`].
/// At 0.1 a seed passed whose draws differed between native code and Chromium.
const NUDGE: f32 = 0.25;

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn load(backend: BackendRequest) -> Option<(Generator, Vec<Case>)> {
    let bytes = std::fs::read(smollm2::path()?).expect("the pulled model");
    let (cases, model_sha256) = smollm2::cases();
    assert_eq!(
        hex(&bytes),
        model_sha256,
        "another file than the one that llama.cpp was asked about; pull it anew"
    );
    let generator = Generator::load(Parts::new(vec![bytes]), None, backend, "a test");
    Some((block_on(generator).expect("the model loads"), cases))
}

/// The prompt's tokens, checked against llama.cpp's.
pub(crate) fn tokens(generator: &Generator, case: &Case) -> Vec<TokenId> {
    let template = generator.template().expect("the model's template");
    let text = template.render(&case.messages, true).expect("a prompt");
    let tokens = generator.tokenizer().encode(&text, true).expect("tokens");
    let bytes: Vec<u8> = tokens
        .iter()
        .flat_map(|token| token.0.to_le_bytes())
        .collect();
    assert_eq!(
        (tokens.len(), hex(&bytes)),
        (case.written.n_tokens, case.written.tokens_sha256.clone()),
        "other tokens than llama.cpp's in: {text}"
    );
    tokens
}

fn write(generator: &mut Generator, prompt: &[TokenId], options: &GenerateOptions) -> Generation {
    let text = async |_: &str| ControlFlow::Continue(());
    block_on(generator.generate(prompt, options, || 0.0, text)).expect("the model runs")
}

/// True if the text after the prompt is llama.cpp's; otherwise every choice that is not close must be llama.cpp's.
fn writes_the_same(generator: &mut Generator, number: usize, case: &Case) -> bool {
    let expected = &case.written;
    let prompt = tokens(generator, case);
    let options = GenerateOptions {
        max_tokens: expected.greedy.len(),
        ..GenerateOptions::default()
    };
    let found = write(generator, &prompt, &options);
    if found.text == expected.text {
        return true;
    }
    println!(
        "prompt {number}: expected {:?}, found {:?}",
        expected.text, found.text
    );
    // Follow llama.cpp's text, to compare the choices after a different one too.
    let forward = generator.forward_mut();
    let mut logits = block_on(forward.forward(&prompt, 0)).expect("logits");
    let mut is_same = true;
    for (step, (&token, &margin)) in expected.greedy.iter().zip(&expected.margins).enumerate() {
        let choice = argmax(&logits).0;
        if choice != token {
            is_same = false;
            let ours = logits[choice as usize] - logits[token as usize];
            println!(
                "prompt {number}, step {step}: {choice} lies {ours} before {token}, llama.cpp's choice by {margin}"
            );
            assert!(
                margin < CLOSE,
                "prompt {number}, step {step}: expected {token}, by {margin}; found {choice}, by {ours}; bound {CLOSE}"
            );
        }
        let position = prompt.len() + step;
        logits = block_on(forward.forward(&[TokenId(token)], position)).expect("logits");
    }
    assert!(
        !is_same,
        "prompt {number}: each choice is llama.cpp's, and yet another text: {:?}",
        found.text
    );
    false
}

#[test]
fn writes_what_llama_cpp_writes_on_the_cpu() {
    let Some((mut generator, cases)) = load(BackendRequest::Cpu) else {
        return;
    };
    assert_eq!(cases.len(), 30, "prompts recorded");
    let longest = cases.iter().map(|case| case.written.n_tokens).max();
    println!("the longest prompt has {longest:?} tokens");
    // All prompts take minutes: without `ANCHORITE_GOLDEN=all` only every fifth and the longest are run.
    let is_asked = |number: usize| {
        harness::compares_all()
            || number.is_multiple_of(5)
            || Some(cases[number].written.n_tokens) == longest
    };
    let asked: Vec<usize> = (0..cases.len())
        .filter(|number| is_asked(*number))
        .collect();
    let n_same = asked
        .iter()
        .filter(|number| writes_the_same(&mut generator, **number, &cases[**number]))
        .count();
    println!(
        "{n_same} of {} texts are llama.cpp's to the end",
        asked.len()
    );
    assert!(
        n_same + 3 >= asked.len(),
        "{n_same} of {} texts are llama.cpp's; of all 30, 27 were",
        asked.len()
    );
}

#[test]
fn writes_what_llama_cpp_writes_on_the_gpu() {
    // Reports a skip if the tests are told that there is no device.
    if harness::gpu::gpu().is_none() {
        return;
    }
    let Some((mut generator, mut cases)) = load(BackendRequest::Gpu) else {
        return;
    };
    // A software adapter takes seconds for a hundred tokens.
    cases.sort_by_key(|case| case.written.n_tokens);
    let n_same = (0..)
        .zip(&cases[..3])
        .filter(|(number, case)| writes_the_same(&mut generator, *number, case))
        .count();
    println!("{n_same} of 3 texts are llama.cpp's to the end");
    assert!(n_same >= 3, "{n_same} of 3 texts are llama.cpp's, 3 were");
}

/// The tokens drawn after the prompt; each draw must survive nudges of the logits as large as the difference between backends.
fn clear_draws(generator: &mut Generator, prompt: &[TokenId]) -> Vec<TokenId> {
    let ends = generator.tokenizer().ends();
    let forward = generator.forward_mut();
    let mut sampler = Sampler::new(DRAWN);
    sampler.read(prompt);
    let mut logits = block_on(forward.forward(prompt, 0)).expect("logits");
    let (mut drawn, mut nudges) = (Vec::new(), Numbers::new(1));
    let mut n_likeliest = 0;
    loop {
        let token = sampler.sample(&logits);
        for _ in 0..8 {
            let nudged: Vec<f32> = logits
                .iter()
                .map(|logit| logit + NUDGE * nudges.one())
                .collect();
            assert_eq!(
                sampler.sample(&nudged),
                token,
                "token {} with seed {} is a close draw, which proves nothing: take another seed",
                drawn.len(),
                DRAWN.seed
            );
        }
        if drawn.len() == N_DRAWN || ends.contains(&token) {
            break;
        }
        n_likeliest += usize::from(token == argmax(&logits));
        sampler.read(&[token]);
        drawn.push(token);
        let position = prompt.len() + drawn.len() - 1;
        logits = block_on(forward.forward(&[token], position)).expect("logits");
    }
    println!(
        "{n_likeliest} of {} draws are the likeliest token",
        drawn.len()
    );
    assert!(
        n_likeliest < drawn.len(),
        "draws that are always the likeliest prove nothing"
    );
    drawn
}

#[test]
fn draws_the_same_on_every_backend() {
    let Some((mut on_cpu, cases)) = load(BackendRequest::Cpu) else {
        return;
    };
    let case = &cases[DRAWN_PROMPT];
    let prompt = tokens(&on_cpu, case);
    let drawn = clear_draws(&mut on_cpu, &prompt);
    let expected = on_cpu.tokenizer().decode(&drawn);
    println!("drawn with seed {}: {expected:?}", DRAWN.seed);
    let demand = |generator: &mut Generator, prompt_lookup: bool| {
        let options = GenerateOptions {
            max_tokens: drawn.len(),
            sample: DRAWN,
            prompt_lookup,
            ..GenerateOptions::default()
        };
        let found = write(generator, &prompt, &options);
        let case = format!("{}, guessing {prompt_lookup}", generator.backend().kind);
        assert_eq!(found.text, expected, "{case}");
        assert_eq!(found.n_generated_tokens, drawn.len(), "{case}");
    };
    demand(&mut on_cpu, false);
    demand(&mut on_cpu, true);
    if harness::gpu::gpu().is_none() {
        return;
    }
    let Some((mut on_gpu, _)) = load(BackendRequest::Gpu) else {
        return;
    };
    // The device draws by itself, then the host draws from logits read back, then the device again, with half of the
    // prompt in the cache.
    demand(&mut on_gpu, false);
    demand(&mut on_gpu, true);
    demand(&mut on_gpu, false);
}

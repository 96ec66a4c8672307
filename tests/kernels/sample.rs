//! Compares the device's choice of tokens with the CPU's.

use std::collections::BTreeMap;

use anchorite_model::TokenId;
use anchorite_model::gpu::Gpu;
use anchorite_model::kernels::batch::BatchBuffer;
use anchorite_model::kernels::sample::Chooser;
use anchorite_model::sample::{SampleOptions, Sampler};
use harness::gpu::{Numbers, gpu};

const N_VOCAB: usize = 1000;

/// The token chosen at `position`.
fn choose(
    gpu: &Gpu,
    logits: &[f32],
    options: &SampleOptions,
    prompt: &[TokenId],
    position: u32,
) -> u32 {
    let batch = BatchBuffer::new(gpu).expect("room");
    batch.write(gpu, position, &[0], 1);
    let rows = gpu.rows_of("logits", logits, logits.len()).expect("rows");
    let chooser = Chooser::new(gpu, &batch, &rows, logits.len()).expect("a choice");
    pollster::block_on(chooser.choose(gpu, options, prompt)).expect("a token")
}

#[test]
fn takes_the_likeliest_and_the_first_of_equals() {
    let Some(gpu) = gpu() else { return };
    let mut logits = Numbers::new(1).take(N_VOCAB);
    logits[700] = 2.0;
    logits[30] = 2.0;
    assert_eq!(choose(&gpu, &logits, &SampleOptions::default(), &[], 0), 30);
}

#[test]
fn tires_of_what_was_said_as_the_cpu_does() {
    let Some(gpu) = gpu() else { return };
    let options = SampleOptions {
        repetition_penalty: 1.3,
        ..SampleOptions::default()
    };
    for seed in 0..8 {
        let logits = Numbers::new(seed).take(N_VOCAB);
        let mut order: Vec<u32> = (0..1000).collect();
        order.sort_by(|&a, &b| logits[b as usize].total_cmp(&logits[a as usize]));
        // Some of the likeliest tokens occurred recently, one of them twice, and others long ago.
        let mut prompt: Vec<TokenId> = order[3..9].iter().copied().map(TokenId).collect();
        prompt.extend((0..58).map(TokenId));
        prompt.extend([order[0], order[1], order[0]].map(TokenId));
        let mut sampler = Sampler::new(options);
        sampler.read(&prompt);
        let expected = sampler.sample(&logits).0;
        assert_eq!(
            choose(&gpu, &logits, &options, &prompt, 0),
            expected,
            "seed {seed}"
        );
    }
}

#[test]
fn says_that_a_logit_is_no_number() {
    let Some(gpu) = gpu() else { return };
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut logits = Numbers::new(1).take(N_VOCAB);
        logits[999] = bad;
        assert_eq!(
            choose(&gpu, &logits, &SampleOptions::default(), &[], 0),
            u32::MAX,
            "{bad}"
        );
    }
}

/// How often each token is drawn, over many positions.
fn draw(gpu: &Gpu, logits: &[f32], options: &SampleOptions, n: u32) -> BTreeMap<u32, u32> {
    let mut counts = BTreeMap::new();
    for position in 0..n {
        *counts
            .entry(choose(gpu, logits, options, &[], position))
            .or_insert(0) += 1;
    }
    counts
}

#[test]
fn draws_as_often_as_the_model_says() {
    let Some(gpu) = gpu() else { return };
    let mut logits = vec![-20.0; 300];
    // Probabilities of 1/2, 1/4, 1/8, 1/8.
    for (token, logit) in [
        (7, 0.0),
        (50, 0.5f32.ln()),
        (200, 0.25f32.ln()),
        (299, 0.25f32.ln()),
    ] {
        logits[token] = logit;
    }
    let options = SampleOptions {
        temperature: 1.0,
        top_k: 0,
        top_p: 1.0,
        seed: 3,
        ..SampleOptions::default()
    };
    let counts = draw(&gpu, &logits, &options, 400);
    // Four standard deviations of 400 draws.
    for (token, expected, width) in [(7, 200, 40), (50, 100, 35), (200, 50, 27), (299, 50, 27)] {
        let found = counts.get(&token).copied().unwrap_or(0);
        assert!(
            found.abs_diff(expected) <= width,
            "token {token}: {found} of 400, expected {expected}"
        );
    }
    let top_two = SampleOptions {
        top_k: 2,
        ..options
    };
    assert_eq!(
        draw(&gpu, &logits, &top_two, 60)
            .into_keys()
            .collect::<Vec<_>>(),
        [7, 50],
        "top 2"
    );
    let share = SampleOptions {
        top_p: 0.8,
        ..options
    };
    let drawn: Vec<u32> = draw(&gpu, &logits, &share, 100).into_keys().collect();
    assert_eq!(drawn, [7, 50, 200, 299], "equals come together");
    let share = SampleOptions {
        top_p: 0.7,
        ..options
    };
    assert_eq!(
        draw(&gpu, &logits, &share, 60)
            .into_keys()
            .collect::<Vec<_>>(),
        [7, 50],
        "70 %"
    );
    let near = SampleOptions {
        min_p: 0.3,
        ..options
    };
    assert_eq!(
        draw(&gpu, &logits, &near, 60)
            .into_keys()
            .collect::<Vec<_>>(),
        [7, 50],
        "30 % of the likeliest"
    );
}

#[test]
fn draws_what_the_cpu_draws() {
    let Some(gpu) = gpu() else { return };
    let mut n_not_likeliest = 0;
    for position in 0..60 {
        let options = SampleOptions {
            temperature: 0.7,
            top_k: 20,
            top_p: 0.9,
            seed: 1 << 40 | 5,
            ..SampleOptions::default()
        };
        let logits: Vec<f32> = Numbers::new(u64::from(position)).take(N_VOCAB);
        // As peaked as a real model's.
        let logits: Vec<f32> = logits.iter().map(|logit| 30.0 * logit * logit).collect();
        let mut sampler = Sampler::new(options);
        // The device gets the position of the token that runs; the next token comes after it.
        sampler.read(&vec![TokenId(0); position as usize + 1]);
        let expected = sampler.sample(&logits).0;
        assert_eq!(
            choose(&gpu, &logits, &options, &[], position),
            expected,
            "place {position}"
        );
        let likeliest = Sampler::new(SampleOptions::default()).sample(&logits).0;
        n_not_likeliest += u32::from(expected != likeliest);
    }
    assert!(
        n_not_likeliest > 10,
        "draws that are always the likeliest prove nothing: {n_not_likeliest} of 60 are not"
    );
}

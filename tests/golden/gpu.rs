//! Compares the forward pass on the graphics device with the one on the CPU, over whole models.

use anchorite_model::forward::{CpuForward, GpuForward};
use anchorite_model::gguf::TensorType;
use anchorite_model::gpu::{Gpu, Precision};
use anchorite_model::ops::argmax::argmax;
use anchorite_model::{Adapter, Gguf, ModelConfig, Parts, RunError, TokenId, Weights};
use harness::gpu::{assert_close, gpu};
use harness::tiny::Tiny;

/// The CPU quantises activations to 8 bits before multiplying them by quantised weights; the device does not.
const QUANTISED_BOUND: f64 = 5e-3;

fn load(bytes: Vec<u8>) -> (ModelConfig, Weights) {
    let mut parts = Parts::new(vec![bytes]);
    let gguf = Gguf::parse(&parts).expect("a GGUF file");
    let config = ModelConfig::from_gguf(&gguf).expect("a configuration");
    let weights = Weights::load(&gguf, &mut parts, &config).expect("weights");
    (config, weights)
}

fn on_gpu(gpu: Gpu, config: &ModelConfig, weights: Weights) -> GpuForward {
    pollster::block_on(GpuForward::load_on(gpu, config, weights)).expect("a model on the device")
}

fn logits(model: &mut GpuForward, tokens: &[TokenId], position: usize) -> Vec<f32> {
    pollster::block_on(model.forward(tokens, position)).expect("logits")
}

fn adapter(tiny: &Tiny, config: &ModelConfig) -> Adapter {
    let bytes = tiny.adapter_writer(3, 6.0).finish();
    Adapter::load(&Parts::new(vec![bytes]), config).expect("an adapter")
}

/// Longer than one batch of a software adapter, and not a multiple of any tile.
fn prompt() -> Vec<TokenId> {
    (0..45).map(|i| TokenId(i * 37 % 287)).collect()
}

/// Compares in every kernel variant that the adapter can run.
fn compare(tiny: &Tiny, bound: f64) {
    let Some(first) = gpu() else { return };
    for variant in first.variants() {
        let mut gpu = first.clone();
        gpu.set_variant(variant).expect("one that it can run");
        compare_on(gpu, tiny, bound);
    }
}

fn compare_on(gpu: Gpu, tiny: &Tiny, bound: f64) {
    let (config, weights) = load(tiny.gguf());
    let variant = gpu.variant();
    let bound = match variant.precision {
        Precision::F32 => bound,
        // Tiles in f16 lose precision, and a random adapter as strong as its model amplifies the loss.
        Precision::F16 => bound.max(1e-4),
        // Both quantise inputs to 8 bits, each in its own way.
        Precision::Int8 => bound,
    };
    let mut on_cpu = CpuForward::new(&config, weights.clone());
    let mut on_gpu = on_gpu(gpu, &config, weights);
    let prompt = prompt();
    for lora in [None, Some(adapter(tiny, &config)), None] {
        let case = format!(
            "{variant}, {} tied {} adapter {}",
            tiny.kind,
            tiny.is_tied,
            lora.is_some()
        );
        on_cpu.set_adapter(lora.clone()).expect("the adapter fits");
        on_gpu.set_adapter(lora).expect("the adapter fits");
        let expected = on_cpu.forward(&prompt, 0).expect("logits");
        let got = logits(&mut on_gpu, &prompt, 0);
        assert_close(&format!("{case}, prompt"), bound, &expected, &got);
        for (i, token) in [5, 3, 280].map(TokenId).into_iter().enumerate() {
            let position = prompt.len() + i;
            let expected = on_cpu.forward(&[token], position).expect("logits");
            let got = logits(&mut on_gpu, &[token], position);
            assert_close(
                &format!("{case}, token at {position}"),
                bound,
                &expected,
                &got,
            );
        }
        // Going back replaces the later entries of the cache.
        let expected = on_cpu.forward(&prompt[7..20], 7).expect("logits");
        let got = logits(&mut on_gpu, &prompt[7..20], 7);
        assert_close(&format!("{case}, from 7 on"), bound, &expected, &got);
    }
}

#[test]
fn agrees_with_the_cpu_in_f32() {
    // The CPU's cache holds f16, and a random adapter as strong as its model amplifies its rounding.
    compare(&Tiny::default(), 1e-5);
}

#[test]
fn agrees_with_the_cpu_in_f16_with_bias() {
    compare(
        &Tiny {
            kind: TensorType::F16,
            has_bias: true,
            ..Tiny::default()
        },
        1e-5,
    );
}

#[test]
fn agrees_with_the_cpu_in_q8_0() {
    compare(
        &Tiny {
            kind: TensorType::Q8_0,
            is_tied: true,
            ..Tiny::default()
        },
        QUANTISED_BOUND,
    );
}

#[test]
fn agrees_with_the_cpu_in_q4_0() {
    compare(
        &Tiny {
            kind: TensorType::Q4_0,
            ..Tiny::default()
        },
        QUANTISED_BOUND,
    );
}

#[test]
fn agrees_with_the_cpu_when_tensors_are_split() {
    let Some(mut gpu) = gpu() else { return };
    let tiny = Tiny {
        kind: TensorType::Q8_0,
        is_tied: true,
        ..Tiny::default()
    };
    let (config, weights) = load(tiny.gguf());
    let mut on_cpu = CpuForward::new(&config, weights.clone());
    gpu.limit_binding_bytes(96 * 64 * 4);
    let mut on_gpu = on_gpu(gpu, &config, weights);
    let expected = on_cpu.forward(&prompt(), 0).expect("logits");
    assert_close(
        "split",
        QUANTISED_BOUND,
        &expected,
        &logits(&mut on_gpu, &prompt(), 0),
    );
}

#[test]
fn an_adapter_changes_what_the_model_says() {
    let Some(gpu) = gpu() else { return };
    let tiny = Tiny::default();
    let (config, weights) = load(tiny.gguf());
    let mut model = on_gpu(gpu, &config, weights);
    let before = logits(&mut model, &prompt(), 0);
    model
        .set_adapter(Some(adapter(&tiny, &config)))
        .expect("the adapter fits");
    let with = logits(&mut model, &prompt(), 0);
    assert_ne!(
        argmax(&before),
        argmax(&with),
        "the adapter is strong enough to show"
    );
    model.set_adapter(None).expect("nothing to fit");
    assert_eq!(
        before,
        logits(&mut model, &prompt(), 0),
        "off again, bit for bit"
    );
}

#[test]
fn refuses_what_no_backend_can_run() {
    let Some(gpu) = gpu() else { return };
    let (config, weights) = load(Tiny::default().gguf());
    let mut model = on_gpu(gpu, &config, weights);
    let mut run = |tokens: &[TokenId], position| {
        pollster::block_on(model.forward(tokens, position)).expect_err("refused")
    };
    assert_eq!(run(&[], 0), RunError::EmptyPrompt, "no token");
    assert!(
        matches!(run(&[TokenId(1)], 1), RunError::PositionGap { .. }),
        "a gap"
    );
    assert!(
        matches!(run(&[TokenId(9999)], 0), RunError::UnknownToken { .. }),
        "no such token"
    );
    let long = vec![TokenId(1); 65];
    assert!(
        matches!(run(&long, 0), RunError::ContextOverflow { .. }),
        "65 tokens into 64"
    );
}

#[test]
fn a_lost_device_is_an_error_that_says_so() {
    let Some(gpu) = gpu() else { return };
    let tiny = Tiny::default();
    let (config, weights) = load(tiny.gguf());
    let mut model = on_gpu(gpu, &config, weights);
    logits(&mut model, &prompt(), 0);
    model.gpu().destroy();
    let lost = pollster::block_on(model.forward(&[TokenId(1)], 45)).expect_err("it is gone");
    assert!(
        matches!(lost, RunError::DeviceLost { .. }),
        "lost, not: {lost}"
    );
    let lost = model
        .set_adapter(Some(adapter(&tiny, &config)))
        .expect_err("it is gone");
    assert!(
        matches!(lost, RunError::DeviceLost { .. }),
        "lost, not: {lost}"
    );
}

#[test]
fn prepares_every_kernel_that_a_text_needs() {
    let Some(_) = gpu() else { return };
    for family in harness::conformance::FAMILIES {
        let tiny = Tiny::of(family);
        let file = tiny.gguf();
        let head = Parts::new(vec![file[..file.len() / 2].to_vec()]);
        let gguf = Gguf::parse_head(&head, file.len() as u64).expect("half is enough");
        let gpu = pollster::block_on(GpuForward::prepare(&gguf, false)).expect("a device");
        let before = gpu.trace().pipelines;
        assert!(before > 10, "{before} kernels for {}", family.name());
        let (config, weights) = load(file);
        on_gpu(gpu.clone(), &config, weights);
        let more = gpu.trace().pipelines - before;
        assert_eq!(more, 0, "{}: kernels compiled only now", family.name());
    }
}

//! Runs the loop on random models: the text is nonsense, but where it stops and which inputs it refuses are not.

use super::*;
use crate::gguf::TensorType;
use crate::tiny::Tiny;

fn no_clock() -> f64 {
    0.0
}

fn load(tiny: &Tiny) -> Generator {
    let parts = Parts::new(vec![tiny.gguf()]);
    pollster::block_on(Generator::load(parts, None, BackendRequest::Cpu, "a test")).unwrap()
}

fn options(max_tokens: usize) -> GenerateOptions {
    let sample = SampleOptions {
        temperature: 1.0,
        seed: 4,
        ..SampleOptions::default()
    };
    GenerateOptions {
        max_tokens,
        sample,
        ..GenerateOptions::default()
    }
}

fn prompt(generator: &Generator) -> Vec<TokenId> {
    generator.tokenizer().encode("a tiny prompt", true).unwrap()
}

/// Generates, and collects the streamed text.
fn generate(
    generator: &mut Generator,
    prompt: &[TokenId],
    options: &GenerateOptions,
) -> (Result<Generation, RunError>, String) {
    let mut streamed = String::new();
    let result = pollster::block_on(generator.generate(prompt, options, no_clock, async |text| {
        streamed.push_str(text);
        ControlFlow::Continue(())
    }));
    (result, streamed)
}

#[test]
fn says_where_it_runs_and_why() {
    let generator = load(&Tiny::default());
    let backend = generator.backend();
    assert_eq!(
        (backend.kind, backend.reason.as_str()),
        ("cpu", "a test"),
        "as asked"
    );
    assert!(!backend.device.is_empty(), "the device has a name");
}

#[test]
fn streams_the_text_it_returns() {
    let mut generator = load(&Tiny::default());
    let prompt = prompt(&generator);
    let (result, streamed) = generate(&mut generator, &prompt, &options(20));
    let generation = result.unwrap();
    assert_eq!(generation.text, streamed, "piece by piece");
    assert_eq!(generation.n_generated_tokens, 20, "as many as asked for");
    assert_eq!(generation.stop, StopReason::MaxTokens, "and no more");
}

#[test]
fn repeats_itself_from_the_cache() {
    let mut generator = load(&Tiny::default());
    let prompt = prompt(&generator);
    let first = generate(&mut generator, &prompt, &options(20)).0.unwrap();
    let second = generate(&mut generator, &prompt, &options(20)).0.unwrap();
    assert_eq!(
        (first.n_cached_tokens, second.n_cached_tokens),
        (0, prompt.len() - 1),
        "reused"
    );
    assert_eq!(first.text, second.text, "the same text");
    generator.set_adapter(None).unwrap();
    let third = generate(&mut generator, &prompt, &options(20)).0.unwrap();
    assert_eq!(
        third.n_cached_tokens, 0,
        "a change of adapter empties the cache"
    );
}

#[test]
fn stops_at_a_text_and_leaves_it_out() {
    let mut generator = load(&Tiny::default());
    let prompt = prompt(&generator);
    let whole = generate(&mut generator, &prompt, &options(20))
        .0
        .unwrap()
        .text;
    let (at, stop) = whole.char_indices().nth(4).expect("text was written");
    let expected = &whole[..whole.find(stop).unwrap_or(at)];
    let options = GenerateOptions {
        stop: vec!["never this".into(), stop.into()],
        ..options(20)
    };
    let (result, streamed) = generate(&mut generator, &prompt, &options);
    let generation = result.unwrap();
    assert_eq!(
        (generation.text.as_str(), streamed.as_str()),
        (expected, expected),
        "cut before"
    );
    assert_eq!(generation.stop, StopReason::StopText, "and it says so");
}

#[test]
fn stops_when_the_caller_breaks() {
    let mut generator = load(&Tiny::default());
    let prompt = prompt(&generator);
    let mut n_pieces = 0;
    let options = options(20);
    let run = generator.generate(&prompt, &options, no_clock, async |_| {
        n_pieces += 1;
        if n_pieces == 3 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    let generation = pollster::block_on(run).unwrap();
    assert_eq!(
        (generation.stop, n_pieces),
        (StopReason::Cancelled, 3),
        "not one piece later"
    );
}

#[test]
fn stops_where_the_context_is_full() {
    let mut generator = load(&Tiny {
        context_length: 24,
        ..Tiny::default()
    });
    let prompt = prompt(&generator);
    let generation = generate(&mut generator, &prompt, &options(100)).0.unwrap();
    assert_eq!(
        generation.stop,
        StopReason::ContextFull,
        "after the last place"
    );
    // The last token was chosen at the last position, and takes up none itself.
    assert_eq!(
        generation.n_generated_tokens,
        24 - prompt.len() + 1,
        "every place was used"
    );
}

#[test]
fn refuses_a_prompt_that_does_not_fit() {
    let mut generator = load(&Tiny {
        context_length: 8,
        ..Tiny::default()
    });
    let (result, streamed) = generate(&mut generator, &[TokenId(5); 8], &options(4));
    let expected = RunError::ContextOverflow {
        prompt: 8,
        context: 8,
    };
    assert_eq!(result, Err(expected), "never shortened");
    assert_eq!(streamed, "", "nothing was written");
    let (result, _) = generate(&mut generator, &[], &options(4));
    assert_eq!(result, Err(RunError::EmptyPrompt), "nothing to continue");
}

#[test]
fn goes_on_after_an_error() {
    let mut generator = load(&Tiny::default());
    let prompt = prompt(&generator);
    let expected = generate(&mut generator, &prompt, &options(5))
        .0
        .unwrap()
        .text;
    let (result, _) = generate(&mut generator, &[TokenId(1), TokenId(9999)], &options(5));
    assert!(
        matches!(result, Err(RunError::UnknownToken { .. })),
        "refused: {result:?}"
    );
    assert_eq!(
        generate(&mut generator, &prompt, &options(5))
            .0
            .unwrap()
            .text,
        expected,
        "as before"
    );
}

#[test]
fn refuses_an_encoder_as_generator() {
    let mut writer = crate::gguf::write::Writer::new();
    writer.set("general.architecture", "gpt2");
    let parts = Parts::new(vec![writer.finish()]);
    let error = pollster::block_on(Generator::load(parts, None, BackendRequest::Cpu, "a test"));
    assert!(
        matches!(error, Err(LoadError::UnknownArchitecture { .. })),
        "{error:?}"
    );
}

#[test]
fn holds_back_only_what_may_be_a_stop_text() {
    let stop = ["\nQ:".to_owned(), "END".to_owned()];
    let mut filter = StopFilter::new(&stop);
    assert_eq!(
        filter.push("one\n"),
        ("one".into(), false),
        "a line end may be the start"
    );
    assert_eq!(
        filter.push("two E"),
        ("\ntwo ".into(), false),
        "it was not, but E may be"
    );
    assert_eq!(filter.push("N"), (String::new(), false), "still may be");
    assert_eq!(filter.push("D of it"), (String::new(), true), "it is");
}

#[test]
fn runs_heads_on_the_cpu_that_it_refuses_on_a_graphics_device() {
    let tiny = Tiny {
        n_embd: 60,
        n_heads: 10,
        n_kv_heads: 5,
        ..Tiny::default()
    };
    let load = |backend| {
        let parts = Parts::new(vec![tiny.gguf()]);
        pollster::block_on(Generator::load(parts, None, backend, "a test"))
    };
    let error = load(BackendRequest::Gpu).err().unwrap();
    assert_eq!(
        error.to_string(),
        "GPU cannot be used: heads of 6 values, expected a multiple of 4 up to 256"
    );
    let mut generator = load(BackendRequest::Cpu).unwrap();
    let prompt = prompt(&generator);
    assert!(
        generate(&mut generator, &prompt, &options(3)).0.is_ok(),
        "it runs"
    );
}

#[test]
fn runs_every_family() {
    use crate::config::Architecture::{Gemma3, Qwen2, Qwen3};
    for family in [Qwen2, Qwen3, Gemma3] {
        let parts = Parts::new(vec![Tiny::of(family).gguf()]);
        let load = Generator::load(parts, None, BackendRequest::Cpu, "a test");
        let mut generator = pollster::block_on(load).unwrap();
        let prompt = generator.tokenizer().encode("the letter", true).unwrap();
        let (generation, _) = generate(&mut generator, &prompt, &options(12));
        let generation = generation.unwrap();
        assert!(
            generation.n_generated_tokens > 0,
            "{family:?}: {generation:?}"
        );
    }
}

/// A random model repeats some sequences, so some guesses are right.
#[test]
fn guessing_changes_how_often_the_model_runs_and_nothing_else() {
    let tiny = Tiny {
        context_length: 256,
        ..Tiny::default()
    };
    for (kind, temperature) in [
        (TensorType::F32, 0.0),
        (TensorType::Q8_0, 0.0),
        (TensorType::Q8_0, 0.4),
    ] {
        let mut generator = load(&Tiny {
            kind,
            ..tiny.clone()
        });
        let prompt = prompt(&generator);
        let mut run = |prompt_lookup: bool, max_tokens: usize| {
            let mut options = options(max_tokens);
            options.sample.temperature = temperature;
            options.prompt_lookup = prompt_lookup;
            generate(&mut generator, &prompt, &options).0.unwrap()
        };
        // From a single token up to the end of the context.
        for max_tokens in [1, 60, 1000] {
            let (plain, guessed) = (run(false, max_tokens), run(true, max_tokens));
            let case = format!("{kind}, temperature {temperature}, {max_tokens} tokens");
            assert_eq!(guessed.text, plain.text, "{case}: the same text");
            assert_eq!(guessed.stop, plain.stop, "{case}: the same end");
            assert_eq!(
                guessed.n_generated_tokens, plain.n_generated_tokens,
                "{case}: as many tokens"
            );
            println!(
                "{case}: {} steps, {} guessing",
                plain.n_steps, guessed.n_steps
            );
            if max_tokens == 1000 && temperature == 0.0 {
                assert!(
                    guessed.n_steps < plain.n_steps,
                    "{case}: no guess was right"
                );
            }
        }
    }
}

//! Compares a real model's logits, under each adapter that ships, with llama.cpp's from the same two files.
//!
//! `record_llama_cpp/record_adapters.py` made the record. The model is pulled, not committed; without it this test is
//! skipped.

use anchorite_model::generate::BackendRequest;
use anchorite_model::{Adapter, Parts, TokenId};
use pollster::block_on;
use serde::Deserialize;

use crate::smollm2::{hex, load, tokens};

/// Largest NMSE of the likeliest tokens' logits at a step. Both engines quantise the inputs of 4-bit weights to 8 bits,
/// each in its own way, and ours quantises an adapter's matrices too: the worst step of the four adapters is 4.3e-3,
/// and was 1.7e-3 with those matrices as floats.
const BOUND: f64 = 6e-3;

/// `tests/fixtures/golden/adapters.json`.
#[derive(Deserialize)]
struct Record {
    adapters: Vec<Recorded>,
}

#[derive(Deserialize)]
struct Recorded {
    file: String,
    sha256: String,
    steps: Vec<Step>,
}

/// The likeliest tokens after a prompt followed by llama.cpp's own greedy tokens.
#[derive(Deserialize)]
struct Step {
    /// Its index in `smollm2_prompts.json`.
    prompt: usize,
    step: usize,
    /// The likeliest first.
    tokens: Vec<u32>,
    logits: Vec<f32>,
}

#[test]
fn computes_what_llama_cpp_computes_with_each_adapter() {
    let Some((mut generator, cases)) = load(BackendRequest::Cpu) else {
        return;
    };
    let golden = harness::root().join("tests/fixtures/golden/adapters.json");
    let record = std::fs::read_to_string(golden).expect("the record");
    let record: Record = serde_json::from_str(&record).expect("a record");
    let folders = ["models/grounding", "models/voices"].map(|folder| harness::root().join(folder));
    assert_eq!(record.adapters.len(), 4, "adapters recorded");
    for recorded in &record.adapters {
        let file = &recorded.file;
        let paths = folders.iter().map(|folder| folder.join(file));
        let path = paths.into_iter().find(|path| path.is_file());
        let bytes = std::fs::read(path.expect("an adapter that ships")).expect("its bytes");
        assert_eq!(
            hex(&bytes),
            recorded.sha256,
            "{file} was made anew: record again (tests/golden/record_llama_cpp)"
        );
        let adapter = Adapter::load(&Parts::new(vec![bytes]), generator.config());
        let adapter = adapter.expect("an adapter for the model");
        generator.set_adapter(Some(adapter)).expect("it fits");
        let (mut worst, mut n_same) = (0.0f64, 0);
        let mut logits = Vec::new();
        for step in &recorded.steps {
            if step.step == 0 {
                let prompt = tokens(&generator, &cases[step.prompt]);
                logits = block_on(generator.forward_mut().forward(&prompt, 0)).expect("logits");
            }
            let found: Vec<f32> = step
                .tokens
                .iter()
                .map(|token| logits[*token as usize])
                .collect();
            worst = worst.max(harness::nmse(&found, &step.logits));
            let likeliest = step.tokens[0];
            n_same += usize::from(anchorite_model::ops::argmax::argmax(&logits).0 == likeliest);
            // Continue as llama.cpp did, whatever ours would choose.
            let position = cases[step.prompt].written.n_tokens + step.step;
            let forward = generator.forward_mut();
            logits = block_on(forward.forward(&[TokenId(likeliest)], position)).expect("logits");
        }
        let n = recorded.steps.len();
        println!(
            "{file}: NMSE at most {worst:e}, bound {BOUND:e}; {n_same} of {n} choices are the same"
        );
        assert!(worst <= BOUND, "{file}: NMSE {worst:e}, bound {BOUND:e}");
        assert!(
            n_same + 1 >= n,
            "{file}: {n_same} of {n} choices are llama.cpp's"
        );
    }
}

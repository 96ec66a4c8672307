//! Turns a model with known text into a folder that `anchorite build --models` takes, for the browser's tests.
//!
//! `script` writes two sentences of the user guide, and others with its adapter; `stories260K` is a small real model,
//! with the story that llama2.c's `run.c` tells (left out without public test data); `mixed` is a random model with
//! matrices of every quantised type, with the text that this machine's CPU decodes; `smollm2` is the pulled model, with
//! the text that this machine's CPU draws after one of its recorded prompts (left out if it was not pulled).

use std::ops::ControlFlow;
use std::path::Path;

use anchorite_model::generate::{BackendRequest, GenerateOptions, Generator};
use anchorite_model::gguf::TensorType;
use anchorite_model::{Gguf, Parts};
use harness::blocks::random_blocks;
use harness::script::Script;
use harness::smollm2;
use harness::stories::Stories;
use harness::tiny::{Random, Tiny};

/// Tokens decoded by the random model. Kernels differ in the order of their float sums; after a few dozen tokens that
/// can change the rounding of an activation, and then a close choice.
const N_TOKENS: usize = 24;

/// Tensors start at multiples of this.
const ALIGNMENT: usize = 32;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, name] = arguments.as_slice() else {
        panic!("usage: write_models DIR script|mixed|stories260K|smollm2");
    };
    let folder = Path::new(folder);
    match name.as_str() {
        "script" => {
            let script = Script::new(Script::TEXT, Script::ADAPTED);
            write(folder, &script.gguf, Script::TEXT);
            std::fs::write(folder.join("adapter.gguf"), &script.adapter).expect("the adapter");
            for (name, voice) in ["calm.gguf", "brisk.gguf"].iter().zip(&script.voices) {
                std::fs::write(folder.join(name), voice).expect("a voice");
            }
        }
        "mixed" => {
            let mixed = mixed();
            write(folder, &mixed, &decode(&mixed));
        }
        "stories260K" => {
            if let Some(data_dir) = harness::data_dir() {
                let stories = Stories::load(&data_dir, TensorType::F32);
                write(folder, &stories.gguf, &stories.expected);
            }
        }
        "smollm2" => {
            if let Some(path) = smollm2::path() {
                let gguf = std::fs::read(path).expect("the pulled model");
                let drawn = draw(&gguf);
                write(folder, &asked_by_number(&gguf), &drawn);
            }
        }
        _ => panic!("no model is called `{name}`"),
    }
}

fn write(folder: &Path, gguf: &[u8], text: &str) {
    std::fs::create_dir_all(folder).expect("the folder");
    std::fs::write(folder.join("generator.gguf"), gguf).expect("the model");
    std::fs::write(folder.join("text.txt"), text).expect("the text");
    let embedder = harness::root().join("models/default/embedder.gguf");
    std::fs::copy(embedder, folder.join("embedder.gguf")).expect("the embedder");
}

/// A random model with a different type for each matrix of a layer, and two more for embedding and output.
fn mixed() -> Vec<u8> {
    let tiny = Tiny {
        n_embd: 256,
        n_ff: 512,
        ..Tiny::default()
    };
    let mut writer = tiny.writer();
    writer.set("tokenizer.chat_template", "{# #}");
    let mut random = Random(11);
    for tensor in &mut writer.tensors {
        let kind = match tensor.name.split('.').nth_back(1) {
            Some("token_embd") => TensorType::Q8_0,
            Some("output") => TensorType::F16,
            Some("attn_q") => TensorType::Q4_0,
            Some("attn_k") => TensorType::Q4_1,
            Some("attn_v") => TensorType::Q5_0,
            Some("attn_output") => TensorType::Q5_1,
            Some("ffn_gate") => TensorType::Q4K,
            Some("ffn_up") => TensorType::Q5K,
            Some("ffn_down") => TensorType::Q6K,
            _ => continue,
        };
        let (n_cols, n_rows) = (tensor.shape[0], tensor.shape[1]);
        tensor.kind = kind;
        tensor.bytes = random_blocks(kind, n_rows, n_cols, &mut random);
    }
    writer.finish()
}

/// The text that the model writes after its start token.
fn decode(gguf: &[u8]) -> String {
    let parts = Parts::new(vec![gguf.to_vec()]);
    let generator = Generator::load(parts, None, BackendRequest::Cpu, "a test");
    let mut generator = pollster::block_on(generator).expect("the model loads");
    let prompt = generator.tokenizer().encode("", true).expect("tokens");
    let options = GenerateOptions {
        max_tokens: N_TOKENS,
        ..GenerateOptions::default()
    };
    let text = async |_: &str| ControlFlow::Continue(());
    pollster::block_on(generator.generate(&prompt, &options, || 0.0, text))
        .expect("the model runs")
        .text
}

/// The text that the pulled model draws after the recorded prompt `smollm2::DRAWN_PROMPT`.
fn draw(gguf: &[u8]) -> String {
    let parts = Parts::new(vec![gguf.to_vec()]);
    let generator = Generator::load(parts, None, BackendRequest::Cpu, "a test");
    let mut generator = pollster::block_on(generator).expect("the model loads");
    let (cases, _) = smollm2::cases();
    let template = generator.template().expect("the model's template");
    let messages = &cases[smollm2::DRAWN_PROMPT].messages;
    let prompt = template.render(messages, true).expect("a prompt");
    let prompt = generator.tokenizer().encode(&prompt, true).expect("tokens");
    let options = GenerateOptions {
        max_tokens: smollm2::N_DRAWN,
        sample: smollm2::DRAWN,
        ..GenerateOptions::default()
    };
    let text = async |_: &str| ControlFlow::Continue(());
    pollster::block_on(generator.generate(&prompt, &options, || 0.0, text))
        .expect("the model runs")
        .text
}

/// The pulled model, with the recorded conversations in front of its template: a number at the end of the page's
/// question selects the conversation that the model reads, any other word the first one. This saves an API for raw
/// prompts in the page.
fn asked_by_number(gguf: &[u8]) -> Vec<u8> {
    let (cases, _) = smollm2::cases();
    let conversations: serde_json::Map<String, serde_json::Value> = cases
        .iter()
        .enumerate()
        .map(|(number, case)| {
            let messages = case.messages.iter().map(
                |message| serde_json::json!({ "role": message.role, "content": message.content }),
            );
            (number.to_string(), messages.collect())
        })
        .collect();
    let conversations = serde_json::to_string(&conversations).expect("JSON");
    let parsed = Gguf::parse(&Parts::new(vec![gguf.to_vec()])).expect("a GGUF file");
    let own = parsed.string("tokenizer.chat_template");
    let own = own.expect("the model's template");
    let mut template = format!(
        "{{%- set conversations = {conversations} -%}}\
         {{%- set number = messages[-1].content.split(' ')[-1] -%}}\
         {{%- set messages = conversations.get(number, conversations['0']) -%}}{own}"
    );
    // The bytes after the template keep their alignment; rendering drops the spaces in front of the template.
    let n_missing = (own.len() + ALIGNMENT - template.len() % ALIGNMENT) % ALIGNMENT;
    template.insert_str(0, &" ".repeat(n_missing));
    let stored = |text: &str| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
    let old = stored(own);
    let at = gguf.windows(old.len()).position(|bytes| bytes == old);
    let at = at.expect("the template is in the file");
    [&gguf[..at], &stored(&template), &gguf[at + old.len()..]].concat()
}

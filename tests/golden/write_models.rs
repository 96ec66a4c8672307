//! Turns models with known greedy text into folders that `anchorite build --models` takes, for the browser's tests.
//!
//! `DIR/script` writes two sentences of the user guide, with its adapter others; `DIR/stories260K` is the real small model with the story that llama2.c's `run.c` tells (left out without public test
//! data); `DIR/mixed` is a random one whose matrices are of every quantised type, with what this machine's CPU decodes.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anchorite_model::Parts;
use anchorite_model::generate::{BackendRequest, GenerateOptions, Generator};
use anchorite_model::gguf::TensorType;
use harness::blocks::random_blocks;
use harness::script::Script;
use harness::stories::Stories;
use harness::tiny::{Random, Tiny};

/// Tokens decoded by the random model. Kernels differ in the order of their float sums; after some dozens of tokens that
/// can turn the rounding of an activation, and then a close choice.
const N_TOKENS: usize = 24;

fn main() {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.expect("usage: write_models DIR");
    let script = Script::new(Script::TEXT, Script::ADAPTED);
    write(&folder.join("script"), &script.gguf, Script::TEXT);
    std::fs::write(folder.join("script/adapter.gguf"), &script.adapter).expect("the adapter");
    let mixed = mixed();
    write(&folder.join("mixed"), &mixed, &decode(&mixed));
    if let Some(data_dir) = harness::data_dir() {
        let stories = Stories::load(&data_dir, TensorType::F32);
        write(
            &folder.join("stories260K"),
            &stories.gguf,
            &stories.expected,
        );
    }
}

fn write(folder: &Path, gguf: &[u8], text: &str) {
    std::fs::create_dir_all(folder).expect("the folder");
    std::fs::write(folder.join("generator.gguf"), gguf).expect("the model");
    std::fs::write(folder.join("text.txt"), text).expect("the text");
    let embedder = harness::root().join("models/default/embedder.gguf");
    std::fs::copy(embedder, folder.join("embedder.gguf")).expect("the embedder");
}

/// A random model with a type of its own for each matrix of a layer, and two more for embedding and output.
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

/// What the model writes behind its start token.
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

//! Turns two models with known greedy text into folders that `anchorite build --models` takes, for the browser's tests.
//!
//! `DIR/stories260K` is the real small model with the story that llama2.c's `run.c` tells (left out without public test
//! data); `DIR/mixed` is a random one whose matrices are of every quantised type, with what this machine's CPU decodes.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anchorite_model::Parts;
use anchorite_model::generate::{BackendRequest, GenerateOptions, Generator};
use anchorite_model::gguf::TensorType;
use harness::stories::Stories;
use harness::tiny::{Random, Tiny};

/// Tokens decoded by the random model. Kernels differ in the order of their float sums; after some dozens of tokens that
/// can turn the rounding of an activation, and then a close choice.
const N_TOKENS: usize = 24;

fn main() {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.expect("usage: write_models DIR");
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
        tensor.bytes = blocks(kind, n_rows, n_cols, &mut random);
    }
    writer.finish()
}

/// Any numbers, under scales that give a row about the length 1 and the mean 0.
#[expect(clippy::cast_precision_loss, reason = "a row is short")]
fn blocks(kind: TensorType, n_rows: usize, n_cols: usize, random: &mut Random) -> Vec<u8> {
    use anchorite_model::quant;
    let size = 1.0 / (n_cols as f32).sqrt();
    let mut floats = || -> Vec<f32> {
        (0..n_rows * n_cols)
            .map(|_| random.draw() * 1.7 * size)
            .collect()
    };
    // Where the f16s of a block lie, and what they are: the size of the numbers behind them is known.
    let halves: &[(usize, f32)] = match kind {
        TensorType::Q4_1 => &[(0, 1.0 / 4.6), (2, -7.5 / 4.6)],
        TensorType::Q5_0 => &[(0, 1.0 / 9.2)],
        TensorType::Q5_1 => &[(0, 1.0 / 9.2), (2, -15.5 / 9.2)],
        TensorType::Q4K => &[(0, 1.0 / 147.0), (2, 7.5 / 147.0)],
        TensorType::Q5K => &[(0, 1.0 / 294.0), (2, 15.5 / 294.0)],
        TensorType::Q6K => &[(208, 1.0 / 1370.0)],
        _ => return quant::quantize(kind, &floats()),
    };
    let n_bytes = kind.n_bytes(n_rows * n_cols).expect("whole blocks");
    let mut bytes: Vec<u8> = (0..n_bytes)
        .map(|_| random.draw().to_bits().to_le_bytes()[1])
        .collect();
    for block in bytes.chunks_exact_mut(kind.block_bytes()) {
        for (start, share) in halves {
            let half = quant::quantize(TensorType::F16, &[share * size]);
            block[*start..start + 2].copy_from_slice(&half);
        }
    }
    bytes
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

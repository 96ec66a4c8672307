//! Turns the published safetensors and vocabulary of all-MiniLM-L6-v2 into the GGUF file that ships.
//!
//! `cargo xtask models` fetches the input and calls this. The same input gives the same bytes. Tensor names and the
//! spelling of the vocabulary are llama.cpp's, so other programs can read the file too.

use std::path::PathBuf;

use anchorite_model::gguf::TensorType;
use anchorite_model::gguf::Value;
use anchorite_model::gguf::write::{TensorOut, Writer};
use safetensors::SafeTensors;

const N_LAYERS: usize = 6;
const N_EMBD: usize = 384;
const N_FF: usize = 1536;
const N_VOCAB: usize = 30_522;
const N_POSITIONS: usize = 512;

fn main() {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [weights, vocabulary, out] = &paths[..] else {
        panic!("usage: convert_minilm model.safetensors vocab.txt embedder.gguf");
    };
    let read = |path: &PathBuf| {
        std::fs::read(path)
            .unwrap_or_else(|error| panic!("could not read {}: {error}", path.display()))
    };
    let (weights, vocabulary) = (read(weights), read(vocabulary));
    let vocabulary = String::from_utf8(vocabulary).expect("the vocabulary is UTF-8");
    let bytes = convert(
        &SafeTensors::deserialize(&weights).expect("safetensors"),
        &vocabulary,
    );
    std::fs::write(out, &bytes)
        .unwrap_or_else(|error| panic!("could not write {}: {error}", out.display()));
    eprintln!("{}: {} bytes", out.display(), bytes.len());
}

fn convert(tensors: &SafeTensors<'_>, vocabulary: &str) -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .set("general.architecture", "bert")
        .set("general.name", "all-MiniLM-L6-v2")
        .set("general.license", "apache-2.0")
        // llama.cpp's `LLAMA_FTYPE_MOSTLY_Q8_0`.
        .set("general.file_type", 7u32)
        .set("bert.block_count", 6u32)
        .set("bert.context_length", 512u32)
        .set("bert.embedding_length", 384u32)
        .set("bert.feed_forward_length", 1536u32)
        .set("bert.attention.head_count", 12u32)
        .set("bert.attention.layer_norm_epsilon", 1e-12f32)
        .set("bert.attention.causal", false)
        // The mean over all tokens.
        .set("bert.pooling_type", 1u32);
    write_vocabulary(&mut writer, vocabulary);

    use TensorType::{F16, F32, Q8_0};
    let mut add = |name: &str, source: &str, kind: TensorType, shape: &[usize]| {
        writer.add(TensorOut::pack(
            name,
            kind,
            shape,
            &values(tensors, source, shape),
        ));
    };
    let embeddings = |stem: &str| format!("embeddings.{stem}");
    add(
        "token_embd.weight",
        &embeddings("word_embeddings.weight"),
        Q8_0,
        &[N_EMBD, N_VOCAB],
    );
    add(
        "position_embd.weight",
        &embeddings("position_embeddings.weight"),
        F16,
        &[N_EMBD, N_POSITIONS],
    );
    add(
        "token_types.weight",
        &embeddings("token_type_embeddings.weight"),
        F32,
        &[N_EMBD, 2],
    );
    add(
        "token_embd_norm.weight",
        &embeddings("LayerNorm.weight"),
        F32,
        &[N_EMBD],
    );
    add(
        "token_embd_norm.bias",
        &embeddings("LayerNorm.bias"),
        F32,
        &[N_EMBD],
    );
    for layer_idx in 0..N_LAYERS {
        for (name, source, n_rows, n_cols) in [
            ("attn_q", "attention.self.query", N_EMBD, N_EMBD),
            ("attn_k", "attention.self.key", N_EMBD, N_EMBD),
            ("attn_v", "attention.self.value", N_EMBD, N_EMBD),
            ("attn_output", "attention.output.dense", N_EMBD, N_EMBD),
            ("ffn_up", "intermediate.dense", N_FF, N_EMBD),
            ("ffn_down", "output.dense", N_EMBD, N_FF),
        ] {
            let (name, source) = (
                format!("blk.{layer_idx}.{name}"),
                format!("encoder.layer.{layer_idx}.{source}"),
            );
            let shape = [n_cols, n_rows];
            add(
                &format!("{name}.weight"),
                &format!("{source}.weight"),
                Q8_0,
                &shape,
            );
            add(
                &format!("{name}.bias"),
                &format!("{source}.bias"),
                F32,
                &[n_rows],
            );
        }
        for (name, source) in [
            ("attn_output_norm", "attention.output.LayerNorm"),
            ("layer_output_norm", "output.LayerNorm"),
        ] {
            for part in ["weight", "bias"] {
                let name = format!("blk.{layer_idx}.{name}.{part}");
                let source = format!("encoder.layer.{layer_idx}.{source}.{part}");
                add(&name, &source, F32, &[N_EMBD]);
            }
        }
    }
    writer.finish()
}

/// The tensor as floats; its shape in the file is slowest dimension first.
fn values(tensors: &SafeTensors<'_>, source: &str, shape: &[usize]) -> Vec<f32> {
    let tensor = tensors
        .tensor(source)
        .unwrap_or_else(|error| panic!("{source}: {error}"));
    let expected: Vec<usize> = shape.iter().rev().copied().collect();
    assert_eq!(tensor.shape(), expected, "shape of {source}");
    assert_eq!(tensor.dtype(), safetensors::Dtype::F32, "type of {source}");
    let (values, rest) = tensor.data().as_chunks::<4>();
    assert!(
        rest.is_empty(),
        "{source} holds whole numbers of four bytes"
    );
    values
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

/// WordPiece as llama.cpp spells it: `▁` before the first piece of a word, nothing before the others.
fn write_vocabulary(writer: &mut Writer, vocabulary: &str) {
    let tokens: Vec<&str> = vocabulary.lines().collect();
    assert_eq!(tokens.len(), N_VOCAB, "tokens in the vocabulary");
    let spelling = |token: &&str| match token.strip_prefix("##") {
        Some(inside) => inside.to_owned(),
        None if token.starts_with('[') && token.ends_with(']') => (*token).to_owned(),
        None => format!("\u{2581}{token}"),
    };
    let id = |wanted: &str| {
        let idx = tokens.iter().position(|token| *token == wanted);
        u32::try_from(idx.unwrap_or_else(|| panic!("no {wanted}"))).expect("a small id")
    };
    let specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    // 1 is a normal token, 3 one that steers the model.
    let kind = |token: &&str| Value::I32(if specials.contains(token) { 3 } else { 1 });
    writer
        .set("tokenizer.ggml.model", "bert")
        .set("tokenizer.ggml.pre", "jina-v2-en")
        .set(
            "tokenizer.ggml.tokens",
            tokens.iter().map(spelling).collect::<Vec<_>>(),
        )
        .set(
            "tokenizer.ggml.token_type",
            Value::Array(tokens.iter().map(kind).collect()),
        )
        .set("tokenizer.ggml.token_type_count", 2u32)
        .set("tokenizer.ggml.padding_token_id", id("[PAD]"))
        .set("tokenizer.ggml.unknown_token_id", id("[UNK]"))
        .set("tokenizer.ggml.cls_token_id", id("[CLS]"))
        .set("tokenizer.ggml.seperator_token_id", id("[SEP]"))
        .set("tokenizer.ggml.mask_token_id", id("[MASK]"));
}

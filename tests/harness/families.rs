//! Turns each family of models into small random files, to compare our results with llama.cpp's.

use anchorite_model::adapter::LAYER_TARGETS;
use anchorite_model::config::Architecture;
use anchorite_model::gguf::TensorType;
use anchorite_model::gguf::write::{TensorOut, Writer};

use crate::tiny::{Random, Tiny};

/// A model, with an adapter for it if its family takes one.
pub struct FamilyCase {
    /// `qwen2-Q8_0`: the family and how its matrices are stored.
    pub name: String,
    /// Transformer layers.
    pub n_layers: usize,
    /// How matrices are stored.
    pub kind: TensorType,
    /// The model's file.
    pub model: Vec<u8>,
    /// The adapter's file; encoders have none.
    pub adapter: Option<Vec<u8>>,
}

/// Every decoder, stored as floats and as 8-bit blocks.
pub fn decoders() -> Vec<FamilyCase> {
    use Architecture::{Gemma3, Llama, Qwen2, Qwen3};
    let kinds = [TensorType::F32, TensorType::Q8_0];
    let families = [Llama, Qwen2, Qwen3, Gemma3];
    let tinies = families.into_iter().flat_map(|family| {
        kinds.map(|kind| Tiny {
            kind,
            ..Tiny::of(family)
        })
    });
    tinies
        .map(|tiny| FamilyCase {
            name: format!("{}-{}", tiny.family.name(), tiny.kind),
            n_layers: tiny.n_layers,
            kind: tiny.kind,
            model: tiny.gguf(),
            adapter: Some(adapter(&tiny)),
        })
        .collect()
}

/// Decoders with features that only some files of their family have: biases, and stretched positions.
pub fn variants() -> Vec<FamilyCase> {
    use Architecture::{Gemma3, Llama, Qwen2, Qwen3};
    let yarn = |writer: &mut Writer, family: &str| {
        let key = |end: &str| format!("{family}.rope.scaling.{end}");
        writer
            .set(&key("type"), "yarn")
            .set(&key("factor"), 4f32)
            .set(&key("original_context_length"), 4096u32);
    };
    // llama.cpp rounds the context up to 256 positions, ours is the file's 64; both are longer than 32.
    let longrope = |writer: &mut Writer, original: u32| {
        writer
            .set("llama.rope.scaling.type", "longrope")
            .set("llama.rope.scaling.original_context_length", original)
            .set("llama.rope.scaling.attn_factor", 1.25f32)
            .add(factors("rope_factors_long.weight", 1.5))
            .add(factors("rope_factors_short.weight", 0.25));
    };
    type Change<'c> = &'c dyn Fn(&mut Writer);
    let cases: [(&str, Architecture, TensorType, Change<'_>); 11] = [
        ("biases", Llama, TensorType::F32, &|writer| {
            add_biases(writer, &LAYER_TARGETS)
        }),
        ("biases", Llama, TensorType::Q8_0, &|writer| {
            add_biases(writer, &LAYER_TARGETS)
        }),
        ("biases", Qwen2, TensorType::F32, &|writer| {
            add_biases(writer, &["output"])
        }),
        ("biases", Qwen3, TensorType::F32, &|writer| {
            add_biases(writer, &LAYER_TARGETS[..3])
        }),
        ("freqs", Llama, TensorType::F32, &|writer| {
            writer.add(factors("rope_freqs.weight", 2.0));
        }),
        ("long", Llama, TensorType::F32, &|writer| {
            longrope(writer, 32)
        }),
        ("short", Llama, TensorType::F32, &|writer| {
            longrope(writer, 4096)
        }),
        ("yarn", Llama, TensorType::F32, &|writer| {
            yarn(writer, "llama")
        }),
        ("yarn", Qwen2, TensorType::F32, &|writer| {
            yarn(writer, "qwen2");
            // llama.cpp reads these keys, except the last, only in other families.
            writer
                .set("qwen2.rope.scaling.yarn_ext_factor", 0.75f32)
                .set("qwen2.rope.scaling.yarn_beta_fast", 16f32)
                .set("qwen2.rope.scaling.yarn_beta_slow", 2f32)
                .set("qwen2.rope.scaling.attn_factor", 0.75f32);
        }),
        ("yarn", Gemma3, TensorType::F32, &|writer| {
            writer
                .unset("gemma3.rope.scaling.type")
                .unset("gemma3.rope.scaling.factor");
            yarn(writer, "gemma3");
        }),
        ("linear", Qwen3, TensorType::F32, &|writer| {
            writer
                .set("qwen3.rope.scaling.type", "linear")
                .set("qwen3.rope.scaling.factor", 2f32)
                .set("qwen3.rope.scaling.yarn_attn_factor", 1.5f32);
        }),
    ];
    let case = |(name, family, kind, change): (&str, Architecture, TensorType, Change<'_>)| {
        let tiny = Tiny {
            kind,
            ..Tiny::of(family)
        };
        let mut writer = tiny.writer();
        change(&mut writer);
        FamilyCase {
            name: format!("{}-{kind}-{name}", family.name()),
            n_layers: tiny.n_layers,
            kind,
            model: writer.finish(),
            adapter: None,
        }
    };
    cases.map(case).into()
}

/// Adds a bias to each matrix of these kinds.
fn add_biases(writer: &mut Writer, stems: &[&str]) {
    let mut random = Random(5);
    let matrices: Vec<(String, usize)> = writer
        .tensors
        .iter()
        .filter_map(|tensor| {
            let base = tensor.name.strip_suffix(".weight")?;
            let stem = base.rsplit('.').next()?;
            stems
                .contains(&stem)
                .then(|| (base.to_owned(), tensor.shape[1]))
        })
        .collect();
    for (base, n_rows) in matrices {
        let values: Vec<f32> = (0..n_rows).map(|_| random.draw() * 0.2).collect();
        let name = format!("{base}.bias");
        writer.tensors.retain(|tensor| tensor.name != name);
        writer.add(TensorOut::pack(&name, TensorType::F32, &[n_rows], &values));
    }
}

/// Factors for the eight pairs of a head, growing by `step`.
fn factors(name: &str, step: f32) -> TensorOut {
    let values: Vec<f32> = (0u8..8).map(|pair| 1.0 + step * f32::from(pair)).collect();
    TensorOut::pack(name, TensorType::F32, &[8], &values)
}

/// An adapter that llama.cpp accepts: it looks up each adapted matrix in the file, which has none for a shared output.
fn adapter(tiny: &Tiny) -> Vec<u8> {
    let mut writer = tiny.adapter_writer(4, 8.0);
    if tiny.is_tied {
        writer
            .tensors
            .retain(|tensor| !tensor.name.starts_with("output."));
    }
    writer.finish()
}

/// The encoder, stored as floats and as 8-bit blocks.
pub fn encoders() -> Vec<FamilyCase> {
    [TensorType::F32, TensorType::Q8_0]
        .map(|kind| FamilyCase {
            name: format!("bert-{kind}"),
            n_layers: ENCODER_LAYERS,
            kind,
            model: encoder(kind).finish(),
            adapter: None,
        })
        .into()
}

const ENCODER_LAYERS: usize = 2;

/// A random bert with mean pooling.
fn encoder(kind: TensorType) -> Writer {
    const N_EMBD: usize = 64;
    const N_FF: usize = 96;
    const N_POSITIONS: usize = 64;
    let mut writer = Writer::new();
    writer
        .set("general.architecture", "bert")
        .set("general.name", "tiny encoder")
        .set("bert.block_count", 2u32)
        .set("bert.embedding_length", 64u32)
        .set("bert.feed_forward_length", 96u32)
        .set("bert.attention.head_count", 4u32)
        .set("bert.attention.layer_norm_epsilon", 1e-12f32)
        .set("bert.attention.causal", false)
        .set("bert.context_length", 64u32)
        .set("bert.pooling_type", 1u32);
    let n_vocab = write_word_pieces(&mut writer);

    let mut random = Random(3);
    let mut vector = |name: String, mean: f32, len: usize| {
        let values: Vec<f32> = (0..len).map(|_| mean + random.draw() * 0.1).collect();
        TensorOut::pack(&name, TensorType::F32, &[len], &values)
    };
    for norm in norms() {
        writer.add(vector(format!("{norm}.weight"), 1.0, N_EMBD));
        writer.add(vector(format!("{norm}.bias"), 0.0, N_EMBD));
    }
    let mut matrix = |name: String, kind: TensorType, n_rows: usize, n_cols: usize, size: f32| {
        let values: Vec<f32> = (0..n_rows * n_cols).map(|_| random.draw() * size).collect();
        TensorOut::pack(&name, kind, &[n_cols, n_rows], &values)
    };
    writer.add(matrix(
        "token_embd.weight".into(),
        kind,
        n_vocab,
        N_EMBD,
        1.0,
    ));
    // The converter leaves these two as floats.
    let floats = TensorType::F32;
    writer.add(matrix(
        "position_embd.weight".into(),
        floats,
        N_POSITIONS,
        N_EMBD,
        0.3,
    ));
    writer.add(matrix("token_types.weight".into(), floats, 2, N_EMBD, 0.3));
    for layer_idx in 0..ENCODER_LAYERS {
        for (stem, n_rows, n_cols) in [
            ("attn_q", N_EMBD, N_EMBD),
            ("attn_k", N_EMBD, N_EMBD),
            ("attn_v", N_EMBD, N_EMBD),
            ("attn_output", N_EMBD, N_EMBD),
            ("ffn_up", N_FF, N_EMBD),
            ("ffn_down", N_EMBD, N_FF),
        ] {
            let name = |end: &str| format!("blk.{layer_idx}.{stem}.{end}");
            writer.add(matrix(name("weight"), kind, n_rows, n_cols, 0.2));
            let mut bias = matrix(name("bias"), floats, 1, n_rows, 0.1);
            bias.shape = vec![n_rows];
            writer.add(bias);
        }
    }
    writer
}

fn norms() -> Vec<String> {
    let layers = (0..ENCODER_LAYERS).flat_map(|layer_idx| {
        ["attn_output_norm", "layer_output_norm"].map(|stem| format!("blk.{layer_idx}.{stem}"))
    });
    std::iter::once("token_embd_norm".to_owned())
        .chain(layers)
        .collect()
}

/// Writes a WordPiece vocabulary of control tokens and letters, each both word-initial and word-internal; returns its
/// length.
fn write_word_pieces(writer: &mut Writer) -> usize {
    const NORMAL: i32 = 1;
    const CONTROL: i32 = 3;
    let controls = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    let mut tokens: Vec<String> = controls.map(String::from).into();
    tokens.extend(('a'..='z').map(|letter| format!("\u{2581}{letter}")));
    tokens.extend(('a'..='z').map(String::from));
    tokens.extend(["\u{2581}the", "\u{2581}.", "er"].map(String::from));
    let n_tokens = tokens.len();
    let mut kinds = vec![CONTROL; controls.len()];
    kinds.resize(n_tokens, NORMAL);
    writer
        .set("tokenizer.ggml.model", "bert")
        .set("tokenizer.ggml.tokens", tokens)
        .set("tokenizer.ggml.token_type", kinds)
        .set("tokenizer.ggml.token_type_count", 2u32)
        .set("tokenizer.ggml.padding_token_id", 0u32)
        .set("tokenizer.ggml.unknown_token_id", 1u32)
        .set("tokenizer.ggml.bos_token_id", 2u32)
        .set("tokenizer.ggml.cls_token_id", 2u32)
        .set("tokenizer.ggml.eos_token_id", 3u32)
        .set("tokenizer.ggml.seperator_token_id", 3u32)
        .set("tokenizer.ggml.mask_token_id", 4u32);
    n_tokens
}

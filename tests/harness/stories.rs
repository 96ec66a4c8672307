//! Turns the stories260K model from llama2.c's formats into GGUF.
//!
//! Source of the formats: `run.c` and `tokenizer.py` of llama2.c.

use std::path::Path;

use anchorite_model::gguf::TensorType;
use anchorite_model::gguf::write::{TensorOut, Writer};

/// A model that tells stories, and the story it must tell.
pub struct Stories {
    /// The model as GGUF.
    pub gguf: Vec<u8>,
    /// The model's text after 200 steps of greedy decoding.
    pub expected: String,
}

impl Stories {
    /// Reads `models/stories260K` below the public test data; matrices are stored as `kind` if their rows are whole
    /// blocks, else unchanged.
    pub fn load(data_dir: &Path, kind: TensorType) -> Stories {
        let dir = data_dir.join("models/stories260K");
        let read = |name: &str| {
            let path = dir.join(name);
            std::fs::read(&path)
                .unwrap_or_else(|error| panic!("could not read {}: {error}", path.display()))
        };
        let gguf = convert(&read("stories260K.bin"), &read("tok512.bin"), kind);
        let expected = String::from_utf8(read("greedy200.txt")).expect("the story is UTF-8");
        // run.c adds a line end to its output.
        let expected = expected
            .strip_suffix('\n')
            .expect("run.c's line end")
            .to_owned();
        Stories { gguf, expected }
    }
}

/// Bytes, read from the front.
struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn bytes(&mut self, n_bytes: usize) -> &[u8] {
        let (bytes, rest) = self.0.split_at(n_bytes);
        self.0 = rest;
        bytes
    }

    fn count(&mut self) -> usize {
        let bytes = self.bytes(4).try_into().expect("four bytes");
        usize::try_from(i32::from_le_bytes(bytes)).expect("a count")
    }

    fn floats(&mut self, n_floats: usize) -> Vec<f32> {
        let (floats, _) = self.bytes(4 * n_floats).as_chunks::<4>();
        floats
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect()
    }
}

fn convert(model: &[u8], vocabulary: &[u8], kind: TensorType) -> Vec<u8> {
    let mut reader = Reader(model);
    let [
        n_embd,
        n_ff,
        n_layers,
        n_heads,
        n_kv_heads,
        n_vocab,
        n_positions,
    ] = std::array::from_fn(|_| reader.count());
    let kv = n_embd / n_heads * n_kv_heads;
    let mut writer = Writer::new();
    let mut count = |key: &str, value: usize| {
        writer.set(key, u32::try_from(value).expect("a small number"));
    };
    count("llama.block_count", n_layers);
    count("llama.embedding_length", n_embd);
    count("llama.feed_forward_length", n_ff);
    count("llama.attention.head_count", n_heads);
    count("llama.attention.head_count_kv", n_kv_heads);
    count("llama.context_length", n_positions);
    writer
        .set("general.architecture", "llama")
        .set("general.name", "stories260K")
        // Renders nothing: asked through the engine, the model tells its story from the start token alone.
        .set("tokenizer.chat_template", "{# #}")
        .set("llama.attention.layer_norm_rms_epsilon", 1e-5f32);
    write_vocabulary(&mut writer, vocabulary, n_vocab);

    let mut matrix = |name: &str, values: &[f32], n_rows: usize, n_cols: usize| {
        let kind = if n_cols.is_multiple_of(kind.block_len()) {
            kind
        } else {
            TensorType::F32
        };
        writer.add(TensorOut::pack(name, kind, &[n_cols, n_rows], values));
    };
    matrix(
        "token_embd.weight",
        &reader.floats(n_vocab * n_embd),
        n_vocab,
        n_embd,
    );
    // The file has each kind of tensor for all layers at once. llama2.c rotates neighbouring pairs, as GGUF's llama
    // does, so rows keep their order.
    let mut vectors = Vec::new();
    for (stem, n_rows, n_cols) in [
        ("attn_norm", n_embd, 1),
        ("attn_q", n_embd, n_embd),
        ("attn_k", kv, n_embd),
        ("attn_v", kv, n_embd),
        ("attn_output", n_embd, n_embd),
        ("ffn_norm", n_embd, 1),
        ("ffn_gate", n_ff, n_embd),
        ("ffn_down", n_embd, n_ff),
        ("ffn_up", n_ff, n_embd),
    ] {
        for layer_idx in 0..n_layers {
            let name = format!("blk.{layer_idx}.{stem}.weight");
            let values = reader.floats(n_rows * n_cols);
            if n_cols == 1 {
                vectors.push((name, values));
            } else {
                matrix(&name, &values, n_rows, n_cols);
            }
        }
    }
    vectors.push(("output_norm.weight".into(), reader.floats(n_embd)));
    for (name, values) in vectors {
        writer.add(TensorOut::pack(
            &name,
            TensorType::F32,
            &[values.len()],
            &values,
        ));
    }
    // The rest are tables of cosines and sines, which run.c does not use either.
    assert_eq!(
        reader.0.len(),
        4 * n_positions * (n_embd / n_heads),
        "bytes after the weights"
    );
    writer.finish()
}

/// llama2.c's vocabulary as GGUF spells it: `▁` for spaces.
fn write_vocabulary(writer: &mut Writer, vocabulary: &[u8], n_vocab: usize) {
    let mut reader = Reader(vocabulary);
    let _longest = reader.count();
    let (mut tokens, mut scores) = (Vec::new(), Vec::new());
    for id in 0..n_vocab {
        scores.push(reader.floats(1)[0]);
        let len = reader.count();
        let piece = String::from_utf8(reader.bytes(len).to_vec()).expect("pieces are UTF-8");
        tokens.push(match id {
            1 | 2 => piece.trim().to_owned(),
            0 | 3..259 => piece,
            _ => piece.replace(' ', "\u{2581}"),
        });
    }
    set_pieces(writer, tokens, scores);
}

/// The keys of a SentencePiece vocabulary that begins like Llama's: unknown, start, end, a token for each byte, then pieces.
pub(crate) fn set_pieces(writer: &mut Writer, tokens: Vec<String>, scores: Vec<f32>) {
    let kind = |id| match id {
        0 => 2,
        1 | 2 => 3,
        3..259 => 6,
        _ => 1,
    };
    let kinds: Vec<i32> = (0..tokens.len()).map(kind).collect();
    writer
        .set("tokenizer.ggml.model", "llama")
        .set("tokenizer.ggml.tokens", tokens)
        .set("tokenizer.ggml.scores", scores)
        .set("tokenizer.ggml.token_type", kinds)
        .set("tokenizer.ggml.bos_token_id", 1u32)
        .set("tokenizer.ggml.eos_token_id", 2u32)
        .set("tokenizer.ggml.unknown_token_id", 0u32);
}

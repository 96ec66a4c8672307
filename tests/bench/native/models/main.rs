//! Writes GGUF files of random weights in the shapes of known models: right for speed and memory, useless for text.
//!
//! `bench_models DIR NAME..` writes the missing files. The same name always gives the same bytes.

#[path = "../../../harness/blocks.rs"]
#[expect(unreachable_pub, reason = "public where the tests use it")]
mod blocks;
#[path = "../../../harness/tiny.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "public where the tests use it; here only the random numbers are"
)]
mod tiny;
mod vocabulary;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anchorite_model::gguf::TensorType;
use anchorite_model::gguf::write::{TensorOut, Writer};

use blocks::random_blocks;
use tiny::Random;
use vocabulary::{N_UNCHOSEN, Vocabulary};

/// The shape of a published model, from its configuration.
struct Shape {
    name: &'static str,
    architecture: &'static str,
    /// The name of the pre-tokenizer.
    pre: &'static str,
    n_embd: usize,
    n_layers: usize,
    n_heads: usize,
    n_kv_heads: usize,
    head_size: usize,
    n_ff: usize,
    n_vocab: usize,
    context_length: usize,
    rope_base: f32,
    norm_eps: f32,
    /// True if queries and keys are normalised within each head.
    has_head_norms: bool,
}

const SMOLLM2_135M: Shape = Shape {
    name: "smollm2-135m",
    architecture: "llama",
    pre: "smollm",
    n_embd: 576,
    n_layers: 30,
    n_heads: 9,
    n_kv_heads: 3,
    head_size: 64,
    n_ff: 1536,
    n_vocab: 49_152,
    context_length: 8192,
    rope_base: 1e5,
    norm_eps: 1e-5,
    has_head_norms: false,
};

const LLAMA_3_2_1B: Shape = Shape {
    name: "llama-3.2-1b",
    architecture: "llama",
    pre: "llama-bpe",
    n_embd: 2048,
    n_layers: 16,
    n_heads: 32,
    n_kv_heads: 8,
    head_size: 64,
    n_ff: 8192,
    n_vocab: 128_256,
    context_length: 131_072,
    rope_base: 5e5,
    norm_eps: 1e-5,
    has_head_norms: false,
};

const QWEN3_0_6B: Shape = Shape {
    name: "qwen3-0.6b",
    architecture: "qwen3",
    pre: "qwen2",
    n_embd: 1024,
    n_layers: 28,
    n_heads: 16,
    n_kv_heads: 8,
    head_size: 128,
    n_ff: 3072,
    n_vocab: 151_936,
    context_length: 40_960,
    rope_base: 1e6,
    norm_eps: 1e-6,
    has_head_norms: true,
};

/// How a file stores its matrices.
#[derive(Clone, Copy)]
enum Mix {
    Q8_0,
    /// The embedding, which is also the output, stays Q8_0.
    Q4_0,
    /// The mix of llama.cpp's quantiser for these shapes: rows whose length is not a multiple of 256 get a type with blocks of 32.
    Q4KM,
}

impl Mix {
    /// llama.cpp's number for `general.file_type`.
    fn file_type(self) -> u32 {
        match self {
            Self::Q4_0 => 2,
            Self::Q8_0 => 7,
            Self::Q4KM => 15,
        }
    }

    fn kind(self, shape: &Shape, layer_idx: usize, stem: &str, n_cols: usize) -> TensorType {
        match (self, stem) {
            (Self::Q8_0, _) | (_, "token_embd") => TensorType::Q8_0,
            (Self::Q4_0, _) => TensorType::Q4_0,
            (Self::Q4KM, _) => {
                let is_finer =
                    matches!(stem, "attn_v" | "ffn_down") && gets_more_bits(layer_idx, shape);
                match (is_finer, n_cols.is_multiple_of(256)) {
                    (true, true) => TensorType::Q6K,
                    (true, false) => TensorType::Q8_0,
                    (false, true) => TensorType::Q4K,
                    (false, false) => TensorType::Q5_0,
                }
            }
        }
    }
}

/// True for layers whose values and second feed-forward matrix llama.cpp stores more precisely: the ends, and every third between.
fn gets_more_bits(layer_idx: usize, shape: &Shape) -> bool {
    let eighth = shape.n_layers / 8;
    layer_idx < eighth || layer_idx >= shape.n_layers * 7 / 8 || (layer_idx - eighth) % 3 == 2
}

impl Shape {
    /// Name, rows and columns of each matrix of a layer.
    fn layer_matrices(&self) -> [(&'static str, usize, usize); 7] {
        let (c, f) = (self.n_embd, self.n_ff);
        let (q, kv) = (
            self.n_heads * self.head_size,
            self.n_kv_heads * self.head_size,
        );
        [
            ("attn_q", q, c),
            ("attn_k", kv, c),
            ("attn_v", kv, c),
            ("attn_output", c, q),
            ("ffn_gate", f, c),
            ("ffn_up", f, c),
            ("ffn_down", c, f),
        ]
    }

    fn metadata(&self, mix: Mix) -> Writer {
        let mut writer = Writer::new();
        writer
            .set("general.architecture", self.architecture)
            .set(
                "general.name",
                format!("random weights, {} shape", self.name),
            )
            .set("general.file_type", mix.file_type());
        let key = |name: &str| format!("{}.{name}", self.architecture);
        for (name, count) in [
            ("block_count", self.n_layers),
            ("embedding_length", self.n_embd),
            ("feed_forward_length", self.n_ff),
            ("attention.head_count", self.n_heads),
            ("attention.head_count_kv", self.n_kv_heads),
            ("attention.key_length", self.head_size),
            ("attention.value_length", self.head_size),
            ("rope.dimension_count", self.head_size),
            ("context_length", self.context_length),
            ("vocab_size", self.n_vocab),
        ] {
            writer.set(&key(name), u32::try_from(count).expect("a small number"));
        }
        writer
            .set(&key("rope.freq_base"), self.rope_base)
            .set(&key("attention.layer_norm_rms_epsilon"), self.norm_eps);
        let vocabulary = Vocabulary::new(self.n_vocab);
        writer
            .set("tokenizer.ggml.model", "gpt2")
            .set("tokenizer.ggml.pre", self.pre)
            .set("tokenizer.ggml.tokens", vocabulary.tokens)
            .set("tokenizer.ggml.token_type", vocabulary.types)
            .set("tokenizer.ggml.merges", vocabulary.merges)
            .set("tokenizer.ggml.bos_token_id", 1u32)
            .set("tokenizer.ggml.eos_token_id", 2u32)
            .set("tokenizer.ggml.padding_token_id", 0u32)
            .set("tokenizer.ggml.add_bos_token", false);
        writer
    }

    fn model(&self, mix: Mix) -> Vec<u8> {
        let mut random = Random(7);
        let mut writer = self.metadata(mix);
        let n_embd = self.n_embd;
        let mut rows: Vec<f32> = (0..self.n_vocab * n_embd)
            .map(|_| random.draw() * 0.07)
            .collect();
        // The embedding is also the output: small rows have small logits, so these tokens are never the likeliest.
        for value in &mut rows[..N_UNCHOSEN * n_embd] {
            *value *= 0.1;
        }
        let kind = mix.kind(self, 0, "token_embd", n_embd);
        writer.add(TensorOut::pack(
            "token_embd.weight",
            kind,
            &[n_embd, self.n_vocab],
            &rows,
        ));
        writer.add(gain("output_norm.weight", n_embd));
        for layer_idx in 0..self.n_layers {
            let name = |stem: &str| format!("blk.{layer_idx}.{stem}.weight");
            writer.add(gain(&name("attn_norm"), n_embd));
            writer.add(gain(&name("ffn_norm"), n_embd));
            if self.has_head_norms {
                writer.add(gain(&name("attn_q_norm"), self.head_size));
                writer.add(gain(&name("attn_k_norm"), self.head_size));
            }
            for (stem, n_rows, n_cols) in self.layer_matrices() {
                let kind = mix.kind(self, layer_idx, stem, n_cols);
                writer.add(TensorOut {
                    name: name(stem),
                    kind,
                    shape: vec![n_cols, n_rows],
                    bytes: random_blocks(kind, n_rows, n_cols, &mut random),
                });
            }
        }
        writer.finish()
    }

    /// A LoRA for all matrices of all layers, in single precision as llama.cpp's converter writes it.
    fn adapter(&self, rank: usize, seed: u64) -> Vec<u8> {
        let mut random = Random(seed);
        let mut writer = Writer::new();
        writer
            .set("general.architecture", self.architecture)
            .set("general.type", "adapter")
            .set("general.name", format!("random adapter {seed}"))
            .set("adapter.type", "lora")
            .set("adapter.lora.alpha", 16.0f32);
        for layer_idx in 0..self.n_layers {
            for (stem, n_rows, n_cols) in self.layer_matrices() {
                for (suffix, n_rows, n_cols) in [("lora_a", rank, n_cols), ("lora_b", n_rows, rank)]
                {
                    writer.add(TensorOut {
                        name: format!("blk.{layer_idx}.{stem}.weight.{suffix}"),
                        kind: TensorType::F32,
                        shape: vec![n_cols, n_rows],
                        bytes: random_blocks(TensorType::F32, n_rows, n_cols, &mut random),
                    });
                }
            }
        }
        writer.finish()
    }
}

fn gain(name: &str, len: usize) -> TensorOut {
    TensorOut::pack(name, TensorType::F32, &[len], &vec![1.0; len])
}

/// The contents of the file with this name.
fn make(name: &str) -> Option<Vec<u8>> {
    Some(match name {
        "smollm2-135m-q8_0.gguf" => SMOLLM2_135M.model(Mix::Q8_0),
        "smollm2-135m-q4_0.gguf" => SMOLLM2_135M.model(Mix::Q4_0),
        "smollm2-135m-q4_k_m.gguf" => SMOLLM2_135M.model(Mix::Q4KM),
        "smollm2-135m-lora-a.gguf" => SMOLLM2_135M.adapter(16, 1),
        "smollm2-135m-lora-b.gguf" => SMOLLM2_135M.adapter(16, 2),
        "llama-3.2-1b-q4_0.gguf" => LLAMA_3_2_1B.model(Mix::Q4_0),
        "llama-3.2-1b-lora-a.gguf" => LLAMA_3_2_1B.adapter(16, 1),
        "qwen3-0.6b-q8_0.gguf" => QWEN3_0_6B.model(Mix::Q8_0),
        _ => return None,
    })
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        eprintln!("usage: bench_models DIR NAME..");
        return ExitCode::FAILURE;
    };
    fs::create_dir_all(&folder).expect("the folder");
    for name in arguments {
        let name = name.to_string_lossy();
        let path = folder.join(name.as_ref());
        if path.exists() {
            continue;
        }
        let Some(bytes) = make(&name) else {
            eprintln!("error: no model has the name `{name}`");
            return ExitCode::FAILURE;
        };
        // Renamed only once it is complete: a file that exists is not made again.
        let unfinished = path.with_extension("part");
        fs::write(&unfinished, bytes).expect("the model");
        fs::rename(&unfinished, &path).expect("the model");
        eprintln!("made {}", path.display());
    }
    ExitCode::SUCCESS
}

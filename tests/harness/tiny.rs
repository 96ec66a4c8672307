//! Turns a few sizes and a seed into a whole GGUF model of random weights, and into an adapter for it.
//!
//! Also part of `anchorite-model`'s own unit tests, which is why it names nothing else.

use anchorite_model::gguf::TensorType;
use anchorite_model::gguf::write::{TensorOut, Writer};

/// The sizes of a random llama model.
#[derive(Debug, Clone)]
pub struct Tiny {
    /// How matrices are stored.
    pub kind: TensorType,
    /// Transformer layers.
    pub n_layers: usize,
    /// Residual width.
    pub n_embd: usize,
    /// Query heads.
    pub n_heads: usize,
    /// Key and value heads.
    pub n_kv_heads: usize,
    /// Feed-forward width.
    pub n_ff: usize,
    /// Tokens seen at once.
    pub context_length: usize,
    /// Whether the output shares the embedding.
    pub is_tied: bool,
    /// Whether queries, keys and values have a bias.
    pub has_bias: bool,
    /// Start of the random numbers.
    pub seed: u64,
}

impl Default for Tiny {
    fn default() -> Self {
        Self {
            kind: TensorType::F32,
            n_layers: 2,
            n_embd: 64,
            n_heads: 4,
            n_kv_heads: 2,
            n_ff: 96,
            context_length: 64,
            is_tied: false,
            has_bias: false,
            seed: 1,
        }
    }
}

impl Tiny {
    /// Tokens in the vocabulary: three control tokens, a token for each byte, 29 pieces.
    pub const N_VOCAB: usize = 3 + 256 + 29;

    /// Rows and columns of each matrix of a layer.
    pub fn layer_matrices(&self) -> [(&'static str, usize, usize); 7] {
        let (c, f) = (self.n_embd, self.n_ff);
        let kv = c / self.n_heads * self.n_kv_heads;
        [
            ("attn_q", c, c),
            ("attn_k", kv, c),
            ("attn_v", kv, c),
            ("attn_output", c, c),
            ("ffn_gate", f, c),
            ("ffn_up", f, c),
            ("ffn_down", c, f),
        ]
    }

    /// The model, ready to be changed before it is finished.
    pub fn writer(&self) -> Writer {
        let mut random = Random(self.seed);
        let mut writer = Writer::new();
        let mut count = |key: &str, value: usize| {
            writer.set(key, u32::try_from(value).expect("a small number"));
        };
        count("llama.block_count", self.n_layers);
        count("llama.embedding_length", self.n_embd);
        count("llama.feed_forward_length", self.n_ff);
        count("llama.attention.head_count", self.n_heads);
        count("llama.attention.head_count_kv", self.n_kv_heads);
        count("llama.context_length", self.context_length);
        writer
            .set("general.architecture", "llama")
            .set("general.name", "tiny")
            .set("llama.attention.layer_norm_rms_epsilon", 1e-5f32);
        write_vocabulary(&mut writer);

        let c = self.n_embd;
        writer.add(self.matrix(&mut random, "token_embd.weight", Self::N_VOCAB, c));
        writer.add(gain(&mut random, "output_norm.weight", c));
        if !self.is_tied {
            writer.add(self.matrix(&mut random, "output.weight", Self::N_VOCAB, c));
        }
        for layer_idx in 0..self.n_layers {
            let name = |stem: &str| format!("blk.{layer_idx}.{stem}");
            writer.add(gain(&mut random, &name("attn_norm.weight"), c));
            writer.add(gain(&mut random, &name("ffn_norm.weight"), c));
            for (stem, n_rows, n_cols) in self.layer_matrices() {
                let name = name(&format!("{stem}.weight"));
                writer.add(self.matrix(&mut random, &name, n_rows, n_cols));
            }
            if self.has_bias {
                for (stem, n_rows, _) in &self.layer_matrices()[..3] {
                    let values: Vec<f32> = (0..*n_rows).map(|_| random.draw() * 0.5).collect();
                    let name = name(&format!("{stem}.bias"));
                    writer.add(TensorOut::pack(&name, TensorType::F32, &[*n_rows], &values));
                }
            }
        }
        writer
    }

    /// The model's file.
    pub fn gguf(&self) -> Vec<u8> {
        self.writer().finish()
    }

    /// A LoRA adapter for every matrix of every layer, strong enough to change what the model says.
    pub fn adapter_writer(&self, rank: usize, alpha: f32) -> Writer {
        let mut random = Random(self.seed + 1000);
        let mut writer = Writer::new();
        writer
            .set("general.architecture", "llama")
            .set("general.type", "adapter")
            .set("general.name", "tiny adapter")
            .set("adapter.type", "lora")
            .set("adapter.lora.alpha", alpha);
        let mut pair = |base: &str, n_rows: usize, n_cols: usize| {
            for (suffix, shape, n_inputs) in [
                ("lora_a", [n_cols, rank], n_cols),
                ("lora_b", [rank, n_rows], rank),
            ] {
                let values: Vec<f32> = (0..shape[0] * shape[1])
                    .map(|_| random.draw() / root(n_inputs))
                    .collect();
                let name = format!("{base}.{suffix}");
                writer.add(TensorOut::pack(&name, TensorType::F32, &shape, &values));
            }
        };
        for layer_idx in 0..self.n_layers {
            for (stem, n_rows, n_cols) in self.layer_matrices() {
                pair(&format!("blk.{layer_idx}.{stem}.weight"), n_rows, n_cols);
            }
        }
        pair("output.weight", Self::N_VOCAB, self.n_embd);
        writer
    }

    fn matrix(&self, random: &mut Random, name: &str, n_rows: usize, n_cols: usize) -> TensorOut {
        let scale = 1.7 / root(n_cols);
        let values: Vec<f32> = (0..n_rows * n_cols)
            .map(|_| random.draw() * scale)
            .collect();
        TensorOut::pack(name, self.kind, &[n_cols, n_rows], &values)
    }
}

/// A SentencePiece vocabulary with which every text can be written.
fn write_vocabulary(writer: &mut Writer) {
    let mut pieces: Vec<(String, f32, i32)> = vec![
        ("<unk>".into(), 0.0, 2),
        ("<s>".into(), 0.0, 3),
        ("</s>".into(), 0.0, 3),
    ];
    pieces.extend((0..256).map(|byte| (format!("<0x{byte:02X}>"), 0.0, 6)));
    pieces.push(("\u{2581}".into(), -1.0, 1));
    pieces.extend(('a'..='z').map(|letter| (letter.to_string(), -2.0, 1)));
    pieces.push(("\u{2581}a".into(), -0.5, 1));
    pieces.push((".".into(), -3.0, 1));
    assert_eq!(
        pieces.len(),
        Tiny::N_VOCAB,
        "the vocabulary has the size it announces"
    );
    writer
        .set("tokenizer.ggml.model", "llama")
        .set(
            "tokenizer.ggml.tokens",
            pieces.iter().map(|p| p.0.clone()).collect::<Vec<_>>(),
        )
        .set(
            "tokenizer.ggml.scores",
            pieces.iter().map(|p| p.1).collect::<Vec<_>>(),
        )
        .set(
            "tokenizer.ggml.token_type",
            pieces.iter().map(|p| p.2).collect::<Vec<_>>(),
        )
        .set("tokenizer.ggml.bos_token_id", 1u32)
        .set("tokenizer.ggml.eos_token_id", 2u32);
}

fn gain(random: &mut Random, name: &str, len: usize) -> TensorOut {
    let values: Vec<f32> = (0..len).map(|_| 1.0 + random.draw() * 0.1).collect();
    TensorOut::pack(name, TensorType::F32, &[len], &values)
}

#[expect(clippy::cast_precision_loss, reason = "sizes are small")]
fn root(n: usize) -> f32 {
    (n as f32).sqrt()
}

/// Even numbers between -1 and 1, the same on every machine: SplitMix64.
pub struct Random(pub u64);

impl Random {
    /// The next number.
    #[expect(clippy::cast_precision_loss, reason = "24 bits fit exactly")]
    pub fn draw(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

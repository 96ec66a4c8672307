//! Turns a few sizes and a seed into a complete GGUF model with random weights, and an adapter for it.
//!
//! Also compiled into `anchorite-model`'s own unit tests, so it must not depend on anything else here.

#[path = "tiny/vocabulary.rs"]
mod vocabulary;

use anchorite_model::config::Architecture;
use anchorite_model::gguf::TensorType;
use anchorite_model::gguf::write::{TensorOut, Writer};

/// Positions that a layer with a window sees: few, so that a short prompt exceeds them.
const N_VISIBLE: u32 = 8;

/// The sizes of a random decoder.
#[derive(Debug, Clone)]
pub struct Tiny {
    /// The family; [`Tiny::of`] also sets the features that its models must have.
    pub family: Architecture,
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
    /// The context, in tokens.
    pub context_length: usize,
    /// True if the output shares the embedding.
    pub is_tied: bool,
    /// True if queries, keys and values have a bias.
    pub has_bias: bool,
    /// Seed of the random numbers.
    pub seed: u64,
}

impl Default for Tiny {
    fn default() -> Self {
        Self {
            family: Architecture::Llama,
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
    /// Tokens in the vocabulary: three or four control tokens, a token for each byte, pieces.
    pub const N_VOCAB: usize = 3 + 256 + 29;

    /// A model with the features of `family`'s models in llama.cpp.
    pub fn of(family: Architecture) -> Self {
        let is_gemma = family == Architecture::Gemma3;
        Self {
            family,
            // One global layer, between layers with a window.
            n_layers: if is_gemma { 7 } else { 2 },
            is_tied: is_gemma,
            has_bias: family == Architecture::Qwen2,
            ..Self::default()
        }
    }

    /// Values in a head: more than an even share of the stream, if so in the family's own models.
    pub fn head_size(&self) -> usize {
        let share = self.n_embd / self.n_heads;
        match self.family {
            Architecture::Qwen3 | Architecture::Gemma3 => share + share / 2,
            _ => share,
        }
    }

    /// Rows and columns of each matrix of a layer.
    pub fn layer_matrices(&self) -> [(&'static str, usize, usize); 7] {
        let (c, f) = (self.n_embd, self.n_ff);
        let q = self.head_size() * self.n_heads;
        let kv = self.head_size() * self.n_kv_heads;
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

    /// The model's writer, for changes before it is finished.
    pub fn writer(&self) -> Writer {
        let mut random = Random(self.seed);
        let mut writer = Writer::new();
        self.write_sizes(&mut writer);
        vocabulary::write(self.family, &mut writer);

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
            let traits = self.family.traits();
            if traits.has_head_norms {
                for stem in ["attn_q_norm.weight", "attn_k_norm.weight"] {
                    writer.add(gain(&mut random, &name(stem), self.head_size()));
                }
            }
            if traits.has_post_norms {
                for stem in ["post_attention_norm.weight", "post_ffw_norm.weight"] {
                    writer.add(gain(&mut random, &name(stem), c));
                }
            }
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

    /// Writes the keys of the family's own files, except for the vocabulary.
    fn write_sizes(&self, writer: &mut Writer) {
        let family = self.family.name();
        let name = |key: &str| format!("{family}.{key}");
        let mut count = |key: &str, value: usize| {
            let value = u32::try_from(value).expect("a small number");
            writer.set(&name(key), value);
        };
        count("block_count", self.n_layers);
        count("embedding_length", self.n_embd);
        count("feed_forward_length", self.n_ff);
        count("attention.head_count", self.n_heads);
        count("attention.head_count_kv", self.n_kv_heads);
        count("context_length", self.context_length);
        if self.family.traits().has_head_norms {
            count("attention.key_length", self.head_size());
            count("attention.value_length", self.head_size());
        }
        writer
            .set("general.architecture", family)
            .set("general.name", "tiny")
            .set(&name("attention.layer_norm_rms_epsilon"), 1e-5f32);
        if self.family != Architecture::Llama {
            writer.set(&name("rope.freq_base"), 1e6f32);
        }
        if self.family == Architecture::Gemma3 {
            // The 4B model and larger ones stretch the global layers. None caps its logits, but llama.cpp reads that
            // key for this family.
            writer
                .set(&name("attention.sliding_window"), N_VISIBLE)
                .set(&name("rope.scaling.type"), "linear")
                .set(&name("rope.scaling.factor"), 8f32)
                .set(&name("final_logit_softcapping"), 4f32);
        }
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
            .set("general.architecture", self.family.name())
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

fn gain(random: &mut Random, name: &str, len: usize) -> TensorOut {
    let values: Vec<f32> = (0..len).map(|_| 1.0 + random.draw() * 0.1).collect();
    TensorOut::pack(name, TensorType::F32, &[len], &values)
}

#[expect(clippy::cast_precision_loss, reason = "sizes are small")]
fn root(n: usize) -> f32 {
    (n as f32).sqrt()
}

/// Uniform random numbers between -1 and 1, the same on every machine: SplitMix64.
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

//! Turns fixed texts into a model that writes them whatever it is asked, to test the code around a generator.
//!
//! Each token's embedding is a random direction, and its row of the output is the direction of the token before it in
//! the text, so the likeliest next token is the text's next word by a wide margin, on every device and despite any
//! rounding. The layers in between are random and weak: they are computed, but decide nothing.

use anchorite_model::gguf::write::{TensorOut, Writer};
use anchorite_model::gguf::{TensorType, Value};

use crate::stories::set_pieces;
use crate::tiny::Random;

const N_EMBD: usize = 64;
const N_FF: usize = 128;
const N_LAYERS: usize = 2;
const N_HEADS: usize = 4;
/// Letters are tokens, so a prompt needs many positions.
const N_POSITIONS: u32 = 4096;
const N_CONTROLS: usize = 3;
const END: usize = 2;
/// `\n`, which ends every prompt of the template.
const LINE_END: usize = N_CONTROLS + b'\n' as usize;
/// Scale of the output's rows, which sets the margin of the right token over random ones.
const STRENGTH: f32 = 0.25;

/// A model, and an adapter that makes it write another text.
pub struct Script {
    /// The model as GGUF.
    pub gguf: Vec<u8>,
    /// An adapter for it as GGUF.
    pub adapter: Vec<u8>,
    /// Two adapters with voices: `Calm`, which changes nothing, and `Brisk`, which has the other text written.
    pub voices: [Vec<u8>; 2],
}

impl Script {
    /// The model's text in the browser tests, which is true according to the user guide.
    pub const TEXT: &str =
        "The chat opens with mod+I. That is Cmd+I on a Mac and Ctrl+I elsewhere.";
    /// The model's text in the browser tests with the adapter.
    pub const ADAPTED: &str = "Hold Ctrl or Cmd, then press I, to open it.";

    /// A model that writes `text`, or `adapted` with its adapter. No word may occur twice across the two.
    pub fn new(text: &str, adapted: &str) -> Script {
        Script::written(text, adapted, false, &[])
    }

    /// A model that writes `text` again and again.
    pub fn turning(text: &str) -> Script {
        Script::written(text, "Another.", true, &[])
    }

    /// A model that writes `text`, and whose file says that it knows these languages.
    pub fn speaking(text: &str, languages: &[&str]) -> Script {
        Script::written(text, "Another.", false, languages)
    }

    fn written(text: &str, adapted: &str, turns: bool, languages: &[&str]) -> Script {
        let texts = [text, adapted].map(|text| text.split_whitespace().collect::<Vec<_>>());
        let mut tokens: Vec<String> = ["<unk>", "<s>", "</s>"].map(String::from).to_vec();
        tokens.extend((0..256).map(|byte| format!("<0x{byte:02X}>")));
        tokens.push("\u{2581}".into());
        tokens.extend(('a'..='z').map(String::from));
        let n_plain = tokens.len();
        tokens.extend(texts.iter().flatten().map(|word| format!("\u{2581}{word}")));
        for (idx, token) in tokens.iter().enumerate() {
            assert!(!tokens[..idx].contains(token), "`{token}` occurs twice");
        }

        let mut random = Random(5);
        let embedding: Vec<f32> = (0..tokens.len() * N_EMBD).map(|_| random.draw()).collect();
        let direction = |token: usize| &embedding[token * N_EMBD..][..N_EMBD];
        let mut output = vec![0.0; embedding.len()];
        let mut follow = |token: usize, next: usize| {
            let row = &mut output[next * N_EMBD..][..N_EMBD];
            for (value, along) in row.iter_mut().zip(direction(token)) {
                *value += along * STRENGTH;
            }
        };
        let firsts = [n_plain, n_plain + texts[0].len()];
        for (first, words) in firsts.into_iter().zip(&texts) {
            let last = first + words.len() - 1;
            (first..last).for_each(|token| follow(token, token + 1));
            follow(last, if turns { first } else { END });
        }
        follow(LINE_END, firsts[0]);

        // The adapter's pull into its text is twice as strong as the model's into the first text.
        let adapter = |label: Option<&str>, strength: f32| {
            let mut adapter = Writer::new();
            adapter
                .set("general.architecture", "llama")
                .set("general.type", "adapter")
                .set("general.name", "another text")
                .set("adapter.type", "lora")
                .set("adapter.lora.alpha", 1.0f32);
            if let Some(label) = label {
                adapter.set("anchorite.voice.label", label);
            }
            let a: Vec<f32> = direction(LINE_END).to_vec();
            let mut b = vec![0.0; tokens.len()];
            b[firsts[1]] = strength;
            for (suffix, shape, values) in [
                ("lora_a", [N_EMBD, 1], &a),
                ("lora_b", [1, tokens.len()], &b),
            ] {
                let name = format!("output.weight.{suffix}");
                adapter.add(TensorOut::pack(&name, TensorType::F32, &shape, values));
            }
            adapter.finish()
        };
        let voices = [
            adapter(Some("Calm"), 0.0),
            adapter(Some("Brisk"), 2.0 * STRENGTH),
        ];
        let adapter = adapter(None, 2.0 * STRENGTH);
        Script {
            gguf: model(tokens, n_plain, languages, &embedding, &output, &mut random),
            adapter,
            voices,
        }
    }
}

fn model(
    tokens: Vec<String>,
    n_plain: usize,
    languages: &[&str],
    embedding: &[f32],
    output: &[f32],
    random: &mut Random,
) -> Vec<u8> {
    let n_vocab = tokens.len();
    let mut writer = Writer::new();
    let count = |value: usize| u32::try_from(value).expect("a small number");
    writer
        .set("general.architecture", "llama")
        .set("general.name", "script")
        .set("llama.block_count", count(N_LAYERS))
        .set("llama.embedding_length", count(N_EMBD))
        .set("llama.feed_forward_length", count(N_FF))
        .set("llama.attention.head_count", count(N_HEADS))
        .set("llama.attention.head_count_kv", count(N_HEADS / 2))
        .set("llama.context_length", N_POSITIONS)
        .set("llama.attention.layer_norm_rms_epsilon", 1e-5f32)
        .set(
            "tokenizer.chat_template",
            "{% for m in messages %}{{ m.content }}\n{% endfor %}",
        );
    if !languages.is_empty() {
        let tags = languages.iter().map(|&tag| Value::from(tag)).collect();
        writer.set("general.languages", Value::Array(tags));
    }
    // Prompts are tokenized letter by letter, never into the words of the texts.
    let scores = (0..n_vocab).map(|id| if id < n_plain { -1.0 } else { -9.0 });
    set_pieces(&mut writer, tokens, scores.collect());

    let mut add = |name: &str, kind: TensorType, shape: &[usize], values: &[f32]| {
        writer.add(TensorOut::pack(name, kind, shape, values));
    };
    let matrix = TensorType::Q8_0;
    add("token_embd.weight", matrix, &[N_EMBD, n_vocab], embedding);
    add("output.weight", matrix, &[N_EMBD, n_vocab], output);
    let gains = vec![1.0; N_EMBD];
    add("output_norm.weight", TensorType::F32, &[N_EMBD], &gains);
    let n_kv = N_EMBD / 2;
    for layer_idx in 0..N_LAYERS {
        for stem in ["attn_norm", "ffn_norm"] {
            let name = format!("blk.{layer_idx}.{stem}.weight");
            add(&name, TensorType::F32, &[N_EMBD], &gains);
        }
        for (stem, n_rows, n_cols, scale) in [
            ("attn_q", N_EMBD, N_EMBD, 0.2),
            ("attn_k", n_kv, N_EMBD, 0.2),
            ("attn_v", n_kv, N_EMBD, 0.2),
            ("attn_output", N_EMBD, N_EMBD, 0.005),
            ("ffn_gate", N_FF, N_EMBD, 0.2),
            ("ffn_up", N_FF, N_EMBD, 0.2),
            ("ffn_down", N_EMBD, N_FF, 0.005),
        ] {
            let draws = (0..n_rows * n_cols).map(|_| random.draw() * scale);
            let values: Vec<f32> = draws.collect();
            let name = format!("blk.{layer_idx}.{stem}.weight");
            add(&name, matrix, &[n_cols, n_rows], &values);
        }
    }
    writer.finish()
}

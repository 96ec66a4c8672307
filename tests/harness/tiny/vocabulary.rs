//! Writes a small vocabulary of a family's kind that can spell every text.

use anchorite_model::config::Architecture;
use anchorite_model::gguf::write::Writer;

use super::Tiny;

/// Values of `tokenizer.ggml.token_type`: text, unknown, control, one byte.
const NORMAL: i32 = 1;
const UNKNOWN: i32 = 2;
const CONTROL: i32 = 3;
const BYTE: i32 = 6;

/// Writes every key of the tokenizer.
pub(super) fn write(family: Architecture, writer: &mut Writer) {
    match family {
        Architecture::Qwen2 | Architecture::Qwen3 => byte_level(writer),
        Architecture::Gemma3 => {
            let controls = [
                ("<pad>", CONTROL),
                ("<eos>", CONTROL),
                ("<bos>", CONTROL),
                ("<unk>", UNKNOWN),
            ];
            sentence_piece(&controls, writer);
            writer
                .set("tokenizer.ggml.bos_token_id", 2u32)
                .set("tokenizer.ggml.eos_token_id", 1u32)
                .set("tokenizer.ggml.unknown_token_id", 3u32)
                .set("tokenizer.ggml.padding_token_id", 0u32)
                .set("tokenizer.ggml.add_space_prefix", false);
        }
        _ => {
            let controls = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)];
            sentence_piece(&controls, writer);
            writer
                .set("tokenizer.ggml.bos_token_id", 1u32)
                .set("tokenizer.ggml.eos_token_id", 2u32);
        }
    }
}

/// Control tokens, a token for each byte, and as many pieces as still fit.
fn sentence_piece(controls: &[(&str, i32)], writer: &mut Writer) {
    let mut pieces: Vec<(String, f32, i32)> = controls
        .iter()
        .map(|(piece, kind)| ((*piece).to_owned(), 0.0, *kind))
        .collect();
    pieces.extend((0..256).map(|byte| (format!("<0x{byte:02X}>"), 0.0, BYTE)));
    pieces.push(("\u{2581}".into(), -1.0, NORMAL));
    pieces.extend(('a'..='z').map(|letter| (letter.to_string(), -2.0, NORMAL)));
    pieces.push(("\u{2581}a".into(), -0.5, NORMAL));
    pieces.push((".".into(), -3.0, NORMAL));
    pieces.truncate(Tiny::N_VOCAB);
    assert_eq!(
        pieces.len(),
        Tiny::N_VOCAB,
        "the vocabulary has the size it announces"
    );
    let (tokens, scores, kinds) = unzip(pieces);
    writer
        .set("tokenizer.ggml.model", "llama")
        .set("tokenizer.ggml.tokens", tokens)
        .set("tokenizer.ggml.scores", scores)
        .set("tokenizer.ggml.token_type", kinds);
}

/// A token for each byte, spelt as in GPT-2, the tokens that result from merges, and control tokens.
fn byte_level(writer: &mut Writer) {
    let mut tokens: Vec<String> = (0..=255u8).map(|byte| spelling(byte).to_string()).collect();
    let mut merges = Vec::new();
    // A space and a letter: the start of a word.
    for letter in 'a'..='z' {
        merges.push(format!("\u{120} {letter}"));
        tokens.push(format!("\u{120}{letter}"));
    }
    merges.push("e r".into());
    merges.push("t h".into());
    merges.push("th e".into());
    tokens.extend(["er", "th", "the"].map(String::from));
    let mut kinds = vec![NORMAL; tokens.len()];
    tokens.extend(["<|endoftext|>", "<|im_start|>", "<|im_end|>"].map(String::from));
    kinds.resize(tokens.len(), CONTROL);
    assert_eq!(
        tokens.len(),
        Tiny::N_VOCAB,
        "the vocabulary has the size it announces"
    );
    let id = |token: &str| {
        let idx = tokens.iter().position(|found| found == token);
        u32::try_from(idx.expect("a token above")).expect("a small number")
    };
    let (bos, eos) = (id("<|endoftext|>"), id("<|im_end|>"));
    writer
        .set("tokenizer.ggml.model", "gpt2")
        .set("tokenizer.ggml.pre", "qwen2")
        .set("tokenizer.ggml.tokens", tokens)
        .set("tokenizer.ggml.token_type", kinds)
        .set("tokenizer.ggml.merges", merges)
        .set("tokenizer.ggml.bos_token_id", bos)
        .set("tokenizer.ggml.eos_token_id", eos)
        .set("tokenizer.ggml.padding_token_id", bos)
        .set("tokenizer.ggml.add_bos_token", false);
}

/// Printable bytes stand for themselves; the rest follow each other from U+0100 on.
fn spelling(byte: u8) -> char {
    let is_printable = |byte: &u8| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    if is_printable(&byte) {
        return char::from(byte);
    }
    let n_before = (0..byte).filter(|byte| !is_printable(byte)).count();
    let code = 0x100 + u32::try_from(n_before).expect("a byte");
    char::from_u32(code).expect("a letter")
}

fn unzip(pieces: Vec<(String, f32, i32)>) -> (Vec<String>, Vec<f32>, Vec<i32>) {
    let (mut tokens, mut scores, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    for (token, score, kind) in pieces {
        tokens.push(token);
        scores.push(score);
        kinds.push(kind);
    }
    (tokens, scores, kinds)
}

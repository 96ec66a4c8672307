//! Compares the ids from every GGUF vocabulary at hand with those that llama.cpp records for it.
//!
//! The `.inp` files hold 46 strings, the `.out` files the ids that the models' own tokenizers gave for them, without
//! special tokens; both are from llama.cpp at c392e509, see `ORIGIN.md` in the archive.

use std::path::Path;
use std::process::Command;

use anchorite_model::gguf::{Gguf, Value};
use anchorite_model::{Parts, Tokenizer};

const SEPARATOR: &str = "\n__ggml_vocab_test__\n";

/// Unpacks `vocab/NAME.tar.xz` of the public data, or prints why it is skipped.
fn vocabularies(name: &str) -> Option<tempfile::TempDir> {
    // Joined as text, because `with_extension` would remove the `.cpp` of a name.
    let archive = harness::data_dir()?
        .join("vocab")
        .join(format!("{name}.tar.xz"));
    if !archive.is_file() {
        harness::skipped(&format!("no {}", archive.display()));
        return None;
    }
    let dir = tempfile::tempdir().expect("a temporary folder");
    let status = Command::new("tar")
        .arg("-xf")
        .arg(&archive)
        .arg("-C")
        .arg(dir.path())
        .status();
    if !status.is_ok_and(|status| status.success()) {
        harness::skipped(&format!("`tar` cannot unpack {}", archive.display()));
        return None;
    }
    Some(dir)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The strings and ids recorded with the vocabulary `name`.
fn cases(dir: &Path, name: &str) -> Vec<(String, Vec<u32>)> {
    let texts = read(&dir.join(format!("ggml-vocab-{name}.gguf.inp")));
    let ids = read(&dir.join(format!("ggml-vocab-{name}.gguf.out")));
    let ids = ids.lines().map(|line| {
        line.split_whitespace()
            .map(|id| id.parse().expect("ids are numbers"))
            .collect::<Vec<u32>>()
    });
    let cases: Vec<_> = texts.split(SEPARATOR).map(String::from).zip(ids).collect();
    assert_eq!(cases.len(), 46, "strings recorded for {name}");
    cases
}

/// The cases that differ, as `text: expected, found`.
fn differences(tokenizer: &Tokenizer, cases: &[(String, Vec<u32>)]) -> Vec<String> {
    let differs = |(text, expected): &(String, Vec<u32>)| {
        let ids = |tokens: Vec<anchorite_model::TokenId>| -> Vec<u32> {
            tokens.into_iter().map(|token| token.0).collect()
        };
        let steering = ids(tokenizer.encode(text, false).expect("any text has tokens"));
        let plain = ids(tokenizer
            .encode_text(text, false)
            .expect("any text has tokens"));
        (&steering != expected || &plain != expected)
            .then(|| format!("{text:?}: expected {expected:?}, found {steering:?} and {plain:?}"))
    };
    cases.iter().filter_map(differs).collect()
}

fn gguf(path: &Path) -> Gguf {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Gguf::parse(&Parts::new(vec![bytes]))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn tokenizer_ids_are_equal_for_every_gguf_vocabulary() {
    let Some(dir) = vocabularies("llama.cpp") else {
        return;
    };
    let dir = dir.path().join("llama.cpp");
    let mut differing = Vec::new();
    for name in [
        "bert-bge",
        "deepseek-coder",
        "deepseek-llm",
        "falcon",
        "gpt-2",
        "llama-spm",
        "mpt",
        "phi-3",
        "refact",
        "starcoder",
    ] {
        let gguf = gguf(&dir.join(format!("ggml-vocab-{name}.gguf")));
        let tokenizer =
            Tokenizer::from_gguf(&gguf).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = differences(&tokenizer, &cases(&dir, name));
        differing.extend(
            found
                .into_iter()
                .map(|difference| format!("{name}: {difference}")),
        );
    }
    assert!(
        differing.is_empty(),
        "{} strings differ:\n{}",
        differing.len(),
        differing.join("\n")
    );
}

/// A lossless tokenizer must return the text it was given, with or without recorded ids.
#[test]
fn every_string_comes_back_from_its_tokens() {
    let Some(dir) = vocabularies("llama.cpp") else {
        return;
    };
    let dir = dir.path().join("llama.cpp");
    // The last two have no recorded ids; `bert-bge` is left out, because it lowercases.
    for name in [
        "deepseek-coder",
        "deepseek-llm",
        "falcon",
        "gpt-2",
        "llama-spm",
        "mpt",
        "phi-3",
        "refact",
        "starcoder",
        "baichuan",
        "gpt-neox",
    ] {
        let gguf = gguf(&dir.join(format!("ggml-vocab-{name}.gguf")));
        let tokenizer =
            Tokenizer::from_gguf(&gguf).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (text, _) in cases(&dir, "gpt-2") {
            let tokens = tokenizer.encode(&text, false).expect("any text has tokens");
            assert_eq!(tokenizer.decode(&tokens), text, "{name}");
            let mut stream = tokenizer.stream();
            let mut streamed: String = tokens
                .iter()
                .filter_map(|&token| stream.push(token))
                .collect();
            streamed.extend(stream.finish());
            assert_eq!(streamed, text, "{name}, streamed");
        }
    }
}

/// Qwen's vocabulary comes as ranks of byte strings; a token's merge is the last step in building it from lower ranks.
#[test]
fn tokenizer_ids_are_equal_for_qwen() {
    let (Some(qwen), Some(recorded)) = (vocabularies("qwen"), vocabularies("llama.cpp")) else {
        return;
    };
    let gguf = qwen_gguf(&read(&qwen.path().join("qwen/qwen.tiktoken")));
    let tokenizer = Tokenizer::from_gguf(&gguf).expect("a tokenizer");
    let dir = recorded.path().join("llama.cpp");
    for name in ["qwen2", "deepseek-r1-qwen"] {
        let differing = differences(&tokenizer, &cases(&dir, name));
        assert!(differing.is_empty(), "{name}:\n{}", differing.join("\n"));
    }
}

/// The GGUF metadata that llama.cpp's converter writes for a tiktoken vocabulary.
fn qwen_gguf(ranks: &str) -> Gguf {
    let tokens: Vec<Vec<u8>> = ranks
        .lines()
        .map(|line| base64(line.split(' ').next().expect("a token before its rank")))
        .collect();
    let ranks: std::collections::HashMap<&[u8], usize> = tokens
        .iter()
        .enumerate()
        .map(|(rank, token)| (token.as_slice(), rank))
        .collect();
    let merges: Vec<String> = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.len() > 1)
        .map(|(rank, token)| {
            let parts = merged_below(token, rank, &ranks);
            assert_eq!(parts.len(), 2, "a token of rank {rank} is made of two");
            format!("{} {}", spelt(&parts[0]), spelt(&parts[1]))
        })
        .collect();
    let pieces: Vec<String> = tokens.iter().map(|token| spelt(token)).collect();
    let mut gguf = Gguf::default();
    gguf.metadata.extend([
        ("tokenizer.ggml.model".to_owned(), Value::from("gpt2")),
        ("tokenizer.ggml.pre".to_owned(), Value::from("qwen2")),
        ("tokenizer.ggml.tokens".to_owned(), Value::from(pieces)),
        ("tokenizer.ggml.merges".to_owned(), Value::from(merges)),
    ]);
    gguf
}

/// Merges the bytes of `token`, lowest rank first, by ranks below `limit`.
fn merged_below(
    token: &[u8],
    limit: usize,
    ranks: &std::collections::HashMap<&[u8], usize>,
) -> Vec<Vec<u8>> {
    let mut parts: Vec<Vec<u8>> = token.iter().map(|&byte| vec![byte]).collect();
    loop {
        let best = (1..parts.len())
            .filter_map(|at| {
                ranks
                    .get([parts[at - 1].as_slice(), &parts[at]].concat().as_slice())
                    .map(|rank| (rank, at))
            })
            .filter(|&(&rank, _)| rank < limit)
            .min();
        let Some((_, at)) = best else { return parts };
        let right = parts.remove(at);
        parts[at - 1].extend(right);
    }
}

/// The spelling of bytes in byte-level vocabularies, computed as in GPT-2's code.
fn spelt(bytes: &[u8]) -> String {
    let is_printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let spell = |&byte: &u8| {
        if is_printable(byte) {
            return char::from(byte);
        }
        let n_before = (0..byte).filter(|&byte| !is_printable(byte)).count();
        u32::try_from(256 + n_before)
            .ok()
            .and_then(char::from_u32)
            .expect("a character")
    };
    bytes.iter().map(spell).collect()
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut n_bits) = (0u32, 0);
    for byte in text.bytes().filter(|&byte| byte != b'=') {
        let digit = ALPHABET
            .iter()
            .position(|&known| known == byte)
            .expect("a base64 digit");
        bits = bits << 6 | u32::try_from(digit).expect("below 64");
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push(u8::try_from(bits >> n_bits & 0xff).expect("one byte"));
        }
    }
    bytes
}

//! Compares segmentations with worked examples and with `tokenizers`, and shows that unusable vocabularies are refused.

use tokenizers::Model as _;
use tokenizers::models::unigram;

use super::*;
use crate::gguf::Value;

/// Pieces, each with its log probability; control tokens first.
const PIECES: [(&str, f32); 18] = [
    ("<s>", 0.0),
    ("<pad>", 0.0),
    ("</s>", 0.0),
    ("<unk>", 0.0),
    ("\u{2581}", -3.9),
    ("s", -5.1),
    ("a", -5.5),
    ("\u{2581}a", -5.6),
    ("n", -6.0),
    ("na", -8.2),
    ("ban", -9.0),
    ("\u{2581}ban", -9.4),
    ("ana", -9.1),
    ("\u{2581}banana", -14.2),
    ("\u{4f60}", -11.0),
    ("\u{4f60}\u{597d}", -12.0),
    ("\u{0e2d}", -10.0),
    ("fi", -9.9),
];

fn gguf(pieces: &[(&str, f32)]) -> Gguf {
    let mut gguf = Gguf::default();
    let array = |values: Vec<Value>| Value::Array(values);
    let texts = pieces.iter().map(|(text, _)| Value::String((*text).into()));
    let scores = pieces.iter().map(|(_, score)| Value::F32(*score));
    let kind = |idx| match idx {
        3 => 2,
        0..3 => 3,
        _ => 1,
    };
    let kinds = (0..pieces.len()).map(|idx| Value::I32(kind(idx)));
    for (key, value) in [
        ("model", Value::String("t5".into())),
        ("tokens", array(texts.collect())),
        ("scores", array(scores.collect())),
        ("token_type", array(kinds.collect())),
        ("bos_token_id", Value::U32(0)),
        ("eos_token_id", Value::U32(2)),
        ("unknown_token_id", Value::U32(3)),
    ] {
        gguf.metadata.insert(format!("tokenizer.ggml.{key}"), value);
    }
    gguf
}

fn ids(tokens: &[TokenId]) -> Vec<u32> {
    tokens.iter().map(|token| token.0).collect()
}

#[test]
fn the_likeliest_pieces_are_taken() {
    let tokenizer = UnigramTokenizer::from_gguf(&gguf(&PIECES)).expect("a tokenizer");
    for (text, expected) in [
        ("banana", &[0, 13, 2][..]),
        (" banana  a\n", &[0, 13, 7, 2]),
        ("bananas", &[0, 13, 5, 2]),
        // `ban` costs less than an unknown `b` and its letters.
        ("anban", &[0, 7, 8, 10, 2]),
        ("\u{4f60}\u{597d}", &[0, 4, 15, 2]),
        // Unknown characters in a row are one token.
        ("zza", &[0, 4, 3, 6, 2]),
        ("", &[0, 2]),
        (" \t ", &[0, 2]),
        // Control tokens can't be spelt.
        ("</s>", &[0, 4, 3, 5, 3, 2]),
    ] {
        let found = tokenizer.encode_text(text).expect("tokens");
        assert_eq!(ids(&found), expected, "{text:?}");
    }
}

#[test]
fn words_keep_their_place() {
    let tokenizer = UnigramTokenizer::from_gguf(&gguf(&PIECES)).expect("a tokenizer");
    let (tokens, ranges) = tokenizer.encode_words(" bananas a");
    assert_eq!(ids(&tokens), [13, 5, 7]);
    assert_eq!(ranges, [1..8, 1..8, 9..10]);
    // The mark in front of a word goes with its first character.
    let (tokens, ranges) = tokenizer.encode_words("a \u{4f60}\u{597d}\u{4f60} zz!");
    assert_eq!(ids(&tokens), [7, 4, 15, 14, 4, 3]);
    assert_eq!(ranges, [0..1, 2..8, 2..8, 8..11, 12..15, 12..15]);
}

#[test]
fn a_word_without_end_is_cut_and_read() {
    let tokenizer = UnigramTokenizer::from_gguf(&gguf(&PIECES)).expect("a tokenizer");
    let long = "\u{4f60}\u{597d}".repeat(MAX_WORD_CHARS);
    let found = tokenizer.encode_text(&long).expect("tokens");
    let n_whole = found.iter().filter(|id| id.0 == 15).count();
    assert!(n_whole >= MAX_WORD_CHARS - 2, "{n_whole}");
}

/// Every text is segmented as by `tokenizers`, which follows SentencePiece.
#[test]
fn segments_are_those_of_the_library() {
    let gguf = gguf(&PIECES);
    let vocabulary = Vocabulary::from_gguf(&gguf).expect("a vocabulary");
    let own = Unigram::from_gguf(&gguf, &vocabulary).expect("a model");
    let pieces = PIECES.map(|(piece, score)| (piece.to_owned(), f64::from(score)));
    let library = unigram::Unigram::from(pieces.to_vec(), Some(3), false).expect("a model");
    let mut random = fastrand(7);
    let letters = [
        'b', 'a', 'n', 's', 'z', SPACE, '\u{4f60}', '\u{597d}', 'f', 'i',
    ];
    for _ in 0..2_000 {
        let length = random() % 14 + 1;
        let text: String = (0..length)
            .map(|_| letters[random() % letters.len()])
            .collect();
        let mut found = Vec::new();
        own.segment(&text, &mut found, &mut Vec::new());
        let expected = library.tokenize(&text).expect("tokens");
        let expected: Vec<u32> = expected.iter().map(|token| token.id).collect();
        assert_eq!(ids(&found), expected, "{text:?}");
    }
}

/// A stream of numbers from a seed.
fn fastrand(seed: u64) -> impl FnMut() -> usize {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or(0)
    }
}

#[test]
fn a_vocabulary_that_cannot_be_used_is_refused() {
    let with = |key: &str, value: Value| {
        let mut gguf = gguf(&PIECES);
        gguf.metadata.insert(format!("tokenizer.ggml.{key}"), value);
        UnigramTokenizer::from_gguf(&gguf)
            .expect_err(key)
            .to_string()
    };
    for (key, value, expected) in [
        ("scores", Value::Array(vec![Value::F32(0.0)]), "18 tokens"),
        (
            "scores",
            Value::Array(vec![Value::F32(f32::NAN); 18]),
            "finite",
        ),
        ("add_space_prefix", Value::Bool(false), "add_space_prefix"),
        (
            "remove_extra_whitespaces",
            Value::Bool(false),
            "remove_extra_whitespaces",
        ),
        ("unknown_token_id", Value::U32(99), "unknown_token_id"),
        (
            "precompiled_charsmap",
            Value::Array(vec![Value::U8(200); 9]),
            "precompiled_charsmap",
        ),
    ] {
        let found = with(key, value);
        assert!(found.contains(expected), "{key}: {found}");
    }
}

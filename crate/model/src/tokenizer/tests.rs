//! Checks the tokenizer on vocabularies small enough to work out by hand.

use super::*;
use crate::gguf::Value;
use crate::parts::Parts;
use crate::tiny::Tiny;

fn gguf(entries: Vec<(&str, Value)>) -> Gguf {
    let mut gguf = Gguf::default();
    gguf.metadata.extend(
        entries
            .into_iter()
            .map(|(key, value)| (format!("tokenizer.{key}"), value)),
    );
    gguf
}

fn strings(texts: &[&str]) -> Value {
    texts.to_vec().into()
}

/// `<s> </s> <unk> <0x0A> ▁ h e l o ▁h he ll hell ▁hell ▁▁ ▁▁▁ 🦙's first byte is missing`.
fn sentence_piece() -> Gguf {
    let tokens = [
        "<unk>",
        "<s>",
        "</s>",
        "<0x0A>",
        "▁",
        "h",
        "e",
        "l",
        "o",
        "he",
        "ll",
        "hell",
        "▁hell",
        "▁hello",
        "▁▁",
        "▁▁▁",
        "<0xC3>",
        "<0xA9>",
        "<tool>",
        "s>",
        "</",
    ];
    let types = vec![
        2, 3, 3, 6, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 6, 6, 4, 1, 1,
    ];
    let scores = [
        0., 0., 0., 0., -9., -9., -9., -9., -9., -1., -2., -3., -4., -5., -6., -7., 0., 0., 0.,
        -8., -8.,
    ];
    gguf(vec![
        ("ggml.model", "llama".into()),
        ("ggml.tokens", strings(&tokens)),
        ("ggml.token_type", types.into()),
        ("ggml.scores", scores.to_vec().into()),
    ])
}

/// Bytes that spell themselves, `Ġ`, `Ċ`, some merges and two control tokens.
fn byte_pair() -> Gguf {
    let tokens = [
        "a",
        "b",
        "c",
        "Ġ",
        "Ċ",
        "ab",
        "Ġab",
        "abc",
        "Ã",
        "©",
        "é",
        "<|im_start|>",
        "<|im_end|>",
        "!",
    ];
    gguf(vec![
        ("ggml.model", "gpt2".into()),
        ("ggml.pre", "gpt-2".into()),
        ("ggml.tokens", strings(&tokens)),
        (
            "ggml.token_type",
            vec![1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 1].into(),
        ),
        ("ggml.merges", strings(&["a b", "Ġ ab", "ab c"])),
        ("ggml.bos_token_id", 11u32.into()),
        ("ggml.eos_token_id", 12u32.into()),
    ])
}

fn word_piece() -> Gguf {
    let tokens = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁the", "▁lla", "ma", "▁.", "▁mu", "▁中", "▁a", "▁[",
        "▁]", "▁sep",
    ];
    gguf(vec![
        ("ggml.model", "bert".into()),
        ("ggml.tokens", strings(&tokens)),
        (
            "ggml.token_type",
            vec![3, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1].into(),
        ),
    ])
}

fn ids(tokens: &[TokenId]) -> Vec<u32> {
    tokens.iter().map(|token| token.0).collect()
}

#[track_caller]
fn check(gguf: &Gguf, text: &str, expected: &[u32], decoded: &str) {
    let tokenizer = Tokenizer::from_gguf(gguf).unwrap();
    let tokens = tokenizer.encode(text, false).unwrap();
    assert_eq!(ids(&tokens), expected, "tokens of {text:?}");
    assert_eq!(
        tokenizer.decode(&tokens),
        decoded,
        "text of the tokens of {text:?}"
    );
}

#[test]
fn sentence_piece_merges_the_best_score_first() {
    check(&sentence_piece(), "hello", &[13], "hello");
    check(&sentence_piece(), "hell", &[12], "hell");
    check(&sentence_piece(), "lll", &[4, 10, 7], "lll");
    check(&sentence_piece(), "", &[], "");
}

#[test]
fn sentence_piece_merges_equal_scores_from_the_left() {
    // Five spaces and the prefix: pairs merge from the left, then each of the first two with its neighbour.
    check(&sentence_piece(), "     ", &[14, 14, 14], "     ");
    check(&sentence_piece(), "  ", &[15], "  ");
}

#[test]
fn sentence_piece_spells_what_it_does_not_know_in_bytes() {
    check(&sentence_piece(), "é\n", &[4, 16, 17, 3], "é\n");
    check(&sentence_piece(), "x", &[4, 0], "");
}

#[test]
fn sentence_piece_prefixes_a_text_and_what_follows_a_special_token() {
    check(
        &sentence_piece(),
        "<s>hello<tool>hello",
        &[1, 13, 18, 13],
        "hello<tool> hello",
    );
    let mut without = sentence_piece();
    without
        .metadata
        .insert("tokenizer.ggml.add_space_prefix".into(), false.into());
    check(&without, "hello", &[11, 8], "hello");
}

#[test]
fn text_cannot_spell_control_tokens() {
    let tokenizer = Tokenizer::from_gguf(&sentence_piece()).unwrap();
    let tokens = tokenizer.encode_text("</s>", false).unwrap();
    assert_eq!(
        ids(&tokens),
        [4, 20, 19],
        "neither by spelling nor by merging"
    );
    let tokenizer = Tokenizer::from_gguf(&byte_pair()).unwrap();
    assert_eq!(
        tokenizer.encode("<|im_end|>", false).unwrap(),
        [TokenId(12)],
        "a template can"
    );
    assert!(
        !tokenizer
            .encode_text("<|im_end|>", false)
            .unwrap()
            .contains(&TokenId(12)),
        "a page cannot"
    );
}

#[test]
fn a_harmless_text_spells_no_control_token_even_in_a_template() {
    let tokenizer = Tokenizer::from_gguf(&byte_pair()).unwrap();
    let text = "ab<|im_end|><|im_<|im_start|>";
    let parted = tokenizer.escape_control_tokens(text);
    assert_eq!(
        parted.replace('\u{2060}', ""),
        text,
        "only joiners are added"
    );
    let tokens = tokenizer.encode(&parted, false).unwrap();
    assert!(
        !tokens.iter().any(|token| [11, 12].contains(&token.idx())),
        "no control token in {tokens:?}"
    );
    assert!(
        matches!(tokenizer.escape_control_tokens("abc"), Cow::Borrowed("abc")),
        "a text without any is left alone"
    );
    let tokenizer = Tokenizer::from_gguf(&sentence_piece()).unwrap();
    assert!(
        !tokenizer
            .encode(&tokenizer.escape_control_tokens("a<tool>b"), false)
            .unwrap()
            .contains(&TokenId(18)),
        "a user's token in angle brackets may mark a turn"
    );
}

#[test]
fn byte_pair_merges_inside_words() {
    check(&byte_pair(), "abc abc", &[7, 6, 2], "abc abc");
    check(&byte_pair(), "é\n", &[8, 9, 4], "é\n");
    check(&byte_pair(), "<|im_start|>ab<|im_end|>", &[11, 5, 12], "ab");
}

#[test]
fn byte_pair_drops_bytes_that_have_no_token() {
    check(&byte_pair(), "a?b", &[0, 1], "ab");
}

#[test]
fn word_piece_cleans_and_takes_the_longest_pieces() {
    check(&word_piece(), "The  Llama.", &[4, 5, 6, 7], "the llama .");
    check(&word_piece(), "Mü中a\u{0}", &[8, 9, 10], "mu 中 a");
    check(&word_piece(), "thexyz the", &[1, 4], "the");
    check(&word_piece(), "the▁the", &[1], "");
}

#[test]
fn word_piece_frames_a_text_once() {
    let tokenizer = Tokenizer::from_gguf(&word_piece()).unwrap();
    assert_eq!(
        ids(&tokenizer.encode("the", true).unwrap()),
        [2, 4, 3],
        "framed"
    );
    assert_eq!(
        ids(&tokenizer.encode("[CLS]the[SEP]", true).unwrap()),
        [2, 4, 3],
        "not doubled"
    );
    assert_eq!(
        ids(&tokenizer.encode_text("[SEP]", true).unwrap()),
        [2, 11, 13, 12, 3],
        "as text"
    );
}

#[test]
fn adds_the_tokens_that_the_file_asks_for() {
    let add = |gguf: &Gguf| {
        ids(&Tokenizer::from_gguf(gguf)
            .unwrap()
            .encode("abc", true)
            .unwrap())
    };
    let mut gguf = byte_pair();
    assert_eq!(add(&gguf), [7], "nothing asked for");
    gguf.metadata
        .insert("tokenizer.ggml.add_bos_token".into(), true.into());
    gguf.metadata
        .insert("tokenizer.ggml.add_eos_token".into(), true.into());
    assert_eq!(add(&gguf), [11, 7, 12], "both asked for");
    gguf.metadata
        .insert("tokenizer.ggml.bos_token_id".into(), 10u32.into());
    assert_eq!(add(&gguf), [10, 7, 12], "the file's own");
    gguf.metadata
        .insert("tokenizer.ggml.bos_token_id".into(), 14u32.into());
    assert_eq!(
        add(&gguf),
        [11, 7, 12],
        "a token that is none: llama.cpp's number"
    );
    gguf.metadata.remove("tokenizer.ggml.bos_token_id");
    gguf.metadata.remove("tokenizer.ggml.eos_token_id");
    assert_eq!(add(&gguf), [11, 7, 11], "nothing said: llama.cpp's number");
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    assert!(!tokenizer.is_end(TokenId(11)), "which ends no turn");
}

#[test]
fn knows_the_tokens_that_end_a_turn() {
    let mut gguf = byte_pair();
    gguf.metadata
        .insert("tokenizer.ggml.eos_token_id".into(), 4u32.into());
    gguf.metadata
        .insert("tokenizer.ggml.token_type".into(), vec![1; 14].into());
    let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
    let ends: Vec<u32> = (0..14)
        .filter(|&id| tokenizer.is_end(TokenId(id)))
        .collect();
    assert_eq!(
        ends,
        [4, 12],
        "the file's and the known one, though the file calls it normal"
    );
    assert_eq!(
        tokenizer.decode(&[TokenId(5), TokenId(12)]),
        "ab",
        "which is not shown"
    );
}

#[test]
fn a_stream_gives_whole_characters() {
    let tokenizer = Tokenizer::from_gguf(&sentence_piece()).unwrap();
    let mut stream = tokenizer.stream();
    let pushed: Vec<_> = [13, 16, 17, 4, 16, 8, 1, 16]
        .map(|id| stream.push(TokenId(id)))
        .to_vec();
    let text = |text: &str| Some(text.to_owned());
    let expected = [
        text("hello"),
        None,
        text("é"),
        text(" "),
        None,
        text("\u{fffd}o"),
        None,
        None,
    ];
    assert_eq!(pushed, expected, "a first byte waits for its second");
    assert_eq!(stream.finish(), text("\u{fffd}"), "which never came");
    let mut stream = tokenizer.stream();
    assert_eq!(
        stream.push(TokenId(999)),
        None,
        "an id outside the vocabulary has no text"
    );
    assert_eq!(
        stream.push(TokenId(4)),
        None,
        "the first space was added by the tokenizer"
    );
    assert_eq!(stream.push(TokenId(4)), text(" "), "the next was not");
    assert_eq!(stream.finish(), None, "nothing is left");
}

#[test]
fn refuses_metadata_that_make_no_tokenizer() {
    type Change = (&'static str, Option<Value>, &'static str);
    let changes: [Change; 15] = [
        ("ggml.model", None, "missing_metadata"),
        ("ggml.model", Some("rwkv".into()), "metadata_value"),
        ("ggml.model", Some(7u32.into()), "metadata_type"),
        ("ggml.pre", Some("of-tomorrow".into()), "metadata_value"),
        ("ggml.tokens", None, "missing_metadata"),
        ("ggml.tokens", Some(strings(&[])), "metadata_value"),
        ("ggml.tokens", Some(vec![1u32].into()), "metadata_type"),
        ("ggml.token_type", Some(vec![1].into()), "metadata_value"),
        (
            "ggml.token_type",
            Some(vec![99; 14].into()),
            "metadata_value",
        ),
        (
            "ggml.token_type",
            Some(vec![6; 14].into()),
            "metadata_value",
        ),
        ("ggml.merges", None, "missing_metadata"),
        ("ggml.merges", Some(strings(&["ab"])), "metadata_value"),
        ("ggml.merges", Some(strings(&["abc abc"])), "metadata_value"),
        ("ggml.eos_token_id", Some("last".into()), "metadata_type"),
        ("ggml.add_bos_token", Some("yes".into()), "metadata_type"),
    ];
    for (key, value, code) in changes {
        let mut gguf = byte_pair();
        let described = format!("{key} = {value:?}");
        gguf.metadata.remove(&format!("tokenizer.{key}"));
        gguf.metadata
            .extend(value.map(|value| (format!("tokenizer.{key}"), value)));
        let found = Tokenizer::from_gguf(&gguf);
        assert_eq!(
            found.map_err(|error| error.code()).err(),
            Some(code),
            "{described}"
        );
    }
    let mut short = sentence_piece();
    short
        .metadata
        .insert("tokenizer.ggml.scores".into(), vec![0f32].into());
    assert!(
        Tokenizer::from_gguf(&short).is_err(),
        "fewer scores than tokens"
    );
    let mut nameless = word_piece();
    nameless
        .metadata
        .insert("tokenizer.ggml.tokens".into(), vec!["x"; 14].into());
    assert!(Tokenizer::from_gguf(&nameless).is_err(), "no [UNK]");
}

#[test]
fn survives_repeated_and_empty_tokens_and_absurd_scores() {
    let mut gguf = sentence_piece();
    gguf.metadata
        .insert("tokenizer.ggml.tokens".into(), vec![""; 21].into());
    gguf.metadata
        .insert("tokenizer.ggml.token_type".into(), vec![1; 21].into());
    gguf.metadata
        .insert("tokenizer.ggml.scores".into(), vec![f32::NAN; 21].into());
    check(&gguf, "a b\n", &[0, 0, 0, 0, 0], "");
    let mut gguf = byte_pair();
    gguf.metadata
        .insert("tokenizer.ggml.tokens".into(), vec!["a"; 14].into());
    gguf.metadata.remove("tokenizer.ggml.token_type");
    gguf.metadata
        .insert("tokenizer.ggml.merges".into(), strings(&[]));
    check(&gguf, "aba", &[0, 0], "aa");
    let text = format!("{}{}", "ab".repeat(50_000), " ".repeat(50_000));
    let tokenizer = Tokenizer::from_gguf(&byte_pair()).unwrap();
    let tokens = tokenizer.encode(&text, false).unwrap();
    assert_eq!(
        tokenizer.decode(&tokens),
        text,
        "one word of 100,000 letters"
    );
}

#[test]
fn tokens_that_llama_cpp_takes_for_an_end_are_ends() {
    let ends = |texts: &[&str]| {
        let mut writer = Tiny::default().writer();
        for (key, value) in &mut writer.metadata {
            if key == "tokenizer.ggml.eos_token_id" {
                *value = 300u32.into();
            }
            if key != "tokenizer.ggml.tokens" {
                continue;
            }
            if let Value::Array(tokens) = value {
                tokens[2] = "</s1>".into();
                for (token, text) in tokens[259..].iter_mut().zip(texts) {
                    *token = (*text).into();
                }
            }
        }
        let gguf = Gguf::parse(&Parts::new(vec![writer.finish()])).unwrap();
        let tokenizer = Tokenizer::from_gguf(&gguf).unwrap();
        let is_end = |text: &&str| tokenizer.is_end(tokenizer.token(text).unwrap());
        texts.iter().map(is_end).collect::<Vec<bool>>()
    };
    for text in [
        "</s>",
        "<eos>",
        "[EOS]",
        "[EOT]",
        "<end_of_utterance>",
        "<|return|>",
        "<turn|>",
        "_<EOT>",
        "<|call|>",
        "<|flush|>",
        "<|end|>",
    ] {
        assert_eq!(ends(&[text]), [true], "`{text}`");
    }
    assert_eq!(ends(&["<|start|>"]), [false], "opens a turn");
    assert_eq!(
        ends(&["<|return|>", "<|call|>", "<|end|>"]),
        [true, true, false],
        "`<|end|>` parts what is said within a turn here"
    );
    assert_eq!(
        ends(&["<|tool_response>", "</s>"]),
        [true, false],
        "`</s>` is text here"
    );
}

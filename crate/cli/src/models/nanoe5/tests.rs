//! A file of the package's format, made by hand, is converted and loaded; a damaged one is refused.

use anchorite::model::embed::{Embedder, Side};
use anchorite::model::gguf::Gguf;
use anchorite::model::parts::Parts;

use super::*;

const WIDTH: usize = 32;
const HIDDEN: usize = 64;
const N_ROWS: usize = 12;

/// A model of one layer, and where its number of pieces stands.
fn file() -> (Vec<u8>, usize) {
    let pieces = [
        "<s>",
        "<pad>",
        "</s>",
        "<unk>",
        "\u{2581}",
        "\u{2581}query",
        ":",
        "a",
        "\u{e9}",
        "<mask>",
    ];
    let mut bytes = b"E5S1".to_vec();
    let number = |bytes: &mut Vec<u8>, n: usize| {
        bytes.extend(u32::try_from(n).expect("small").to_le_bytes());
    };
    for n in [1, WIDTH, 1, 2, HIDDEN, N_ROWS, 8, 2] {
        number(&mut bytes, n);
    }
    bytes.extend(1e-12f32.to_le_bytes());
    number(&mut bytes, 32);
    let place = bytes.len();
    number(&mut bytes, pieces.len());
    for id in [0, 2, 1, 3] {
        number(&mut bytes, id);
    }
    let text = pieces.concat();
    bytes.extend((text.len() as u64).to_le_bytes());
    let mut offset = 0;
    for piece in pieces {
        number(&mut bytes, offset);
        offset += piece.len();
    }
    number(&mut bytes, offset);
    for idx in 0u8..10 {
        bytes.extend((-f32::from(idx)).to_le_bytes());
    }
    bytes.extend(text.as_bytes());
    // One rule: a full-width letter.
    number(&mut bytes, 1);
    number(&mut bytes, 9);
    number(&mut bytes, 0xff41);
    bytes.push(1);
    number(&mut bytes, usize::from(b'a'));
    let mut tensors = vec![
        ("emb.word".to_owned(), true, WIDTH * N_ROWS),
        ("emb.pos".to_owned(), false, WIDTH * 8),
        ("emb.type".to_owned(), false, WIDTH * 2),
        ("emb.ln.w".to_owned(), false, WIDTH),
        ("emb.ln.b".to_owned(), false, WIDTH),
    ];
    for (stem, n_rows, n_cols) in [
        ("q", WIDTH, WIDTH),
        ("k", WIDTH, WIDTH),
        ("v", WIDTH, WIDTH),
        ("ao", WIDTH, WIDTH),
        ("fi", HIDDEN, WIDTH),
        ("fo", WIDTH, HIDDEN),
    ] {
        tensors.push((format!("l0.{stem}.w"), true, n_rows * n_cols));
        tensors.push((format!("l0.{stem}.b"), false, n_rows));
    }
    for stem in ["aln", "oln"] {
        tensors.push((format!("l0.{stem}.w"), false, WIDTH));
        tensors.push((format!("l0.{stem}.b"), false, WIDTH));
    }
    number(&mut bytes, tensors.len());
    let directory: usize = tensors.iter().map(|(name, ..)| name.len() + 23).sum();
    let mut offset = bytes.len() + directory;
    let mut data = Vec::new();
    for (name, is_blocks, n_values) in tensors {
        bytes.extend(u16::try_from(name.len()).expect("short").to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.push(u8::from(is_blocks));
        number(&mut bytes, n_values);
        let values: Vec<u8> = match is_blocks {
            // A scale of 1 / 1024 as a half float, then weights.
            true => (0..n_values / 32)
                .flat_map(|block| {
                    let scale = [0x00, 0x14];
                    let nibbles =
                        (0u8..16).map(move |at| at.wrapping_mul(37) ^ block.to_le_bytes()[0]);
                    scale.into_iter().chain(nibbles)
                })
                .collect(),
            false => (0..n_values)
                .flat_map(|at| (1.0 + (at % 7) as f32 / 8.0).to_le_bytes())
                .collect(),
        };
        bytes.extend((offset as u64).to_le_bytes());
        bytes.extend((values.len() as u64).to_le_bytes());
        offset += values.len();
        data.extend(values);
    }
    bytes.extend(data);
    (bytes, place)
}

#[test]
fn a_converted_file_embeds() {
    let converted = convert(&file().0).expect("it is converted");
    let parts = Parts::new(vec![converted]);
    let gguf = Gguf::parse(&parts).expect("it is GGUF");
    let embedding = &gguf.tensors["token_embd.weight"];
    assert_eq!(
        embedding.shape,
        [WIDTH, 10],
        "rows without a piece are left out"
    );
    let (bytes, _) = file();
    let first = gguf.tensor(&parts, "token_embd.weight").expect("rows");
    let is_there = bytes.windows(first.len()).any(|window| *window == *first);
    assert!(is_there, "blocks are carried over as they are");
    let embedder = Embedder::load(parts).expect("it is loaded");
    let ids = |side, text: &str| -> Vec<u32> {
        let tokens = embedder.tokens(side, text).expect("tokens");
        tokens.iter().map(|token| token.0).collect()
    };
    assert_eq!(ids(Side::Query, "a"), [0, 5, 6, 4, 7, 2]);
    assert_eq!(ids(Side::Query, "\u{ff41}"), [0, 5, 6, 4, 7, 2], "replaced");
    assert_eq!(ids(Side::Query, "e\u{301}"), [0, 5, 6, 4, 8, 2], "composed");
    let embedding = embedder.embed(Side::Query, &["a"]).expect("an embedding");
    assert_eq!(embedding[0].len(), WIDTH);
}

#[test]
fn a_damaged_file_is_refused() {
    let (bytes, place) = file();
    for cut in [0, 3, 20, place, bytes.len() / 2, bytes.len() - 1] {
        assert!(convert(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    let other = convert(b"GGUF....").expect_err("another format");
    assert!(other.contains("E5S1"), "{other}");
    for (number, expected) in [(u32::MAX, "pieces at byte"), (200, ""), (0, "")] {
        let mut changed = bytes.clone();
        changed[place..place + 4].copy_from_slice(&number.to_le_bytes());
        let found = convert(&changed).expect_err("a wrong number of pieces");
        assert!(found.contains(expected), "{found}");
    }
}

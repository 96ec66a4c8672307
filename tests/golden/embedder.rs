//! Compares the embedders with candle in single precision on their original weights, and an adapter with merging it.

use anchorite_model::Adapter;
use anchorite_model::embed::{Embedder, Side};
use anchorite_model::gguf::write::{TensorOut, Writer};
use anchorite_model::gguf::{Gguf, TensorType};
use anchorite_model::parts::Parts;
use harness::tiny::Random;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    tokens: Vec<u32>,
    embedding: Vec<f32>,
}

/// The int8 embedder, with the published vocabulary.
fn embedder() -> Embedder {
    load("models/int8/embedder.gguf")
}

fn load(path: &str) -> Embedder {
    let bytes = std::fs::read(harness::root().join(path)).expect("the embedder is there");
    // In parts, as a browser gets it.
    let parts = bytes.chunks(1 << 20).map(<[u8]>::to_vec).collect();
    Embedder::load(Parts::new(parts)).expect("the embedder loads")
}

/// Embeddings from the published weights, in single precision.
fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../fixtures/golden/minilm.json"))
        .expect("the fixture parses")
}

/// Embeddings from the tuned weights, in single precision, before they were quantised.
fn tuned() -> Fixture {
    serde_json::from_str(include_str!("../fixtures/golden/tuned.json")).expect("the fixture parses")
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn points_where_single_precision_points() {
    check_directions(&embedder(), &fixture(), [0.999; 2]);
}

/// 4 and 5 bits turn the vectors slightly, and words of other languages lose their tokens; `docs/benchmarks.md` has the
/// cost in retrieval.
#[test]
fn the_small_one_that_ships_points_nearly_there() {
    check_directions(&load("models/default/embedder.gguf"), &tuned(), [0.98, 0.8]);
}

#[test]
fn words_outside_the_small_vocabulary_are_spelled_or_unknown() {
    let embedder = load("models/default/embedder.gguf");
    let n_tokens = |text: &str| {
        embedder
            .tokens(Side::Passage, text)
            .expect("the text has tokens")
            .len()
    };
    assert_eq!(n_tokens("the page"), 4, "two words and the two ends");
    assert!(n_tokens("qzxjvkwy") > 3, "spelled by its pieces");
    assert_eq!(
        n_tokens("\u{6f22}"),
        3,
        "a character of no token is one unknown word"
    );
    let embeddings = embedder
        .embed(Side::Passage, &["\u{6f22}"])
        .expect("it embeds");
    assert!(
        embeddings[0].iter().all(|value| value.is_finite()),
        "a vector of numbers"
    );
}

/// Prints the cosine between each text's embedding and the recorded one, and checks it against the first bound, or the
/// second if the text has letters that English lacks.
fn check_directions(embedder: &Embedder, fixture: &Fixture, [english, other]: [f64; 2]) {
    assert_eq!(embedder.dimension(), 384, "as published");
    let texts: Vec<&str> = fixture
        .cases
        .iter()
        .map(|case| case.text.as_str())
        .collect();
    let found = embedder
        .embed(Side::Passage, &texts)
        .expect("the texts embed");
    for (case, found) in fixture.cases.iter().zip(&found) {
        let got = cosine(found, &case.embedding);
        let bound = if case.text.is_ascii() { english } else { other };
        println!("cosine of {:.40}: bound {bound}, got {got:.6}", case.text);
        assert!(
            got >= bound,
            "cosine of {:.40}: bound {bound}, got {got}",
            case.text
        );
        let length: f32 = found.iter().map(|value| value * value).sum();
        assert!((length - 1.0).abs() < 1e-5, "unit length: {length}");
    }
}

#[test]
fn cuts_texts_into_the_published_tokens() {
    let embedder = embedder();
    for case in fixture().cases {
        let tokens = embedder
            .tokens(Side::Passage, &case.text)
            .expect("the text has tokens");
        let found: Vec<u32> = tokens.iter().map(|token| token.0).collect();
        assert_eq!(found, case.tokens, "{:.40}", case.text);
    }
}

#[test]
fn embeds_each_text_as_if_it_were_alone() {
    let embedder = embedder();
    let texts: Vec<String> = fixture().cases.into_iter().map(|case| case.text).collect();
    let texts: Vec<&str> = texts
        .iter()
        .map(String::as_str)
        .chain(["", "\u{0}"])
        .collect();
    let together = embedder
        .embed(Side::Passage, &texts)
        .expect("the texts embed");
    for (text, together) in texts.iter().zip(&together) {
        let alone = embedder
            .embed(Side::Passage, &[text])
            .expect("the text embeds");
        assert_eq!(&alone[0], together, "{text:.40}");
    }
    assert_eq!(
        embedder.embed(Side::Passage, &[]),
        Ok(Vec::new()),
        "nothing to embed"
    );
}

#[test]
fn refuses_a_generator_as_embedder() {
    let bytes = harness::tiny::Tiny::default().gguf();
    let error = Embedder::load(Parts::new(vec![bytes])).expect_err("a llama is no bert");
    assert_eq!(
        error.to_string(),
        "model architecture is not supported, expected bert: `llama`",
        "it says what was expected"
    );
}

/// An adapter applied at run time, against a file with `W + scale * B A` in place of the matrices.
#[test]
fn an_adapter_does_what_merging_it_would() {
    const RANK: usize = 4;
    const BOUND: f64 = 1e-9;
    let case = harness::families::encoders().remove(0);
    let mut merged = case.model.clone();
    let gguf = Gguf::parse(&Parts::new(vec![case.model.clone()])).expect("a GGUF file");
    let mut random = Random(5);
    let mut writer = Writer::new();
    writer
        .set("general.architecture", "bert")
        .set("general.type", "adapter")
        .set("adapter.type", "lora")
        .set("adapter.lora.alpha", 8.0f32);
    let scale = 8.0 / RANK as f32;
    let names = [
        "attn_q",
        "attn_k",
        "attn_v",
        "attn_output",
        "ffn_up",
        "ffn_down",
    ];
    for name in (0..2).flat_map(|layer| names.map(|name| format!("blk.{layer}.{name}.weight"))) {
        let entry = &gguf.tensors[&name];
        let (n_cols, n_rows) = (entry.shape[0], entry.shape[1]);
        let mut draw = |n: usize| -> Vec<f32> { (0..n).map(|_| random.draw() * 0.2).collect() };
        let (a, b) = (draw(RANK * n_cols), draw(n_rows * RANK));
        let start = usize::try_from(entry.offset).expect("a small file");
        let weights = merged[start..].chunks_exact_mut(4).take(n_rows * n_cols);
        for (idx, bytes) in weights.enumerate() {
            let (row, column) = (idx / n_cols, idx % n_cols);
            let change: f32 = (0..RANK)
                .map(|r| b[row * RANK + r] * a[r * n_cols + column])
                .sum();
            let weight = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            bytes.copy_from_slice(&(weight + scale * change).to_le_bytes());
        }
        let kind = TensorType::F32;
        writer.add(TensorOut::pack(
            &format!("{name}.lora_a"),
            kind,
            &[n_cols, RANK],
            &a,
        ));
        writer.add(TensorOut::pack(
            &format!("{name}.lora_b"),
            kind,
            &[RANK, n_rows],
            &b,
        ));
    }
    let parse = |file: Vec<u8>| Embedder::load(Parts::new(vec![file])).expect("the encoder loads");
    let (mut adapted, merged) = (parse(case.model), parse(merged));
    let texts = ["an adapter", "beside the encoder"];
    let plain = adapted
        .embed(Side::Passage, &texts)
        .expect("vectors")
        .concat();
    let adapter = Adapter::load(&Parts::new(vec![writer.finish()]), adapted.config());
    adapted
        .set_adapter(Some(adapter.expect("an adapter")))
        .expect("it fits");
    let found = adapted
        .embed(Side::Passage, &texts)
        .expect("vectors")
        .concat();
    let expected = merged
        .embed(Side::Passage, &texts)
        .expect("vectors")
        .concat();
    let (got, change) = (
        harness::nmse(&found, &expected),
        harness::nmse(&found, &plain),
    );
    println!("NMSE bound {BOUND:e}, got {got:e}; the adapter changes the vectors by {change:.2}");
    assert!(got <= BOUND, "NMSE bound {BOUND:e}, got {got:e}");
    assert!(
        change > 1e-3,
        "an adapter without effect proves nothing: {change}"
    );
    adapted.set_adapter(None).expect("it comes off");
    assert_eq!(
        adapted
            .embed(Side::Passage, &texts)
            .expect("vectors")
            .concat(),
        plain,
        "as before"
    );
}

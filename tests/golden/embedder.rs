//! Compares the shipped int8 embedder with candle in single precision on the published weights.

use anchorite_model::embed::Embedder;
use anchorite_model::parts::Parts;
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

fn embedder() -> Embedder {
    let bytes = std::fs::read(harness::root().join("models/default/embedder.gguf"))
        .expect("the embedder ships");
    // As a browser gets it.
    let parts = bytes.chunks(1 << 20).map(<[u8]>::to_vec).collect();
    Embedder::load(Parts::new(parts)).expect("the embedder loads")
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../fixtures/golden/minilm.json"))
        .expect("the fixture parses")
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
    const BOUND: f64 = 0.999;
    let (embedder, fixture) = (embedder(), fixture());
    assert_eq!(embedder.dimension(), 384, "as published");
    let texts: Vec<&str> = fixture
        .cases
        .iter()
        .map(|case| case.text.as_str())
        .collect();
    let found = embedder.embed(&texts).expect("the texts embed");
    for (case, found) in fixture.cases.iter().zip(&found) {
        let got = cosine(found, &case.embedding);
        println!("cosine of {:.40}: bound {BOUND}, got {got:.6}", case.text);
        assert!(
            got >= BOUND,
            "cosine of {:.40}: bound {BOUND}, got {got}",
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
        let tokens = embedder.tokens(&case.text).expect("the text has tokens");
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
    let together = embedder.embed(&texts).expect("the texts embed");
    for (text, together) in texts.iter().zip(&together) {
        let alone = embedder.embed(&[text]).expect("the text embeds");
        assert_eq!(&alone[0], together, "{text:.40}");
    }
    assert_eq!(embedder.embed(&[]), Ok(Vec::new()), "nothing to embed");
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

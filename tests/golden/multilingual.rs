//! Compares multilingual-e5-small with the engine of the package that it comes from, and the reader on its layers with that
//! reader's weights in single precision.
//!
//! `models/recipes/multilingual/golden.py` and `models/recipes/reader/golden.py` made the records. The embedder is pulled,
//! not committed; without it these tests are skipped.

use anchorite_model::Parts;
use anchorite_model::embed::{Embedder, Side};
use anchorite_model::error::LoadError;
use anchorite_model::read::Reader;
use harness::root;
use serde::Deserialize;

/// The least cosine between our vector and the engine's. Both round activations to 8 bits, but not the same ones.
const BOUND: f64 = 0.999;
/// A value of 1 in the record.
const SCALE: f64 = 32767.0;

#[derive(Deserialize)]
struct Case {
    language: String,
    is_query: bool,
    text: String,
    n_tokens: usize,
    /// Values of two bytes, in hexadecimal.
    vector: String,
}

impl Case {
    fn side(&self) -> Side {
        match self.is_query {
            true => Side::Query,
            false => Side::Passage,
        }
    }

    fn values(&self) -> Vec<f64> {
        let digits = self.vector.as_bytes().chunks(4);
        digits
            .map(|digits| {
                let digits = str::from_utf8(digits).expect("digits");
                let bits = u16::from_str_radix(digits, 16).expect("digits");
                f64::from(bits.cast_signed()) / SCALE
            })
            .collect()
    }
}

fn embedder() -> Option<Embedder> {
    let path = harness::pulled::path("multilingual-e5-small")?;
    let bytes = std::fs::read(path).expect("the pulled model");
    Some(Embedder::load(Parts::new(vec![bytes])).expect("it is loaded"))
}

fn reader_file() -> Parts {
    let path = root().join("models/multilingual/reader.gguf");
    Parts::new(vec![std::fs::read(path).expect("the reader")])
}

#[test]
fn reads_as_its_weights_do_in_single_precision() {
    let Some(embedder) = embedder() else { return };
    let before = embedder.embed(Side::Query, &["one"]).expect("a vector");
    let reader = Reader::load(reader_file(), Some(&embedder)).expect("it is loaded");
    crate::reader::compare(
        &reader,
        include_str!("../fixtures/golden/multilingual-reader.json"),
    );
    let after = embedder.embed(Side::Query, &["one"]).expect("a vector");
    assert_eq!(
        before, after,
        "the embedder on the same layers is unchanged"
    );
}

#[test]
fn a_reader_without_its_embedder_is_refused() {
    let refused = |embedder: Option<&Embedder>| {
        let loaded = Reader::load(reader_file(), embedder);
        loaded.map(drop).expect_err("no layers to read with")
    };
    let path = root().join("models/default/embedder.gguf");
    let bytes = std::fs::read(path).expect("the embedder that ships");
    let other = Embedder::load(Parts::new(vec![bytes])).expect("it is loaded");
    for (embedder, named) in [(None, "none is loaded"), (Some(&other), other.name())] {
        let error = refused(embedder);
        let message = error.to_string();
        assert!(
            matches!(error, LoadError::MetadataValue { .. }),
            "{message}"
        );
        assert!(
            message.contains(named) && message.contains("multilingual-e5-small"),
            "{message}"
        );
    }
}

#[test]
fn vectors_are_those_of_the_package() {
    let Some(embedder) = embedder() else { return };
    let cases = include_str!("../fixtures/golden/multilingual.json");
    let cases: Vec<Case> = serde_json::from_str(cases).expect("a record");
    let mut least = (1.0, "");
    for case in &cases {
        let tokens = embedder.tokens(case.side(), &case.text).expect("tokens");
        // The engine counts each unknown character, and SentencePiece a run of them.
        if !case.language.is_empty() {
            assert_eq!(tokens.len(), case.n_tokens, "{}", case.text);
        }
        let found = embedder
            .embed(case.side(), &[&case.text])
            .expect("a vector");
        let expected = case.values();
        let dot: f64 = found[0]
            .iter()
            .zip(&expected)
            .map(|(found, expected)| f64::from(*found) * expected)
            .sum();
        let length = expected
            .iter()
            .map(|value| value * value)
            .sum::<f64>()
            .sqrt();
        let cosine = dot / length;
        if cosine < least.0 {
            least = (cosine, &case.text);
        }
        assert!(cosine >= BOUND, "{}: {cosine}", case.text);
    }
    println!(
        "{} texts, least cosine {:.5}: {}",
        cases.len(),
        least.0,
        least.1
    );
}

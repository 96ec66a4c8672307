//! Compares multilingual-e5-small with the engine of the package that it comes from: numbers of tokens, and vectors.
//!
//! `models/recipes/multilingual/golden.py` made the record. The model is pulled, not committed; without it these tests are
//! skipped.

use anchorite_model::Parts;
use anchorite_model::embed::{Embedder, Side};
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

#[test]
fn vectors_are_those_of_the_package() {
    let Some(path) = harness::pulled::path("multilingual-e5-small") else {
        return;
    };
    let bytes = std::fs::read(path).expect("the pulled model");
    let embedder = Embedder::load(Parts::new(vec![bytes])).expect("it is loaded");
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

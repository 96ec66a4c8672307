//! Times our embedder on one thread: a line of texts on standard input gives a line with the time they took.
//!
//! A request is `{"texts": [..]}`, its answer `{"ms": .., "n_tokens": .., "first": [..]}`: the tokens of all texts, and the
//! first text's vector.

#![expect(clippy::print_stdout, reason = "answers go to standard output")]

use std::io::BufRead;
use std::time::Instant;

use anchorite_model::Parts;
use anchorite_model::embed::{Embedder, Side};
use serde_json::{Value, json};

fn main() {
    let path = std::env::args_os()
        .nth(1)
        .expect("usage: bench_embed EMBEDDER");
    let bytes = std::fs::read(path).expect("the embedder's file");
    let embedder = Embedder::load(Parts::new(vec![bytes])).expect("an embedder");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line of UTF-8");
        let request: Value = serde_json::from_str(&line).expect("a request");
        let texts = request["texts"].as_array().expect("texts");
        let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
        println!("{}", answer(&embedder, &texts));
    }
}

fn answer(embedder: &Embedder, texts: &[&str]) -> Value {
    let count = |text: &&str| embedder.tokens(Side::Passage, text).expect("tokens").len();
    let n_tokens: usize = texts.iter().map(count).sum();
    #[expect(clippy::disallowed_methods, reason = "a native program owns its clock")]
    let start = Instant::now();
    let vectors = embedder.embed(Side::Passage, texts).expect("vectors");
    let ms = start.elapsed().as_secs_f64() * 1000.0;
    json!({ "ms": ms, "n_tokens": n_tokens, "first": vectors[0] })
}

//! Compares our results with recorded results of other programs.

#![expect(
    clippy::print_stdout,
    reason = "each comparison prints how close it came"
)]

mod embedder;
mod multilingual;
mod families;
mod logits;
mod stories;
mod conformance;
mod session;
mod smollm2;
mod adapters;
mod gpu;
mod reader;
mod template;
mod tokenizer;
mod types;

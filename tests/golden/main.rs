//! Compares our results with recorded outside truth.

mod embedder;
mod logits;
mod stories;
mod generator;
mod gpu;
mod template;
mod tokenizer;

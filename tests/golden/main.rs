//! Compares our results with recorded outside truth.

mod embedder;
mod logits;
mod stories;
mod gpu;
mod template;
mod tokenizer;

//! Compares our results with recorded outside truth.

mod embedder;
mod gpu;
mod logits;
mod stories;
mod template;
mod tokenizer;

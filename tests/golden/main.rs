//! Compares our results with recorded outside truth.

mod embedder;
mod logits;
mod stories;
mod template;
mod tokenizer;

//! Compares our results with recorded outside truth.

mod gpu;
mod template;
mod tokenizer;

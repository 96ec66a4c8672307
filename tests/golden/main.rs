//! Compares our results with recorded outside truth.

mod template;
mod tokenizer;

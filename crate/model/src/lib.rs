//! Turns weights into tokens, embeddings and text.
//!
//! The modules are listed in the order in which data flows: the parts of a file are read as GGUF, which yields the
//! tokenizer, the template, the configuration, the weights and an adapter; the forward pass turns tokens into logits
//! through the kernels; sampling and generation turn logits into text; the embedder turns text into a vector, and the
//! reader finds the answer to a question in a text.

pub mod error;
pub mod parts;
pub mod gguf;
pub mod quant;
pub mod token;
pub mod tokenizer;
pub mod template;
pub mod config;
pub mod weights;
pub mod adapter;
pub mod ops;
pub mod reference;
pub mod gpu;
pub mod kernels;
pub mod cache;
pub mod forward;
pub mod sample;
pub mod generate;
pub mod embed;
pub mod read;

pub use adapter::Adapter;
pub use config::ModelConfig;
pub use error::{LoadError, RunError};
pub use gguf::Gguf;
pub use parts::Parts;
pub use template::{ChatTemplate, Message};
pub use token::TokenId;
pub use tokenizer::{TokenStream, Tokenizer};
pub use weights::Weights;

// The workspace's tests build random models with this same file, and name this crate from outside.
#[cfg(test)]
extern crate self as anchorite_model;
#[cfg(test)]
#[path = "../../../tests/harness/tiny.rs"]
#[expect(
    unreachable_pub,
    reason = "public where the tests of the workspace use it"
)]
mod tiny;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

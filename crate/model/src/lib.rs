//! Turns weights into tokens, embeddings and text.
//!
//! The modules stand in the order in which bytes flow: a file's parts are read as GGUF, which gives the tokenizer,
//! the template, the configuration, the weights and an adapter; the forward pass turns tokens into logits through
//! the kernels; sampling and generation turn logits into text; the embedder turns text into a vector.

pub mod error;
pub mod parts;
pub mod gguf;
pub mod quant;
pub mod token;
pub mod config;
pub mod weights;
pub mod adapter;
pub mod reference;
pub mod gpu;
pub mod kernels;
pub mod forward;

pub use adapter::Adapter;
pub use config::ModelConfig;
pub use error::{LoadError, RunError};
pub use gguf::Gguf;
pub use parts::Parts;
pub use token::TokenId;
pub use weights::Weights;

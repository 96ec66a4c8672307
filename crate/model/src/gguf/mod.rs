//! Turns the bytes of a GGUF file into typed metadata and a directory of tensors, and back.
//!
//! Source: the GGUF specification, `docs/gguf.md` of ggml. Versions 2 and 3, little-endian.

mod value;
mod tensor;
mod read;
pub mod rows;
pub mod split;
pub(crate) mod stand_in;
pub mod write;

pub use read::Gguf;
pub use tensor::{TensorEntry, TensorType};
pub use value::Value;

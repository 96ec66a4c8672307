//! Turns documents into an index, and a query into ranked passages.

pub mod document;
#[cfg(feature = "build")]
pub mod parse;
pub mod error;

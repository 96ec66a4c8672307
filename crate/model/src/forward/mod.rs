//! Turns tokens into logits.

pub mod gpu;

//! Turns numbers into results that several parts of the engine share: choices, softmax shares, and RoPE angles.

pub mod argmax;
pub(crate) mod rope;
pub(crate) mod softmax;

//! Small functions that several parts of the engine share: argmax, softmax and RoPE angles.

pub mod argmax;
pub(crate) mod rope;
pub(crate) mod softmax;

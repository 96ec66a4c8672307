//! Turns numbers into what several parts of the engine need of them: choices, shares, and the angles of positions.

pub mod argmax;
pub(crate) mod rope;
pub(crate) mod softmax;

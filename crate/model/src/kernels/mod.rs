//! Turns operands on the device into recorded dispatches: the steps of the forward pass and their shaders.
//!
//! | file | holds |
//! |------|-------|
//! | `compose.rs` | puts a shader together: `#import` |
//! | `permutations.rs` | which files make up a step's shader |
//! | `catalogue.rs` | all of them, for tests and `cargo xtask wgsl` |
//! | `params.rs`, `batch.rs` | a kernel's parameters and the tokens to run |
//! | `matmul.rs`, `lora.rs`, `steps.rs`, `attention.rs`, `sample.rs` | the steps, bound and planned |
//!
//! In WGSL a folder is a slot: all its files define the same functions and constants (`wgsl_tests.rs` checks this), and
//! a permutation picks one. `shared/` is not a slot.
//!
//! | folder | defines |
//! |--------|-------|
//! | `steps/` | a kernel; those with a matrix product define `store` and `inner_range` and get their entry point from `matmul/` |
//! | `attention/`, `sample/` | kernels |
//! | `matmul/` | rows of a matrix times inputs |
//! | `input/` | `input(token, word)`, and whether it is normed on the way |
//! | `weights/`, `scales/` | `block_at`, `unit_at`, `unit_words`: dequantised weights |
//! | `lora/` | `adapted`: a finished sum plus an adapter's change |
//! | `reduce/`, `reduce_max/` | sums and maxima over a workgroup, through its memory or by subgroups |
//! | `entry/` | `main` for kernels with barriers, with and without subgroups |
//! | `tile/` | the number format of tiles |
//!
//! Every kernel has a plain twin in [`crate::reference`]; `tests/kernels` compares them and states the bound.

mod compose;
mod permutations;
mod catalogue;
pub mod params;
pub mod batch;
pub mod lora;
pub mod matmul;
pub mod steps;
pub mod attention;
pub mod sample;

pub use catalogue::shaders;
pub use permutations::{Epilogue, Input};

#[cfg(test)]
mod wgsl_tests;

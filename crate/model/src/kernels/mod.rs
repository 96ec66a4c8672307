//! Turns operands on the device into recorded dispatches: the steps of the forward pass, and their shaders.
//!
//! Every kernel has a plain twin of its name in [`crate::reference`]; `tests/kernels` compares them and states the bound.
//! What several kernels share lies in `shared/`: how weights of each type are read, how sums are put together with and
//! without barriers and subgroups, how the cache lies.

pub mod batch;
pub mod params;
mod source;
pub mod multiply;
pub mod steps;
pub mod choice;

pub use source::Input;

#[cfg(test)]
mod wgsl_tests;

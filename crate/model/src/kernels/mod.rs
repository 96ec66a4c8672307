//! Turns operands on the device into recorded dispatches: the steps of the forward pass, and their shaders.
//!
//! Every kernel has a plain twin of its name in [`crate::reference`]; `tests/kernels` compares them and states the bound.
//! Code that several kernels share lies in `shared/`: reading weights of each type, reducing sums with and without
//! barriers and subgroups, and the layout of the cache.

pub mod batch;
pub mod params;
mod source;
pub mod multiply;
pub mod steps;
pub mod choice;

pub use source::Input;

#[cfg(test)]
mod wgsl_tests;

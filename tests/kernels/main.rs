//! Compares each kernel with its plain twin, in every variant that the adapter can run.

mod attention;
mod sample;
mod device;
mod matmul;
mod steps;

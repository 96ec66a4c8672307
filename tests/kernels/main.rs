//! Compares each kernel with its plain twin, in every form that the adapter can run.

mod attention;
mod sample;
mod device;
mod matmul;
mod steps;

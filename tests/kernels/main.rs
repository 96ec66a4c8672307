//! Compares each kernel with its plain twin.

mod attention;
mod device;
mod embed;
mod lora;
mod matmul;
mod rms_norm;
mod rope;
mod swiglu;

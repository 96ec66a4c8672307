//! Turns each kernel's formula into plain loops over slices, to compare the fast versions with.
//!
//! Sums run in double precision, so a twin is never less exact than its kernel. Shapes in capitals: `T` tokens, `C`
//! channels, `H` heads, `K` key/value heads, `D` head size, `P` positions, `N` rows, `F` feed-forward width, `R`
//! adapter rank, `V` vocabulary. All slices are row-major, and all functions panic if lengths don't match.

pub mod embed;
pub mod rms_norm;
pub mod layer_norm;
pub mod matmul;
pub mod lora;
pub mod rope;
pub mod attention;
pub mod swiglu;
pub mod linear;
pub mod project;
pub mod gate_up;
pub mod qkv;
pub mod quantise;
pub mod heads;
pub mod residual;
pub mod geglu;
pub mod gelu;
pub mod add;

/// Back to single precision, which all kernels compute in.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding the exact sum is the point"
)]
fn round(sum: f64) -> f32 {
    sum as f32
}

#[cfg(test)]
mod tests;

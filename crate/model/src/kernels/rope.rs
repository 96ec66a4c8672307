//! Rotary positions: adds the bias to a token's queries, keys and values, rotates queries and keys by the token's
//! position, and puts keys and values into the cache.
//!
//! | buffer    | shape                     | type   | access     |
//! |-----------|---------------------------|--------|------------|
//! | `angles`  | `[positions, rope_dim/2]` | 2 x f32 (cos, sin) | read |
//! | `bias`    | `[(H + 2K) * D]`          | f32    | read       |
//! | `qkv`     | `[T, (H + 2K) * D]`       | f32    | read_write; only the queries are rotated in place |
//! | `k_cache` | `[positions, K * D]`      | f32    | read_write |
//! | `v_cache` | `[positions, K * D]`      | f32    | read_write |
//!
//! The angles come from a table, since a device's own `sin` and `cos` lose digits at far positions. Twin:
//! [`crate::reference::rope`]. Bound: NMSE 1e-7.

use super::batch::BatchBuffer;
use super::{BATCH_WGSL, Gpu, GpuError, Grid, Kernel, groups, param};
use crate::config::ModelConfig;
use crate::gpu::{Dispatch, Rows};
use crate::reference::rope::angle;

/// WGSL: `Params` in `rope.wgsl`.
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Params {
    /// `H`
    pub n_heads: u32,
    /// `K`
    pub n_kv_heads: u32,
    /// `D`
    pub head_size: u32,
    /// Values of each head that are rotated.
    pub rope_dim: u32,
    /// Floats from one row of `qkv` to the next.
    pub qkv_stride: u32,
    /// Floats from one place of the cache to the next.
    pub kv_stride: u32,
    /// Fills 32 bytes.
    pub padding: [u32; 2],
}

/// The shader.
pub const KERNEL: Kernel = Kernel {
    name: "rope",
    variant: "",
    sources: &[BATCH_WGSL, include_str!("rope.wgsl")],
};

/// The keys and values of one layer, `[positions, K * D]` each.
#[derive(Debug, Clone)]
pub struct KvCache {
    /// Rotated keys.
    pub k: Rows,
    /// Values.
    pub v: Rows,
}

/// The cosine and sine of every pair's angle at positions `0 .. n_positions`, `[positions, rope_dim]`.
pub fn angles(config: &ModelConfig, factors: Option<&[f32]>, n_positions: usize) -> Vec<f32> {
    let n_pairs = config.rope.dim / 2;
    let mut table = Vec::with_capacity(n_positions * n_pairs * 2);
    for position in 0..n_positions {
        for pair in 0..n_pairs {
            let (sin, cos) = angle(&config.rope, factors, position, pair).sin_cos();
            table.extend([cos, sin]);
        }
    }
    table
}

/// Plans bias, rotation and cache write of a batch.
///
/// # Errors
/// [`GpuError::Shape`] if an operand does not fit the configuration.
pub fn rope(
    gpu: &Gpu,
    batch: &BatchBuffer,
    config: &ModelConfig,
    angles: &wgpu::Buffer,
    bias: &Rows,
    qkv: &Rows,
    cache: &KvCache,
) -> Result<Dispatch, GpuError> {
    let n_cols = config.q_width() + 2 * config.kv_width();
    Gpu::check_shape("rope", "qkv", n_cols, qkv.n_cols)?;
    Gpu::check_shape("rope", "bias", n_cols, bias.n_cols)?;
    Gpu::check_shape("rope", "k_cache", config.kv_width(), cache.k.n_cols)?;
    Gpu::check_shape("rope", "v_cache", config.kv_width(), cache.v.n_cols)?;
    Gpu::check_shape(
        "rope",
        "head_size",
        config.head_size.next_multiple_of(2),
        config.head_size,
    )?;
    let params = Params {
        n_heads: param(config.n_heads),
        n_kv_heads: param(config.n_kv_heads),
        head_size: param(config.head_size),
        rope_dim: param(config.rope.dim),
        qkv_stride: param(qkv.stride),
        kv_stride: param(cache.k.stride),
        padding: [0; 2],
    };
    let params = gpu.params_of("rope", &params)?;
    let buffers = [
        (0, batch.binding()),
        (1, params.as_entire_buffer_binding()),
        (2, angles.as_entire_buffer_binding()),
        (3, bias.binding()),
        (4, qkv.binding()),
        (5, cache.k.binding()),
        (6, cache.v.binding()),
    ];
    let grid = Grid::Tokens {
        x: groups(n_cols / 2),
        tokens: 1,
    };
    Ok(gpu.dispatch(&KERNEL, &[], &buffers, grid))
}

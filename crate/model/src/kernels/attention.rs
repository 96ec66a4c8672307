//! Causal attention of a batch's queries over the cache; query heads share key heads in groups.
//!
//! | buffer    | shape                | type | access     |
//! |-----------|----------------------|------|------------|
//! | `qkv`     | `[T, H * D, ...]`    | f32  | read; the queries come first in a row |
//! | `k_cache` | `[positions, K * D]` | f32  | read       |
//! | `v_cache` | `[positions, K * D]` | f32  | read       |
//! | `y`       | `[T, H * D]`         | f32  | read_write |
//!
//! `y[t,h,:] = sum over p <= position + t of softmax(q[t,h,:] . k[p,g,:] / sqrt(D)) * v[p,g,:]` with `g = h / (H/K)`.
//! One invocation per head and token; `D` is a multiple of 4, at most [`MAX_HEAD_SIZE`]. Twin:
//! [`crate::reference::attention`]. Bound: NMSE 1e-7.

use super::batch::BatchBuffer;
use super::rope::KvCache;
use super::{BATCH_WGSL, Gpu, GpuError, Grid, Kernel, param};
use crate::config::ModelConfig;
use crate::gpu::{Dispatch, Rows};

/// The largest head that an invocation keeps to itself.
pub const MAX_HEAD_SIZE: usize = 128;

const WORKGROUP: u32 = 8;

/// WGSL: `Params` in `attention.wgsl`.
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Params {
    /// `H`
    pub n_heads: u32,
    /// `H / K`
    pub n_queries: u32,
    /// vec4s from one row of `qkv` to the next.
    pub qkv_words: u32,
    /// vec4s from one place of the cache to the next.
    pub kv_words: u32,
    /// vec4s from one row of `y` to the next.
    pub y_words: u32,
    /// `1 / sqrt(D)`
    pub scale: f32,
    /// Fills 32 bytes.
    pub padding: [u32; 2],
}

/// The shader.
pub const KERNEL: Kernel = Kernel {
    name: "attention",
    variant: "",
    sources: &[BATCH_WGSL, include_str!("attention.wgsl")],
};

/// Whether the kernel can handle heads of this size.
pub fn supports(head_size: usize) -> bool {
    head_size.is_multiple_of(4) && head_size <= MAX_HEAD_SIZE
}

/// Plans the attention of a batch whose keys and values are in the cache already.
///
/// # Errors
/// [`GpuError::Shape`] if an operand does not fit the configuration, or the heads are not supported.
pub fn attention(
    gpu: &Gpu,
    batch: &BatchBuffer,
    config: &ModelConfig,
    qkv: &Rows,
    cache: &KvCache,
    y: &Rows,
) -> Result<Dispatch, GpuError> {
    let head_size = config.head_size;
    Gpu::check_shape(
        "attention",
        "qkv",
        config.q_width() + 2 * config.kv_width(),
        qkv.n_cols,
    )?;
    Gpu::check_shape("attention", "k_cache", config.kv_width(), cache.k.n_cols)?;
    Gpu::check_shape("attention", "v_cache", config.kv_width(), cache.v.n_cols)?;
    Gpu::check_shape("attention", "y", config.q_width(), y.n_cols)?;
    if !supports(head_size) {
        let expected = head_size.next_multiple_of(4).min(MAX_HEAD_SIZE);
        Gpu::check_shape("attention", "head_size", expected, head_size)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a head has at most 128 values")]
    let scale = 1.0 / (head_size as f32).sqrt();
    let params = Params {
        n_heads: param(config.n_heads),
        n_queries: param(config.n_heads / config.n_kv_heads),
        qkv_words: param(qkv.stride / 4),
        kv_words: param(cache.k.stride / 4),
        y_words: param(y.stride / 4),
        scale,
        padding: [0; 2],
    };
    let params = gpu.params_of("attention", &params)?;
    let buffers = [
        (0, batch.binding()),
        (1, params.as_entire_buffer_binding()),
        (2, qkv.binding()),
        (3, cache.k.binding()),
        (4, cache.v.binding()),
        (5, y.binding()),
    ];
    let constants = [("HEAD_WORDS", f64::from(param(head_size / 4)))];
    let grid = Grid::Flat {
        per_token: param(config.n_heads),
        workgroup: WORKGROUP,
    };
    Ok(gpu.dispatch(&KERNEL, &constants, &buffers, grid))
}

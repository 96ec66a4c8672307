//! Turns queries and the KV cache into attention dispatches: split into parallel parts for one token, tiled for many,
//! and query by query without barriers.
//!
//! Twin: [`crate::reference::attention`]. Bound: NMSE 1e-7, over an f16 cache.

use super::compose::Kernel;
use super::params::{AttentionStepParams, words};
use super::permutations;
use crate::gpu::{Dispatch, Gpu, GpuError, Grid, Op, Reduction, Slots};

/// The largest head size the kernels have room for.
pub const MAX_HEAD_SIZE: usize = 256;

/// The most tokens whose attention runs query by query rather than in tiles.
const FEW: u32 = 4;

/// Buffers of attention.
#[derive(Debug, Clone, Copy)]
pub struct AttentionBindings<'a> {
    /// The queries, rotated.
    pub queries: &'a wgpu::Buffer,
    /// The layer's cache.
    pub cache: &'a wgpu::Buffer,
    /// The result of attention, or its parts if it is split.
    pub output: &'a wgpu::Buffer,
}

impl<'a> AttentionBindings<'a> {
    fn slots(self) -> Slots<'a> {
        Slots {
            input: Some(self.queries),
            cache: Some(self.cache),
            output: Some(self.output),
            ..Slots::default()
        }
    }
}

/// True if the attention of one token is split into parts, which the next step merges.
pub fn is_split(gpu: &Gpu) -> bool {
    gpu.variant().reduction != Reduction::BarrierFree
}

/// The kernels that a model with this head size needs.
pub(super) fn kernels(gpu: &Gpu, head_size: usize) -> Vec<Kernel> {
    let mut kernels = vec![permutations::attention()];
    if is_split(gpu) {
        kernels.push(permutations::attention_split(gpu.variant()));
        kernels.push(permutations::attention_tiled(words(head_size)));
    }
    kernels
}

/// Attention of one token: its parts if it [`is_split`], otherwise the whole result.
///
/// # Errors
/// [`GpuError::BindingTooLarge`], never in practice: parameters are a few words.
pub fn one(
    gpu: &Gpu,
    batch: &wgpu::BufferBinding<'_>,
    params: &AttentionStepParams,
    bindings: AttentionBindings<'_>,
) -> Result<Op, GpuError> {
    if !is_split(gpu) {
        return many(gpu, batch, params, bindings);
    }
    let params_buffer = gpu.params_of("attention", params)?;
    Ok(Dispatch {
        pipeline: permutations::attention_split(gpu.variant()).pipeline(gpu),
        bind_group: gpu.bind_step(batch.clone(), &params_buffer, &bindings.slots()),
        grid: Grid {
            x: params.attention.n_heads,
            y: Some(params.attention.n_splits),
            tokens: 1,
        },
    }
    .into())
}

/// Attention of any number of tokens.
///
/// # Errors
/// [`GpuError::BindingTooLarge`], never in practice: parameters are a few words.
pub fn many(
    gpu: &Gpu,
    batch: &wgpu::BufferBinding<'_>,
    params: &AttentionStepParams,
    bindings: AttentionBindings<'_>,
) -> Result<Op, GpuError> {
    let params_buffer = gpu.params_of("attention", params)?;
    let heads = &params.attention;
    let few = Dispatch {
        pipeline: permutations::attention().pipeline(gpu),
        bind_group: gpu.bind_step(batch.clone(), &params_buffer, &bindings.slots()),
        // Each invocation takes four queries, so `n_heads` invocations cover four tokens.
        grid: Grid {
            x: heads.n_heads.div_ceil(4),
            y: None,
            tokens: 4,
        },
    };
    if gpu.variant().reduction == Reduction::BarrierFree {
        return Ok(few.into());
    }
    let many = Dispatch {
        pipeline: permutations::attention_tiled(heads.head_words).pipeline(gpu),
        bind_group: few.bind_group.clone(),
        grid: Grid {
            x: heads.n_heads,
            y: None,
            tokens: 16,
        },
    };
    let many = Some((FEW, many));
    Ok(Op { few, many })
}

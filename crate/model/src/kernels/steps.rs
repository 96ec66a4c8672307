//! Turns the operands of the steps that multiply nothing into dispatches: looking tokens up, norming and rotating
//! heads, attention, and adding a block's output.
//!
//! Twins: [`crate::reference::embed`] (exact), [`crate::reference::heads`], [`crate::reference::attention`],
//! [`crate::reference::residual`]. Bound: NMSE 1e-7; 1e-6 where halves of the cache are read.

use super::params::{Params, param, words};
use super::source;
use crate::gguf::TensorType;
use crate::gpu::{
    Buffers, Dispatch, Gpu, GpuError, Grid, Kernel, Layout, Op, PackedMatrix, Reduction,
};

/// Values of a head that the kernels have room for.
pub const MAX_HEAD_SIZE: usize = 256;

/// Tokens up to which attention goes token by token.
const FEW: u32 = 4;

/// A step, bound.
fn bound(
    gpu: &Gpu,
    kernel: &Kernel,
    batch: &wgpu::BufferBinding<'_>,
    params: &Params,
    buffers: &Buffers<'_>,
    grid: Grid,
) -> Result<Dispatch, GpuError> {
    let params = gpu.params_of("step", params)?;
    Ok(Dispatch {
        pipeline: gpu.pipeline(kernel),
        bind_group: gpu.bind_step(batch.clone(), &params, buffers),
        grid,
    })
}

/// Compiles all steps here for a model with such heads and such an embedding.
pub(crate) fn compile(gpu: &Gpu, embedding: TensorType, head_size: usize, has_norms: [bool; 2]) {
    let [has_head_norms, has_post_norms] = has_norms;
    let mut kernels = vec![
        source::embed(Layout::of(gpu, embedding)),
        source::attention(),
    ];
    if has_head_norms {
        kernels.push(source::heads());
    }
    if has_post_norms {
        kernels.push(source::residual());
    }
    if gpu.variant().reduction != Reduction::BarrierFree {
        kernels.push(source::attention_split(gpu.variant()));
        kernels.push(source::attention_tiled(words(head_size)));
    }
    kernels.extend(source::choice());
    for kernel in kernels {
        gpu.pipeline(&kernel);
    }
}

/// Looks the batch's tokens up in `matrix`: one step for each slice of it.
///
/// # Errors
/// [`GpuError::BindingTooLarge`] never in practice: parameters are a few words.
pub fn embed(
    gpu: &Gpu,
    batch: &wgpu::BufferBinding<'_>,
    matrix: &PackedMatrix,
    params: &Params,
    stream: &wgpu::Buffer,
) -> Result<Vec<Op>, GpuError> {
    let kernel = source::embed(matrix.layout);
    let steps = matrix.slices.iter().map(|slice| {
        let params = Params {
            n_words: param(matrix.n_words),
            n_groups: param(slice.n_rows.div_ceil(4)),
            first_group: param(slice.first_row / 4),
            highs: param(slice.highs),
            scales: param(slice.scales),
            supers: param(slice.supers),
            ..*params
        };
        let buffers = Buffers {
            weights: Some(&slice.buffer),
            stream: Some(stream),
            ..Buffers::default()
        };
        let grid = by_token(matrix.n_words.div_ceil(16));
        bound(gpu, &kernel, batch, &params, &buffers, grid).map(Op::from)
    });
    steps.collect()
}

/// Norms and rotates the heads of queries and keys.
///
/// # Errors
/// [`GpuError::BindingTooLarge`] never in practice: parameters are a few words.
pub fn heads(
    gpu: &Gpu,
    batch: &wgpu::BufferBinding<'_>,
    params: &Params,
    buffers: &Buffers<'_>,
) -> Result<Op, GpuError> {
    let n_words = (params.n_heads + params.n_kv_heads) * params.head_words;
    let grid = by_token(n_words.div_ceil(16) as usize);
    Ok(bound(gpu, &source::heads(), batch, params, buffers, grid)?.into())
}

/// Attention of one token: the whole result, or where there are barriers its parts.
///
/// # Errors
/// [`GpuError::BindingTooLarge`] never in practice: parameters are a few words.
pub fn attention_one(
    gpu: &Gpu,
    batch: &wgpu::BufferBinding<'_>,
    params: &Params,
    buffers: &Buffers<'_>,
) -> Result<Op, GpuError> {
    if gpu.variant().reduction == Reduction::BarrierFree {
        return attention_many(gpu, batch, params, buffers);
    }
    let kernel = source::attention_split(gpu.variant());
    let grid = Grid {
        x: params.n_heads,
        y: Some(params.n_splits),
        tokens: 1,
    };
    Ok(bound(gpu, &kernel, batch, params, buffers, grid)?.into())
}

/// Attention of any number of tokens.
///
/// # Errors
/// [`GpuError::BindingTooLarge`] never in practice: parameters are a few words.
pub fn attention_many(
    gpu: &Gpu,
    batch: &wgpu::BufferBinding<'_>,
    params: &Params,
    buffers: &Buffers<'_>,
) -> Result<Op, GpuError> {
    // An invocation takes four queries: as many invocations as there are heads take those of four tokens.
    let grid = Grid {
        x: params.n_heads.div_ceil(4),
        y: None,
        tokens: 4,
    };
    let few = bound(gpu, &source::attention(), batch, params, buffers, grid)?;
    if gpu.variant().reduction == Reduction::BarrierFree {
        return Ok(few.into());
    }
    let many = Dispatch {
        pipeline: gpu.pipeline(&source::attention_tiled(params.head_words)),
        bind_group: few.bind_group.clone(),
        grid: Grid {
            x: params.n_heads,
            y: None,
            tokens: 16,
        },
    };
    let many = Some((FEW, many));
    Ok(Op { few, many })
}

/// Adds a block's output to the stream, normed.
///
/// # Errors
/// [`GpuError::BindingTooLarge`] never in practice: parameters are a few words.
pub fn residual(
    gpu: &Gpu,
    batch: &wgpu::BufferBinding<'_>,
    params: &Params,
    buffers: &Buffers<'_>,
) -> Result<Op, GpuError> {
    let grid = by_token(params.n_words.div_ceil(16) as usize);
    Ok(bound(gpu, &source::residual(), batch, params, buffers, grid)?.into())
}

/// `x` workgroups for each token.
fn by_token(x: usize) -> Grid {
    Grid {
        x: param(x),
        y: None,
        tokens: 1,
    }
}

//! Turns the operands of the steps without a matrix product into dispatches: embedding lookup, quantising inputs to 8
//! bits, norming and rotating heads, and adding a block's output.
//!
//! Twins: [`crate::reference::embed`] (exact), [`crate::reference::quantise`], [`crate::reference::heads`],
//! [`crate::reference::residual`]. Bound: NMSE 1e-9; 1e-6 for keys, which the cache holds as f16; 1e-5 for 8-bit codes,
//! since a value halfway between two codes may be rounded either way.

use super::params::{
    EmbedParams, HeadsParams, InputParams, ResidualParams, WeightParams, param, words,
};
use super::{Input, attention, permutations, sample};
use crate::gguf::TensorType;
use crate::gpu::{Dispatch, Gpu, GpuError, Grid, Layout, Op, PackedMatrix, Slots};

/// Compiles all steps without a matrix product for a model with this embedding type and head size.
pub(crate) fn compile(gpu: &Gpu, embedding: TensorType, head_size: usize, has_norms: [bool; 2]) {
    let [has_head_norms, has_post_norms] = has_norms;
    let mut kernels = vec![permutations::embed(Layout::of(gpu, embedding))];
    if has_head_norms {
        kernels.push(permutations::heads());
    }
    if has_post_norms {
        kernels.push(permutations::residual());
    }
    kernels.extend(attention::kernels(gpu, head_size));
    kernels.extend(sample::kernels());
    for kernel in kernels {
        kernel.pipeline(gpu);
    }
}

/// Looks up the batch's tokens in `matrix`, times `scale`, and stores their rows in `output` from word `y` on: one step
/// per slice of the matrix.
///
/// # Errors
/// [`GpuError::BindingTooLarge`], never in practice: parameters are a few words.
pub fn embed(
    gpu: &Gpu,
    batch: &wgpu::BufferBinding<'_>,
    matrix: &PackedMatrix,
    scale: f32,
    y: u32,
    output: &wgpu::Buffer,
) -> Result<Vec<Op>, GpuError> {
    let kernel = permutations::embed(matrix.layout);
    let steps = matrix.slices.iter().map(|slice| {
        let params = EmbedParams {
            weights: WeightParams::of(slice, matrix),
            y,
            y_stride: words(matrix.n_cols),
            scale,
            padding: 0,
        };
        let slots = Slots {
            weights: Some(&slice.buffer),
            output: Some(output),
            ..Slots::default()
        };
        Ok(Dispatch {
            pipeline: kernel.pipeline(gpu),
            bind_group: gpu.bind_step(batch.clone(), &gpu.params_of("embed", &params)?, &slots),
            grid: by_token(param(matrix.n_words)),
        }
        .into())
    });
    steps.collect()
}

/// Buffers of [`quantise`].
#[derive(Debug, Clone, Copy)]
pub struct QuantiseBindings<'a> {
    /// The norm's gain, for [`Input::Stream`].
    pub vectors: Option<&'a wgpu::Buffer>,
    /// The values to quantise.
    pub input: &'a wgpu::Buffer,
    /// `[T, C/32, 12]`: eight u32 of four codes each, then the scale and three sums of codes, laid out as in
    /// `steps/quantise.wgsl`.
    pub output: &'a wgpu::Buffer,
}

/// Quantises an input to 8 bits in blocks of 32: the stream, normed, or another step's output.
///
/// # Errors
/// [`GpuError::BindingTooLarge`], never in practice: parameters are a few words.
pub fn quantise(
    gpu: &Gpu,
    batch: &wgpu::BufferBinding<'_>,
    input: Input,
    params: &InputParams,
    bindings: QuantiseBindings<'_>,
) -> Result<Op, GpuError> {
    let slots = Slots {
        vectors: bindings.vectors,
        input: Some(bindings.input),
        output: Some(bindings.output),
        ..Slots::default()
    };
    Ok(Dispatch {
        pipeline: permutations::quantise(input).pipeline(gpu),
        bind_group: gpu.bind_step(batch.clone(), &gpu.params_of("quantise", params)?, &slots),
        // Eight invocations, each with 32 values.
        grid: Grid {
            x: params.n_cols.div_ceil(8 * 32),
            y: None,
            tokens: 1,
        },
    }
    .into())
}

/// Buffers of [`heads`].
#[derive(Debug, Clone, Copy)]
pub struct HeadsBindings<'a> {
    /// The gains of the query and key heads.
    pub vectors: &'a wgpu::Buffer,
    /// The layer's cache, for keys.
    pub cache: &'a wgpu::Buffer,
    /// Cosines and sines.
    pub angles: &'a wgpu::Buffer,
    /// Queries and keys, and room for the rotated queries.
    pub heads: &'a wgpu::Buffer,
}

/// Norms and rotates the heads of queries and keys.
///
/// # Errors
/// [`GpuError::BindingTooLarge`], never in practice: parameters are a few words.
pub fn heads(
    gpu: &Gpu,
    batch: &wgpu::BufferBinding<'_>,
    params: &HeadsParams,
    bindings: HeadsBindings<'_>,
) -> Result<Op, GpuError> {
    let slots = Slots {
        vectors: Some(bindings.vectors),
        cache: Some(bindings.cache),
        angles: Some(bindings.angles),
        output: Some(bindings.heads),
        ..Slots::default()
    };
    let heads = params.attention.n_heads + params.attention.n_kv_heads;
    Ok(Dispatch {
        pipeline: permutations::heads().pipeline(gpu),
        bind_group: gpu.bind_step(batch.clone(), &gpu.params_of("heads", params)?, &slots),
        grid: by_token(heads * params.attention.head_words),
    }
    .into())
}

/// Norms a block's output and adds it to the stream; both are in `stream`, the norm's gain in `vectors`.
///
/// # Errors
/// [`GpuError::BindingTooLarge`], never in practice: parameters are a few words.
pub fn residual(
    gpu: &Gpu,
    batch: &wgpu::BufferBinding<'_>,
    params: &ResidualParams,
    vectors: &wgpu::Buffer,
    stream: &wgpu::Buffer,
) -> Result<Op, GpuError> {
    let slots = Slots {
        vectors: Some(vectors),
        output: Some(stream),
        ..Slots::default()
    };
    Ok(Dispatch {
        pipeline: permutations::residual().pipeline(gpu),
        bind_group: gpu.bind_step(batch.clone(), &gpu.params_of("residual", params)?, &slots),
        grid: by_token(params.n_cols.div_ceil(4)),
    }
    .into())
}

/// Workgroups of 16 invocations for `n_words` words of each token.
fn by_token(n_words: u32) -> Grid {
    Grid {
        x: n_words.div_ceil(16),
        y: None,
        tokens: 1,
    }
}

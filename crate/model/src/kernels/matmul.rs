//! Turns a matrix, an input and an output buffer into the dispatches that multiply them, for one token or many.
//!
//! | step | input | epilogue for a group of rows |
//! |------|-------|---------------------------------|
//! | `qkv` | the stream, normed | bias, RoPE; queries to the output, keys and values to the KV cache |
//! | `gate_up` | the stream, normed | bias, gate through its activation, times up |
//! | `project` | attention's output, or gated values | bias; added to the stream, or stored next to it |
//! | `linear` | either | bias; soft cap, if any; stored |
//!
//! Twins: [`crate::reference::qkv`], [`crate::reference::gate_up`], [`crate::reference::project`],
//! [`crate::reference::linear`]. Bound: NMSE 1e-9 with f32 tiles, 1e-5 with f16 tiles; 1e-6 for keys and values, which
//! the cache holds as f16; 5e-4 with inputs quantised to 8 bits.

use super::lora::PackedPairs;
use super::params::{
    AttentionParams, InputParams, LoraParams, MatmulParams, OutputParams, WeightParams, param,
};
use super::permutations::{self, Epilogue, Input, Tiling};
use super::steps::{self, QuantiseBindings};
use crate::gguf::TensorType;
use crate::gpu::{Dispatch, Gpu, GpuError, Grid, Layout, Op, PackedMatrix, Reduction, Slots};

/// The most tokens that are multiplied row by row rather than in tiles.
const FEW: u32 = 8;

/// One matrix product, before it is planned for a number of tokens.
#[derive(Debug, Clone)]
pub struct Matmul<'a> {
    /// The weights, on the device.
    pub matrix: &'a PackedMatrix,
    /// First group of the output that this matrix computes.
    pub first_group: usize,
    /// The input that the weights are multiplied by.
    pub input: Input,
    /// The input's layout; as many values as the matrix has columns.
    pub input_params: InputParams,
    /// The step's epilogue.
    pub epilogue: Epilogue,
    /// The output's layout.
    pub output_params: OutputParams,
    /// The heads that [`Epilogue::Qkv`] writes, or that [`Input::Splits`] merges.
    pub attention: AttentionParams,
    /// The adapter's pairs for these rows.
    pub lora: Option<&'a PackedPairs>,
    /// All buffers except the matrix's and the adapter's.
    pub bindings: MatmulBindings<'a>,
}

/// Buffers of a matrix product. Input and output must be different buffers.
#[derive(Debug, Clone, Copy)]
pub struct MatmulBindings<'a> {
    /// Gains of the norm, and biases; `None` if the product has neither.
    pub vectors: Option<&'a wgpu::Buffer>,
    /// The input, as [`Input`] describes it.
    pub input: &'a wgpu::Buffer,
    /// Scratch for the batch's inputs quantised to 8 bits: `T * C * 3/2` bytes.
    pub quantised: &'a wgpu::Buffer,
    /// Receives the result: queries, gated values, the stream or logits.
    pub output: &'a wgpu::Buffer,
    /// For [`Epilogue::Qkv`]: the KV cache, and the angles that heads are rotated by.
    pub cache: Option<CacheBindings<'a>>,
}

/// A layer's KV cache and rotary angles.
#[derive(Debug, Clone, Copy)]
pub struct CacheBindings<'a> {
    /// Keys, then values, laid out as in `shared/cache.wgsl`.
    pub cache: &'a wgpu::Buffer,
    /// Cosines and sines, laid out as in `shared/rope.wgsl`.
    pub angles: &'a wgpu::Buffer,
}

impl Matmul<'_> {
    /// Plans the product for one token.
    ///
    /// # Errors
    /// [`GpuError::BindingTooLarge`], never in practice: parameters are a few words.
    pub fn one(&self, gpu: &Gpu, batch: &wgpu::BufferBinding<'_>) -> Result<Vec<Op>, GpuError> {
        let has_inline_lora = self.lora.is_some_and(|lora| lora.is_inline(gpu));
        let mut ops = Vec::new();
        if self.is_int8() {
            ops.push(self.quantise(gpu, batch)?);
        }
        if !has_inline_lora {
            ops.extend(self.inner(|inner| inner.one(gpu, batch))?);
        }
        for slice in self.slices(gpu, batch)? {
            let few = slice.dispatch(gpu, self, Tiling::Vec, has_inline_lora);
            ops.push(few.into());
        }
        Ok(ops)
    }

    /// Plans the product for any number of tokens.
    ///
    /// # Errors
    /// As [`Matmul::one`].
    pub fn many(&self, gpu: &Gpu, batch: &wgpu::BufferBinding<'_>) -> Result<Vec<Op>, GpuError> {
        let mut ops = self.inner(|inner| inner.many(gpu, batch))?;
        if self.is_int8() {
            ops.push(self.quantise(gpu, batch)?);
        }
        for slice in self.slices(gpu, batch)? {
            let few = slice.dispatch(gpu, self, Tiling::Few, false);
            let many = match gpu.variant().reduction {
                Reduction::BarrierFree => None,
                _ => Some((FEW, slice.dispatch(gpu, self, Tiling::Tiled, false))),
            };
            ops.push(Op { few, many });
        }
        Ok(ops)
    }

    /// True if a separate step quantises the input to 8 bits.
    fn is_int8(&self) -> bool {
        self.matrix.layout.is_bytes()
    }

    fn input_params(&self) -> InputParams {
        InputParams {
            n_cols: param(self.matrix.n_cols),
            ..self.input_params
        }
    }

    /// The step that quantises the input.
    fn quantise(&self, gpu: &Gpu, batch: &wgpu::BufferBinding<'_>) -> Result<Op, GpuError> {
        let bindings = QuantiseBindings {
            vectors: self.bindings.vectors,
            input: self.bindings.input,
            output: self.bindings.quantised,
        };
        steps::quantise(gpu, batch, self.input, &self.input_params(), bindings)
    }

    /// The step that computes the adapter's inner products for the steps after it.
    fn inner(
        &self,
        plan: impl FnOnce(Matmul<'_>) -> Result<Vec<Op>, GpuError>,
    ) -> Result<Vec<Op>, GpuError> {
        let Some(lora) = self.lora else {
            return Ok(Vec::new());
        };
        plan(Matmul {
            matrix: &lora.inner,
            first_group: 0,
            epilogue: Epilogue::Linear,
            output_params: OutputParams {
                y: lora.params().x,
                y_stride: param(lora.inner.n_rows.div_ceil(4)),
                ..OutputParams::default()
            },
            lora: None,
            bindings: MatmulBindings {
                output: &lora.buffer,
                cache: None,
                ..self.bindings
            },
            ..self.clone()
        })
    }

    /// The product with each slice of the matrix, bound.
    fn slices(
        &self,
        gpu: &Gpu,
        batch: &wgpu::BufferBinding<'_>,
    ) -> Result<Vec<BoundSlice>, GpuError> {
        let bindings = &self.bindings;
        let slices = self.matrix.slices.iter().map(|slice| {
            let mut weights = WeightParams::of(slice, self.matrix);
            weights.first_group += param(self.first_group);
            let params = MatmulParams {
                input: self.input_params(),
                weights,
                lora: self
                    .lora
                    .map_or_else(LoraParams::default, PackedPairs::params),
                output: self.output_params,
                attention: self.attention,
            };
            let slots = Slots {
                weights: Some(&slice.buffer),
                vectors: bindings.vectors,
                input: Some(match self.is_int8() {
                    true => bindings.quantised,
                    false => bindings.input,
                }),
                cache: bindings.cache.map(|cache| cache.cache),
                angles: bindings.cache.map(|cache| cache.angles),
                lora: self.lora.map(|lora| &lora.buffer),
                output: Some(bindings.output),
            };
            let params = gpu.params_of("matmul", &params)?;
            Ok(BoundSlice {
                bind_group: gpu.bind_step(batch.clone(), &params, &slots),
                n_groups: slice.n_rows.div_ceil(4),
            })
        });
        slices.collect()
    }
}

/// A slice of a matrix, bound for its product.
struct BoundSlice {
    bind_group: wgpu::BindGroup,
    n_groups: usize,
}

impl BoundSlice {
    fn dispatch(
        &self,
        gpu: &Gpu,
        matmul: &Matmul<'_>,
        tiling: Tiling,
        has_inline_lora: bool,
    ) -> Dispatch {
        let is_barrier_free = gpu.variant().reduction == Reduction::BarrierFree;
        let shader = permutations::Matmul {
            epilogue: matmul.epilogue,
            layout: matmul.matrix.layout,
            tiling,
            input: matmul.input,
            has_inline_lora,
            n_threads: n_threads(matmul.matrix.kind, matmul.matrix.n_words),
        };
        // Groups and tokens per workgroup.
        let n_groups = if is_barrier_free { 16 } else { 8 };
        let (n_groups, tokens) = match tiling {
            Tiling::Few if matmul.is_int8() => (64, 8),
            Tiling::Vec => (n_groups, 1),
            Tiling::Few => (n_groups, 4),
            Tiling::Tiled => (n_groups, 64),
        };
        Dispatch {
            pipeline: shader.kernel(gpu.variant()).pipeline(gpu),
            bind_group: self.bind_group.clone(),
            grid: Grid {
                x: param(self.n_groups.div_ceil(n_groups)),
                y: None,
                tokens,
            },
        }
    }
}

/// Compiles the kernels for a matrix of this type and row length before it arrives; `input` is the one-token input.
pub(crate) fn compile(
    gpu: &Gpu,
    epilogue: Epilogue,
    kind: TensorType,
    n_cols: usize,
    input: Input,
    has_adapter: bool,
) {
    let has_barriers = gpu.variant().reduction != Reduction::BarrierFree;
    let layout = Layout::of(gpu, kind);
    let input_of_many = match input {
        Input::Stream | Input::StreamPending => Input::Stream,
        Input::StepOutput | Input::Splits => Input::StepOutput,
    };
    if layout.is_bytes() {
        permutations::quantise(input_of_many).pipeline(gpu);
    }
    let mut forms = vec![
        (Tiling::Vec, input, has_adapter && has_barriers),
        (Tiling::Few, input_of_many, false),
    ];
    if has_barriers {
        forms.push((Tiling::Tiled, input_of_many, false));
    }
    for (tiling, input, has_inline_lora) in forms {
        let shader = permutations::Matmul {
            epilogue,
            layout,
            tiling,
            input,
            has_inline_lora,
            n_threads: n_threads(kind, n_cols.div_ceil(4)),
        };
        shader.kernel(gpu.variant()).pipeline(gpu);
    }
    if has_adapter {
        // Kernels for the adapter's inner products.
        compile(
            gpu,
            Epilogue::Linear,
            TensorType::F32,
            n_cols,
            input_of_many,
            false,
        );
    }
}

/// Workgroup size of kernels with barriers: small enough that each invocation gets a few blocks of a row, and larger
/// for long rows. Not yet measured on a GPU.
fn n_threads(kind: TensorType, n_words: usize) -> u32 {
    match kind {
        // Here each of the tile's 8 lanes takes single words, not blocks of 8.
        TensorType::F32 | TensorType::F16 | TensorType::BF16 => match n_words {
            ..512 => 64,
            512..2048 => 128,
            _ => 256,
        },
        _ => match n_words {
            ..512 => 64,
            512..1024 => 128,
            _ => 256,
        },
    }
}

//! Turns a matrix, an input and a place for the output into the dispatches that multiply them, for one token or for many.
//!
//! | step | input | what becomes of a group of rows |
//! |------|-------|---------------------------------|
//! | `qkv` | the stream, normed | bias, rotary positions; queries to the output, keys and values to the cache |
//! | `gate_up` | the stream, normed | bias, gate through its activation, times up |
//! | `project` | what attention gathered, or gated values | bias; added to the stream, or put beside it |
//! | `linear` | either | bias; stored, capped where there is a cap |
//!
//! Twins: [`crate::reference::qkv`], [`crate::reference::gate_up`], [`crate::reference::project`],
//! [`crate::reference::linear`]. Bound: NMSE 1e-9 where tiles are single precision, 1e-5 where they are halves; 1e-6 for keys
//! and values, which the cache holds in halves; 5e-4 where inputs are rounded to 8 bits.

use super::lora::PackedPairs;
use super::params::{
    AttentionParams, InputParams, LoraParams, MatmulParams, OutputParams, WeightParams, param,
};
use super::permutations::{self, Epilogue, Input, Tiling};
use super::steps::{self, QuantiseBindings};
use crate::gguf::TensorType;
use crate::gpu::{Dispatch, Gpu, GpuError, Grid, Layout, Op, PackedMatrix, Reduction, Slots};

/// Most tokens for which sums are made row by row, and not in tiles.
const FEW: u32 = 8;

/// One matrix product, before it is planned for some number of tokens.
#[derive(Debug, Clone)]
pub struct Matmul<'a> {
    /// The weights, on the device.
    pub matrix: &'a PackedMatrix,
    /// First group of the output that this matrix makes.
    pub first_group: usize,
    /// The input that they are multiplied with.
    pub input: Input,
    /// Where it lies; its number of values is the matrix's.
    pub input_params: InputParams,
    /// What becomes of the product.
    pub epilogue: Epilogue,
    /// Where it is stored.
    pub output_params: OutputParams,
    /// The heads that [`Epilogue::Qkv`] makes, or that [`Input::Splits`] are parts of.
    pub attention: AttentionParams,
    /// The adapter's pairs for these rows.
    pub lora: Option<&'a PackedPairs>,
    /// Buffers, except those of the matrix and of the adapter.
    pub bindings: MatmulBindings<'a>,
}

/// Buffers of a matrix product. The output's must not be the input's.
#[derive(Debug, Clone, Copy)]
pub struct MatmulBindings<'a> {
    /// Gains of the norm, and biases; `None` where the product has neither.
    pub vectors: Option<&'a wgpu::Buffer>,
    /// What is multiplied, as [`Input`] says.
    pub input: &'a wgpu::Buffer,
    /// Room for the batch's inputs once they are rounded to 8 bits: `T * C * 3/2` bytes.
    pub quantised: &'a wgpu::Buffer,
    /// Where the product goes: queries, gated values, the stream, logits.
    pub output: &'a wgpu::Buffer,
    /// For [`Epilogue::Qkv`]: where keys and values go, and the angles by which heads are turned.
    pub cache: Option<CacheBindings<'a>>,
}

/// A layer's cache.
#[derive(Debug, Clone, Copy)]
pub struct CacheBindings<'a> {
    /// Keys, then values, as `shared/cache.wgsl` says.
    pub cache: &'a wgpu::Buffer,
    /// Cosines and sines, as `shared/rope.wgsl` says.
    pub angles: &'a wgpu::Buffer,
}

impl Matmul<'_> {
    /// For one token.
    ///
    /// # Errors
    /// [`GpuError::BindingTooLarge`] never in practice: parameters are a few words.
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

    /// For any number of tokens.
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

    /// True if the input is rounded to 8 bits by a step of its own.
    fn is_int8(&self) -> bool {
        self.matrix.layout.is_bytes()
    }

    fn input_params(&self) -> InputParams {
        InputParams {
            n_cols: param(self.matrix.n_cols),
            ..self.input_params
        }
    }

    /// The step that rounds the input.
    fn quantise(&self, gpu: &Gpu, batch: &wgpu::BufferBinding<'_>) -> Result<Op, GpuError> {
        let bindings = QuantiseBindings {
            vectors: self.bindings.vectors,
            input: self.bindings.input,
            output: self.bindings.quantised,
        };
        steps::quantise(gpu, batch, self.input, &self.input_params(), bindings)
    }

    /// The step that makes the adapter's inner products for the steps after it.
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

/// A slice of a matrix with all that its product is bound to.
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
        // Groups and tokens of a workgroup.
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

/// Compiles the kernels that will multiply a matrix of such rows, before it arrives; `input` is that of one token.
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

/// Invocations of a workgroup with barriers: few enough that each has some blocks of a row to do, and more for long
/// rows. Not measured on a graphics card yet.
fn n_threads(kind: TensorType, n_words: usize) -> u32 {
    match kind {
        // The tile's 8 lanes each take whole words here, not blocks of 8.
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

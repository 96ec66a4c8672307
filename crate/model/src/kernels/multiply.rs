//! Turns a matrix, an input and a place for the output into the dispatches that multiply them, for one token or for many.
//!
//! | kernel | input | what becomes of a group of rows |
//! |--------|-------|---------------------------------|
//! | `qkv` | the stream, normed | bias, rotary positions; queries to `y`, keys and values to the cache |
//! | `gate_up` | the stream, normed | bias, gate through its activation, times up |
//! | `project` | what attention gathered, or gated values | bias; added to the stream, or put beside it |
//! | `rows` | either | bias; stored, capped where there is a cap |
//!
//! Twins: [`crate::reference::qkv`], [`crate::reference::gate_up`], [`crate::reference::project`],
//! [`crate::reference::rows`]. Bound: NMSE 1e-9 where tiles are single precision, 1e-5 where they are halves; 1e-6 for keys
//! and values, which the cache holds in halves; 5e-4 where inputs are rounded to 8 bits.

use super::params::{Params, param};
use super::source::{self, Form, Input, Products};
use crate::adapter::LoraPair;
use crate::gguf::TensorType;
use crate::gpu::{Buffers, Dispatch, Gpu, GpuError, Grid, Layout, Op, PackedMatrix, Reduction};

/// Most tokens for which sums are made row by row, and not in tiles.
const FEW: u32 = 8;

/// Inner products that a workgroup has room for.
const MAX_OWN_INNER: usize = 512;

/// How products are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Queries, keys and values, cached.
    Qkv {
        /// True if queries and keys are rotated and keys cached; if not, a later step does that.
        rotates: bool,
    },
    /// A feed-forward block's gate and up, alternating rows.
    GateUp {
        /// GELU by its `tanh` approximation, or SiLU.
        is_gelu: bool,
    },
    /// The projection that ends a block.
    Project {
        /// True if added to the values that are there; if not, they are overwritten.
        adds: bool,
    },
    /// Plain rows, stored.
    Rows,
}

/// One multiplication, before it is planned for some number of tokens.
#[derive(Debug, Clone)]
pub struct Multiply<'a> {
    /// How the product is used.
    pub used: Use,
    /// The weights, on the device.
    pub matrix: &'a PackedMatrix,
    /// The input that they are multiplied with.
    pub input: Input,
    /// Parameters of the kernel, except those of the matrix and the adapter.
    pub params: Params,
    /// Buffers of the kernel, except the matrix and the adapter.
    pub buffers: Buffers<'a>,
    /// The adapter's pairs for these rows.
    pub lora: Option<&'a PackedPairs>,
    /// First group of the output that this matrix makes.
    pub first_group: usize,
    /// Room for the batch's inputs once they are rounded: `T * C * 3/2` bytes.
    pub rounded: &'a wgpu::Buffer,
}

impl Multiply<'_> {
    /// For one token.
    ///
    /// # Errors
    /// [`GpuError::BindingTooLarge`] never in practice: parameters are a few words.
    pub fn one(&self, gpu: &Gpu, batch: &wgpu::BufferBinding<'_>) -> Result<Vec<Op>, GpuError> {
        let has_own_lora = self.lora.is_some_and(|lora| lora.is_own(gpu));
        let mut ops = Vec::new();
        if self.is_rounded() {
            ops.push(self.round(gpu, batch)?);
        }
        if !has_own_lora {
            ops.extend(self.inner(|inner| inner.one(gpu, batch))?);
        }
        for slice in self.slices(gpu, batch)? {
            let few = slice.dispatch(gpu, self, Form::One, has_own_lora);
            ops.push(few.into());
        }
        Ok(ops)
    }

    /// For any number of tokens.
    ///
    /// # Errors
    /// As [`Multiply::one`].
    pub fn many(&self, gpu: &Gpu, batch: &wgpu::BufferBinding<'_>) -> Result<Vec<Op>, GpuError> {
        let mut ops = self.inner(|inner| inner.many(gpu, batch))?;
        if self.is_rounded() {
            ops.push(self.round(gpu, batch)?);
        }
        for slice in self.slices(gpu, batch)? {
            let few = slice.dispatch(gpu, self, Form::Four, false);
            let many = match gpu.variant().reduction {
                Reduction::BarrierFree => None,
                _ => Some((FEW, slice.dispatch(gpu, self, Form::Tiled, false))),
            };
            ops.push(Op { few, many });
        }
        Ok(ops)
    }

    fn is_rounded(&self) -> bool {
        self.matrix.layout.is_bytes()
    }

    fn kernel_input(&self) -> Input {
        kernel_input(self.input, self.is_rounded())
    }

    /// The step that rounds the input.
    fn round(&self, gpu: &Gpu, batch: &wgpu::BufferBinding<'_>) -> Result<Op, GpuError> {
        let params = Params {
            n_cols: param(self.matrix.n_cols),
            n_words: param(self.matrix.n_words),
            ..self.params
        };
        let buffers = Buffers {
            y: Some(self.rounded),
            cache: None,
            stream: self.buffers.stream.filter(|_| self.input == Input::Stream),
            ..self.buffers.clone()
        };
        let params = gpu.params_of("step", &params)?;
        let kernel = source::round(self.input == Input::Stream);
        let round = Dispatch {
            pipeline: gpu.pipeline(&kernel),
            bind_group: gpu.bind_step(batch.clone(), &params, &buffers),
            grid: Grid {
                x: param(self.matrix.n_words.div_ceil(64)),
                y: None,
                tokens: 1,
            },
        };
        Ok(round.into())
    }

    /// The step that makes the adapter's inner products for the steps after it.
    fn inner(
        &self,
        plan: impl FnOnce(Multiply<'_>) -> Result<Vec<Op>, GpuError>,
    ) -> Result<Vec<Op>, GpuError> {
        let Some(lora) = self.lora else {
            return Ok(Vec::new());
        };
        plan(Multiply {
            used: Use::Rows,
            matrix: &lora.inner,
            input: self.input,
            params: Params {
                y: lora.place_x,
                y_stride: param(lora.inner.n_rows.div_ceil(4)),
                cap: 0.0,
                bias: 0,
                ..self.params
            },
            buffers: Buffers {
                y: Some(&lora.buffer),
                cache: None,
                ..self.buffers.clone()
            },
            lora: None,
            first_group: 0,
            rounded: self.rounded,
        })
    }

    fn slices(
        &self,
        gpu: &Gpu,
        batch: &wgpu::BufferBinding<'_>,
    ) -> Result<Vec<BoundSlice>, GpuError> {
        let slices = self.matrix.slices.iter().map(|slice| {
            let n_groups = slice.n_rows.div_ceil(4);
            let mut params = Params {
                n_cols: param(self.matrix.n_cols),
                n_words: param(self.matrix.n_words),
                n_groups: param(n_groups),
                first_group: param(self.first_group + slice.first_row / 4),
                highs: param(slice.highs),
                scales: param(slice.scales),
                supers: param(slice.supers),
                ..self.params
            };
            let mut buffers = Buffers {
                weights: Some(&slice.buffer),
                ..self.buffers.clone()
            };
            match self.kernel_input() {
                Input::RoundedStream => buffers.stream = Some(self.rounded),
                Input::RoundedSource => buffers.source = Some(self.rounded),
                _ => {}
            }
            if let Some(lora) = self.lora {
                params.rank = param(lora.rank);
                params.n_pairs = param(lora.n_pairs);
                params.lora_b = lora.place_b;
                params.lora_x = lora.place_x;
                buffers.lora = Some(&lora.buffer);
            }
            let params = gpu.params_of("step", &params)?;
            Ok(BoundSlice {
                bind_group: gpu.bind_step(batch.clone(), &params, &buffers),
                n_groups,
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
        multiply: &Multiply<'_>,
        form: Form,
        has_own_lora: bool,
    ) -> Dispatch {
        let is_barrier_free = gpu.variant().reduction == Reduction::BarrierFree;
        let products = products(
            multiply.used,
            multiply.matrix.layout,
            form,
            multiply.kernel_input(),
            has_own_lora,
            n_threads(multiply.matrix.kind, multiply.matrix.n_words),
        );
        // Groups and tokens of a workgroup.
        let n_groups = if is_barrier_free { 16 } else { 8 };
        let (n_groups, tokens) = match form {
            Form::Four if multiply.is_rounded() => (64, 8),
            Form::One => (n_groups, 1),
            Form::Four => (n_groups, 4),
            Form::Tiled => (n_groups, 64),
        };
        Dispatch {
            pipeline: gpu.pipeline(&products.kernel(gpu.variant())),
            bind_group: self.bind_group.clone(),
            grid: Grid {
                x: param(self.n_groups.div_ceil(n_groups)),
                y: None,
                tokens,
            },
        }
    }
}

/// An input as the kernel gets it.
fn kernel_input(input: Input, is_rounded: bool) -> Input {
    match input {
        Input::Stream if is_rounded => Input::RoundedStream,
        Input::Source if is_rounded => Input::RoundedSource,
        other => other,
    }
}

/// Compiles the kernels that will multiply a matrix of such rows, before it arrives; `input` is that of one token.
pub(crate) fn compile(
    gpu: &Gpu,
    used: Use,
    kind: TensorType,
    n_cols: usize,
    input: Input,
    has_adapter: bool,
) {
    let has_barriers = gpu.variant().reduction != Reduction::BarrierFree;
    let layout = Layout::of(gpu, kind);
    let is_rounded = layout.is_bytes();
    let plain = match input {
        Input::Stream | Input::Pending => Input::Stream,
        _ => Input::Source,
    };
    if is_rounded {
        gpu.pipeline(&source::round(plain == Input::Stream));
    }
    let (of_one, of_many) = (
        kernel_input(input, is_rounded),
        kernel_input(plain, is_rounded),
    );
    let has_own_lora = has_adapter && has_barriers;
    let n_words = n_cols.div_ceil(4);
    let mut forms = vec![
        (Form::One, of_one, has_own_lora),
        (Form::Four, of_many, false),
    ];
    if has_barriers {
        forms.push((Form::Tiled, of_many, false));
    }
    for (form, input, has_own_lora) in forms {
        let n_threads = n_threads(kind, n_words);
        let products = products(used, layout, form, input, has_own_lora, n_threads);
        gpu.pipeline(&products.kernel(gpu.variant()));
    }
    if has_adapter {
        // Kernels for the adapter's inner products.
        compile(gpu, Use::Rows, TensorType::F32, n_cols, plain, false);
    }
}

/// The shader of a use, as it is put together.
pub(super) fn products(
    used: Use,
    layout: Layout,
    form: Form,
    input: Input,
    has_own_lora: bool,
    n_threads: u32,
) -> Products {
    let (name, wgsl, flag) = match used {
        Use::Qkv { rotates } => ("qkv", include_str!("qkv.wgsl"), Some(("ROTATES", rotates))),
        Use::GateUp { is_gelu } => {
            let flag = Some(("IS_GELU", is_gelu));
            ("gate_up", include_str!("gate_up.wgsl"), flag)
        }
        Use::Project { adds } => (
            "project",
            include_str!("project.wgsl"),
            Some(("ADDS", adds)),
        ),
        Use::Rows => ("rows", include_str!("rows.wgsl"), None),
    };
    Products {
        name,
        wgsl,
        layout,
        form,
        input,
        has_own_lora,
        flag,
        n_threads,
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

/// The pairs of an adapter for matrices that are multiplied in one step, on the device.
///
/// One buffer: the inner matrices, word by word, so that a workgroup can make the inner products itself; the outer matrices,
/// times the adapter's scale; and room for inner products that another step makes.
#[derive(Debug)]
pub struct PackedPairs {
    buffer: wgpu::Buffer,
    /// The inner matrices once more, for that other step.
    inner: PackedMatrix,
    /// `R`, the largest of the pairs'.
    rank: usize,
    n_pairs: usize,
    place_b: u32,
    place_x: u32,
}

impl PackedPairs {
    /// Puts pairs on the device that share their input of `n_cols` values, with room for `n_tokens` tokens.
    ///
    /// `rows` says for each row of the joint output, in the device's order, which pair changes it and as which of its rows.
    /// Where rows of several pairs lie in one group, `is_mixed` must be set: each group then uses all inner products.
    ///
    /// # Errors
    /// [`GpuError::Shape`] if a pair has other sizes; [`GpuError::BindingTooLarge`].
    pub fn new(
        gpu: &Gpu,
        label: &str,
        pairs: &[Option<&LoraPair>],
        n_cols: usize,
        rows: &[(usize, usize)],
        is_mixed: bool,
        n_tokens: usize,
    ) -> Result<Self, GpuError> {
        let rank = pairs
            .iter()
            .flatten()
            .map(|pair| pair.rank)
            .max()
            .unwrap_or(1);
        let n_inner = rank * pairs.len();
        let n_words = n_cols.div_ceil(4);
        let mut inner = vec![0.0; n_inner * n_cols];
        for (idx, pair) in pairs.iter().enumerate() {
            let start = idx * rank * n_cols;
            if let Some(pair) = pair {
                Gpu::check_shape("lora", "a", pair.rank * n_cols, pair.a.len())?;
                inner[start..start + pair.a.len()].copy_from_slice(&pair.a);
            }
        }
        let mut values = vec![0.0; 4 * n_words * n_inner];
        for (idx, row) in inner.chunks_exact(n_cols).enumerate() {
            for (col, &value) in row.iter().enumerate() {
                values[4 * ((col / 4) * n_inner + idx) + col % 4] = value;
            }
        }
        let place_b = param(values.len() / 4);
        let count = if is_mixed { n_inner } else { rank };
        let n_groups = rows.len().div_ceil(4);
        let start = values.len();
        values.resize(start + 4 * n_groups * count, 0.0);
        for (row_idx, &(pair_idx, row)) in rows.iter().enumerate() {
            let Some(pair) = pairs[pair_idx] else {
                continue;
            };
            let first = if is_mixed { pair_idx * rank } else { 0 };
            let Some(outer) = pair.b.get(row * pair.rank..(row + 1) * pair.rank) else {
                return Err(GpuError::Shape {
                    kernel: "lora",
                    operand: "b",
                    expected: (row + 1) * pair.rank,
                    found: pair.b.len(),
                });
            };
            for (idx, value) in outer.iter().enumerate() {
                let word = row_idx / 4 * count + first + idx;
                values[start + 4 * word + row_idx % 4] = value * pair.scale;
            }
        }
        let place_x = param(values.len() / 4);
        values.resize(values.len() + n_tokens * n_inner.next_multiple_of(4), 0.0);
        Ok(Self {
            buffer: gpu.storage_of(label, &values)?,
            inner: gpu.matrix_of(label, n_cols, &inner)?,
            rank,
            n_pairs: pairs.len(),
            place_b,
            place_x,
        })
    }

    /// True if each workgroup makes the inner products itself, so that no step is added.
    fn is_own(&self, gpu: &Gpu) -> bool {
        gpu.variant().reduction != Reduction::BarrierFree
            && self.rank * self.n_pairs <= MAX_OWN_INNER
    }
}

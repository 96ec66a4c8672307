//! Turns the choices of a step (how it divides its work, how its input and its weights are laid out) into the files
//! that its shader is assembled from.

use super::compose::{Kernel, Value};
use crate::gguf::TensorType;
use crate::gpu::{Bindings, Layout, Precision, Reduction, Variant};

/// Cache positions that one part of attention covers before another part is added.
const SPLIT_PLACES: u32 = 128;

/// How a matrix product divides its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tiling {
    /// One token: a matrix times a vector.
    Vec,
    /// Four tokens at a time, eight if inputs are quantised to 8 bits.
    Few,
    /// Many tokens, in tiles.
    Tiled,
}

impl Tiling {
    fn file(self, variant: Variant, is_int8: bool) -> &'static str {
        let has_barriers = variant.reduction != Reduction::BarrierFree;
        match (self, has_barriers, is_int8) {
            (Self::Vec, false, false) => "matmul/vec",
            (Self::Vec, false, true) => "matmul/vec_int8",
            (Self::Vec, true, _) => "matmul/vec_workgroup",
            (Self::Few, false, false) => "matmul/few",
            (Self::Few, false, true) => "matmul/few_int8",
            (Self::Few, true, _) => "matmul/few_workgroup",
            (Self::Tiled, _, _) => "matmul/tiled",
        }
    }
}

/// Input of a matrix product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The stream, normed.
    Stream,
    /// The stream plus the last block's output, normed; one token, with barriers.
    StreamPending,
    /// Another step's output.
    StepOutput,
    /// One token's attention, in parts.
    Splits,
}

impl Input {
    fn file(self) -> &'static str {
        match self {
            Self::Stream => "input/stream",
            Self::StreamPending => "input/stream_pending",
            Self::StepOutput => "input/step_output",
            Self::Splits => "input/splits",
        }
    }
}

/// The epilogue of a matrix product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epilogue {
    /// Queries, keys and values, cached.
    Qkv {
        /// True if queries and keys are rotated and keys cached; if not, a later step does that.
        rotates: bool,
    },
    /// A feed-forward block's gate and up, with interleaved rows.
    GateUp {
        /// GELU by its `tanh` approximation, or SiLU.
        is_gelu: bool,
    },
    /// The projection that ends a block.
    Project {
        /// True if the product is added to the output; if not, it overwrites it.
        adds: bool,
    },
    /// Rows stored as they are.
    Linear,
}

impl Epilogue {
    fn file(self) -> (&'static str, Option<(&'static str, Value)>) {
        match self {
            Self::Qkv { rotates } => ("steps/qkv", Some(("ROTATES", Value::Bool(rotates)))),
            Self::GateUp { is_gelu } => ("steps/gate_up", Some(("IS_GELU", Value::Bool(is_gelu)))),
            Self::Project { adds } => ("steps/project", Some(("ADDS", Value::Bool(adds)))),
            Self::Linear => ("steps/linear", None),
        }
    }
}

/// The files that read a type's weights: its codes and, if stored separately, its scales.
fn weights(kind: TensorType) -> &'static [&'static str] {
    match kind {
        TensorType::F32 => &["weights/f32"],
        TensorType::F16 => &["weights/f16"],
        TensorType::BF16 => &["weights/bf16"],
        TensorType::Q8_0 => &["weights/q8_0", "scales/f16"],
        TensorType::Q4_0 => &["weights/q4", "scales/f16_centred"],
        TensorType::Q5_0 => &["weights/q5", "scales/f16_centred"],
        TensorType::Q4_1 => &["weights/q4", "scales/f16_min"],
        TensorType::Q5_1 => &["weights/q5", "scales/f16_min"],
        TensorType::Q4K => &["weights/q4", "scales/k"],
        TensorType::Q5K => &["weights/q5", "scales/k"],
        TensorType::Q6K => &["weights/q6_k"],
    }
}

/// Adds the files that read weights of a layout.
fn with_weights(mut kernel: Kernel, layout: Layout) -> Kernel {
    match layout {
        Layout::Streams(kind) => {
            kernel.picked.extend_from_slice(weights(kind));
            kernel
        }
        Layout::Bytes(blocks) => {
            kernel.picked.push("weights/bytes");
            kernel
                .with("BLOCK_WORDS", Value::U32(blocks.n_words))
                .with("HAS_MINS", Value::Bool(blocks.has_mins))
        }
    }
}

/// A matrix product, before its shader is assembled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matmul {
    pub(super) epilogue: Epilogue,
    pub(super) layout: Layout,
    pub(super) tiling: Tiling,
    pub(super) input: Input,
    /// True if each workgroup computes an adapter's inner products itself.
    pub(super) has_inline_lora: bool,
    /// Workgroup size, for kernels with barriers.
    pub(super) n_threads: u32,
}

impl Matmul {
    /// The shader for a device.
    pub(super) fn kernel(&self, variant: Variant) -> Kernel {
        let has_barriers = variant.reduction != Reduction::BarrierFree;
        let is_tiled = self.tiling == Tiling::Tiled;
        let (step, constant) = self.epilogue.file();
        let matmul = self.tiling.file(variant, self.layout.is_bytes());
        let mut kernel = with_weights(Kernel::step(step, &[matmul]), self.layout);
        // 8-bit inputs always come from the quantising step.
        if !self.layout.is_bytes() {
            kernel.picked.push(self.input.file());
        }
        kernel.picked.push(match self.has_inline_lora {
            true => "lora/inline",
            false => "lora/stored",
        });
        if is_tiled {
            kernel.picked.push(match variant.precision {
                Precision::F16 => "tile/f16",
                Precision::F32 | Precision::Int8 => "tile/f32",
            });
        } else if has_barriers {
            kernel.picked.extend(match variant.reduction {
                Reduction::Subgroups => ["reduce/subgroups", "entry/subgroups"],
                _ => ["reduce/memory", "entry/plain"],
            });
        }
        if !is_tiled {
            let n_threads = if has_barriers { self.n_threads } else { 16 };
            kernel = kernel.with("THREADS", Value::U32(n_threads));
        }
        if self.input == Input::Splits {
            kernel = kernel.with("SPLIT_PLACES", Value::U32(SPLIT_PLACES));
        }
        kernel.constants.extend(constant);
        kernel
    }
}

/// Looks up rows of an embedding.
pub(super) fn embed(layout: Layout) -> Kernel {
    with_weights(Kernel::step("steps/embed", &[]), layout)
}

/// Norms and rotates heads.
pub(super) fn heads() -> Kernel {
    Kernel::step("steps/heads", &[])
}

/// Norms a block's output and adds it to the stream.
pub(super) fn residual() -> Kernel {
    Kernel::step("steps/residual", &[])
}

/// Quantises an input to 8 bits: the stream, normed, or another step's output.
pub(super) fn quantise(input: Input) -> Kernel {
    Kernel::step("steps/quantise", &[input.file()])
}

/// Attention without barriers, for any number of tokens.
pub(super) fn attention() -> Kernel {
    Kernel::step("attention/barrier_free", &[])
}

/// Attention of one token, split into parts.
pub(super) fn attention_split(variant: Variant) -> Kernel {
    let picked = match variant.reduction {
        Reduction::Subgroups => ["reduce_max/subgroups", "entry/subgroups"],
        _ => ["reduce_max/memory", "entry/plain"],
    };
    Kernel::step("attention/split", &picked).with("SPLIT_PLACES", Value::U32(SPLIT_PLACES))
}

/// Attention of many tokens, in tiles.
pub(super) fn attention_tiled(head_words: u32) -> Kernel {
    // The largest power of two of query groups that 64 invocations can serve, with one invocation per word of a head.
    let n_groups = (64 / head_words.clamp(1, 64)).min(16);
    let n_groups = 1 << n_groups.ilog2();
    Kernel::step("attention/tiled", &[])
        .with("QUERY_GROUPS", Value::U32(n_groups))
        .with("QUERIES_EACH", Value::U32(16 / n_groups))
}

/// The two kernels that choose the next token.
pub(super) fn sample() -> [Kernel; 2] {
    ["sample/penalise", "sample/choose"].map(|root| Kernel {
        bindings: Bindings::Sample,
        ..Kernel::step(root, &[])
    })
}

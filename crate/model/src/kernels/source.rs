//! Turns a kernel's own WGSL, the form of its products and the type of its weights into one shader.
//!
//! A kernel that multiplies says what its input is and what becomes of a finished group of rows; the loops between are
//! shared. The pieces are plain WGSL, put one after the other behind a few constants. Two words in them are replaced, which
//! WGSL has no constants for: `SUBGROUP_BUILTINS`, a parameter of the entry point, and `SUBGROUP_SIZE`.

use std::fmt::Write as _;

use crate::gguf::TensorType;
use crate::gpu::{Bindings, Kernel, Layout, Precision, Reduction, Variant};

/// Places of the cache that one part of attention covers before another part is added.
pub(crate) const SPLIT_PLACES: u32 = 128;

const ROUNDED: &str = include_str!("shared/rounded.wgsl");
const FRAME: &str = include_str!("shared/frame.wgsl");

/// How a multiplying kernel divides its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One token; with barriers if the variant has them.
    One,
    /// Four tokens at a time, eight where inputs are rounded; with barriers if the variant has them.
    Four,
    /// Many tokens, in tiles.
    Tiled,
}

/// Input of a multiplying kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The stream, normed.
    Stream,
    /// The stream plus the last block's output, normed.
    Pending,
    /// Another step's output.
    Source,
    /// Partial results of attention, one for each of its parts.
    Splits,
    /// The stream, normed and rounded to 8 bits by a step before.
    RoundedStream,
    /// Another step's output, rounded to 8 bits by a step before.
    RoundedSource,
}

/// A multiplying kernel, as it is put together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Products {
    pub(crate) name: &'static str,
    /// The kernel's own file.
    pub(crate) wgsl: &'static str,
    pub(crate) layout: Layout,
    pub(crate) form: Form,
    pub(crate) input: Input,
    /// True if each workgroup makes an adapter's inner products itself.
    pub(crate) has_own_lora: bool,
    /// A constant of this kernel, and its value.
    pub(crate) flag: Option<(&'static str, bool)>,
    /// Invocations of a workgroup, where there are barriers.
    pub(crate) n_threads: u32,
}

impl Products {
    /// The shader for a device.
    pub(crate) fn kernel(&self, variant: Variant) -> Kernel {
        let Self {
            layout,
            form,
            input,
            ..
        } = *self;
        let is_barrier_free = variant.reduction == Reduction::BarrierFree;
        let has_subgroups = variant.reduction == Reduction::Subgroups && form != Form::Tiled;
        let has_f16 = variant.precision == Precision::F16 && form == Form::Tiled;
        let n_threads = if is_barrier_free { 16 } else { self.n_threads };
        let mut pieces = vec![FRAME, self.wgsl, include_str!("shared/norm.wgsl")];
        let weights = Weights::of(layout);
        pieces.extend(weights.pieces);
        match input {
            Input::Stream => pieces.extend([
                include_str!("shared/input_stream.wgsl"),
                include_str!("shared/input_whole.wgsl"),
            ]),
            Input::Pending => pieces.extend([
                include_str!("shared/input_stream.wgsl"),
                include_str!("shared/input_pending.wgsl"),
                include_str!("shared/pending.wgsl"),
            ]),
            Input::Source => pieces.push(include_str!("shared/input_source.wgsl")),
            Input::Splits => pieces.push(include_str!("shared/input_splits.wgsl")),
            Input::RoundedStream => {
                pieces.extend([ROUNDED, include_str!("shared/rounded_stream.wgsl")])
            }
            Input::RoundedSource => {
                pieces.extend([ROUNDED, include_str!("shared/rounded_source.wgsl")])
            }
        }
        let is_rounded = matches!(input, Input::RoundedStream | Input::RoundedSource);
        pieces.push(if self.has_own_lora {
            include_str!("shared/lora_own.wgsl")
        } else {
            include_str!("shared/lora_stored.wgsl")
        });
        pieces.push(match (form, is_barrier_free) {
            (Form::One, true) if is_rounded => include_str!("shared/products_one_rounded.wgsl"),
            (Form::Four, true) if is_rounded => include_str!("shared/products_eight_rounded.wgsl"),
            (Form::One, true) => include_str!("shared/products_one.wgsl"),
            (Form::One, false) => include_str!("shared/products_one_workgroup.wgsl"),
            (Form::Four, true) => include_str!("shared/products_four.wgsl"),
            (Form::Four, false) => include_str!("shared/products_four_workgroup.wgsl"),
            (Form::Tiled, _) => include_str!("shared/products_tiled.wgsl"),
        });
        match (form, has_f16) {
            (Form::Tiled, true) => pieces.push(include_str!("shared/tile_f16.wgsl")),
            (Form::Tiled, false) => pieces.push(include_str!("shared/tile_f32.wgsl")),
            _ if is_barrier_free => {}
            _ if has_subgroups => pieces.push(include_str!("shared/over_slices_subgroups.wgsl")),
            _ => pieces.push(include_str!("shared/over_slices_memory.wgsl")),
        }
        if self.name == "qkv" {
            pieces.extend([
                include_str!("shared/rotate.wgsl"),
                include_str!("shared/cache.wgsl"),
            ]);
        }
        let mut label = format!(
            "{} {} {form:?} {input:?} {n_threads}",
            self.name, weights.label
        );
        let mut consts = format!("const THREADS = {n_threads}u;\n{}", weights.consts);
        let _ = writeln!(consts, "const SPLIT_PLACES = {SPLIT_PLACES}u;");
        let _ = writeln!(consts, "const PENDING = {};", input == Input::Pending);
        if let Some((name, value)) = self.flag {
            let _ = writeln!(consts, "const {name} = {value};");
            let _ = write!(label, " {name} {value}");
        }
        if form == Form::One && !is_barrier_free {
            consts.push_str(&self.prepare());
        }
        if self.has_own_lora {
            label.push_str(" own lora");
        }
        assemble(label, has_subgroups, has_f16, &consts, &pieces)
    }

    /// WGSL that each workgroup runs before its products.
    fn prepare(&self) -> String {
        let mut steps = String::new();
        match self.input {
            Input::Pending => steps.push_str("    prepare_pending(lane);\n"),
            Input::Splits => steps.push_str("    prepare_splits(lane);\n"),
            _ => {}
        }
        if self.has_own_lora {
            steps.push_str("    let inner = inner_range(tile);\n");
            steps.push_str("    prepare_inners(lane, inner.x, inner.y);\n");
        }
        format!("fn prepare(lane: u32, tile: u32) {{\n{steps}}}\n")
    }
}

/// A kernel that multiplies nothing, or only looks weights up.
pub(crate) fn plain(name: &str, n_threads: u32, pieces: &[&str]) -> Kernel {
    let consts = format!("const THREADS = {n_threads}u;\n");
    let mut all = vec![FRAME];
    all.extend_from_slice(pieces);
    assemble(name.to_owned(), false, false, &consts, &all)
}

/// Puts a shader together.
pub(crate) fn assemble(
    mut label: String,
    has_subgroups: bool,
    has_f16: bool,
    consts: &str,
    pieces: &[&str],
) -> Kernel {
    let mut wgsl = String::new();
    if has_f16 {
        wgsl.push_str("enable f16;\n");
        label.push_str(" f16");
    }
    // naga knows the functions and refuses the line; browsers need it.
    if has_subgroups && cfg!(target_arch = "wasm32") {
        wgsl.push_str("enable subgroups;\n");
    }
    let (builtins, size) = if has_subgroups {
        label.push_str(" subgroups");
        (
            "@builtin(subgroup_size) subgroup_size: u32,",
            "subgroup_size",
        )
    } else {
        ("", "0u")
    };
    wgsl.push_str(consts);
    for piece in pieces {
        wgsl.push_str(
            &piece
                .replace("SUBGROUP_BUILTINS", builtins)
                .replace("SUBGROUP_SIZE", size),
        );
    }
    Kernel {
        label,
        wgsl,
        bindings: Bindings::Step,
    }
}

/// Pieces of WGSL that read weights of one layout.
struct Weights {
    /// Name of the layout, for the kernel's label.
    label: String,
    consts: String,
    pieces: Vec<&'static str>,
}

impl Weights {
    fn of(layout: Layout) -> Self {
        match layout {
            Layout::Streams(kind) => {
                let mut pieces = vec![include_str!("shared/weights_streams.wgsl")];
                pieces.extend(streams(kind));
                Self {
                    label: kind.to_string(),
                    consts: String::new(),
                    pieces,
                }
            }
            Layout::Bytes(blocks) => Self {
                label: format!("bytes {} {}", blocks.n_words, blocks.has_mins),
                consts: format!(
                    "const BLOCK_WORDS = {}u;\nconst HAS_MINS = {};\n",
                    blocks.n_words, blocks.has_mins
                ),
                pieces: vec![include_str!("shared/weights_bytes.wgsl")],
            },
        }
    }
}

/// The pieces that read the streams of a type.
fn streams(kind: TensorType) -> Vec<&'static str> {
    const FOUR: &str = include_str!("shared/units_4_bits.wgsl");
    const FIVE: &str = include_str!("shared/units_5_bits.wgsl");
    const CODES: &str = include_str!("shared/codes.wgsl");
    const HALVES: &str = include_str!("shared/scales_halves.wgsl");
    const CENTRED: &str = include_str!("shared/scales_centred.wgsl");
    const MINS: &str = include_str!("shared/scales_mins.wgsl");
    const SUPERS: &str = include_str!("shared/scales_k.wgsl");
    match kind {
        TensorType::F32 => vec![include_str!("shared/weights_f32.wgsl")],
        TensorType::F16 => vec![include_str!("shared/weights_f16.wgsl")],
        TensorType::BF16 => vec![include_str!("shared/weights_bf16.wgsl")],
        TensorType::Q8_0 => vec![include_str!("shared/weights_q8_0.wgsl"), HALVES],
        TensorType::Q4_0 => vec![FOUR, CODES, HALVES, CENTRED, "const CENTRE = 8.0;\n"],
        TensorType::Q5_0 => vec![FIVE, CODES, HALVES, CENTRED, "const CENTRE = 16.0;\n"],
        TensorType::Q4_1 => vec![FOUR, CODES, MINS],
        TensorType::Q5_1 => vec![FIVE, CODES, MINS],
        TensorType::Q4K => vec![FOUR, CODES, SUPERS],
        TensorType::Q5K => vec![FIVE, CODES, SUPERS],
        TensorType::Q6K => vec![include_str!("shared/weights_q6_k.wgsl"), CODES],
    }
}

/// The kernel that looks rows of an embedding up.
pub(crate) fn embed(layout: Layout) -> Kernel {
    let weights = Weights::of(layout);
    let mut pieces = vec![weights.consts.as_str(), include_str!("embed.wgsl")];
    pieces.extend(weights.pieces);
    plain(&format!("embed {}", weights.label), 16, &pieces)
}

/// The kernel that norms and turns heads.
pub(crate) fn heads() -> Kernel {
    let pieces = [
        include_str!("heads.wgsl"),
        include_str!("shared/rotate.wgsl"),
        include_str!("shared/cache.wgsl"),
    ];
    plain("heads", 16, &pieces)
}

/// The kernel that adds a block's output to the stream, normed.
pub(crate) fn residual() -> Kernel {
    plain("residual", 16, &[include_str!("residual.wgsl")])
}

/// The kernel that rounds an input to 8 bits.
pub(crate) fn round(is_normed: bool) -> Kernel {
    let mut pieces = vec![include_str!("round.wgsl")];
    if is_normed {
        pieces.push(include_str!("shared/input_stream.wgsl"));
        pieces.push(include_str!("shared/input_whole.wgsl"));
    } else {
        pieces.push(include_str!("shared/input_source.wgsl"));
    }
    plain(if is_normed { "round normed" } else { "round" }, 8, &pieces)
}

/// Attention without barriers, for any number of tokens.
pub(crate) fn attention() -> Kernel {
    let pieces = [
        include_str!("attention.wgsl"),
        include_str!("shared/cache.wgsl"),
    ];
    plain("attention", 4, &pieces)
}

/// Attention of one token, split into parts.
pub(crate) fn attention_split(variant: Variant) -> Kernel {
    let has_subgroups = variant.reduction == Reduction::Subgroups;
    let pieces = [
        FRAME,
        include_str!("attention_split.wgsl"),
        include_str!("shared/cache.wgsl"),
        if has_subgroups {
            include_str!("shared/over_places_subgroups.wgsl")
        } else {
            include_str!("shared/over_places_memory.wgsl")
        },
    ];
    let consts = format!("const SPLIT_PLACES = {SPLIT_PLACES}u;\n");
    assemble(
        "attention_split".to_owned(),
        has_subgroups,
        false,
        &consts,
        &pieces,
    )
}

/// Attention of many tokens, in tiles.
pub(crate) fn attention_tiled(head_words: u32) -> Kernel {
    // The largest power of two of query groups that 64 invocations can serve, one invocation for each word of a head.
    let n_groups = (64 / head_words.clamp(1, 64)).min(16);
    let n_groups = 1 << n_groups.ilog2();
    let consts = format!(
        "const QUERY_GROUPS = {n_groups}u;\nconst QUERIES_EACH = {}u;\n",
        16 / n_groups
    );
    let pieces = [
        FRAME,
        include_str!("attention_tiled.wgsl"),
        include_str!("shared/cache.wgsl"),
    ];
    assemble(
        format!("attention_tiled {n_groups}"),
        false,
        false,
        &consts,
        &pieces,
    )
}

/// The two kernels that choose the next token.
pub(crate) fn choice() -> [Kernel; 2] {
    let kernel = |name: &str, wgsl: &str| Kernel {
        label: name.to_owned(),
        wgsl: [include_str!("shared/sampling.wgsl"), wgsl].concat(),
        bindings: Bindings::Choice,
    };
    [
        kernel("penalise", include_str!("penalise.wgsl")),
        kernel("sample", include_str!("sample.wgsl")),
    ]
}

//! Turns the sizes and offsets of a step's operands into the parameters of its kernel; the WGSL struct of the same
//! name, in `shared/params.wgsl` or the step's own file, documents the fields.

use crate::gpu::{PackedMatrix, Slice};

macro_rules! params {
    ($($(#[$meta:meta])* $name:ident { $($field:ident: $type:ty),+ $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, Default, bytemuck::Pod, bytemuck::Zeroable)]
        #[repr(C)]
        #[expect(missing_docs, reason = "each field's meaning stands beside its twin in WGSL")]
        pub struct $name { $(pub $field: $type),+ }

        #[cfg(test)]
        impl $name {
            /// Its fields with their offsets, and its size.
            pub(super) fn fields() -> (Vec<(&'static str, usize)>, usize) {
                let fields = vec![$((stringify!($field), std::mem::offset_of!($name, $field))),+];
                (fields, size_of::<$name>())
            }
        }
    )+};
}

params! {
    /// An input of `C` values for each token, and the norm before it.
    InputParams {
        n_cols: u32,
        x: u32,
        x_stride: u32,
        gain: u32,
        eps: f32,
        delta: u32,
        delta_gain: u32,
        next: u32,
    }
    /// A slice of a matrix.
    WeightParams {
        n_words: u32,
        n_groups: u32,
        first_group: u32,
        high_bits: u32,
        scales: u32,
        super_scales: u32,
        padding: [u32; 2],
    }
    /// An adapter's pairs.
    LoraParams {
        rank: u32,
        n_pairs: u32,
        b: u32,
        x: u32,
    }
    /// An output of `N` values for each token.
    OutputParams {
        y: u32,
        y_stride: u32,
        bias: u32,
        cap: f32,
    }
    /// The heads of a layer's attention, and its cache.
    AttentionParams {
        n_heads: u32,
        n_kv_heads: u32,
        head_words: u32,
        rope_words: u32,
        n_positions: u32,
        n_visible: u32,
        n_splits: u32,
        scale: f32,
    }
    /// A matrix product. If a step does not use the last parts, its WGSL `Params` ends before them.
    MatmulParams {
        input: InputParams,
        weights: WeightParams,
        lora: LoraParams,
        output: OutputParams,
        attention: AttentionParams,
    }
    /// Embedding lookup.
    EmbedParams {
        weights: WeightParams,
        y: u32,
        y_stride: u32,
        scale: f32,
        padding: u32,
    }
    /// Norming and rotating heads.
    HeadsParams {
        attention: AttentionParams,
        x: u32,
        x_stride: u32,
        y: u32,
        y_stride: u32,
        q_gain: u32,
        k_gain: u32,
        eps: f32,
        padding: u32,
    }
    /// Attention itself.
    AttentionStepParams {
        attention: AttentionParams,
        q: u32,
        q_stride: u32,
        y: u32,
        y_stride: u32,
    }
    /// Norming a block's output and adding it to the stream.
    ResidualParams {
        n_cols: u32,
        x: u32,
        x_stride: u32,
        delta: u32,
        delta_gain: u32,
        next: u32,
        eps: f32,
        padding: u32,
    }
}

impl WeightParams {
    /// The sizes and offsets of a matrix slice.
    pub(super) fn of(slice: &Slice, matrix: &PackedMatrix) -> Self {
        Self {
            n_words: param(matrix.n_words),
            n_groups: param(slice.n_rows.div_ceil(4)),
            first_group: param(slice.first_row / 4),
            high_bits: param(slice.high_bits),
            scales: param(slice.scales),
            super_scales: param(slice.super_scales),
            padding: [0; 2],
        }
    }
}

/// A size or offset as a parameter. Sizes come from tensors that fit a binding, so the cap is never reached.
pub fn param(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// The number of words of four that hold `n_values` values.
pub fn words(n_values: usize) -> u32 {
    param(n_values.div_ceil(4))
}

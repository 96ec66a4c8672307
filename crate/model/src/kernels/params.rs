//! Turns the places of a step's operands into the parameters that its kernel reads.

/// Where the operands of one step lie, in words of 4 values. WGSL: `Params` in `shared/frame.wgsl`, which says what each is.
#[derive(Debug, Clone, Copy, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
#[expect(
    missing_docs,
    reason = "each field's meaning stands beside its twin in WGSL"
)]
pub struct Params {
    pub n_cols: u32,
    pub n_words: u32,
    pub x: u32,
    pub x_stride: u32,
    pub gain: u32,
    pub eps: f32,
    pub delta: u32,
    pub delta_gain: u32,
    pub next: u32,
    pub n_groups: u32,
    pub first_group: u32,
    pub highs: u32,
    pub scales: u32,
    pub supers: u32,
    pub y: u32,
    pub y_stride: u32,
    pub bias: u32,
    pub n_heads: u32,
    pub n_kv_heads: u32,
    pub head_words: u32,
    pub rope_words: u32,
    pub n_positions: u32,
    pub n_visible: u32,
    pub scale: f32,
    pub cap: f32,
    pub n_splits: u32,
    pub rank: u32,
    pub n_pairs: u32,
    pub lora_b: u32,
    pub lora_x: u32,
    pub q_gain: u32,
    pub k_gain: u32,
}

/// A size or place as a parameter. Sizes come from tensors that fit a binding, so the cap is never reached.
pub fn param(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// Words of four that hold so many values.
pub fn words(n_values: usize) -> u32 {
    param(n_values.div_ceil(4))
}

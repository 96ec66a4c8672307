//! Turns RoPE metadata into the numbers behind the angles: base, stretching, and how much of it applies to each pair.
//!
//! Source: llama.cpp (`llama-context.cpp`, `ggml_rope_yarn`), Peng et al., "YaRN" (2023), Ding et al., "LongRoPE"
//! (2024).

use super::Architecture;
use super::keys::Keys;
use crate::error::LoadError;

/// RoPE: pair `i` of a head is rotated by `position * scale * base ^ (-2 i / dim)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rope {
    /// Base of the frequencies.
    pub base: f32,
    /// Rotated values at the start of each head; even.
    pub dim: usize,
    /// 1 if the context was not stretched.
    pub scale: f32,
    /// Which pairs are stretched less than the others; `None` if all are stretched alike.
    pub yarn: Option<Yarn>,
    /// Factor on rotated values: 1 for a context that was not stretched.
    pub magnitude: f32,
}

impl Rope {
    /// RoPE without stretching.
    pub fn plain(base: f32, dim: usize) -> Self {
        Self {
            base,
            dim,
            scale: 1.0,
            yarn: None,
            magnitude: 1.0,
        }
    }
}

/// A ramp over the pairs, from those that rotate often within the original context and keep their frequency, to those
/// that are stretched in full.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Yarn {
    /// The pair where the ramp starts.
    pub from: f32,
    /// The pair where it ends.
    pub to: f32,
}

/// The tensor that holds a factor for each pair, in files that have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RopeFactors {
    /// `rope_freqs.weight`: the same for every context (Llama 3.1).
    Always,
    /// `rope_factors_short.weight`: those of `longrope` for a context no longer than the original one.
    Short,
    /// `rope_factors_long.weight`: those for a longer one.
    Long,
}

/// `longrope` has one set of factors for a short context and one for a long one. llama.cpp chooses by the context size
/// it was started with; here that size is capped at this length, the longest that every backend runs.
const LONGEST_CONTEXT: usize = 4096;

/// Rotations, within the original context, of the pairs at which YaRN's ramp starts and ends. Files have keys for these
/// and more, but llama.cpp reads them for no family supported here.
const YARN_BETA: [f32; 2] = [32.0, 1.0];

/// Stretching of the context, as the keys under `rope.` describe it.
pub(super) struct Stretching {
    factor: f32,
    has_ramp: bool,
    original_context: usize,
    /// Factor on rotated values; a ramp multiplies it by [`lengthened`].
    magnitude: f32,
    pub(super) factors: RopeFactors,
    /// Context length with these factors, in tokens.
    pub(super) context: usize,
}

impl Stretching {
    pub(super) fn read(keys: &Keys<'_>, context: usize) -> Result<Self, LoadError> {
        let kind = keys.gguf.opt_string(&keys.name("rope.scaling.type"))?;
        let kind = match kind {
            // A factor without a type means linear stretching.
            None => "linear",
            Some(kind @ ("none" | "linear" | "yarn" | "longrope")) => kind,
            Some(_) => {
                return Err(keys.refuse("rope.scaling.type", "none, linear, yarn or longrope"));
            }
        };
        let factor = match kind {
            "none" => 1.0,
            _ => keys.stretch_factor()?,
        };
        let original_context = keys
            .opt_count("rope.scaling.original_context_length", 1 << 24)?
            .unwrap_or(context);
        let is_long = context.min(LONGEST_CONTEXT) > original_context;
        let (factors, context) = match kind {
            "longrope" if is_long => (RopeFactors::Long, context),
            "longrope" => (RopeFactors::Short, context.min(original_context)),
            _ => (RopeFactors::Always, context),
        };
        // With a ramp, the magnitude follows from the factor.
        let has_ramp = kind == "yarn";
        let follows = has_ramp && factor < 1.0;
        let magnitude = if follows {
            1.0 / lengthened(factor)
        } else {
            1.0
        };
        let magnitude = magnitude
            * keys
                .opt_positive("rope.scaling.attn_factor")?
                .unwrap_or(1.0);
        if !magnitude.is_finite() || magnitude <= 0.0 || !(1.0 / factor).is_finite() {
            return Err(keys.refuse("rope.scaling.factor", "a factor that leaves numbers finite"));
        }
        Ok(Self {
            factor,
            has_ramp,
            original_context,
            magnitude,
            factors,
            context,
        })
    }

    /// The RoPE of layers with this base; `is_stretched` is true if the factor applies to them.
    pub(super) fn rope(&self, base: f32, dim: usize, is_stretched: bool) -> Rope {
        let factor = if is_stretched { self.factor } else { 1.0 };
        let plain = Rope::plain(base, dim);
        if !self.has_ramp {
            return Rope {
                scale: 1.0 / factor,
                magnitude: self.magnitude,
                ..plain
            };
        }
        let [from, to] = YARN_BETA.map(|n_turns| self.turns_at(n_turns, plain));
        Rope {
            scale: 1.0 / factor,
            yarn: Some(Yarn {
                from: from.floor().max(0.0),
                to: to.ceil().min(small(dim) - 1.0),
            }),
            magnitude: self.magnitude * lengthened(factor),
            ..plain
        }
    }

    /// The pair, as a fraction, that rotates `n_turns` times within the original context.
    fn turns_at(&self, n_turns: f32, rope: Rope) -> f32 {
        let context = small(self.original_context);
        let ratio = context / (n_turns * std::f32::consts::TAU);
        small(rope.dim) * ratio.ln() / (2.0 * rope.base.ln())
    }
}

/// YaRN's `mscale`: the longer the context, the larger the values must be to keep the softmax as sharp.
fn lengthened(factor: f32) -> f32 {
    1.0 + 0.1 * factor.ln()
}

/// Rotated values of a head.
pub(super) fn rotated(
    keys: &Keys<'_>,
    architecture: Architecture,
    head_size: usize,
) -> Result<usize, LoadError> {
    let dim = keys
        .opt_count("rope.dimension_count", head_size)?
        .unwrap_or(head_size);
    if architecture.is_decoder() && !dim.is_multiple_of(2) {
        return Err(keys.refuse("rope.dimension_count", "an even number"));
    }
    Ok(dim)
}

#[expect(clippy::cast_precision_loss, reason = "contexts are below 2^24")]
fn small(n: usize) -> f32 {
    n as f32
}

//! Turns the name of an architecture into its layers' traits, the data that the single forward pass branches on.
//!
//! Source: the model graphs of llama.cpp (`src/models`), and its names.

/// A family of models that share one forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Decoder with RMS norm, RoPE on neighbouring pairs, grouped queries, SwiGLU: Llama, Mistral, SmolLM2.
    Llama,
    /// The same with biases, and rotary pairs half a head apart: Qwen2 and Qwen2.5.
    Qwen2,
    /// As `Qwen2` without biases, each head of queries and keys normed.
    Qwen3,
    /// As `Qwen3`, with norms after each block too, a GELU gate, and layers that see only a window.
    Gemma3,
    /// Encoder with layer norm after each block, learned positions, GELU.
    Bert,
}

impl Architecture {
    /// Every supported architecture, for messages.
    pub(crate) const ALL: &str = "llama, qwen2, qwen3, gemma3 or bert";
    /// The decoders among them.
    pub(crate) const DECODERS: &str = "llama, qwen2, qwen3 or gemma3";

    /// The architecture that `general.architecture` names, if it is supported.
    pub fn of(name: &str) -> Option<Self> {
        use Architecture::{Bert, Gemma3, Llama, Qwen2, Qwen3};
        [Llama, Qwen2, Qwen3, Gemma3, Bert]
            .into_iter()
            .find(|architecture| architecture.name() == name)
    }

    /// The name in `general.architecture`, which is also the prefix of the keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3",
            Self::Bert => "bert",
        }
    }

    /// True if it generates text token by token, false for an encoder, which reads a whole text at once.
    pub fn is_decoder(self) -> bool {
        self != Self::Bert
    }

    /// How its layers differ from those of other families. The encoder's forward pass ignores them.
    pub fn traits(self) -> Traits {
        match self {
            Self::Bert => Traits::default(),
            Self::Llama => Traits {
                has_block_biases: true,
                ..Traits::default()
            },
            Self::Qwen2 => Traits {
                rope_order: RopeOrder::Halves,
                has_output_bias: true,
                ..Traits::default()
            },
            Self::Qwen3 => Traits {
                rope_order: RopeOrder::Halves,
                has_head_norms: true,
                ..Traits::default()
            },
            Self::Gemma3 => Traits {
                rope_order: RopeOrder::Halves,
                activation: Activation::GeluTanh,
                has_head_norms: true,
                has_post_norms: true,
                ..Traits::default()
            },
        }
    }
}

/// Differences between the layers of decoders; the default has none of the optional parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traits {
    /// Which two values of a head form a rotary pair.
    pub rope_order: RopeOrder,
    /// Activation of the feed-forward block's gate.
    pub activation: Activation,
    /// True if each head of queries and keys is normed before it is rotated.
    pub has_head_norms: bool,
    /// True if a block's output is normed before it is added to the residual stream.
    pub has_post_norms: bool,
    /// True if the other matrices of a block may have biases; queries, keys and values may in every family.
    pub has_block_biases: bool,
    /// True if the output may have a bias.
    pub has_output_bias: bool,
}

/// Which two values of a head form a rotary pair.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RopeOrder {
    /// `2i` and `2i + 1`: llama.cpp's `NORM`.
    #[default]
    Neighbours,
    /// `i` and `i + dim / 2`: llama.cpp's `NEOX`.
    Halves,
}

/// The function that a feed-forward block's gate goes through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Activation {
    /// `x / (1 + e^-x)`: [`crate::reference::swiglu`].
    #[default]
    Silu,
    /// GELU by its `tanh` approximation: [`crate::reference::geglu`].
    GeluTanh,
}

//! Errors of weights files and runs: what went wrong and where, what was expected and found, and what to do next.

use crate::gguf::{TensorType, stand_in};

/// A weights file, tokenizer, template or adapter that can't be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    // === The file ===
    /// The first four bytes are not `GGUF`.
    #[error("file does not start with `GGUF`: `{found}`")]
    NotGguf {
        /// The bytes found instead, escaped.
        found: String,
    },
    /// A placeholder for a file that was never fetched, such as a Git LFS pointer.
    #[error("file is {found}, not the model itself")]
    StandIn {
        /// Kind of the placeholder.
        found: &'static str,
    },
    /// One file of a model that was split into several.
    #[error("file is part {part} of {count} of a split model")]
    SplitPart {
        /// Which one, from 1.
        part: usize,
        /// How many there are.
        count: usize,
    },
    /// A GGUF version that this reader does not know.
    #[error("GGUF version is not supported, expected 2 or 3: `{found}`")]
    UnknownVersion {
        /// The version in the file.
        found: u32,
    },
    /// The file ends before something it announced.
    #[error("file is cut short: {what} at byte {offset} needs {expected} bytes, found {found}")]
    Truncated {
        /// The item being read.
        what: String,
        /// Where it starts in the file.
        offset: u64,
        /// Bytes it needs.
        expected: u64,
        /// Bytes that are left.
        found: u64,
    },
    /// A part of the file was already freed to make room.
    #[error("bytes {offset} to {end} of the file were already dropped")]
    Dropped {
        /// First byte asked for.
        offset: u64,
        /// One past the last byte asked for.
        end: u64,
    },
    /// A count or length beyond any real file.
    #[error("{what} at byte {offset} is absurd, at most {limit} expected: `{found}`")]
    LimitExceeded {
        /// Name of the count or length.
        what: String,
        /// Where the number is in the file.
        offset: u64,
        /// The largest number accepted.
        limit: u64,
        /// The number found.
        found: u64,
    },
    /// A string that is not UTF-8.
    #[error("{what} at byte {offset} is not UTF-8")]
    NotUtf8 {
        /// Which string.
        what: String,
        /// Where it starts in the file.
        offset: u64,
    },
    /// Two metadata keys, or two tensors, of the same name.
    #[error("`{name}` occurs twice in the file")]
    Duplicate {
        /// The repeated name.
        name: String,
    },

    // === Metadata ===
    /// A metadata value of a type that GGUF does not define.
    #[error("metadata `{key}` has an unknown value type, expected 0 to 12: `{found}`")]
    UnknownValueType {
        /// The metadata key.
        key: String,
        /// The type number found.
        found: u32,
    },
    /// A required metadata key that is missing.
    #[error("metadata `{key}` is missing")]
    MissingMetadata {
        /// The metadata key.
        key: String,
    },
    /// A metadata value of another type than expected.
    #[error("metadata `{key}` has the wrong type, expected {expected}: `{found}`")]
    MetadataType {
        /// The metadata key.
        key: String,
        /// The type expected.
        expected: &'static str,
        /// The type found.
        found: &'static str,
    },
    /// A metadata value that is impossible or not supported.
    #[error("metadata `{key}` is not supported, expected {expected}: `{found}`")]
    MetadataValue {
        /// The metadata key.
        key: String,
        /// The values accepted.
        expected: String,
        /// The value found.
        found: String,
    },
    /// A model family that is not supported.
    #[error("model architecture is not supported, expected {expected}: `{found}`")]
    UnknownArchitecture {
        /// The architectures accepted.
        expected: &'static str,
        /// The architecture found.
        found: String,
    },

    // === Tensors ===
    /// A tensor stored in a type that GGUF is not known to define.
    #[error("tensor `{name}` has an unknown type number: `{found}`")]
    UnknownTensorType {
        /// The tensor's name.
        name: String,
        /// The type number found.
        found: u32,
    },
    /// A tensor stored in a type that is not supported yet.
    #[error("tensor `{name}` has a type that is not supported yet, expected {expected}: `{found}`")]
    UnsupportedTensorType {
        /// The tensor's name.
        name: String,
        /// The types accepted.
        expected: &'static str,
        /// The type found.
        found: TensorType,
    },
    /// A tensor that the architecture needs is not in the file.
    #[error("tensor `{name}` is missing")]
    MissingTensor {
        /// The tensor's name.
        name: String,
    },
    /// A value, or the scale of a block of values, that is not finite.
    #[error("tensor `{name}` holds a number that is infinite or none, near value {place}")]
    NotFinite {
        /// The tensor's name.
        name: String,
        /// Index, in the file's order, of the first value affected.
        place: usize,
    },
    /// A tensor that this architecture is not known to have: ignoring it would change the results.
    #[error("tensor `{name}` is not known for architecture `{architecture}`")]
    UnknownTensor {
        /// The tensor's name.
        name: String,
        /// The model's architecture.
        architecture: String,
    },
    /// A tensor whose shape differs from the one in the metadata.
    #[error(
        "tensor `{name}` has the wrong shape, expected {}: `{}`",
        shape_text(expected),
        shape_text(found)
    )]
    TensorShape {
        /// The tensor's name.
        name: String,
        /// The shape expected, fastest dimension first as in the file.
        expected: Vec<usize>,
        /// The shape found.
        found: Vec<usize>,
    },
    /// A tensor whose rows are not whole quantisation blocks.
    #[error("rows of tensor `{name}` must be whole blocks of {expected} values: `{found}`")]
    TensorBlocks {
        /// The tensor's name.
        name: String,
        /// Values in a block of its type.
        expected: usize,
        /// Values in its row.
        found: usize,
    },
    /// A tensor that does not start on the file's alignment.
    #[error("tensor `{name}` must start on a multiple of {expected} bytes: `{found}`")]
    TensorUnaligned {
        /// The tensor's name.
        name: String,
        /// The file's alignment in bytes.
        expected: u64,
        /// The offset found.
        found: u64,
    },

    // === Adapter ===
    /// An adapter tensor whose other half, `lora_a` or `lora_b`, is missing.
    #[error("adapter tensor `{name}` has no partner, expected `{expected}`")]
    AdapterUnpaired {
        /// The tensor found.
        name: String,
        /// The tensor that is not there.
        expected: String,
    },
    /// An adapter for a tensor that the model lacks, or that takes no adapter.
    #[error("adapter changes `{name}`, which this model does not have or cannot adapt")]
    AdapterTarget {
        /// The base tensor's name.
        name: String,
    },
    /// An adapter of rank 0, or of a rank above the limit.
    #[error(
        "adapter tensor `{name}` has another rank than can be run, expected 1 to {limit}: `{found}`"
    )]
    AdapterRank {
        /// The tensor's name.
        name: String,
        /// The largest rank supported.
        limit: usize,
        /// The rank found.
        found: usize,
    },
    /// An adapter without a single pair.
    #[error("adapter holds no `lora_a`/`lora_b` pair")]
    AdapterEmpty,

    // === Tokenizer and template ===
    /// A vocabulary that no tokenizer can be built from.
    #[error("tokenizer cannot be built: {reason}")]
    Tokenizer {
        /// The fault found.
        reason: String,
    },
    /// A chat template that does not parse.
    #[error("chat template cannot be read: {reason}")]
    Template {
        /// The fault found, with its line.
        reason: String,
    },

    // === Device ===
    /// A GPU that can't run the model.
    #[error("GPU cannot be used: {reason}")]
    Gpu {
        /// The requirement it does not meet, or its error message.
        reason: String,
    },
}

impl LoadError {
    /// A stable name for programs, one per variant.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotGguf { .. } => "not_gguf",
            Self::StandIn { .. } => "stand_in",
            Self::SplitPart { .. } => "split_part",
            Self::UnknownVersion { .. } => "unknown_version",
            Self::Truncated { .. } => "truncated",
            Self::Dropped { .. } => "dropped",
            Self::LimitExceeded { .. } => "absurd_count",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::Duplicate { .. } => "duplicate_name",
            Self::UnknownValueType { .. } => "unknown_value_type",
            Self::MissingMetadata { .. } => "missing_metadata",
            Self::MetadataType { .. } => "metadata_type",
            Self::MetadataValue { .. } => "metadata_value",
            Self::UnknownArchitecture { .. } => "unknown_architecture",
            Self::UnknownTensorType { .. } => "unknown_tensor_type",
            Self::UnsupportedTensorType { .. } => "unsupported_tensor_type",
            Self::MissingTensor { .. } => "missing_tensor",
            Self::NotFinite { .. } => "tensor_not_finite",
            Self::UnknownTensor { .. } => "unknown_tensor",
            Self::TensorShape { .. } => "tensor_shape",
            Self::TensorBlocks { .. } => "tensor_blocks",
            Self::TensorUnaligned { .. } => "tensor_unaligned",
            Self::AdapterUnpaired { .. } => "adapter_unpaired",
            Self::AdapterTarget { .. } => "adapter_target",
            Self::AdapterRank { .. } => "adapter_rank",
            Self::AdapterEmpty => "adapter_empty",
            Self::Tokenizer { .. } => "tokenizer",
            Self::Template { .. } => "template",
            Self::Gpu { .. } => "gpu",
        }
    }

    /// Advice on what to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotGguf { .. } => {
                "give a GGUF file; convert safetensors with llama.cpp's convert_hf_to_gguf.py"
            }
            Self::StandIn { .. } => stand_in::HINT,
            Self::SplitPart { .. } => {
                "give a part with --generator, which reads all of them, or join them with llama.cpp's gguf-split"
            }
            Self::UnknownVersion { .. } => {
                "write the file again with a current converter, little-endian, version 3"
            }
            Self::Truncated { .. } => "fetch the file again and compare its SHA-256",
            Self::Dropped { .. } => "load the file again from its parts",
            Self::LimitExceeded { .. }
            | Self::NotUtf8 { .. }
            | Self::Duplicate { .. }
            | Self::UnknownValueType { .. }
            | Self::TensorUnaligned { .. }
            | Self::TensorBlocks { .. } => {
                "the file is damaged or badly written: fetch it again or convert it again"
            }
            Self::MissingMetadata { .. } | Self::MetadataType { .. } => {
                "convert the model again with a current converter"
            }
            Self::MetadataValue { .. } => {
                "choose a file whose metadata hold a value that is expected here: the message names the key"
            }
            Self::UnknownArchitecture { .. } => "choose a model of a supported family",
            Self::UnknownTensorType { .. } | Self::UnsupportedTensorType { .. } => {
                "use the model's Q8_0, Q4_K_M or F16 file, or quantize it again to one of these"
            }
            Self::MissingTensor { .. } | Self::TensorShape { .. } => {
                "the file does not match its own metadata: convert the model again"
            }
            Self::NotFinite { .. } => {
                "the file is damaged or its training went wrong: download or convert it again"
            }
            Self::UnknownTensor { .. } => {
                "the model differs from its family in a way that is not supported: choose another"
            }
            Self::AdapterUnpaired { .. } | Self::AdapterRank { .. } | Self::AdapterEmpty => {
                "convert the adapter again with `anchorite adapter convert`"
            }
            Self::AdapterTarget { .. } => "use the adapter with the model it was trained for",
            Self::Tokenizer { .. } => "choose a model with a supported tokenizer",
            Self::Template { .. } => "correct `tokenizer.chat_template` in the GGUF file",
            Self::Gpu { .. } => "use the CPU backend",
        }
    }
}

/// A run over loaded weights that can't go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A prompt without a single token.
    #[error("prompt is empty, expected at least one token")]
    EmptyPrompt,
    /// A prompt that does not fit in the model's context, or leaves no room for an answer.
    #[error("prompt of {prompt} tokens does not fit into the context of {context} tokens")]
    ContextOverflow {
        /// Tokens in the prompt, including those already in the cache.
        prompt: usize,
        /// Tokens that fit in the context.
        context: usize,
    },
    /// A run that does not continue where the cache ends.
    #[error("run must continue at position {expected} or before: `{found}`")]
    PositionGap {
        /// Tokens in the cache.
        expected: usize,
        /// The position asked for.
        found: usize,
    },
    /// A token that is not in the vocabulary.
    #[error("token is not in the vocabulary of {n_vocab} tokens: `{token}`")]
    UnknownToken {
        /// The token's id.
        token: u32,
        /// Tokens in the vocabulary.
        n_vocab: usize,
    },
    /// An adapter that was made for another model.
    #[error("adapter `{adapter}` does not fit the model: {source}")]
    Adapter {
        /// The adapter's name.
        adapter: String,
        /// Cause of the mismatch.
        source: LoadError,
    },
    /// The model computed a value that is not finite.
    #[error("logits are not finite at position {position}")]
    NotFinite {
        /// The position of the token that was run.
        position: usize,
    },
    /// A kernel that refused its operands.
    #[error("kernel `{kernel}` failed: {reason}")]
    Kernel {
        /// The kernel's name.
        kernel: &'static str,
        /// Its error message.
        reason: String,
    },
    /// Text that can't be turned into tokens.
    #[error("text cannot be tokenized: {reason}")]
    Tokenize {
        /// The tokenizer's error message.
        reason: String,
    },
    /// A chat template that fails on these messages.
    #[error("chat template failed: {reason}")]
    Template {
        /// The template's error message.
        reason: String,
    },
    /// The GPU was lost.
    #[error("GPU was lost: {reason}")]
    DeviceLost {
        /// The device's error message.
        reason: String,
    },
}

impl RunError {
    /// A stable name for programs, one per variant.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmptyPrompt => "empty_prompt",
            Self::ContextOverflow { .. } => "context_overflow",
            Self::PositionGap { .. } => "position_gap",
            Self::UnknownToken { .. } => "unknown_token",
            Self::Adapter { .. } => "adapter",
            Self::NotFinite { .. } => "not_finite",
            Self::Kernel { .. } => "kernel",
            Self::Tokenize { .. } => "tokenize",
            Self::Template { .. } => "template_run",
            Self::DeviceLost { .. } => "device_lost",
        }
    }

    /// Advice on what to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::EmptyPrompt => "give the model some text",
            Self::ContextOverflow { .. } => "shorten the prompt: fewer or shorter passages",
            Self::PositionGap { .. } => "reset the model and run the whole prompt again",
            Self::UnknownToken { .. } => "use the tokenizer of the same file",
            Self::Adapter { .. } => "use the adapter with the model it was trained for",
            Self::NotFinite { .. } => "the weights or the adapter are damaged: fetch them again",
            Self::Kernel { .. } => "report this as a bug, with the model's name",
            Self::Tokenize { .. } => "remove unusual characters from the text",
            Self::Template { .. } => {
                "correct what the message names in `tokenizer.chat_template` of the GGUF file, or choose another model"
            }
            Self::DeviceLost { .. } => "load the model again, on the CPU if it happens again",
        }
    }
}

/// A shape as people write it: `64 x 512`.
fn shape_text(shape: &[usize]) -> String {
    shape
        .iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join(" x ")
}

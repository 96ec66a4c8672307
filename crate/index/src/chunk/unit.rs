//! Defines the unit: the smallest piece that chunks are built from.

/// A paragraph, a sentence, a line, or a block of code.
pub(super) struct Unit {
    pub(super) text: String,
    pub(super) n_words: usize,
    /// Text between the previous unit and this one.
    pub(super) separator: &'static str,
}

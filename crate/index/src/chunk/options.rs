//! Defines the sizes that chunks are cut to.

/// Sizes of chunks, in words separated by white space.
#[derive(Debug, Clone)]
pub struct ChunkOptions {
    /// Target size for the pieces of a long section. Default 150: with headings, about the 256 tokens that a small
    /// sentence encoder reads.
    pub target_words: usize,
    /// Maximum size of a prose chunk. Default 200.
    pub max_words: usize,
    /// Blocks of code up to this size are never split. Default 260.
    pub max_code_words: usize,
}

impl Default for ChunkOptions {
    fn default() -> Self {
        Self {
            target_words: 150,
            max_words: 200,
            max_code_words: 260,
        }
    }
}

/// Limits small enough for tests that read well.
#[cfg(test)]
pub(super) fn options() -> ChunkOptions {
    ChunkOptions {
        target_words: 10,
        max_words: 14,
        max_code_words: 20,
    }
}

//! Names a vocabulary entry by its index in the vocabulary.

/// The index of a token in the vocabulary: its row in the embedding matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub u32);

impl TokenId {
    /// The id as a row index.
    pub fn idx(self) -> usize {
        // No supported target has pointers narrower than 32 bits.
        self.0 as usize
    }
}

impl std::fmt::Display for TokenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

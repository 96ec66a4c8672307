//! Turns a text into the set of its content terms, so that two texts can be compared word by word.

use std::collections::BTreeSet;

use super::LexicalIndex;
use super::tokenize::{TokenKind, is_stop_word, tokens};

/// The stems of the words of `text` that are not stop words; an identifier counts whole.
pub fn terms(text: &str) -> BTreeSet<String> {
    tokens(text)
        .into_iter()
        .filter(|token| token.kind == TokenKind::Word && !is_stop_word(&token.surface))
        .map(|token| token.term)
        .collect()
}

impl LexicalIndex {
    /// How rare a term is in these documents (its idf); the highest for one that no chunk has.
    pub fn rarity(&self, term: &str) -> f32 {
        let n_chunks = self
            .parts
            .terms
            .find(term)
            .map_or(0, |idx| self.list(idx).n_chunks);
        self.idf(n_chunks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_left_out_and_words_are_stemmed() {
        let expected: BTreeSet<String> = ["pump", "stop"].map(str::to_owned).into();
        assert_eq!(terms("The pumps are stopping."), expected);
    }
}

//! Turns a text into the set of its content terms, for comparing texts word by word.

use std::collections::BTreeSet;

use super::LexicalIndex;
use super::token::TokenKind;
use super::tokenize::{is_stop_word, tokens};

/// The stems of the words of `text` that are not stop words; an identifier counts whole.
pub fn terms(text: &str) -> BTreeSet<String> {
    tokens(text)
        .into_iter()
        .filter(|token| token.kind == TokenKind::Word && !is_stop_word(&token.surface))
        .map(|token| token.term)
        .collect()
}

/// Returns a predicate that is true for texts with the same words and signs as `name` in the same order, however
/// written; it is never true if `name` has none.
pub fn same_as(name: &str) -> impl Fn(&str) -> bool + use<> {
    let terms = |text: &str| -> Vec<String> {
        let tokens = tokens(text).into_iter();
        let tokens = tokens.filter(|token| token.kind != TokenKind::Tail);
        tokens.map(|token| token.term).collect()
    };
    let own = terms(name);
    move |other| !own.is_empty() && own == terms(other)
}

/// True if a query has anything to look up: a word, or a symbol.
pub fn is_searchable(query: &str) -> bool {
    !tokens(query).is_empty()
}

impl LexicalIndex {
    /// Rarity of a term in these documents (its idf); the highest for a term that no chunk has, or whose shard is not
    /// loaded.
    pub fn rarity(&self, term: &str) -> f32 {
        let shard = self.shards.get(self.route(term)).and_then(Option::as_ref);
        let rank = shard.and_then(|shard| shard.terms.find(term).map(|rank| (shard, rank)));
        self.idf(rank.map_or(0, |(shard, rank)| shard.list(rank).n_chunks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_in_the_same_order_are_the_same_name() {
        for other in [
            "data types",
            "  Data  Types",
            "\u{ff24}ata types?",
            "Data-Types",
        ] {
            assert!(same_as("Data Types")(other), "{other}");
        }
        for other in ["Types, Data", "Data", "The data types", ""] {
            assert!(!same_as("Data Types")(other), "{other}");
        }
        assert!(same_as("The && operator")("the `&&` operator"));
        assert!(!same_as("The && operator")("the || operator"));
        assert!(!same_as("")(" "), "nothing is no name");
    }

    #[test]
    fn stop_words_are_left_out_and_words_are_stemmed() {
        let expected: BTreeSet<String> = ["pump", "stop"].map(str::to_owned).into();
        assert_eq!(terms("The pumps are stopping."), expected);
    }
}

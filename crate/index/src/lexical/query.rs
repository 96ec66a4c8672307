//! Resolves a query to the terms it may match in the loaded shards, and names the missing shards.

use std::collections::HashSet;

use super::LexicalIndex;
use super::compound::is_name;
use super::english;
use super::fold::plain;
use super::lookup::{Lookup, Missing};
use super::options::LexicalOptions;
use super::phrase::phrases;
use super::query_word::{PART_WEIGHT, QueryWord};
use super::token::{Token, TokenKind, is_unspaced};
use super::tokenize::tokens;

/// Maximum distinct words of a query that are ranked; later ones are ignored.
const MAX_QUERY_WORDS: usize = 64;
/// Maximum terms reported in `matched_terms` for one word.
const MAX_MATCHED_TERMS: usize = 4;

/// A query, resolved as far as the loaded shards allow.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) words: Vec<QueryWord>,
    /// The words themselves, and the likeliest terms that each was matched to.
    pub(super) matched_terms: Vec<String>,
    /// The phrases: words between quotation marks.
    pub(super) phrases: Vec<Vec<String>>,
    /// Shards that the query reads but that are not loaded.
    pub(super) missing: Missing,
}

impl LexicalIndex {
    /// Looks up the words of a query.
    pub(super) fn resolve(&self, query: &str, options: &LexicalOptions) -> Resolved {
        let mut tokens = tokens(query);
        tokens.retain(|token| token.kind != TokenKind::Tail);
        let last = tokens
            .iter()
            .rposition(|token| token.kind == TokenKind::Word)
            .filter(|&idx| options.prefix && tokens[idx].place.end == query.len())
            .map(|idx| tokens[idx].surface.clone());
        // "What is it?" has no topic, so all of its words count.
        let is_stop_word = |token: &Token| self.languages.is_stop_word(&token.surface);
        if tokens.iter().any(|token| !is_stop_word(token)) {
            tokens.retain(|token| !is_stop_word(token));
        }
        let joined = joined_words(&tokens);
        let mut seen = HashSet::new();
        tokens.retain(|token| seen.insert(token.term.clone()));
        let phrases = phrases(query);
        let has_words = tokens.iter().any(|token| token.kind == TokenKind::Word);
        let mut names = Vec::new();
        let mut lookup = Lookup {
            index: self,
            missing: Missing::default(),
        };
        let mut words: Vec<QueryWord> = Vec::new();
        let (signs, plain_words): (Vec<&Token>, Vec<&Token>) = tokens
            .iter()
            .take(MAX_QUERY_WORDS)
            .partition(|token| token.kind == TokenKind::Compound);
        for token in signs {
            let found = lookup.compound(token, has_words);
            if found.is_some() && is_name(&token.term) {
                names.push(token.place.clone());
            }
            words.extend(found);
        }
        for token in plain_words {
            let is_last = last.as_deref() == Some(token.surface.as_str());
            let surface = plain(&token.surface);
            let is_quoted = phrases.iter().flatten().any(|word| *word == surface);
            let mut word = QueryWord {
                is_quoted,
                ..lookup.word(token, is_last)
            };
            // `C` adds little where `C++` was found.
            let is_within = |name: &std::ops::Range<usize>| {
                name.start <= token.place.start && token.place.end <= name.end
            };
            if names.iter().any(is_within) {
                word.weight = PART_WEIGHT;
                word.coverable = 0.0;
            }
            words.push(word);
        }
        for joined in joined.iter().take(MAX_QUERY_WORDS) {
            words.extend(
                lookup
                    .find(&english::stem(joined))
                    .map(|term| QueryWord::beside(term, PART_WEIGHT)),
            );
        }
        let surfaces = tokens.into_iter().take(MAX_QUERY_WORDS);
        let surfaces = surfaces.filter(|token| token.kind == TokenKind::Word);
        let mut matched_terms: Vec<String> = surfaces.map(|token| token.surface).collect();
        let alternatives = words.iter().map(|word| &word.alternatives);
        let terms = alternatives.flat_map(|terms| terms.iter().take(MAX_MATCHED_TERMS));
        matched_terms.extend(terms.filter_map(|&(term, _)| self.term(term)));
        Resolved {
            words,
            matched_terms,
            phrases,
            missing: lookup.missing,
        }
    }
}

/// Words that are one identifier on the page: "hash map" finds `HashMap`.
fn joined_words(tokens: &[Token]) -> Vec<String> {
    let words: Vec<&Token> = tokens
        .iter()
        .filter(|token| token.kind == TokenKind::Word)
        .collect();
    words
        .windows(2)
        .filter(|pair| pair[1].surface.len() > 1 && !pair[0].surface.contains(is_unspaced))
        .map(|pair| format!("{}{}", plain(&pair[0].surface), plain(&pair[1].surface)))
        .collect()
}

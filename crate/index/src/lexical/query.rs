//! Turns a query into the terms that it may match, as far as their shards are here, and names the shards that are not.

use std::collections::{BTreeSet, HashSet};

use super::search::LexicalOptions;
use super::tokenize::{Token, TokenKind, is_stop_word, tokens};
use super::{LexicalIndex, TermIdx};

/// Longer questions are ranked by their first so many distinct words.
const MAX_QUERY_WORDS: usize = 64;
/// How many words a prefix may stand for; the most frequent ones are taken.
const MAX_EXPANSIONS: usize = 48;
/// How many shards are read for the words that begin with what was typed: two letters may begin many.
const MAX_PREFIX_SHARDS: usize = 3;
/// Weight of an identifier's parts beside the identifier, and of a compound or joined words beside the words.
const PART_WEIGHT: f32 = 0.4;
/// Weight of a word that the last word typed is only a prefix of.
const PREFIX_WEIGHT: f32 = 0.7;

/// One word of the query and what it may match.
#[derive(Debug)]
pub(super) struct QueryWord {
    pub(super) weight: f32,
    /// Terms of which the best counts, each with its factor.
    pub(super) alternatives: Vec<(TermIdx, f32)>,
    /// Terms that count besides.
    pub(super) parts: Vec<(TermIdx, f32)>,
    /// How many parts must be there for the word to be covered without any alternative; 0 if they cannot cover it.
    pub(super) n_parts: usize,
    /// Its share of the coverage; 0 where it doesn't count.
    pub(super) coverable: f32,
}

/// A query, as far as it could be looked up.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) words: Vec<QueryWord>,
    /// Shards of terms that it would read.
    pub(super) missing: BTreeSet<u32>,
}

impl LexicalIndex {
    /// The shards that a search for `query` reads and that are not here.
    pub(crate) fn missing(&self, query: &str, options: &LexicalOptions) -> BTreeSet<u32> {
        self.resolve(query, options).missing
    }

    /// Looks up the words of a query.
    pub(super) fn resolve(&self, query: &str, options: &LexicalOptions) -> Resolved {
        let mut tokens = tokens(query);
        let last = tokens
            .iter()
            .rposition(|token| token.kind == TokenKind::Word)
            .filter(|&idx| options.prefix && tokens[idx].place.end == query.len())
            .map(|idx| tokens[idx].surface.clone());
        // "What is it?" has no topic: then its words are all there is to go by.
        if tokens.iter().any(|token| !is_stop_word(&token.surface)) {
            tokens.retain(|token| !is_stop_word(&token.surface));
        }
        let joined = joined_words(&tokens);
        let mut seen = HashSet::new();
        tokens.retain(|token| seen.insert(token.term.clone()));
        let mut lookup = Lookup {
            index: self,
            missing: BTreeSet::new(),
        };
        let mut words: Vec<QueryWord> = Vec::new();
        for token in tokens.iter().take(MAX_QUERY_WORDS) {
            let is_last = last.as_deref() == Some(token.surface.as_str());
            words.extend(lookup.word(token, is_last));
        }
        for joined in joined.iter().take(MAX_QUERY_WORDS) {
            words.extend(lookup.find(joined).map(|term| QueryWord {
                weight: PART_WEIGHT,
                alternatives: vec![(term, 1.0)],
                parts: Vec::new(),
                n_parts: 0,
                coverable: 0.0,
            }));
        }
        Resolved {
            words,
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
        .filter(|pair| pair[1].surface.len() > 1)
        .map(|pair| format!("{}{}", pair[0].surface, pair[1].surface))
        .collect()
}

/// Looks words up, and notes what it could not read.
struct Lookup<'i> {
    index: &'i LexicalIndex,
    missing: BTreeSet<u32>,
}

impl Lookup<'_> {
    fn word(&mut self, token: &Token, unfinished: bool) -> Option<QueryWord> {
        let whole = self.find(&token.term);
        if token.kind == TokenKind::Compound {
            // A symbol that stands alone is asked about; a compound only adds to its words.
            let has_words = token.term.contains(char::is_alphanumeric);
            return Some(QueryWord {
                weight: if has_words { PART_WEIGHT } else { 1.0 },
                alternatives: vec![(whole?, 1.0)],
                parts: Vec::new(),
                n_parts: 0,
                coverable: 0.0,
            });
        }
        let mut alternatives: Vec<(TermIdx, f32)> =
            whole.map(|term| (term, 1.0)).into_iter().collect();
        let mut expansions = Vec::new();
        if unfinished && token.surface.len() > 1 {
            expansions = self.expansions(&token.surface, whole);
            alternatives.extend(expansions.iter().map(|&term| (term, PREFIX_WEIGHT)));
        }
        let part_weight = if whole.is_some() { PART_WEIGHT } else { 1.0 };
        let parts: Vec<(TermIdx, f32)> = token
            .parts
            .iter()
            .filter_map(|part| Some((self.find(part)?, part_weight)))
            .collect();
        let n_chunks_with = |&term: &TermIdx| self.index.list(term).n_chunks;
        let all_parts_known = !parts.is_empty() && parts.len() == token.parts.len();
        let n_with = match whole {
            Some(term) => n_chunks_with(&term),
            None if all_parts_known => {
                let counts = parts.iter().map(|(term, _)| n_chunks_with(term));
                counts.min().unwrap_or(0)
            }
            None => expansions.iter().map(n_chunks_with).max().unwrap_or(0),
        };
        Some(QueryWord {
            weight: 1.0,
            alternatives,
            n_parts: if all_parts_known { parts.len() } else { 0 },
            parts,
            coverable: self.index.idf(n_with),
        })
    }

    /// The term, where there is one and its shard is here.
    fn find(&mut self, term: &str) -> Option<TermIdx> {
        let shard = self.index.route(term);
        match self.index.shards.get(shard)? {
            Some(held) => idx(shard, held.terms.find(term)?),
            None => {
                self.missing.extend(u32::try_from(shard).ok());
                None
            }
        }
    }

    /// The terms of words that begin with `prefix`, most frequent first, without `whole`.
    fn expansions(&mut self, prefix: &str, whole: Option<TermIdx>) -> Vec<TermIdx> {
        let first = self.index.route(prefix);
        let is_within =
            |shard: &usize| *shard == first || self.index.firsts.get(*shard).starts_with(prefix);
        let shards = first..self.index.shards.len();
        let mut terms: Vec<TermIdx> = Vec::new();
        let mut stems: BTreeSet<&str> = BTreeSet::new();
        for shard in shards.take_while(is_within).take(MAX_PREFIX_SHARDS) {
            let Some(held) = &self.index.shards[shard] else {
                self.missing.extend(u32::try_from(shard).ok());
                continue;
            };
            let ranks = held.terms.with_prefix(prefix);
            terms.extend(ranks.filter_map(|rank| idx(shard, rank)));
            let forms = held.form_terms.get(held.forms.with_prefix(prefix));
            stems.extend(forms.into_iter().flatten().flatten().map(String::as_str));
        }
        for stem in stems {
            terms.extend(self.find(stem));
        }
        terms.sort_unstable();
        terms.dedup();
        terms.retain(|&term| Some(term) != whole);
        terms.sort_by_key(|&term| std::cmp::Reverse(self.index.list(term).n_chunks));
        terms.truncate(MAX_EXPANSIONS);
        terms
    }
}

impl LexicalIndex {
    /// The shard whose range a word falls into.
    pub(super) fn route(&self, word: &str) -> usize {
        self.firsts.n_up_to(word).saturating_sub(1)
    }
}

fn idx(shard: usize, rank: usize) -> Option<TermIdx> {
    Some(TermIdx {
        shard: u32::try_from(shard).ok()?,
        rank: u32::try_from(rank).ok()?,
    })
}

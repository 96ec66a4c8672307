//! Turns a query into the terms that it may match, as far as their shards are here, and names the shards that are not.

use std::collections::{BTreeSet, HashSet};

use super::phrase::phrases;
use super::postings::form_class;
use super::search::LexicalOptions;
use super::tokenize::{Token, TokenKind, is_unspaced, tokens};
use super::{LexicalIndex, TermIdx};
use crate::shard::Family;
use crate::top::top;

/// Longer questions are ranked by their first so many distinct words.
const MAX_QUERY_WORDS: usize = 64;
/// How many words a prefix may stand for; the most frequent ones are taken.
const MAX_EXPANSIONS: usize = 48;
/// How many shards are read for the words that begin with what was typed: two letters may begin many.
const MAX_PREFIX_SHARDS: usize = 3;
/// How many terms of one word are shown as what it was taken for.
const MAX_TAKEN_FOR: usize = 4;
/// Weight of an identifier's parts beside the identifier, and of a compound or joined words beside the words.
const PART_WEIGHT: f32 = 0.4;
/// Weight of a word that the last word typed is only a prefix of.
const PREFIX_WEIGHT: f32 = 0.7;
/// Weight of a word that no document has, corrected by one mistake; for each further one it is taken again.
const CORRECTION_WEIGHT: f32 = 0.6;

/// One word of the query and what it may match.
#[derive(Debug)]
pub(super) struct QueryWord {
    pub(super) weight: f32,
    /// Terms of which the best counts, each with its factor.
    pub(super) alternatives: Vec<(TermIdx, f32)>,
    /// How many of the first of these are stems of the word as it was written, which is of this class of form.
    pub(super) whole: (usize, u32),
    /// Terms that count besides.
    pub(super) parts: Vec<(TermIdx, f32)>,
    /// How many parts must be there for the word to be covered without any alternative; 0 if they cannot cover it.
    pub(super) n_parts: usize,
    /// Its share of the coverage; 0 where it doesn't count.
    pub(super) coverable: f32,
    /// A passage must have it, for it stands between quotation marks.
    pub(super) is_quoted: bool,
}

/// A query, as far as it could be looked up.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) words: Vec<QueryWord>,
    /// The words themselves, and the likeliest terms that each was taken for.
    pub(super) taken_for: Vec<String>,
    /// What stands between quotation marks.
    pub(super) phrases: Vec<Vec<String>>,
    /// Shards that it would read and that are not here.
    pub(super) missing: Missing,
}

/// The shards that a query would read, by family.
#[derive(Debug, Default)]
pub(super) struct Missing {
    terms: BTreeSet<u32>,
    spelling: BTreeSet<u32>,
}

impl Missing {
    pub(super) fn into_shards(self) -> Vec<(Family, u32)> {
        let terms = self.terms.into_iter().map(|number| (Family::Terms, number));
        let spelling = self.spelling.into_iter();
        terms
            .chain(spelling.map(|number| (Family::Spelling, number)))
            .collect()
    }
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
        // "What is it?" has no topic: then its words are all there is to go by.
        let is_stop_word = |token: &Token| self.languages.is_stop_word(&token.surface);
        if tokens.iter().any(|token| !is_stop_word(token)) {
            tokens.retain(|token| !is_stop_word(token));
        }
        let joined = joined_words(&tokens);
        let mut seen = HashSet::new();
        tokens.retain(|token| seen.insert(token.term.clone()));
        let phrases = phrases(query);
        let mut lookup = Lookup {
            index: self,
            missing: Missing::default(),
        };
        let mut words: Vec<QueryWord> = Vec::new();
        for token in tokens.iter().take(MAX_QUERY_WORDS) {
            let is_last = last.as_deref() == Some(token.surface.as_str());
            let is_quoted = phrases.iter().flatten().any(|word| *word == token.surface);
            words.extend(
                lookup
                    .word(token, is_last)
                    .map(|word| QueryWord { is_quoted, ..word }),
            );
        }
        for joined in joined.iter().take(MAX_QUERY_WORDS) {
            words.extend(
                lookup
                    .find(joined)
                    .map(|term| QueryWord::beside(term, PART_WEIGHT)),
            );
        }
        let surfaces = tokens.into_iter().take(MAX_QUERY_WORDS);
        let surfaces = surfaces.filter(|token| token.kind == TokenKind::Word);
        let mut taken_for: Vec<String> = surfaces.map(|token| token.surface).collect();
        let alternatives = words.iter().map(|word| &word.alternatives);
        let terms = alternatives.flat_map(|terms| terms.iter().take(MAX_TAKEN_FOR));
        taken_for.extend(terms.filter_map(|&(term, _)| self.term(term)));
        Resolved {
            words,
            taken_for,
            phrases,
            missing: lookup.missing,
        }
    }
}

impl QueryWord {
    /// A term that adds to words which are looked up too.
    fn beside(term: TermIdx, weight: f32) -> Self {
        Self {
            weight,
            alternatives: vec![(term, 1.0)],
            whole: (0, 0),
            parts: Vec::new(),
            n_parts: 0,
            coverable: 0.0,
            is_quoted: false,
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
        .map(|pair| format!("{}{}", pair[0].surface, pair[1].surface))
        .collect()
}

/// Looks words up, and notes what it could not read.
struct Lookup<'i> {
    index: &'i LexicalIndex,
    missing: Missing,
}

impl<'i> Lookup<'i> {
    fn word(&mut self, token: &Token, unfinished: bool) -> Option<QueryWord> {
        if token.kind == TokenKind::Compound {
            // A symbol that stands alone is asked about; a compound only adds to its words.
            let has_words = token.term.contains(char::is_alphanumeric);
            let weight = if has_words { PART_WEIGHT } else { 1.0 };
            return Some(QueryWord::beside(self.find(&token.term)?, weight));
        }
        let n_missing_before = self.missing.terms.len();
        let whole = self.stems(token);
        let mut alternatives: Vec<(TermIdx, f32)> = whole.iter().map(|&term| (term, 1.0)).collect();
        // One character of a script without spaces is found as the beginning of pairs.
        let is_single =
            token.surface.chars().nth(1).is_none() && token.surface.contains(is_unspaced);
        if is_single || (unfinished && token.surface.len() > 1) {
            let weight = if is_single { 1.0 } else { PREFIX_WEIGHT };
            let expansions = self.expansions(&token.surface, &whole);
            alternatives.extend(expansions.into_iter().map(|term| (term, weight)));
        }
        let part_weight = if whole.is_empty() { 1.0 } else { PART_WEIGHT };
        let parts: Vec<(TermIdx, f32)> = token
            .parts
            .iter()
            .filter_map(|part| Some((self.find(&part.term)?, part_weight)))
            .collect();
        let all_parts_known = !parts.is_empty() && parts.len() == token.parts.len();
        let is_read = self.missing.terms.len() == n_missing_before;
        if is_read && alternatives.is_empty() && !all_parts_known {
            alternatives = self.corrections(&token.term);
        }
        let n_chunks_with = |&(term, _): &(TermIdx, f32)| self.index.list(term).n_chunks;
        let whole_count = alternatives
            .iter()
            .take(whole.len())
            .map(n_chunks_with)
            .max();
        let n_with = match whole_count {
            Some(n_with) => n_with,
            None if all_parts_known => parts.iter().map(n_chunks_with).min().unwrap_or(0),
            None => alternatives.iter().map(n_chunks_with).max().unwrap_or(0),
        };
        Some(QueryWord {
            weight: 1.0,
            alternatives,
            whole: (whole.len(), form_class(&token.surface)),
            n_parts: if all_parts_known { parts.len() } else { 0 },
            parts,
            coverable: self.index.idf(n_with),
            is_quoted: false,
        })
    }

    /// The terms that a finished word may be indexed as: one for each language that bends it.
    fn stems(&mut self, token: &Token) -> Vec<TermIdx> {
        let languages = &self.index.languages;
        let mut stems: BTreeSet<&str> = BTreeSet::new();
        if languages.has_english() || !token.parts.is_empty() {
            stems.insert(&token.term);
        }
        if languages.has_others() && token.parts.is_empty() {
            stems.insert(&token.surface);
            if let Some(held) = self.held(&token.surface) {
                let form = held.forms.find(&token.surface);
                let terms = form.and_then(|form| held.form_terms.get(form));
                stems.extend(terms.into_iter().flatten().map(String::as_str));
            }
        }
        stems
            .into_iter()
            .filter_map(|stem| self.find(stem))
            .collect()
    }

    /// Words that a word which no document has may have been meant to be.
    fn corrections(&mut self, word: &str) -> Vec<(TermIdx, f32)> {
        let index = self.index;
        let corrections = index.spelling.corrections(word, &mut self.missing.spelling);
        let weight = |distance: usize| (0..distance).map(|_| CORRECTION_WEIGHT).product();
        corrections
            .into_iter()
            .filter_map(|(word, distance)| Some((self.find(word)?, weight(distance))))
            .collect()
    }

    /// The shard whose range a word falls into, where it is here.
    fn held(&mut self, word: &str) -> Option<&'i super::TermShard> {
        let shard = self.index.route(word);
        let held = self.index.shards.get(shard)?.as_ref();
        if held.is_none() {
            self.missing.terms.extend(u32::try_from(shard).ok());
        }
        held
    }

    /// The term, where there is one and its shard is here.
    fn find(&mut self, term: &str) -> Option<TermIdx> {
        let rank = self.held(term)?.terms.find(term)?;
        idx(self.index.route(term), rank)
    }

    /// The terms of words that begin with `prefix`, most frequent first, without `whole`.
    fn expansions(&mut self, prefix: &str, whole: &[TermIdx]) -> Vec<TermIdx> {
        let first = self.index.route(prefix);
        let is_within =
            |shard: &usize| *shard == first || self.index.firsts.get(*shard).starts_with(prefix);
        let shards = first..self.index.shards.len();
        let mut terms: Vec<TermIdx> = Vec::new();
        let mut stems: BTreeSet<&str> = BTreeSet::new();
        for shard in shards.take_while(is_within).take(MAX_PREFIX_SHARDS) {
            let Some(held) = &self.index.shards[shard] else {
                self.missing.terms.extend(u32::try_from(shard).ok());
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
        terms.retain(|term| !whole.contains(term));
        let counts = terms
            .iter()
            .map(|&term| self.index.list(term).n_chunks as f32);
        let mut expansions: Vec<TermIdx> = Vec::new();
        // A stem may stand here twice: as a term with the prefix, and as that of a form.
        for (idx, _) in top((0..).zip(counts), 2 * MAX_EXPANSIONS) {
            let term = terms[idx as usize];
            if !expansions.contains(&term) && expansions.len() < MAX_EXPANSIONS {
                expansions.push(term);
            }
        }
        expansions
    }
}

impl LexicalIndex {
    fn term(&self, term: TermIdx) -> Option<String> {
        let shard = self.shards.get(term.shard as usize)?.as_ref()?;
        Some(shard.terms.get(term.rank as usize).to_owned())
    }

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

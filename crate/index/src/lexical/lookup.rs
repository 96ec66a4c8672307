//! Maps one word of a query to the terms it may match: exact, prefix, parts, split in two, inside longer words,
//! corrected.

use std::collections::BTreeSet;

use super::compound::is_name;
use super::english;
use super::fold::plain;
use super::postings::form_class;
use super::query_word::{PART_WEIGHT, QueryWord};
use super::token::{KEPT_CHARS, MAX_TERM_CHARS, Token, is_unspaced};
use super::{LexicalIndex, TermIdx};
use crate::shard::Family;
use crate::top::top;

/// Maximum words that a prefix expands to; the most frequent ones are taken.
const MAX_EXPANSIONS: usize = 48;
/// Maximum shards read to expand a prefix: two letters may begin many words.
const MAX_PREFIX_SHARDS: usize = 3;
/// Minimum length, in characters, of an unmatched word that is also looked up as two words.
const MIN_SPLIT_CHARS: usize = 4;
const MAX_APART: usize = 20;
/// Maximum ways of splitting a word that are looked up in full: each may need another shard.
const MAX_SPLITS_TRIED: usize = 4;
/// Short words that follow a verb, and are attached to it in the noun.
const PARTICLES: [&str; 8] = ["by", "in", "of", "off", "on", "to", "up", "out"];
/// Minimum length, in characters, of a word that is searched for inside longer ones.
const MIN_WITHIN: usize = 5;
/// Weight of a word that merely begins with the last typed word.
const PREFIX_WEIGHT: f32 = 0.7;
/// Weight of a correction by one edit of a word that no document has; applied once per edit.
const CORRECTION_WEIGHT: f32 = 0.6;

/// Looks words up, and records the shards that it could not read.
pub(super) struct Lookup<'i> {
    pub(super) index: &'i LexicalIndex,
    pub(super) missing: Missing,
}

/// The shards that a query reads but that are not loaded, by family.
#[derive(Debug, Default)]
pub(super) struct Missing {
    pub(super) terms: BTreeSet<u32>,
    pub(super) spelling: BTreeSet<u32>,
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

impl<'i> Lookup<'i> {
    /// A symbol, a name with its signs, or a compound that only adds to its words; `None` if no page has it.
    pub(super) fn compound(&mut self, token: &Token, has_words: bool) -> Option<QueryWord> {
        let is_name = is_name(&token.term);
        let exact = self.find(&token.term);
        if token.term.contains(char::is_alphanumeric) && !is_name {
            return Some(QueryWord::beside(exact?, PART_WEIGHT));
        }
        let mut alternatives: Vec<(TermIdx, f32)> =
            exact.map(|term| (term, 1.0)).into_iter().collect();
        if alternatives.is_empty() && !has_words {
            // `$` is a useful query where pages have `$HOME`.
            let begun = self.expansions(&token.term, &[]);
            alternatives.extend(begun.into_iter().map(|term| (term, PREFIX_WEIGHT)));
        }
        let n_with = alternatives
            .iter()
            .map(|&(term, _)| self.index.list(term).n_chunks);
        let n_with = n_with.max()?;
        let is_topic = is_name || !has_words;
        Some(QueryWord {
            weight: 1.0,
            alternatives,
            whole: (usize::from(exact.is_some()), form_class(&token.surface)),
            parts: Vec::new(),
            n_parts: 0,
            coverable: if is_topic {
                self.index.idf(n_with)
            } else {
                0.0
            },
            is_quoted: false,
        })
    }

    pub(super) fn word(&mut self, token: &Token, unfinished: bool) -> QueryWord {
        let n_missing_before = self.missing.terms.len();
        let whole = self.stems(token);
        let mut alternatives: Vec<(TermIdx, f32)> = whole.iter().map(|&term| (term, 1.0)).collect();
        // A single character of an unspaced script matches as the start of a pair.
        let is_single =
            token.surface.chars().nth(1).is_none() && token.surface.contains(is_unspaced);
        // A shortened word ends in a hash, so an exact match is complete.
        let is_whole = !whole.is_empty() && token.surface.chars().count() >= MAX_TERM_CHARS;
        if is_single || (unfinished && token.surface.len() > 1 && !is_whole) {
            let weight = if is_single { 1.0 } else { PREFIX_WEIGHT };
            let expansions = self.expansions(&prefix(token), &whole);
            alternatives.extend(expansions.into_iter().map(|term| (term, weight)));
        }
        let part_weight = if whole.is_empty() { 1.0 } else { PART_WEIGHT };
        let mut parts: Vec<(TermIdx, f32)> = token
            .parts
            .iter()
            .filter_map(|part| Some((self.find(&part.term)?, part_weight)))
            .collect();
        let mut all_parts_known = !parts.is_empty() && parts.len() == token.parts.len();
        let is_read = |lookup: &Self| lookup.missing.terms.len() == n_missing_before;
        if is_read(self) && alternatives.is_empty() && token.parts.is_empty() {
            let apart = self.apart(&plain(&token.surface));
            parts.extend(apart.into_iter().map(|term| (term, 1.0)));
            all_parts_known = !parts.is_empty();
        }
        if is_read(self) && alternatives.is_empty() && !all_parts_known {
            alternatives = self.within(&plain(&token.surface));
        }
        if is_read(self) && alternatives.is_empty() && !all_parts_known {
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
        QueryWord {
            weight: 1.0,
            alternatives,
            whole: (whole.len(), form_class(&token.surface)),
            n_parts: if all_parts_known { parts.len() } else { 0 },
            parts,
            coverable: self.index.idf(n_with),
            is_quoted: false,
        }
    }

    /// Ways to write one word as two: `log` and `in` for `login`, `iso` and `8601` for `iso8601`.
    fn apart(&mut self, word: &str) -> Vec<TermIdx> {
        let n_chars = word.chars().count();
        if !(MIN_SPLIT_CHARS..=MAX_APART).contains(&n_chars) || word.contains(is_unspaced) {
            return Vec::new();
        }
        let mut best = (0, Vec::new());
        let mut n_tried = 0;
        for (at, c) in word.char_indices().skip(1) {
            let (first, second) = word.split_at(at);
            let is_turn = first.ends_with(|last: char| last.is_ascii_digit()) != c.is_ascii_digit();
            let n_first = first.chars().count();
            let is_cut = n_first >= 3 && n_first + 3 <= n_chars
                || n_first >= 2 && PARTICLES.contains(&second);
            if n_tried == MAX_SPLITS_TRIED || !(is_cut || is_turn) {
                continue;
            }
            let Some(first) = self.find(&english::stem(first)) else {
                continue;
            };
            n_tried += 1;
            let Some(second) = self.find(&english::stem(second)) else {
                continue;
            };
            let n_with = |term: TermIdx| self.index.list(term).n_chunks;
            let rarer = match is_turn {
                true => u32::MAX,
                false => n_with(first).min(n_with(second)),
            };
            if rarer > best.0 {
                best = (rarer, vec![first, second]);
            }
        }
        best.1
    }

    /// Longer words that contain a word that never occurs alone, as in languages that write compounds as one word. Only
    /// if all words are in one shard: a large site has the word by itself.
    fn within(&self, word: &str) -> Vec<(TermIdx, f32)> {
        let stem = word.trim_end_matches(['e', 'n', 'r', 's']);
        let is_long = stem.chars().nth(MIN_WITHIN - 1).is_some();
        let [Some(held)] = self.index.shards.as_slice() else {
            return Vec::new();
        };
        if !is_long || !self.index.languages.has_others() {
            return Vec::new();
        }
        let terms = (0..held.terms.len()).filter(|&rank| held.terms.get(rank).contains(stem));
        let terms = terms.filter_map(|rank| Some((idx(0, rank)?, CORRECTION_WEIGHT)));
        terms.take(MAX_EXPANSIONS).collect()
    }

    /// The terms that a finished word may be indexed under: one for each language that inflects it.
    fn stems(&mut self, token: &Token) -> Vec<TermIdx> {
        let languages = &self.index.languages;
        let mut stems: BTreeSet<&str> = BTreeSet::new();
        if languages.has_english() || !token.parts.is_empty() {
            stems.insert(&token.term);
        }
        let surface = plain(&token.surface);
        if languages.has_others() && token.parts.is_empty() {
            stems.insert(&surface);
            if let Some(held) = self.held(&surface) {
                let form = held.forms.find(&surface);
                let terms = form.and_then(|form| held.form_terms.get(form));
                stems.extend(terms.into_iter().flatten().map(String::as_str));
            }
        }
        stems
            .into_iter()
            .filter_map(|stem| self.find(stem))
            .collect()
    }

    /// Corrections of a word that no document has, each with its factor.
    fn corrections(&mut self, word: &str) -> Vec<(TermIdx, f32)> {
        let index = self.index;
        let corrections = index.spelling.corrections(word, &mut self.missing.spelling);
        let weight = |distance: usize| (0..distance).map(|_| CORRECTION_WEIGHT).product();
        corrections
            .into_iter()
            .filter_map(|(word, distance)| Some((self.find(word)?, weight(distance))))
            .collect()
    }

    /// The shard whose range covers a word, if it is loaded.
    fn held(&mut self, word: &str) -> Option<&'i super::TermShard> {
        let shard = self.index.route(word);
        let held = self.index.shards.get(shard)?.as_ref();
        if held.is_none() {
            self.missing.terms.extend(u32::try_from(shard).ok());
        }
        held
    }

    /// The term, if there is one and its shard is loaded.
    pub(super) fn find(&mut self, term: &str) -> Option<TermIdx> {
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
        // A stem may appear twice: as a term with the prefix, and as the term of a form.
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
    pub(super) fn term(&self, term: TermIdx) -> Option<String> {
        let shard = self.shards.get(term.shard as usize)?.as_ref()?;
        Some(shard.terms.get(term.rank as usize).to_owned())
    }

    /// The shard whose range covers a word, loaded or not.
    pub(super) fn route(&self, word: &str) -> usize {
        self.firsts.n_up_to(word).saturating_sub(1)
    }
}

/// The prefix to look up for an unfinished word.
fn prefix(token: &Token) -> String {
    let surface = plain(&token.surface);
    // A version is looked up by its number.
    let typed = match surface.ends_with(&token.term) {
        true => &token.term,
        false => &*surface,
    };
    match typed.char_indices().nth(MAX_TERM_CHARS - 1) {
        Some(_) => typed.chars().take(KEPT_CHARS).collect(),
        None => typed.to_owned(),
    }
}

fn idx(shard: usize, rank: usize) -> Option<TermIdx> {
    Some(TermIdx {
        shard: u32::try_from(shard).ok()?,
        rank: u32::try_from(rank).ok()?,
    })
}

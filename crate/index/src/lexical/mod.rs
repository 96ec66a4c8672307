//! Turns a query's words into ranked chunks: BM25 over text, headings and titles.
//!
//! `build` makes posting lists from chunks. Words and their lists are sharded by range of the sorted dictionary;
//! `query` finds a query's words in the loaded shards and names the missing ones, and `search` ranks by the words
//! found. [`crate::bundle`] stores the shards.

pub(crate) mod english;
mod fold;
pub(crate) mod token;
mod compound;
pub(crate) mod tokenize;
pub(crate) mod dictionary;
pub(crate) mod postings;
pub(crate) mod shard;
pub(crate) mod collection;
#[cfg(feature = "build")]
mod build;
#[cfg(feature = "build")]
mod language;
#[cfg(feature = "build")]
mod vocabulary;
mod options;
mod query_scores;
mod query_word;
mod lookup;
mod phrase;
mod query;
mod search;
pub(crate) mod spelling;
mod tag;
mod terms;

pub use fold::{Decompose, set_decompose};
pub use options::{LexicalOptions, Phrases, TermMatching};
pub use search::LexicalScores;
pub use tag::primary;
pub use terms::{is_searchable, same_as, terms};

pub(crate) use phrase::contains;

use collection::Collection;
use dictionary::Dictionary;
use postings::PostingList;
use shard::TermShard;
use spelling::Spelling;

/// Which terms occur in which chunks, compact enough to be fetched by a browser.
#[derive(Debug, Clone, PartialEq)]
pub struct LexicalIndex {
    pub(crate) collection: Collection,
    pub(crate) languages: Languages,
    pub(crate) spelling: Spelling,
    /// The first word of each shard, term or form; words before the first one belong to the first shard.
    firsts: Dictionary,
    shards: Vec<Option<TermShard>>,
}

/// The languages that queries are assumed to be written in.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Languages {
    /// Primary subtags, in order.
    pub(crate) names: Vec<String>,
    /// Stop words other than English ones.
    pub(crate) stop_words: Dictionary,
}

impl Languages {
    fn has_english(&self) -> bool {
        self.names.iter().any(|name| name == "en")
    }

    fn has_others(&self) -> bool {
        self.names.iter().any(|name| name != "en")
    }

    fn is_stop_word(&self, surface: &str) -> bool {
        (self.has_english() && tokenize::is_stop_word(surface))
            || self.stop_words.find(surface).is_some()
    }
}

/// A term that was found: its shard, and its rank there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct TermIdx {
    shard: u32,
    rank: u32,
}

impl LexicalIndex {
    /// An index with no words loaded yet; `firsts` has the first word of each shard.
    pub(crate) fn absent(
        collection: Collection,
        languages: Languages,
        spelling: Spelling,
        firsts: Dictionary,
    ) -> Self {
        let shards = (0..firsts.len()).map(|_| None).collect();
        Self {
            collection,
            languages,
            spelling,
            firsts,
            shards,
        }
    }

    /// An index with all of its words in one shard.
    #[cfg(feature = "build")]
    fn whole(
        collection: Collection,
        languages: Languages,
        spelling: Spelling,
        shard: TermShard,
    ) -> Self {
        let mut firsts = Dictionary::default();
        firsts.push("");
        Self {
            collection,
            languages,
            spelling,
            firsts,
            shards: vec![Some(shard)],
        }
    }

    /// Number of indexed chunks.
    pub fn n_chunks(&self) -> usize {
        self.collection.n_chunks()
    }

    /// Number of distinct terms in the loaded shards.
    pub fn n_terms(&self) -> usize {
        let here = self.shards.iter().flatten();
        here.map(|shard| shard.terms.len()).sum()
    }

    #[cfg(feature = "build")]
    pub(crate) fn n_shards(&self) -> usize {
        self.shards.len()
    }

    pub(crate) fn is_loaded(&self, shard: usize) -> bool {
        self.shards.get(shard).is_some_and(Option::is_some)
    }

    pub(crate) fn insert(&mut self, idx: usize, shard: TermShard) {
        if let Some(place) = self.shards.get_mut(idx) {
            *place = Some(shard);
        }
    }

    /// The loaded shards, in order.
    #[cfg(feature = "build")]
    pub(crate) fn shards(&self) -> impl Iterator<Item = &TermShard> {
        self.shards.iter().flatten()
    }

    fn list(&self, term: TermIdx) -> PostingList<'_> {
        match self.shards.get(term.shard as usize) {
            Some(Some(shard)) => shard.list(term.rank as usize),
            _ => PostingList::new(&[]),
        }
    }

    /// How much a term counts that `n_with` chunks have: more, the fewer they are.
    fn idf(&self, n_with: u32) -> f32 {
        let n_with = n_with as f32;
        let n_chunks = self.n_chunks() as f32;
        ((n_chunks - n_with + 0.5).max(0.5) / (n_with + 0.5)).ln_1p()
    }
}

//! Scores each chunk that shares a word with a query.
//!
//! BM25F (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009), with these fields:
//! the text, whose count is divided by `1 - b + b * length / mean length`; and the chunk's own heading, the headings
//! above and the page's title, which are short, so only presence counts. The weighted sum of the fields is the
//! frequency `f`, reduced if the chunk has the word in a form other than the query's; a term scores `idf * f * (k1 + 1)
//! / (f + k1)`, with `idf = ln(1 + (N - n + 0.5) / (n + 0.5))`. The sum over terms is reduced if words of the query are
//! missing or present only in another form. Short queries are scored more strictly than questions ([`TermMatching`]).

use super::options::{LexicalOptions, TermMatching};
use super::query::Resolved;
use super::query_scores::{QueryScores, Sums, TermScore};
use super::{LexicalIndex, TermIdx};
use crate::shard::Family;
use crate::top::top;

/// Maximum content words of a short query.
const MAX_SHORT_QUERY: usize = 3;

/// The result of keyword search: ranked chunks, and the share of the query that each chunk has.
#[derive(Debug, Clone, Default)]
pub struct LexicalScores {
    /// Chunks with any of the query's words, best first, ties in reading order.
    pub ranked: Vec<(u32, f32)>,
    /// For each chunk, the summed idf of the query's words that it has.
    covered: Vec<f32>,
    /// The same sum for all of the query's words.
    coverable: f32,
    /// The query's phrases. Where they are demanded, chunks that lack one of their words are not ranked; the order of
    /// the words can only be checked in the texts.
    pub(crate) phrases: Vec<Vec<String>>,
    /// Words for a page to highlight: the query's words, and the likeliest terms that each was matched to, because
    /// words may be mistyped, or inflected in a way that only the index can resolve.
    pub matched_terms: Vec<String>,
    /// Shards that the search reads but that are not loaded.
    pub(crate) missing: Vec<(Family, u32)>,
}

impl LexicalScores {
    /// Share of the query's words that the chunk has in text, headings or title, weighted by idf: 1 for all, 0 for
    /// none.
    ///
    /// Stop words don't count, unless there are no others. A word that no document has counts most.
    pub fn coverage(&self, chunk: u32) -> f32 {
        let covered = self.covered.get(chunk as usize).copied().unwrap_or(0.0);
        if self.coverable > 0.0 {
            (covered / self.coverable).min(1.0)
        } else {
            0.0
        }
    }
}

/// How the terms of one query are weighed.
#[derive(Clone, Copy)]
struct Scoring<'o> {
    options: &'o LexicalOptions,
    strictness: &'o TermMatching,
}

impl LexicalIndex {
    /// Ranks all chunks by the words that they share with `query`, and keeps the best `depth`. Skips words whose shards are not loaded.
    pub fn search(&self, query: &str, depth: usize, options: &LexicalOptions) -> LexicalScores {
        let mut scores = self.score(query, options);
        scores.ranked = top(std::mem::take(&mut scores.ranked), depth);
        scores
    }

    /// Like [`search`](Self::search), but returns all chunks, in no order.
    pub(crate) fn score(&self, query: &str, options: &LexicalOptions) -> LexicalScores {
        let Resolved {
            words,
            matched_terms,
            phrases,
            missing,
        } = self.resolve(query, options);
        let n_topics = words.iter().filter(|word| word.coverable > 0.0).count();
        let strictness = match n_topics {
            ..=MAX_SHORT_QUERY => &options.short_query,
            _ => &options.long_query,
        };
        let scoring = Scoring {
            options,
            strictness,
        };
        let mut frequencies = Sums::new(self.n_chunks());
        let mut scores = QueryScores::new(self.n_chunks(), &words, options.phrases);
        for word in &words {
            let (n_whole, form) = word.whole;
            for (idx, &(term, factor)) in word.alternatives.iter().enumerate() {
                let form = (idx < n_whole).then_some(form);
                self.score_term(term, form, scoring, &mut frequencies, |found| {
                    scores.add_alternative(found, factor);
                });
            }
            for &(term, factor) in &word.parts {
                self.score_term(term, None, scoring, &mut frequencies, |found| {
                    scores.add_part(found, factor);
                });
            }
            scores.finish_word(word);
        }
        let weighted = self.collection.has_weights();
        let mut ranked = Vec::new();
        scores.drain(|chunk, score, lacking| {
            let document = self.collection.document(chunk).filter(|_| weighted);
            let weight = document.map_or(1.0, |document| self.collection.weight(document));
            let score = score * weight * (1.0 - strictness.coordination * lacking);
            if score > 0.0 {
                ranked.push((chunk, score));
            }
        });
        LexicalScores {
            ranked,
            coverable: scores.coverable,
            covered: scores.covered,
            matched_terms,
            phrases,
            missing: missing.into_shards(),
        }
    }

    /// Calls `visit` with the term's score in each chunk that has it. Chunks that have only forms of classes other than
    /// `form` score less, if any chunk has that class.
    fn score_term(
        &self,
        term: TermIdx,
        form: Option<u32>,
        Scoring {
            options,
            strictness,
        }: Scoring<'_>,
        frequencies: &mut Sums,
        mut visit: impl FnMut(TermScore),
    ) {
        let list = self.list(term);
        let form = form.filter(|&class| self.list(term).has_form(class));
        let idf = self.idf(list.n_chunks);
        let mut documents = Vec::new();
        let mut n_form = 0;
        // In chunk order, like the list.
        let mut in_other_form = Vec::new();
        list.visit(
            |posting| {
                let relative_length = self.collection.relative_length(posting.chunk);
                let mut frequency =
                    posting.n_text as f32 / (1.0 - options.b + options.b * relative_length);
                frequency += if posting.in_own_heading {
                    options.own_heading
                } else {
                    0.0
                };
                frequency += if posting.in_heading_above {
                    options.heading_above
                } else {
                    0.0
                };
                if form.is_some_and(|class| posting.forms >> class & 1 == 0) {
                    frequency *= options.other_form;
                    in_other_form.push(posting.chunk);
                } else {
                    n_form += 1;
                }
                frequencies.update(posting.chunk, |value| value + frequency);
            },
            |document| documents.push(document),
        );
        for document in documents {
            for chunk in self.collection.chunks(document) {
                frequencies.update(chunk, |value| value + options.title);
            }
        }
        let form_idf = match form {
            Some(_) if strictness.form_idf => self.idf(n_form),
            _ => idf,
        };
        let k1 = strictness.k1;
        frequencies.drain(|chunk, frequency| {
            let (idf, likeness) = match in_other_form.binary_search(&chunk) {
                Ok(_) => (idf, strictness.other_form),
                Err(_) => (form_idf, 1.0),
            };
            visit(TermScore {
                chunk,
                score: idf * frequency * (k1 + 1.0) / (frequency + k1),
                likeness,
            });
        });
    }
}

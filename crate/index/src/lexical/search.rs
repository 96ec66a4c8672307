//! Scores each chunk that shares a word with a query.
//!
//! BM25F (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009), with these fields:
//! the text, whose count is divided by `1 - b + b * length / mean length`; and the chunk's own heading, the headings
//! above and the page's title, which are short, so only presence counts. The weighted sum of the fields is the
//! frequency `f`, reduced if the chunk has the word in a form other than the query's; a term scores `idf * f * (k1 + 1)
//! / (f + k1)`, with `idf = ln(1 + (N - n + 0.5) / (n + 0.5))`. The sum over terms is reduced if words of the query are
//! missing or present only in another form. Short queries are scored more strictly than questions ([`TermMatching`]).

use super::options::{LexicalOptions, Phrases, TermMatching};
use super::query::Resolved;
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

/// The score of one term in one chunk.
struct TermScore {
    chunk: u32,
    score: f32,
    /// 1 if the chunk has the queried form, less if it has others.
    likeness: f32,
}

/// How the terms of one query are weighed.
#[derive(Clone, Copy)]
struct Scoring<'o> {
    options: &'o LexicalOptions,
    strictness: &'o TermMatching,
}

/// Scores by chunk, cleared in time proportional to the number of entries written.
struct Sums {
    values: Vec<f32>,
    touched: Vec<u32>,
}

impl Sums {
    fn new(n_chunks: usize) -> Self {
        Self {
            values: vec![0.0; n_chunks],
            touched: Vec::new(),
        }
    }

    fn update(&mut self, chunk: u32, change: impl FnOnce(f32) -> f32) {
        if let Some(value) = self.values.get_mut(chunk as usize) {
            if *value == 0.0 {
                self.touched.push(chunk);
            }
            *value = change(*value);
        }
    }

    fn drain(&mut self, mut visit: impl FnMut(u32, f32)) {
        for chunk in self.touched.drain(..) {
            visit(chunk, std::mem::take(&mut self.values[chunk as usize]));
        }
    }
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
        let n_chunks = self.n_chunks();
        let n_topics = words.iter().filter(|word| word.coverable > 0.0).count();
        let strictness = match n_topics {
            ..=MAX_SHORT_QUERY => &options.short_query,
            _ => &options.long_query,
        };
        let scoring = Scoring {
            options,
            strictness,
        };
        let mut frequencies = Sums::new(n_chunks);
        let mut best = Sums::new(n_chunks);
        let mut likest = Sums::new(n_chunks);
        let mut parts = Sums::new(n_chunks);
        let mut n_parts = vec![0_usize; n_chunks];
        let mut total = Sums::new(n_chunks);
        let mut covered = vec![0.0_f32; n_chunks];
        // Like `covered`, but less where a chunk has a word in another form.
        let mut matched = vec![0.0_f32; n_chunks];
        let n_quoted = match options.phrases {
            Phrases::Required => words.iter().filter(|word| word.is_quoted).count(),
            Phrases::Preferred => 0,
        };
        let mut has_quoted = vec![0; if n_quoted > 0 { n_chunks } else { 0 }];
        for word in &words {
            let (n_whole, form) = word.whole;
            for (idx, &(term, factor)) in word.alternatives.iter().enumerate() {
                let form = (idx < n_whole).then_some(form);
                self.score_term(term, form, scoring, &mut frequencies, |term| {
                    best.update(term.chunk, |value| value.max(term.score * factor));
                    likest.update(term.chunk, |value| value.max(term.likeness * factor));
                });
            }
            for &(term, factor) in &word.parts {
                self.score_term(term, None, scoring, &mut frequencies, |term| {
                    parts.update(term.chunk, |value| value + term.score * factor);
                    n_parts[term.chunk as usize] += 1;
                });
            }
            parts.drain(|chunk, score| {
                let found = std::mem::take(&mut n_parts[chunk as usize]);
                total.update(chunk, |value| value + score * word.weight);
                let is_new = best.values[chunk as usize] == 0.0;
                if is_new && word.n_parts > 0 && found == word.n_parts {
                    covered[chunk as usize] += word.coverable;
                    matched[chunk as usize] += word.coverable;
                    if word.is_quoted && n_quoted > 0 {
                        has_quoted[chunk as usize] += 1;
                    }
                }
            });
            likest.drain(|chunk, likeness| matched[chunk as usize] += word.coverable * likeness);
            best.drain(|chunk, score| {
                total.update(chunk, |value| value + score * word.weight);
                covered[chunk as usize] += word.coverable;
                if word.is_quoted && n_quoted > 0 {
                    has_quoted[chunk as usize] += 1;
                }
            });
        }
        let weighted = self.collection.has_weights();
        let coverable: f32 = words.iter().map(|word| word.coverable).sum();
        let mut scored = Vec::with_capacity(total.touched.len());
        total.drain(|chunk, mut score| {
            if let Some(document) = self.collection.document(chunk).filter(|_| weighted) {
                score *= self.collection.weight(document);
            }
            if coverable > 0.0 {
                let lacking = 1.0 - (matched[chunk as usize] / coverable).min(1.0);
                score *= 1.0 - strictness.coordination * lacking;
            }
            let has_all_quoted = n_quoted == 0 || has_quoted[chunk as usize] == n_quoted;
            if score > 0.0 && has_all_quoted {
                scored.push((chunk, score));
            }
        });
        LexicalScores {
            ranked: scored,
            covered,
            coverable,
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

//! Turns a query into a score for each chunk that shares a word with it.
//!
//! BM25F (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009), with these fields:
//! the text, whose count is divided by `1 - b + b * length / mean length`, and the chunk's own heading, the headings
//! above and the page's title, of which only presence counts because they are short. The weighted sum of the fields is
//! the frequency `f`; a term scores `idf * f * (k1 + 1) / (f + k1)`, with `idf = ln(1 + (N - n + 0.5) / (n + 0.5))`.

use super::LexicalIndex;
use super::tokenize::{Token, TokenKind, is_stop_word, tokens};

/// Longer questions are ranked by their first so many distinct words.
const MAX_QUERY_WORDS: usize = 64;
/// How many words a prefix may stand for; the most frequent ones are taken.
const MAX_EXPANSIONS: usize = 48;
/// Weight of words that carry no topic: enough to break ties.
const STOP_WORD_WEIGHT: f32 = 0.1;
/// Weight of an identifier's parts beside the identifier, and of a compound or joined words beside the words.
const PART_WEIGHT: f32 = 0.4;
/// Weight of a word that the last word typed is only a prefix of.
const PREFIX_WEIGHT: f32 = 0.7;

/// How words are weighed.
#[derive(Debug, Clone, PartialEq)]
pub struct LexicalOptions {
    /// How soon repetition stops counting: 0 means at once, large means never. Default 1.2.
    pub k1: f32,
    /// How much a long text is held against it: 0 not at all, 1 in full proportion. Default 0.75.
    pub b: f32,
    /// How many mentions in the text the chunk's own heading is worth. Default 2.5.
    pub own_heading: f32,
    /// The same for headings above its own. Default 1.
    pub heading_above: f32,
    /// The same for the page's title. Default 1.5.
    pub title: f32,
    /// Whether the query's last word may be unfinished, as while typing. A space after it finishes it. Default `false`.
    pub prefix: bool,
}

impl Default for LexicalOptions {
    fn default() -> Self {
        Self {
            k1: 1.2,
            b: 0.75,
            own_heading: 2.5,
            heading_above: 1.0,
            title: 1.5,
            prefix: false,
        }
    }
}

/// What keyword search says of every chunk.
#[derive(Debug, Clone, Default)]
pub struct LexicalScores {
    /// Chunks with any of the query's words, best first, ties in reading order.
    pub ranked: Vec<(u32, f32)>,
    /// For each chunk the idf of the query's words that it has, summed.
    covered: Vec<f32>,
    /// The same sum for all of the query's words.
    coverable: f32,
}

impl LexicalScores {
    /// The share of the query, weighted by idf, whose words the chunk has in text, headings or title: 1 all, 0 none.
    ///
    /// Words that carry no topic don't count, unless there are no others. A word that no document has counts most.
    pub fn coverage(&self, chunk: u32) -> f32 {
        let covered = self.covered.get(chunk as usize).copied().unwrap_or(0.0);
        if self.coverable > 0.0 {
            (covered / self.coverable).min(1.0)
        } else {
            0.0
        }
    }
}

/// One word of the query and what it may match.
#[derive(Debug)]
struct QueryWord {
    weight: f32,
    /// Terms of which the best counts, each with its factor.
    alternatives: Vec<(usize, f32)>,
    /// Terms that count besides.
    parts: Vec<(usize, f32)>,
    /// How many parts must be there for the word to be covered without any alternative; 0 if they cannot cover it.
    n_parts: usize,
    /// Its share of the coverage; 0 where it doesn't count.
    coverable: f32,
}

/// Scores by chunk, cleared in time proportional to what was written.
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
    /// Ranks all chunks by the words that they share with `query`, and keeps the best `depth`.
    pub fn search(&self, query: &str, depth: usize, options: &LexicalOptions) -> LexicalScores {
        let words = self.query_words(query, options.prefix);
        let n_chunks = self.n_chunks();
        let mut frequencies = Sums::new(n_chunks);
        let mut best = Sums::new(n_chunks);
        let mut parts = Sums::new(n_chunks);
        let mut n_parts = vec![0_usize; n_chunks];
        let mut total = Sums::new(n_chunks);
        let mut covered = vec![0.0_f32; n_chunks];
        for word in &words {
            for &(term, factor) in &word.alternatives {
                self.score_term(term, options, &mut frequencies, |chunk, score| {
                    best.update(chunk, |value| value.max(score * factor));
                });
            }
            for &(term, factor) in &word.parts {
                self.score_term(term, options, &mut frequencies, |chunk, score| {
                    parts.update(chunk, |value| value + score * factor);
                    n_parts[chunk as usize] += 1;
                });
            }
            parts.drain(|chunk, score| {
                let found = std::mem::take(&mut n_parts[chunk as usize]);
                total.update(chunk, |value| value + score * word.weight);
                let is_new = best.values[chunk as usize] == 0.0;
                if is_new && word.n_parts > 0 && found == word.n_parts {
                    covered[chunk as usize] += word.coverable;
                }
            });
            best.drain(|chunk, score| {
                total.update(chunk, |value| value + score * word.weight);
                covered[chunk as usize] += word.coverable;
            });
        }
        let mut ranked = Vec::with_capacity(total.touched.len());
        total.drain(|chunk, score| {
            if score > 0.0 {
                ranked.push((chunk, score));
            }
        });
        let by_score = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if depth < ranked.len() {
            ranked.select_nth_unstable_by(depth, by_score);
            ranked.truncate(depth);
        }
        ranked.sort_unstable_by(by_score);
        LexicalScores {
            ranked,
            covered,
            coverable: words.iter().map(|word| word.coverable).sum(),
        }
    }

    /// Calls `visit` with each chunk that has the term, and its score.
    fn score_term(
        &self,
        term: usize,
        options: &LexicalOptions,
        frequencies: &mut Sums,
        mut visit: impl FnMut(u32, f32),
    ) {
        let list = self.list(term);
        let idf = self.idf(list.n_chunks);
        let mut documents = Vec::new();
        list.visit(
            |posting| {
                let relative_length = self
                    .relative_lengths
                    .get(posting.chunk as usize)
                    .copied()
                    .unwrap_or(1.0);
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
                frequencies.update(posting.chunk, |value| value + frequency);
            },
            |document| documents.push(document as usize),
        );
        for document in documents {
            let first = self.parts.first_chunks.get(document).copied().unwrap_or(0);
            let end = self
                .parts
                .first_chunks
                .get(document + 1)
                .copied()
                .unwrap_or(first);
            for chunk in first..end {
                frequencies.update(chunk, |value| value + options.title);
            }
        }
        frequencies.drain(|chunk, frequency| {
            visit(
                chunk,
                idf * frequency * (options.k1 + 1.0) / (frequency + options.k1),
            );
        });
    }

    pub(super) fn idf(&self, n_with: u32) -> f32 {
        let n_with = n_with as f32;
        let n_chunks = self.n_chunks() as f32;
        ((n_chunks - n_with + 0.5).max(0.5) / (n_with + 0.5)).ln_1p()
    }

    fn query_words(&self, query: &str, prefix: bool) -> Vec<QueryWord> {
        let mut tokens = tokens(query);
        let unfinished = tokens
            .iter()
            .rposition(|token| token.kind == TokenKind::Word)
            .filter(|&idx| prefix && tokens[idx].place.end == query.len());
        let last = unfinished.map(|idx| tokens[idx].surface.clone());
        let mut words: Vec<QueryWord> = Vec::new();
        // Words that are one identifier on the page: "hash map" finds `HashMap`.
        let plain: Vec<&Token> = tokens
            .iter()
            .filter(|token| token.kind == TokenKind::Word)
            .collect();
        let joined: Vec<String> = plain
            .windows(2)
            .filter(|pair| pair[1].surface.len() > 1 && !is_stop_word(&pair[0].surface))
            .map(|pair| format!("{}{}", pair[0].surface, pair[1].surface))
            .collect();
        let mut seen = std::collections::HashSet::new();
        tokens.retain(|token| seen.insert(token.term.clone()));
        for token in tokens.iter().take(MAX_QUERY_WORDS) {
            let is_last = last.as_deref() == Some(token.surface.as_str());
            words.extend(self.query_word(token, is_last));
        }
        for term in joined
            .iter()
            .take(MAX_QUERY_WORDS)
            .filter_map(|joined| self.parts.terms.find(joined))
        {
            words.push(QueryWord {
                weight: PART_WEIGHT,
                alternatives: vec![(term, 1.0)],
                parts: Vec::new(),
                n_parts: 0,
                coverable: 0.0,
            });
        }
        // "What is it?" has no topic: then its words are all there is to go by.
        if !words
            .iter()
            .any(|word| word.coverable > 0.0 && word.weight > STOP_WORD_WEIGHT)
        {
            words.iter_mut().for_each(|word| word.weight = 1.0);
        } else {
            words
                .iter_mut()
                .filter(|word| word.weight <= STOP_WORD_WEIGHT)
                .for_each(|word| word.coverable = 0.0);
        }
        words
    }

    fn query_word(&self, token: &Token, unfinished: bool) -> Option<QueryWord> {
        let whole = self.parts.terms.find(&token.term);
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
        let mut alternatives: Vec<(usize, f32)> =
            whole.map(|term| (term, 1.0)).into_iter().collect();
        let mut expansions = Vec::new();
        if unfinished && token.surface.len() > 1 {
            expansions = self.expansions(&token.surface, whole);
            alternatives.extend(expansions.iter().map(|&term| (term, PREFIX_WEIGHT)));
        }
        let part_weight = if whole.is_some() { PART_WEIGHT } else { 1.0 };
        let parts: Vec<(usize, f32)> = token
            .parts
            .iter()
            .filter_map(|part| Some((self.parts.terms.find(part)?, part_weight)))
            .collect();
        let n_chunks_with = |term: usize| self.list(term).n_chunks;
        let all_parts_known = !parts.is_empty() && parts.len() == token.parts.len();
        let n_with = match whole {
            Some(term) => n_chunks_with(term),
            None if all_parts_known => parts
                .iter()
                .map(|&(term, _)| n_chunks_with(term))
                .min()
                .unwrap_or(0),
            None => expansions
                .iter()
                .map(|&term| n_chunks_with(term))
                .max()
                .unwrap_or(0),
        };
        let stop = is_stop_word(&token.surface);
        Some(QueryWord {
            weight: if stop { STOP_WORD_WEIGHT } else { 1.0 },
            alternatives,
            n_parts: if all_parts_known { parts.len() } else { 0 },
            parts,
            coverable: self.idf(n_with),
        })
    }

    /// The terms of words that begin with `prefix`, most frequent first, without `whole`.
    fn expansions(&self, prefix: &str, whole: Option<usize>) -> Vec<usize> {
        let forms = self.parts.forms.with_prefix(prefix);
        let mut terms: Vec<usize> = self.parts.terms.with_prefix(prefix).collect();
        terms.extend(
            self.parts
                .form_terms
                .get(forms)
                .unwrap_or(&[])
                .iter()
                .map(|&term| term as usize),
        );
        terms.sort_unstable();
        terms.dedup();
        terms.retain(|&term| Some(term) != whole);
        terms.sort_by_key(|&term| std::cmp::Reverse(self.list(term).n_chunks));
        terms.truncate(MAX_EXPANSIONS);
        terms
    }
}

//! Adds up the scores of all chunks for one query, word by word.

use super::options::Phrases;
use super::query_word::QueryWord;

/// The score of one term in one chunk.
pub(super) struct TermScore {
    pub(super) chunk: u32,
    pub(super) score: f32,
    /// 1 if the chunk has the queried form, less if it has others.
    pub(super) likeness: f32,
}

/// Scores by chunk, cleared in time proportional to the number of entries written.
pub(super) struct Sums {
    values: Vec<f32>,
    touched: Vec<u32>,
}

impl Sums {
    pub(super) fn new(n_chunks: usize) -> Self {
        Self {
            values: vec![0.0; n_chunks],
            touched: Vec::new(),
        }
    }

    pub(super) fn update(&mut self, chunk: u32, change: impl FnOnce(f32) -> f32) {
        if let Some(value) = self.values.get_mut(chunk as usize) {
            if *value == 0.0 {
                self.touched.push(chunk);
            }
            *value = change(*value);
        }
    }

    pub(super) fn drain(&mut self, mut visit: impl FnMut(u32, f32)) {
        for chunk in self.touched.drain(..) {
            visit(chunk, std::mem::take(&mut self.values[chunk as usize]));
        }
    }
}

/// Running scores of all chunks: for the word at hand, and for the words before it.
pub(super) struct QueryScores {
    /// The best score of the word at hand among its alternatives.
    best: Sums,
    /// The same for the likeness of its form.
    likest: Sums,
    /// Summed scores of the parts that count in addition to the word at hand.
    parts: Sums,
    /// How many of these parts each chunk has.
    n_parts: Vec<usize>,
    total: Sums,
    /// For each chunk, the summed idf of the query's words that it has.
    pub(super) covered: Vec<f32>,
    /// Like `covered`, but less where a chunk has a word in another form.
    matched: Vec<f32>,
    /// The summed idf of all of the query's words.
    pub(super) coverable: f32,
    /// How many quoted words a chunk must have; 0 if none is required.
    n_quoted: usize,
    /// How many of them each chunk has; empty if none is required.
    has_quoted: Vec<usize>,
}

impl QueryScores {
    pub(super) fn new(n_chunks: usize, words: &[QueryWord], phrases: Phrases) -> Self {
        let n_quoted = match phrases {
            Phrases::Required => words.iter().filter(|word| word.is_quoted).count(),
            Phrases::Preferred => 0,
        };
        Self {
            best: Sums::new(n_chunks),
            likest: Sums::new(n_chunks),
            parts: Sums::new(n_chunks),
            n_parts: vec![0; n_chunks],
            total: Sums::new(n_chunks),
            covered: vec![0.0; n_chunks],
            matched: vec![0.0; n_chunks],
            coverable: words.iter().map(|word| word.coverable).sum(),
            n_quoted,
            has_quoted: vec![0; if n_quoted > 0 { n_chunks } else { 0 }],
        }
    }

    /// Takes the score of one of the word's alternatives; the best one counts.
    pub(super) fn add_alternative(&mut self, found: TermScore, factor: f32) {
        let score = found.score * factor;
        self.best.update(found.chunk, |value| value.max(score));
        let likeness = found.likeness * factor;
        self.likest.update(found.chunk, |value| value.max(likeness));
    }

    /// Takes the score of one of the word's parts; all count.
    pub(super) fn add_part(&mut self, found: TermScore, factor: f32) {
        let score = found.score * factor;
        self.parts.update(found.chunk, |value| value + score);
        self.n_parts[found.chunk as usize] += 1;
    }

    /// Adds the word at hand to the words before it.
    pub(super) fn finish_word(&mut self, word: &QueryWord) {
        let Self {
            best,
            likest,
            parts,
            n_parts,
            total,
            covered,
            matched,
            has_quoted,
            ..
        } = self;
        let is_required = word.is_quoted && self.n_quoted > 0;
        parts.drain(|chunk, score| {
            let at = chunk as usize;
            let found = std::mem::take(&mut n_parts[at]);
            total.update(chunk, |value| value + score * word.weight);
            let is_new = best.values[at] == 0.0;
            if is_new && word.n_parts > 0 && found == word.n_parts {
                covered[at] += word.coverable;
                matched[at] += word.coverable;
                if is_required {
                    has_quoted[at] += 1;
                }
            }
        });
        likest.drain(|chunk, likeness| matched[chunk as usize] += word.coverable * likeness);
        best.drain(|chunk, score| {
            let at = chunk as usize;
            total.update(chunk, |value| value + score * word.weight);
            covered[at] += word.coverable;
            if is_required {
                has_quoted[at] += 1;
            }
        });
    }

    /// Calls `visit` for each chunk that has all required words, with its score and the share of the query that it lacks.
    pub(super) fn drain(&mut self, mut visit: impl FnMut(u32, f32, f32)) {
        let Self {
            total,
            matched,
            has_quoted,
            ..
        } = self;
        total.drain(|chunk, score| {
            let at = chunk as usize;
            let lacking = match self.coverable > 0.0 {
                true => 1.0 - (matched[at] / self.coverable).min(1.0),
                false => 0.0,
            };
            if self.n_quoted == 0 || has_quoted[at] == self.n_quoted {
                visit(chunk, score, lacking);
            }
        });
    }
}

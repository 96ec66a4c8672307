//! Turns a claim and a source into a verdict: which sentences of the source support the claim, how well, and what
//! it lacks.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::atom::{Atom, word};
use super::binding;
use super::claim::Text;
use super::contrast;
use super::facts;
use super::fault::Fault;
use super::polarity;
use super::token::atoms;
use super::window::Window;

/// Share of a claim's content terms that must occur in the sentences that support it.
///
/// Chosen on the cases of `tests/check_cases.rs` and the `conjnli` and `fever-dev-pairs` pairs, see
/// `examples/measure_check.rs`.
const SUPPORT_SHARE: f32 = 0.6;

/// Weight of word order relative to the share of words; chosen on the same pairs and those of `snli-devtest` and
/// `mnli-dev`.
const ORDER_WEIGHT: f32 = 0.15;

/// Most bytes, and sentences, of a source that are read; no prompt holds more of one passage.
const MAX_SOURCE_BYTES: usize = 1 << 16;
const MAX_SENTENCES: usize = 1000;

/// Headings are part of every run of sentences, and so have to be short.
const MAX_HEADING_BYTES: usize = 300;

/// Sentences of a source that are compared in full with their neighbours: those that share most with the claim.
const MAX_CANDIDATES: usize = 4;

/// How well a source supports a claim.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    /// From 0 to 1.
    pub(super) score: f32,
    /// All faults of the claim; empty when it is supported.
    pub(super) faults: Vec<Fault>,
}

impl Verdict {
    pub(super) fn is_supported(&self) -> bool {
        self.faults.is_empty()
    }
}

/// A parsed passage, ready to be compared with many claims.
pub(super) struct Read {
    heading: Vec<Atom>,
    body: Vec<Atom>,
    /// Where each sentence begins in `body`, then where the last one ends.
    starts: Vec<usize>,
    /// The sentences that contain a word, by its stem or key: the first 256 for each.
    sentences: HashMap<String, Vec<usize>>,
    /// Runs of sentences already compared, by first and last sentence.
    windows: RefCell<HashMap<(usize, usize), Rc<Window>>>,
}

impl Read {
    /// Parses a passage.
    pub(super) fn new(heading_path: &str, text: &str) -> Read {
        let text = &text[..text.floor_char_boundary(MAX_SOURCE_BYTES)];
        let heading = atoms(&heading_path[..heading_path.floor_char_boundary(MAX_HEADING_BYTES)]);
        let mut body = atoms(&unwrapped(text));
        body.truncate(body.partition_point(|atom| atom.sentence < MAX_SENTENCES));
        let mut starts: Vec<usize> = Vec::new();
        let mut sentences: HashMap<String, Vec<usize>> = HashMap::new();
        let mut before = None;
        for (idx, atom) in body.iter().enumerate() {
            if before != Some(atom.sentence) {
                starts.push(idx);
                before = Some(atom.sentence);
            }
            let sentence = starts.len() - 1;
            let places = sentences.entry(word(atom).to_owned()).or_default();
            if places.len() < 256 && places.last() != Some(&sentence) {
                places.push(sentence);
            }
        }
        starts.push(body.len());
        Read {
            heading,
            body,
            starts,
            sentences,
            windows: RefCell::default(),
        }
    }

    /// Compares a claim with the sentences that share most with it, alone and with a neighbour.
    pub(super) fn judge(&self, claim: &Text) -> Verdict {
        let mut best: Option<Verdict> = None;
        for (first, last) in self.candidates(claim) {
            let window = self.window(first, last);
            let verdict = verdict(claim, &window);
            let is_better = best.as_ref().is_none_or(|best| {
                (verdict.faults.is_empty(), verdict.score) > (best.faults.is_empty(), best.score)
            });
            if is_better {
                best = Some(verdict);
            }
        }
        best.unwrap_or_else(|| Verdict {
            score: 0.0,
            faults: vec![Fault::Words],
        })
    }

    /// Runs of one or two sentences, `first..last`.
    fn candidates(&self, claim: &Text) -> Vec<(usize, usize)> {
        let n_sentences = self.starts.len() - 1;
        let mut shared: HashMap<usize, usize> = HashMap::new();
        let mut seen: HashMap<&str, ()> = HashMap::new();
        for atom in claim.atoms.iter().filter(|atom| atom.is_content()) {
            if seen.insert(word(atom), ()).is_none() {
                for sentence in self.sentences.get(word(atom)).into_iter().flatten() {
                    *shared.entry(*sentence).or_default() += 1;
                }
            }
        }
        let mut ranked: Vec<(usize, usize)> = shared.into_iter().collect();
        ranked
            .sort_unstable_by_key(|(sentence, n_shared)| (std::cmp::Reverse(*n_shared), *sentence));
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (sentence, _) in ranked.into_iter().take(MAX_CANDIDATES) {
            runs.push((sentence, sentence + 1));
            runs.push((sentence.saturating_sub(1), sentence + 1));
            runs.push((sentence, (sentence + 2).min(n_sentences)));
        }
        // A heading alone may support a claim.
        if runs.is_empty() {
            runs.push((0, n_sentences.min(1)));
        }
        runs.sort_unstable();
        runs.dedup();
        runs
    }

    fn window(&self, first: usize, last: usize) -> Rc<Window> {
        let make = || {
            let run = self.starts[first]..self.starts[last];
            Rc::new(Window::new(
                &self.heading,
                &self.body[run],
                self.topic(first),
            ))
        };
        Rc::clone(
            self.windows
                .borrow_mut()
                .entry((first, last))
                .or_insert_with(make),
        )
    }

    /// The first sentence, which tells what `it` and `they` refer to in later ones.
    fn topic(&self, first: usize) -> &[Atom] {
        if first == 0 {
            &[]
        } else {
            &self.body[..self.starts[1]]
        }
    }
}

/// Joins wrapped lines: a line that begins in lower case continues the sentence before it.
fn unwrapped(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut fenced = false;
    let mut n_ticks = 0;
    while let Some(letter) = letters.next() {
        n_ticks = if letter == '`' { n_ticks + 1 } else { 0 };
        fenced ^= n_ticks == 3;
        let wraps =
            letter == '\n' && !fenced && letters.peek().is_some_and(|next| next.is_lowercase());
        joined.push(if wraps { ' ' } else { letter });
    }
    joined
}

fn verdict(claim: &Text, window: &Window) -> Verdict {
    let share = share(claim, window);
    let mut faults = facts::missing(claim, window);
    faults.extend(binding::swapped(claim, window));
    faults.extend(contrast::opposites(claim, window));
    faults.extend(contrast::forces(claim, window));
    if share < SUPPORT_SHARE {
        faults.push(Fault::Words);
    }
    if has_foreign_clause(claim, window) {
        faults.push(Fault::Clause);
    }
    // A missing name costs a fifth of the score, any other fault half of it; too few words already lower the share.
    // Word order distinguishes a copy from other text with the same words.
    let order = order(claim, window);
    let weight = faults.iter().fold(1.0_f32, |weight, fault| match fault {
        Fault::Words | Fault::Clause => weight,
        Fault::Name(_) => weight * 0.8,
        _ => weight * 0.5,
    });
    Verdict {
        score: ((1.0 - ORDER_WEIGHT) * share + ORDER_WEIGHT * order) * weight,
        faults,
    }
}

/// True if the window has none of the several content words of one of the claim's clauses: a copied sentence may go on
/// with something invented, and still share most of its words.
fn has_foreign_clause(claim: &Text, window: &Window) -> bool {
    let clauses = claim
        .atoms
        .chunk_by(|one, next| (one.sentence, one.clause) == (next.sentence, next.clause));
    let is_foreign = |clause: &[Atom]| {
        let content = || clause.iter().filter(|atom| atom.is_content());
        content().count() > 1 && content().all(|atom| window.places_of(atom).is_empty())
    };
    clauses.into_iter().any(is_foreign)
}

/// Share of the claim's content terms that occur in the window.
#[expect(clippy::cast_precision_loss, reason = "far below 2^24 words")]
fn share(claim: &Text, window: &Window) -> f32 {
    let mut seen: HashMap<&str, bool> = HashMap::new();
    for (idx, atom) in claim
        .atoms
        .iter()
        .enumerate()
        .filter(|(_, atom)| atom.is_content())
    {
        // `not required` means `optional`.
        let same_side = || {
            let pole =
                polarity::pole(atom).map(|(pair, side)| (pair, side != claim.denial.head[idx]));
            pole.is_some_and(|pole| window.poles.contains_key(&pole))
        };
        seen.entry(word(atom))
            .or_insert_with(|| !window.places_of(atom).is_empty() || same_side());
    }
    let held = seen.values().filter(|held| **held).count();
    // A claim of function words alone says nothing to look for.
    if seen.is_empty() {
        0.0
    } else {
        held as f32 / seen.len() as f32
    }
}

/// Share of neighbouring content words that are neighbours in the window too, in the same order.
#[expect(clippy::cast_precision_loss, reason = "far below 2^24 words")]
fn order(claim: &Text, window: &Window) -> f32 {
    const NEAR: usize = 5;
    let mut n_pairs = 0;
    let mut n_kept = 0;
    let mut before: Option<&Atom> = None;
    for atom in claim.atoms.iter().filter(|atom| atom.is_content()) {
        if let Some(before) = before.replace(atom) {
            n_pairs += 1;
            let follows = |one: usize| {
                window
                    .places_of(atom)
                    .iter()
                    .any(|other| (one + 1..=one + NEAR).contains(other))
            };
            n_kept += usize::from(window.places_of(before).iter().any(|one| follows(*one)));
        }
    }
    if n_pairs == 0 {
        1.0
    } else {
        n_kept as f32 / n_pairs as f32
    }
}

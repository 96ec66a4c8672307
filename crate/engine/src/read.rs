//! The reader over the passages of a question: which unit of which passage answers, and how surely.
//!
//! Passages are cut into windows, the ones with the chunks that were found first. Each unit of a window (a sentence, an item, a row, a
//! block of code) is scored from the logits of its best span against "no answer here", the evidence of its words, and the window's
//! own logits, so that units of different windows compare on one scale.

use std::ops::Range;

use anchorite_model::read::{Reader, Reading, Window, Word};
use serde::Serialize;

use crate::answer::Passage;
use crate::error::EngineError;
use crate::unit::{self, Unit};

/// How many windows are read for a question. Each costs a page some 25 ms.
pub const MAX_WINDOWS: usize = 8;
/// Tokens of a window with its question and heading; training saw as many.
const WINDOW_TOKENS: usize = 192;
/// So many tokens stand in two neighbouring windows, so that a sentence at the seam is whole in one of them.
const OVERLAP_TOKENS: usize = 40;
/// Longer answers are shown by their unit.
const MAX_SPAN_WORDS: usize = 24;
/// Logits are cut off here: beyond it nothing is surer.
const LIMIT: f32 = 12.0;

/// The weights of a unit's score, chosen among a few by the questions of two sites (the Rust book and the guide).
const SPAN_WEIGHT: f32 = 0.25;
const EVIDENCE_WEIGHT: f32 = 1.0;
const ANSWERABLE_WEIGHT: f32 = 0.5;
const RELEVANT_WEIGHT: f32 = 0.5;
/// How much the retrieval's score counts, as a share of the best passage's: it knows the whole site, the reader a window.
const RETRIEVAL_WEIGHT: f32 = 15.0;

/// A unit that may answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Index of the passage.
    pub passage: usize,
    /// The unit's bytes in the passage's section.
    pub unit: Range<usize>,
    /// The likeliest answer inside it.
    pub span: Range<usize>,
    /// What the reader says of it.
    pub signs: Signs,
    /// One number of them, by which candidates are ordered.
    pub score: f32,
}

/// What the reader says of the unit that it chose. Logits, within 12 of 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Signs {
    /// The span's start and end together, less those of no answer in its window.
    pub margin: f32,
    /// The mean over the unit's words of standing in a sentence that answers.
    pub evidence: f32,
    /// The window's answering the question.
    pub answerable: f32,
    /// The window's being about it.
    pub relevant: f32,
    /// By how much its score passes that of the best unit in another passage.
    pub lead: f32,
}

/// The units of the passages that answer `question` best, best first; empty where no passage has a word.
///
/// # Errors
/// Those of the reader.
pub fn candidates(
    reader: &Reader,
    question: &str,
    passages: &[Passage],
) -> Result<Vec<Candidate>, EngineError> {
    let asked = reader.question(question)?;
    let mut windows: Vec<(usize, Window)> = Vec::new();
    let mut others: Vec<(usize, Window)> = Vec::new();
    for (idx, passage) in passages.iter().enumerate() {
        let cut = reader.windows(
            &asked,
            &passage.heading_path(),
            &passage.section,
            WINDOW_TOKENS,
            OVERLAP_TOKENS,
        )?;
        let found = passage.section.find(&passage.text).unwrap_or(0);
        let first = cut.iter().rposition(|window| window.range().start <= found);
        for (place, window) in cut.into_iter().enumerate() {
            match Some(place) == first.or(Some(0)) {
                true => windows.push((idx, window)),
                false => others.push((idx, window)),
            }
        }
    }
    windows.extend(others);
    windows.truncate(MAX_WINDOWS);
    let (of_passage, windows): (Vec<usize>, Vec<Window>) = windows.into_iter().unzip();
    let readings = reader.read(&asked, &windows)?;
    let scores = passages.iter().map(|passage| passage.score);
    let best_score = scores.fold(f32::MIN_POSITIVE, f32::max);
    let mut found: Vec<Candidate> = Vec::new();
    for ((passage, window), reading) in of_passage.iter().zip(&windows).zip(&readings) {
        let range = window.range();
        let units = unit::units(&passages[*passage].section).into_iter();
        let seen =
            units.filter(|unit| unit.range.start < range.end && unit.range.end > range.start);
        let share = passages[*passage].score / best_score;
        let found_here = seen.filter_map(|unit| candidate(*passage, &unit, share, reading));
        for candidate in found_here {
            let same = |other: &&mut Candidate| {
                other.passage == candidate.passage && other.unit == candidate.unit
            };
            // At a seam two windows hold the same unit; the better view of it counts.
            match found.iter_mut().find(same) {
                Some(other) if other.score < candidate.score => *other = candidate,
                Some(_) => {}
                None => found.push(candidate),
            }
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    if let Some(best) = found.first() {
        let (passage, score) = (best.passage, best.score);
        let second = found.iter().find(|other| other.passage != passage);
        let lead = second.map_or(LIMIT, |second| score - second.score);
        found[0].signs.lead = lead.min(LIMIT);
    }
    Ok(found)
}

/// What a window says of one of its units; `None` where it holds no word of it. `share` is its passage's retrieval score as a share of
/// the best one's.
fn candidate(passage: usize, unit: &Unit, share: f32, reading: &Reading) -> Option<Candidate> {
    let first = reading
        .words
        .partition_point(|word| word.range.end <= unit.range.start);
    let last = reading
        .words
        .partition_point(|word| word.range.start < unit.range.end);
    let words: &[Word] = reading.words.get(first..last)?;
    let span = reading.best_span(first..last, MAX_SPAN_WORDS)?;
    #[expect(clippy::cast_precision_loss, reason = "a window has few words")]
    let evidence = words.iter().map(|word| word.evidence).sum::<f32>() / words.len() as f32;
    let within = |logit: f32| logit.clamp(-LIMIT, LIMIT);
    let signs = Signs {
        margin: within(span.margin),
        evidence: within(evidence),
        answerable: within(reading.answerable),
        relevant: within(reading.relevant),
        lead: 0.0,
    };
    let score = SPAN_WEIGHT * signs.margin
        + EVIDENCE_WEIGHT * signs.evidence
        + ANSWERABLE_WEIGHT * signs.answerable
        + RELEVANT_WEIGHT * signs.relevant
        + RETRIEVAL_WEIGHT * share;
    Some(Candidate {
        passage,
        unit: unit.range.clone(),
        span: span.range,
        signs,
        score,
    })
}

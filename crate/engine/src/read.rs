//! Turns the passages of a question into the units that may answer it, each with a score.
//!
//! Passages are cut into windows; windows with retrieved chunks are read first. Each unit of a window (a sentence, an
//! item, a row, a block of code) is scored from the logits of its best span against "no answer here", the evidence of
//! its words, and the window's own logits, so units of different windows are comparable.

use std::collections::BTreeSet;
use std::ops::Range;

use anchorite_index::lexical;
use anchorite_model::read::{Question, Reader, Reading, Window, Word};

use crate::answer::Passage;
use crate::check::{Asked, Held, Quantity};
use crate::error::EngineError;
use crate::gate::Evidence;
use crate::unit::{self, Echo, Member, Unit};

pub use crate::gate::Signs;

/// Windows read per question; each takes about 25 ms in a page.
pub const MAX_WINDOWS: usize = 8;
/// Tokens of a window with its question and heading, as in training.
const WINDOW_TOKENS: usize = 192;
/// Tokens shared by neighbouring windows, so that a sentence at the seam is whole in one of them.
const OVERLAP_TOKENS: usize = 40;
/// Longest span, in words; a longer answer is shown as its whole unit.
const MAX_SPAN_WORDS: usize = 24;
/// Logits are clamped to this magnitude, beyond which none is any more certain.
const LIMIT: f32 = 12.0;

/// The weights of a unit's score, chosen from a few candidates on the questions of two sites (the Rust book and the
/// guide).
const SPAN_WEIGHT: f32 = 0.25;
const EVIDENCE_WEIGHT: f32 = 1.0;
const ANSWERABLE_WEIGHT: f32 = 0.5;
const RELEVANT_WEIGHT: f32 = 0.5;
/// Weight of a passage's retrieval score, as a share of the best passage's: retrieval sees the whole site, the reader
/// only a window.
const RETRIEVAL_WEIGHT: f32 = 15.0;
/// Weight of the share of the question's numbers and code that the unit or its heading holds. At half this weight, the
/// sentence above a table outranked the row that was asked about.
const ASKED_WEIGHT: f32 = 6.0;

/// Weight of a number in a unit, if the question asks for a quantity.
const QUANTITY_WEIGHT: f32 = 2.0;
/// Weight against a unit that only repeats the question.
const ECHO_WEIGHT: f32 = 12.0;

/// The most units returned for a question.
const MAX_UNITS: usize = 3;
/// Units that score more than this below the best one are left out. A guess, in units of one sign.
const MAX_SCORE_GAP: f32 = 2.0;

/// A unit that may answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Index of the passage.
    pub passage: usize,
    /// Byte range of the unit in the passage's section.
    unit: Range<usize>,
    /// Byte range of the likeliest answer in the passage's section.
    pub span: Range<usize>,
    /// The reader's view of it.
    pub signs: Signs,
    /// The passage's retrieval score as a share of the best one's.
    pub share: f32,
    /// The signs and the share combined; units are ranked by it.
    score: f32,
    /// Its place in its list or table.
    member: Option<Member>,
}

/// The units of the passages that answer `question` best, best first; the first one's signs complete `evidence`. Others
/// follow only if they score close to it. Empty if no passage has words.
///
/// # Errors
/// Any error of the reader.
pub fn best(
    reader: &Reader,
    question: &str,
    passages: &[Passage],
    evidence: &mut Evidence,
) -> Result<Vec<Candidate>, EngineError> {
    let found = candidates(reader, question, passages)?;
    let Some(mut best) = found.first().cloned() else {
        return Ok(Vec::new());
    };
    let elsewhere = found.iter().find(|other| other.passage != best.passage);
    let lead = elsewhere.map_or(LIMIT, |second| best.score - second.score);
    best.signs.lead = lead.min(LIMIT);
    evidence.reading = Some(best.signs);
    let near = best.score - MAX_SCORE_GAP;
    let mut units = vec![best];
    for other in found {
        // Windows overlap, so a unit may occur twice.
        let is_told = |told: &Candidate| told.passage == other.passage && told.unit == other.unit;
        if units.len() < MAX_UNITS && other.score >= near && !units.iter().any(is_told) {
            units.push(other);
        }
    }
    if unit::asks_for_steps(question) {
        show_steps(&mut units, passages, &lexical::terms(question));
    }
    Ok(units)
}

/// Replaces the best of `units` with the steps it introduces or belongs to, unless the reader found the answer in the
/// unit's own words, or it is the step with a word of the question: "How do I open the valve?" asks for that step
/// alone.
fn show_steps(units: &mut Vec<Candidate>, passages: &[Passage], topics: &BTreeSet<String>) {
    let Some(best) = units.first().filter(|best| best.signs.margin <= 0.0) else {
        return;
    };
    let passage = best.passage;
    let section = &passages[passage].section;
    let Some(steps) = unit::steps_for(section, &best.unit) else {
        return;
    };
    let is_step = steps.contains(&best.unit.start);
    if is_step && !lexical::terms(&section[best.unit.clone()]).is_disjoint(topics) {
        return;
    }
    let mut best = units.remove(0);
    units.retain(|other| other.passage != passage || !steps.contains(&other.unit.start));
    (best.unit, best.span) = (steps.clone(), steps);
    units.insert(0, best);
}

/// Every unit of every window read, best first, ties in reading order; `lead` is not set.
///
/// # Errors
/// Any error of the reader.
pub fn candidates(
    reader: &Reader,
    question: &str,
    passages: &[Passage],
) -> Result<Vec<Candidate>, EngineError> {
    let prepared = reader.question(question)?;
    let (of_passage, windows) = windows(reader, &prepared, passages)?;
    let readings = reader.read(&prepared, &windows)?;
    let topics = lexical::terms(question);
    let units: Vec<Vec<(Unit, Option<Member>)>> = passages
        .iter()
        .map(|passage| unit::units_with_members(&passage.section, &topics))
        .collect();
    let asked = Asked::of(question);
    let (quantity, echo) = (Quantity::asked_by(question), Echo::of(question));
    // Once per passage: all its windows share the facts in it and its headings.
    let held: Vec<(Held, Held)> = passages
        .iter()
        .map(|passage| {
            let in_heading = asked.held_in(&passage.heading_path());
            (in_heading, in_heading | asked.held_in(&passage.section))
        })
        .collect();
    let scores = passages.iter().map(|passage| passage.score);
    let best_score = scores.fold(f32::MIN_POSITIVE, f32::max);
    let mut found: Vec<Candidate> = Vec::new();
    for (idx, reading) in of_passage.into_iter().zip(&readings) {
        let passage = &passages[idx];
        let (in_heading, in_passage) = held[idx];
        for (at, (unit, member)) in units[idx].iter().enumerate() {
            let Some(mut one) = candidate(idx, unit, passage.score / best_score, reading) else {
                continue;
            };
            one.member = *member;
            let text = &passage.section[unit.range.clone()];
            if quantity.is_some_and(|quantity| quantity.is_in(text)) {
                one.score += QUANTITY_WEIGHT;
            }
            let next = units[idx].get(at + 1).map(|(next, _)| next);
            let next = next.map_or("", |next| &passage.section[next.range.clone()]);
            // A line that introduces the repeated question is no answer either.
            if echo.is(text) || (text.ends_with(':') && echo.is(next)) {
                one.score -= ECHO_WEIGHT;
            }
            one.signs.asked = asked.share(in_passage);
            // A passage without the facts has no unit with them.
            if one.signs.asked > 0.0 {
                let in_unit = in_heading | asked.held_in(text);
                one.score += ASKED_WEIGHT * asked.share(in_unit);
                one.signs.is_named = asked.is_opaque() && asked.share(in_unit) >= 1.0;
            }
            found.push(one);
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    lead_with_named(&mut found);
    Ok(found)
}

/// Moves the member named by the question to the best rank that its list or table has in `found`, which is sorted best
/// first. A reader trained on prose finds the table but confuses its rows; the words of the question tell them apart.
fn lead_with_named(found: &mut [Candidate]) {
    let mut seen: Vec<(usize, usize)> = Vec::new();
    for best in 0..found.len() {
        let place = |one: &Candidate| one.member.map(|member| (one.passage, member.group));
        let named = |one: &Candidate| one.member.map_or(0.0, |member| member.named);
        let Some(group) = place(&found[best]).filter(|group| !seen.contains(group)) else {
            continue;
        };
        seen.push(group);
        if found[best].signs.is_named {
            continue;
        }
        let mut leader = best;
        for other in best + 1..found.len() {
            if place(&found[other]) == Some(group) && named(&found[other]) > named(&found[leader]) {
                leader = other;
            }
        }
        let (before, from) = found.split_at_mut(leader);
        if let (Some(best), [leader, ..]) = (before.get_mut(best), from) {
            // The units swap ranks, but the reader's confidence in the table stays with the rank.
            std::mem::swap(best, leader);
            std::mem::swap(&mut best.score, &mut leader.score);
            std::mem::swap(&mut best.signs, &mut leader.signs);
            std::mem::swap(&mut best.signs.is_named, &mut leader.signs.is_named);
        }
    }
}

/// The windows to read, each with the index of its passage: first one from each passage, at the start of the retrieved
/// chunk.
fn windows(
    reader: &Reader,
    asked: &Question,
    passages: &[Passage],
) -> Result<(Vec<usize>, Vec<Window>), EngineError> {
    let mut first: Vec<(usize, Window)> = Vec::new();
    let mut others: Vec<(usize, Window)> = Vec::new();
    for (idx, passage) in passages.iter().enumerate() {
        let heading = passage.heading_path();
        let mut cut = reader.windows(
            asked,
            &heading,
            &passage.section,
            WINDOW_TOKENS,
            OVERLAP_TOKENS,
        )?;
        let found = passage.section.find(&passage.text).unwrap_or(0);
        let place = cut.iter().rposition(|window| window.range().start <= found);
        if !cut.is_empty() {
            first.push((idx, cut.remove(place.unwrap_or(0))));
        }
        others.extend(cut.into_iter().map(|window| (idx, window)));
    }
    first.extend(others);
    first.truncate(MAX_WINDOWS);
    Ok(first.into_iter().unzip())
}

/// One unit as seen by a window; `None` if the window holds no word of it. `share` is the passage's retrieval score as
/// a share of the best one's.
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
        asked: 1.0,
        is_named: false,
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
        share,
        score,
        member: None,
    })
}

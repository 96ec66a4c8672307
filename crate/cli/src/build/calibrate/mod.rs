//! Derives a site's thresholds from questions made from its own pages: the probability from which a question counts as
//! answered there, and the risk of a wrong answer.
//!
//! Each question is asked twice, of the whole site and of the site without its page, and there are questions from
//! elsewhere. Thresholds are tested from the strictest to the most lenient until one can't be certified, so the bound
//! holds although it was used to choose the threshold (fixed sequence testing, as in Angelopoulos and others, "Learn
//! then Test", 2021).

mod questions;

use anchorite::index::bundle::{Calibration, ReliabilityBin};
use anchorite::index::{ChunkIdx, Index};
use anchorite::model::embed::{Embedder, Side};
use anchorite::model::read::Reader;
use anchorite::{Thresholds, read, retrieve};
use rayon::prelude::*;

use self::questions::Made;
use crate::risk;

/// Maximum questions made from a site; each takes two runs of the reader.
const MAX_QUESTIONS: usize = 120;
/// Fewer questions certify nothing: the thresholds for all sites then apply.
const MIN_QUESTIONS: usize = 60;
/// The accepted share of wrong answers among those that count as answered, with the confidence of [`CONFIDENCE`].
pub(crate) const MAX_RISK: f32 = 0.10;
const CONFIDENCE: f64 = 0.95;
/// Fewer answers can't certify [`MAX_RISK`] even if all are right, so testing starts there.
const MIN_CLAIMED: usize = 29;
/// Number of thresholds that are tried, strictest first.
const STEPS: usize = 20;
/// Number of passages read, as on a page.
const N_PASSAGES: usize = 5;
const N_BINS: usize = 10;

/// The outcome of one question.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Verdict {
    probability: f32,
    is_right: bool,
}

/// Asks a site its own questions; `None` if too few can be made.
///
/// # Errors
/// Those of the models.
pub(crate) fn calibrate(
    index: &Index,
    embedder: &Embedder,
    reader: &Reader,
) -> anyhow::Result<Option<Calibration>> {
    let made = questions::of_site(index, MAX_QUESTIONS);
    if made.len() < MIN_QUESTIONS {
        return Ok(None);
    }
    let foreign: Vec<Made> = questions::foreign().collect();
    let mut asked: Vec<(&Made, bool)> = Vec::new();
    asked.extend(made.iter().map(|made| (made, true)));
    asked.extend(made.iter().map(|made| (made, false)));
    asked.extend(foreign.iter().map(|made| (made, false)));
    let verdicts = asked
        .par_iter()
        .map(|(made, with_page)| verdict(index, embedder, reader, made, *with_page))
        .collect::<anyhow::Result<Vec<Verdict>>>()?;
    Ok(Some(decide(&verdicts)))
}

/// Asks one question of the site, with the question's page or without it.
fn verdict(
    index: &Index,
    embedder: &Embedder,
    reader: &Reader,
    made: &Made,
    with_page: bool,
) -> anyhow::Result<Verdict> {
    let embedding = match index.vectors {
        Some(_) => embedder.embed(Side::Query, &[&made.text])?.pop(),
        None => None,
    };
    let document = |idx: ChunkIdx| index.chunk(idx).map(|chunk| chunk.document);
    let home = made.home.as_ref().map(|(_, document)| *document);
    let left_out = |idx: ChunkIdx| !with_page && home.is_some() && document(idx) == home;
    let (passages, mut evidence) = retrieve::passages_without(
        index,
        &made.text,
        embedding.as_deref(),
        N_PASSAGES,
        left_out,
    );
    let best = read::best(reader, &made.text, &passages, &mut evidence)?;
    let quoted = best.first().map(|best| &passages[best.passage].url);
    let home = made.home.as_ref().map(|(url, _)| url);
    Ok(Verdict {
        probability: evidence.probability().unwrap_or(0.0),
        is_right: with_page && home.is_some() && home == quoted,
    })
}

/// The most lenient threshold that can be certified, with its counts and risk.
fn decide(verdicts: &[Verdict]) -> Calibration {
    let at = |threshold: f32| {
        let claimed = verdicts.iter().filter(|one| one.probability >= threshold);
        claimed.fold((0, 0), |(n, n_wrong), one| {
            (n + 1, n_wrong + usize::from(!one.is_right))
        })
    };
    let bound = |(n, n_wrong): (usize, usize)| risk::upper_bound(n_wrong, n, CONFIDENCE);
    let mut certified = None;
    for step in (1..STEPS).rev() {
        #[expect(clippy::cast_precision_loss, reason = "a small number of steps")]
        let threshold = step as f32 / STEPS as f32;
        let found = at(threshold);
        if found.0 < MIN_CLAIMED {
            continue;
        }
        if bound(found) > f64::from(MAX_RISK) {
            break;
        }
        certified = Some(threshold);
    }
    // If nothing can be certified, the threshold for all sites applies, with the risk that it has here.
    let answered = certified.unwrap_or(Thresholds::default().answered);
    let (n_claimed, n_wrong) = at(answered);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a share needs no more digits"
    )]
    let risk = bound((n_claimed, n_wrong)) as f32;
    Calibration {
        answered,
        closest: Thresholds::default().closest.min(answered),
        questions: count(verdicts.len()),
        claimed: count(n_claimed),
        wrong: count(n_wrong),
        risk,
        reliability: reliability(verdicts),
    }
}

fn reliability(verdicts: &[Verdict]) -> Vec<ReliabilityBin> {
    let mut sorted = verdicts.to_vec();
    sorted.sort_by(|a, b| a.probability.total_cmp(&b.probability));
    let size = sorted.len().div_ceil(N_BINS).max(1);
    let bin = |verdicts: &[Verdict]| {
        let sum: f32 = verdicts.iter().map(|one| one.probability).sum();
        let right = verdicts.iter().filter(|one| one.is_right).count();
        #[expect(clippy::cast_precision_loss, reason = "a few hundred questions")]
        let probability = (sum / verdicts.len() as f32).clamp(0.0, 1.0);
        ReliabilityBin {
            probability,
            questions: u32::try_from(verdicts.len()).unwrap_or(u32::MAX),
            right: u32::try_from(right).unwrap_or(u32::MAX),
        }
    };
    sorted.chunks(size).map(bin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(n: usize, probability: f32, is_right: bool) -> Vec<Verdict> {
        vec![
            Verdict {
                probability,
                is_right
            };
            n
        ]
    }

    #[test]
    fn the_threshold_goes_down_as_far_as_the_risk_allows() {
        let sure = verdicts(60, 0.92, true);
        let unsure = verdicts(20, 0.62, false);
        let found = decide(&[sure, unsure].concat());
        assert_eq!(found.answered, 0.65, "the wrong ones stand at 0.62");
        assert_eq!((found.claimed, found.wrong), (60, 0));
        assert!(
            found.risk <= 0.10,
            "60 right answers certify {}",
            found.risk
        );
    }

    #[test]
    fn where_nothing_can_be_certified_the_risk_says_so() {
        let found = decide(&[verdicts(20, 0.95, true), verdicts(20, 0.95, false)].concat());
        assert_eq!(
            found.answered,
            Thresholds::default().answered,
            "that of all sites"
        );
        assert!(
            found.risk > 0.5,
            "half of the answers are wrong: {}",
            found.risk
        );
    }

    #[test]
    fn bins_hold_every_question_once() {
        let all = [verdicts(15, 0.9, true), verdicts(10, 0.1, false)].concat();
        let bins = reliability(&all);
        assert_eq!(bins.iter().map(|bin| bin.questions).sum::<u32>(), 25);
        assert_eq!(bins.iter().map(|bin| bin.right).sum::<u32>(), 15);
    }
}

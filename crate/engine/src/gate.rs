//! Turns the signs from reader and retrieval into a calibrated probability that the documents answer, and into one of
//! three outcomes.

use anchorite_index::bundle::Manifest;
use serde::{Deserialize, Serialize};

/// The result of a question. Answered: the quotation answers, as surely as the site demands. Closest: the closest passage
/// is quoted, and may not answer. Absent: these documents don't say.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The quotation answers, with the certainty that the site's threshold demands.
    Answered,
    /// The closest passage is quoted; it may not answer.
    Closest,
    /// These documents don't say; the nearest sections are named.
    Absent,
}

/// The reader's view of the quoted unit. Logits are clamped to ±12.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Signs {
    /// The span's start and end logits minus those of no answer in its window.
    pub margin: f32,
    /// Mean over the unit's words of the logit of being in a sentence that answers.
    pub evidence: f32,
    /// Logit that the window answers the question.
    pub answerable: f32,
    /// Logit that the window is about the question.
    pub relevant: f32,
    /// Its score minus that of the best unit in another passage.
    pub lead: f32,
    /// Share of the question's numbers and code found in the passage or its headings, 0 to 1; 1 if it names none.
    pub asked: f32,
    /// True if the question names a code, a flag or a version, and the unit or its headings hold all of them.
    pub is_named: bool,
}

/// The signs behind a decision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Cosine similarity of the best passage, on the scale of the embedder that ships; `None` without vectors.
    pub similarity: Option<f32>,
    /// Share of the question's terms, weighted by rarity, that the best passage contains; 0 to 1.
    pub coverage: f32,
    /// How much closer the best passage is than unrelated ones of this site come (`Similarity::near` of the index); `None`
    /// where the site's unrelated texts were not measured, or the question has no embedding.
    pub beyond_unrelated: Option<f32>,
    /// The reader's view of the quoted unit; `None` without a reader.
    pub reading: Option<Signs>,
}

/// The probabilities above which a question counts as answered, and above which its closest passage is worth showing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// At least this probability, 0 to 1: [`Outcome::Answered`].
    pub answered: f32,
    /// At least this probability, at most `answered`: [`Outcome::Closest`].
    pub closest: f32,
}

impl Thresholds {
    /// The thresholds of a bundle, or the defaults if it has none of its own.
    pub fn of(manifest: &Manifest) -> Self {
        let own = manifest.calibration.as_ref();
        own.map_or_else(Self::default, |calibration| Self {
            answered: calibration.answered,
            closest: calibration.closest,
        })
    }
}

impl Default for Thresholds {
    /// Thresholds for sites without their own.
    fn default() -> Self {
        Self {
            answered: 0.6,
            closest: 0.3,
        }
    }
}

/// Weights of a logistic function of the reader's and the retrieval's signs: close to the fit of
/// `models/recipes/reader/fit.py` on questions about documentation, encyclopedia articles, the Rust book and the guide,
/// including questions whose answers were removed and questions about other sites. The fit gave span, evidence and
/// relevance no weight next to these.
const BIAS: f32 = -3.7;
const ANSWERABLE: f32 = 0.35;
const LEAD: f32 = 0.045;
const COVERAGE: f32 = 0.5;
const SIMILARITY: f32 = 5.5;
/// Log odds that a passage loses if it has none of the question's numbers and code: about the difference in correctness
/// between encyclopedia questions whose number was in the passage and those whose number was not.
const NOT_ASKED: f32 = 2.0;
/// The same where unrelated texts of the site were measured, for the reader of many languages, whose logits are closer to 0:
/// close to the fit on 200 questions of XQuAD's Greek part, half of them without their article.
const MEASURED_BIAS: f32 = -4.3;
const MEASURED_ANSWERABLE: f32 = 1.25;
const MEASURED_LEAD: f32 = 0.3;
const MEASURED_BEYOND: f32 = 1.25;
/// Closeness that a passage gains with each unit of the logit that it answers, chosen on the same questions.
const NEAR_ANSWERABLE: f32 = 0.05;

/// The similarity assumed without vectors: about the mean of answerable questions. Also the minimum if the quotation
/// holds the code that was asked about: to an embedder, `E202` and `--keep` are noise in any passage.
const NO_SIMILARITY: f32 = 0.5;

/// At this similarity the passage is about the question, whatever its words.
const SIMILARITY_ALONE: f32 = 0.42;
/// Below this similarity, shared words are a coincidence.
const SIMILARITY_FLOOR: f32 = 0.32;
/// Above the floor, this share of the question's terms must occur in the passage.
const COVERAGE_WITH_SIMILARITY: f32 = 0.44;
/// The same without an embedder, when words are all there is.
const COVERAGE_ALONE: f32 = 0.40;

impl Evidence {
    /// The probability that the quotation answers, 0 to 1; `None` without a reader, because words and similarity alone
    /// distinguish topics, not answers.
    pub fn probability(&self) -> Option<f32> {
        let signs = self.reading?;
        let logit = match self.beyond_unrelated {
            Some(beyond) => {
                MEASURED_BIAS
                    + MEASURED_ANSWERABLE * signs.answerable
                    + MEASURED_LEAD * signs.lead
                    + MEASURED_BEYOND * beyond
            }
            None => self.logit(&signs),
        };
        let logit = logit - NOT_ASKED * (1.0 - signs.asked);
        Some(1.0 / (1.0 + (-logit).exp()))
    }

    /// The log odds that the quotation answers, by the English reader.
    fn logit(&self, signs: &Signs) -> f32 {
        let similarity = match self.similarity {
            Some(similarity) if signs.is_named => similarity.max(NO_SIMILARITY),
            similarity => similarity.unwrap_or(NO_SIMILARITY),
        };
        BIAS + ANSWERABLE * signs.answerable
            + LEAD * signs.lead
            + COVERAGE * self.coverage
            + SIMILARITY * similarity
    }

    /// The outcome at these thresholds. Without a reader nothing counts as answered: a passage that is near enough is
    /// [`Outcome::Closest`].
    pub fn outcome(&self, thresholds: Thresholds) -> Outcome {
        let probability = self.probability();
        let is_near = match probability {
            Some(probability) if self.beyond_unrelated.is_none() => {
                probability >= thresholds.closest
            }
            _ => self.is_near(),
        };
        match probability {
            _ if !is_near => Outcome::Absent,
            Some(probability) if probability >= thresholds.answered => Outcome::Answered,
            _ => Outcome::Closest,
        }
    }

    /// True if the passages are about the question: by what was measured on the site, and the reader if there is one, or, where
    /// nothing was measured, by thresholds fitted on the questions of two sites, of which 0.91 and 0.99 pass.
    fn is_near(&self) -> bool {
        if let Some(beyond) = self.beyond_unrelated {
            let answerable = self.reading.map_or(0.0, |signs| signs.answerable);
            return beyond + NEAR_ANSWERABLE * answerable >= 0.0;
        }
        match self.similarity {
            Some(similarity) => {
                similarity >= SIMILARITY_ALONE
                    || (similarity >= SIMILARITY_FLOOR && self.coverage >= COVERAGE_WITH_SIMILARITY)
            }
            None => self.coverage >= COVERAGE_ALONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(similarity: Option<f32>, coverage: f32, reading: Option<Signs>) -> Evidence {
        Evidence {
            similarity,
            coverage,
            beyond_unrelated: None,
            reading,
        }
    }

    #[test]
    fn what_was_measured_on_the_site_decides() {
        let with = |beyond| Evidence {
            beyond_unrelated: Some(beyond),
            ..evidence(Some(0.3), 0.2, None)
        };
        let outcome = |beyond| with(beyond).outcome(Thresholds::default());
        assert_eq!(outcome(0.01), Outcome::Closest);
        assert_eq!(outcome(-0.01), Outcome::Absent);
    }

    #[test]
    fn a_reader_moves_the_line_that_was_measured_and_claims_what_lies_beyond_it() {
        let outcome = |beyond, answerable, lead| {
            let signs = Signs {
                answerable,
                lead,
                asked: 1.0,
                ..Signs::default()
            };
            let found = Evidence {
                beyond_unrelated: Some(beyond),
                ..evidence(Some(0.3), 0.2, Some(signs))
            };
            found.outcome(Thresholds::default())
        };
        assert_eq!(outcome(-0.05, 1.5, 0.0), Outcome::Closest);
        assert_eq!(outcome(-0.05, 0.5, 0.0), Outcome::Absent);
        assert_eq!(outcome(0.05, -1.5, 0.0), Outcome::Absent);
        assert_eq!(outcome(0.2, 2.0, 10.0), Outcome::Answered);
        assert_eq!(
            outcome(-0.5, 4.0, 12.0),
            Outcome::Absent,
            "nothing near is claimed"
        );
    }

    #[test]
    fn without_a_reader_nothing_is_claimed() {
        let cases = [
            (Some(0.7), 0.0, Outcome::Closest),
            (Some(0.40), 0.5, Outcome::Closest),
            (Some(0.40), 0.3, Outcome::Absent),
            (Some(0.1), 1.0, Outcome::Absent),
            (None, 0.9, Outcome::Closest),
            (None, 0.3, Outcome::Absent),
        ];
        for (similarity, coverage, expected) in cases {
            let found = evidence(similarity, coverage, None).outcome(Thresholds::default());
            assert_eq!(found, expected, "for {similarity:?} and {coverage}");
        }
    }

    #[test]
    fn what_a_question_names_must_stand_there() {
        let signs = Signs {
            answerable: 2.5,
            lead: 6.0,
            asked: 1.0,
            ..Signs::default()
        };
        let probability = |similarity, signs| {
            let found = evidence(Some(similarity), 1.0, Some(signs)).probability();
            found.expect("there is a reader")
        };
        let lacks = Signs {
            asked: 0.0,
            ..signs
        };
        assert!(probability(0.6, signs) >= 0.6 && probability(0.6, lacks) < 0.6);
        // An embedder can't make sense of an error's name.
        let named = Signs {
            is_named: true,
            ..signs
        };
        assert!(probability(0.2, signs) < 0.6 && probability(0.2, named) >= 0.6);
        assert!(probability(0.7, signs) >= probability(0.7, named));
    }

    #[test]
    fn a_surer_reader_is_likelier_right() {
        let signs = |logit: f32| Signs {
            margin: logit,
            evidence: logit,
            answerable: logit,
            relevant: logit,
            lead: 0.0,
            asked: 1.0,
            is_named: false,
        };
        let outcome =
            |logit| evidence(Some(0.5), 0.5, Some(signs(logit))).outcome(Thresholds::default());
        assert_eq!(outcome(6.0), Outcome::Answered);
        assert_eq!(outcome(-6.0), Outcome::Absent);
        let stricter = Thresholds {
            answered: 1.1,
            closest: 0.1,
        };
        let found = evidence(Some(0.5), 0.5, Some(signs(6.0))).outcome(stricter);
        assert_eq!(found, Outcome::Closest, "no probability reaches 1.1");
    }
}

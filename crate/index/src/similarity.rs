//! Puts the cosines of any embedder on one scale.
//!
//! Embedders differ in the cosine of texts that have nothing to do with each other: around 0 with a spread of 0.09 for the
//! one that ships, around 0.76 with a spread of 0.022 for multilingual-e5-small. All weights and thresholds are for the
//! first.

use serde::{Deserialize, Serialize};

use crate::error::BundleError;

/// The standard deviation of the cosines of unrelated texts that weights and thresholds were fitted with.
pub(crate) const SPREAD: f32 = 0.09;

/// Weight of the share of a query's words that a passage has, beside their cosine, where both tell how close the two are.
const COVERAGE_WEIGHT: f32 = 0.5;

/// How close unrelated texts of a site come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Similarity {
    /// Mean of the cosines between queries and unrelated passages, -1 to 1.
    pub mean: f32,
    /// Their standard deviation, above 0.
    pub deviation: f32,
    /// The [`closeness`] that one in twenty queries reaches although no page is about it.
    pub near: f32,
}

/// How close a passage is to a query: the cosine on the scale of the embedder that ships, and the share of the query's
/// words that the passage has, weighted by rarity.
pub fn closeness(similarity: f32, coverage: f32) -> f32 {
    similarity + COVERAGE_WEIGHT * coverage
}

impl Similarity {
    /// The largest [`Self::near`] that is believed.
    pub const MAX_NEAR: f32 = 2.0;

    /// A cosine on the scale of the embedder that ships: 0 for unrelated texts on average, below about 0.35 for most.
    pub fn scaled(&self, cosine: f32) -> f32 {
        (cosine - self.mean) * (SPREAD / self.deviation)
    }

    /// That of measured `cosines`, and of earlier ones that count as `n_before` more. `None` if they are no numbers.
    pub fn measured(cosines: &[f32], before: Self, n_before: f32) -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "a weight")]
        let n = cosines.len() as f64;
        // A large site has millions of pairs, more than sums of single precision take.
        let sum: f64 = cosines.iter().map(|cosine| f64::from(*cosine)).sum();
        let own_mean = sum / n.max(1.0);
        let squares = cosines
            .iter()
            .map(|cosine| (f64::from(*cosine) - own_mean).powi(2));
        let (n_before, deviation) = (f64::from(n_before), f64::from(before.deviation));
        let (total, squares) = (n + n_before, squares.sum::<f64>());
        let mean = (sum + n_before * f64::from(before.mean)) / total;
        // Each around its own mean: that the means differ tells nothing about the spread.
        let deviation = ((squares + n_before * deviation * deviation) / total).sqrt();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a cosine needs no more digits"
        )]
        let found = Self {
            mean: mean as f32,
            deviation: deviation as f32,
            near: before.near,
        };
        found.is_possible().then_some(found)
    }

    /// The greatest cosine expected among `n_texts` unrelated ones, on the scale of the embedder that ships: the maximum of
    /// that many draws from a normal distribution around 0.
    pub fn chance(n_texts: usize) -> f32 {
        SPREAD * deviations_of_the_greatest(n_texts)
    }

    /// True for numbers that cosines can have.
    pub fn is_possible(&self) -> bool {
        (-1.0..=1.0).contains(&self.mean)
            && (1e-4..=1.0).contains(&self.deviation)
            && (0.0..=Self::MAX_NEAR).contains(&self.near)
    }

    /// # Errors
    /// [`BundleError::ManifestField`] for numbers that no cosines have.
    pub(crate) fn check(&self) -> Result<(), BundleError> {
        if self.is_possible() {
            return Ok(());
        }
        Err(BundleError::ManifestField {
            field: "similarity".to_owned(),
            expected: "a mean of -1 to 1, a deviation of 0.0001 to 1, and a closeness of 0 to 2"
                .to_owned(),
            found: format!("{}, {} and {}", self.mean, self.deviation, self.near),
        })
    }
}

/// How many standard deviations above the mean the greatest of `n_draws` from a normal distribution is expected.
pub(crate) fn deviations_of_the_greatest(n_draws: usize) -> f32 {
    let draws = n_draws.saturating_add(1) as f32;
    (2.0 * draws.ln()).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_of_another_embedder_are_put_on_the_scale() {
        let similarity = Similarity {
            mean: 0.77,
            deviation: 0.02,
            near: 0.45,
        };
        assert!(similarity.scaled(0.77).abs() < 1e-6);
        assert!((similarity.scaled(0.87) - 0.45).abs() < 1e-5);
    }

    #[test]
    fn few_measurements_change_little() {
        let before = Similarity {
            mean: 0.7,
            deviation: 0.02,
            near: 0.45,
        };
        let measured = |cosines: &[f32]| Similarity::measured(cosines, before, 100.0);
        let none = measured(&[]).expect("the earlier one");
        assert!((none.mean - 0.7).abs() < 1e-6 && (none.deviation - 0.02).abs() < 1e-6);
        let few = measured(&[0.8; 5]).expect("numbers");
        assert!(few.mean < 0.71, "{few:?}");
        let many = measured(&[0.78, 0.82].repeat(5_000_000)).expect("numbers");
        assert!((many.mean - 0.8).abs() < 0.002, "{many:?}");
        assert!((many.deviation - 0.02).abs() < 0.005, "{many:?}");
        assert_eq!(Similarity::measured(&[f32::NAN], before, 1.0), None);
    }

    #[test]
    fn impossible_numbers_are_refused() {
        for (mean, deviation, near) in [
            (0.7, 0.0, 0.4),
            (0.7, -0.1, 0.4),
            (2.0, 0.1, 0.4),
            (f32::NAN, 0.1, 0.4),
            (0.7, 0.1, f32::INFINITY),
        ] {
            let similarity = Similarity {
                mean,
                deviation,
                near,
            };
            assert!(similarity.check().is_err(), "{similarity:?}");
        }
    }
}

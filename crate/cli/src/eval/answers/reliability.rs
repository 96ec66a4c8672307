//! Turns probabilities and verdicts into a calibration table: how often answers are right at each probability, and the
//! mean error.
//!
//! Uses bins of equal width, and the expected calibration error over them (Naeini and others, 2015).

use serde::Serialize;

use super::case::Judged;

const N_BINS: usize = 10;

/// How reliable a system's probabilities are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Reliability {
    /// Mean distance between the probability and the share of right answers, weighted by answers; 0 is best.
    pub(super) expected_error: f64,
    /// From the lowest probabilities to the highest.
    pub(super) bins: Vec<Bin>,
}

/// Answers of about the same probability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Bin {
    /// The lowest probability in it; the bin ends where the next begins.
    pub(super) from: f64,
    /// Number of answers.
    pub(super) answers: usize,
    /// Their mean probability; 0 for none.
    pub(super) probability: f64,
    /// The share of right ones among them; 0 for none.
    pub(super) right: f64,
}

impl Reliability {
    /// Counts all answers, including those that the threshold refuses.
    pub(super) fn of(judged: &[Judged]) -> Self {
        let mut sums = [(0_usize, 0.0_f64, 0_usize); N_BINS];
        for one in judged {
            let probability = f64::from(one.probability);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a probability times ten, checked when the system gave it; what is below 0 saturates"
            )]
            let bin = (probability * N_BINS as f64) as usize;
            // A probability of 1 belongs to the last bin.
            let (n, sum, n_right) = &mut sums[bin.min(N_BINS - 1)];
            *n += 1;
            *sum += probability;
            *n_right += usize::from(one.is_right);
        }
        let bins = sums.iter().enumerate().map(|(idx, &(n, sum, n_right))| {
            let of = n.max(1) as f64;
            Bin {
                from: idx as f64 / N_BINS as f64,
                answers: n,
                probability: sum / of,
                right: n_right as f64 / of,
            }
        });
        let bins: Vec<Bin> = bins.collect();
        let errors = bins
            .iter()
            .map(|bin| (bin.probability - bin.right).abs() * bin.answers as f64);
        Self {
            expected_error: errors.sum::<f64>() / judged.len().max(1) as f64,
            bins,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{close, judged_as};
    use super::*;

    #[test]
    fn bins_and_error_are_those_worked_by_hand() {
        let answers = [
            (0.0, false),
            (0.25, true),
            (0.29, false),
            (0.95, true),
            (1.0, true),
        ];
        let all = judged_as(&answers);
        let found = Reliability::of(&all);
        let counts: Vec<usize> = found.bins.iter().map(|bin| bin.answers).collect();
        assert_eq!(counts, [1, 0, 2, 0, 0, 0, 0, 0, 0, 2], "answers by bin");
        let third = found.bins[2];
        assert!(
            (third.probability - 0.27).abs() < 1e-6 && third.right == 0.5,
            "the third bin: {third:?}"
        );
        // (1 * |0 - 0| + 2 * |0.27 - 0.5| + 2 * |0.975 - 1|) / 5.
        assert!(
            (found.expected_error - (0.46 + 0.05) / 5.0).abs() < 1e-6,
            "expected 0.102, found {}",
            found.expected_error
        );
        close("nothing", Reliability::of(&[]).expected_error, 0.0);
    }
}

//! Turns counts of wrong answers into exact bounds on their share (Clopper and Pearson, 1934).
//!
//! The bounds hold for any number of answers, even if none was wrong, provided that the answers are independent of each
//! other and of how the threshold was chosen.

use statrs::function::beta::checked_beta_reg;

/// Halvings of an interval of length 1: further ones change no bit of the result.
const N_HALVINGS: u32 = 60;

/// Upper bound of the share of wrong answers, exceeded with a probability of at most `1 - confidence`, if `n_wrong` of
/// `n_answers` were wrong; 1 if there are no answers.
///
/// One-sided: `confidence`, between 0 and 1, is for this bound alone.
pub(crate) fn upper_bound(n_wrong: usize, n_answers: usize, confidence: f64) -> f64 {
    if n_wrong >= n_answers {
        return 1.0;
    }
    // The share at which this few wrong answers have probability `1 - confidence`: the chance of more than `n_wrong`
    // wrong ones follows the beta distribution with these parameters.
    quantile(
        (n_wrong + 1) as f64,
        (n_answers - n_wrong) as f64,
        confidence,
    )
}

/// The quantile below which the beta distribution has `share` of its mass.
///
/// Found by bisection: the distribution function rises everywhere, and Newton's steps leave the interval if one
/// parameter is small.
fn quantile(a: f64, b: f64, share: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..N_HALVINGS {
        let middle = f64::midpoint(low, high);
        // Parameters are at least 1 and `middle` is inside the interval, so no error is possible.
        match checked_beta_reg(a, b, middle) {
            Ok(mass) if mass < share => low = middle,
            _ => high = middle,
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(case: &str, found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-9,
            "{case}: expected {expected}, found {found}"
        );
    }

    /// The probability of at most `n_wrong` of `n`, term by term from the definition.
    fn binomial(n_wrong: usize, n: usize, share: f64) -> f64 {
        let (mut logarithm, mut sum) = (n as f64 * (1.0 - share).ln(), 0.0);
        for k in 0..=n_wrong {
            sum += logarithm.exp();
            logarithm += ((n - k) as f64 / (k + 1) as f64 * share / (1.0 - share)).ln();
        }
        sum
    }

    #[test]
    fn answers_that_a_risk_needs() {
        // Risk, and the fewest answers that keep it with 0 and with 5 errors at 95 %.
        let cases = [(0.02, 149, 523), (0.05, 59, 208), (0.10, 29, 103)];
        for (risk, without, with_five) in cases {
            for (n_wrong, n_answers) in [(0, without), (5, with_five)] {
                let enough = upper_bound(n_wrong, n_answers, 0.95);
                let too_few = upper_bound(n_wrong, n_answers - 1, 0.95);
                assert!(
                    enough <= risk && risk < too_few,
                    "{n_wrong} of {n_answers} for {risk}: found {enough}, and {too_few} with one less"
                );
            }
        }
    }

    #[test]
    fn bounds_that_can_be_worked_by_hand() {
        // Without errors, the bound solves (1 - p)^n = 0.05.
        close(
            "0 of 10",
            upper_bound(0, 10, 0.95),
            1.0 - 0.05_f64.powf(0.1),
        );
        // One of two is the complement of both: 1 - p^2 = 0.05. All but one of three: 1 - p^3.
        close("1 of 2", upper_bound(1, 2, 0.95), 0.95_f64.sqrt());
        close("2 of 3", upper_bound(2, 3, 0.95), 0.95_f64.cbrt());
    }

    #[test]
    fn no_count_is_out_of_range() {
        close("nothing", upper_bound(0, 0, 0.95), 1.0);
        close("all wrong", upper_bound(7, 7, 0.95), 1.0);
        close("more than all", upper_bound(9, 7, 0.95), 1.0);
    }

    #[test]
    fn holds_for_many_answers_too() {
        for (n_wrong, n_answers) in [(3, 40), (500, 10_570), (1_000, 100_000), (20_000, 40_000)] {
            let bound = upper_bound(n_wrong, n_answers, 0.975);
            let probability = binomial(n_wrong, n_answers, bound);
            assert!(
                (probability - 0.025).abs() < 1e-6,
                "{n_wrong} of {n_answers}: {bound} has the probability {probability}"
            );
        }
    }
}

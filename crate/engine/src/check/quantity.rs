//! Tells if a question asks for a quantity, and if a text states one.
//!
//! The sentence that repeats a question's words often stands beside the one with the number: "Large files are divided into
//! parts. Each part has at most 20 MiB." Asked how large a part is, a reader that was trained on prose likes the first.

use unicode_segmentation::UnicodeSegmentation;

use super::atom::Kind;
use super::token::atoms;

/// After "how", these ask for a number with its unit.
const MEASURES: [&str; 24] = [
    "big", "cold", "deep", "early", "far", "fast", "heavy", "high", "hot", "large", "late", "long",
    "loud", "many", "much", "old", "short", "small", "soon", "strong", "tall", "thick", "warm",
    "wide",
];
/// After "how", these ask for a number of times, which may be said in a word.
const RATES: [&str; 3] = ["frequently", "often", "regularly"];
/// Words that say how often.
const TIMES: [&str; 12] = [
    "always", "annually", "daily", "each", "every", "hourly", "monthly", "never", "once", "twice",
    "weekly", "yearly",
];

/// A kind of quantity that a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// A number.
    Amount,
    /// A number, or a word such as "daily".
    Rate,
}

impl Quantity {
    /// The quantity that an English question asks for; `None` if it asks for something else.
    pub(crate) fn asked_by(question: &str) -> Option<Self> {
        let words: Vec<String> = question.unicode_words().map(str::to_lowercase).collect();
        words.windows(2).find_map(|pair| match pair {
            [how, measure] if how == "how" && MEASURES.contains(&measure.as_str()) => {
                Some(Self::Amount)
            }
            [how, rate] if how == "how" && RATES.contains(&rate.as_str()) => Some(Self::Rate),
            _ => None,
        })
    }

    /// True if `text` states a quantity of this kind.
    pub(crate) fn is_in(self, text: &str) -> bool {
        let is_rate = || {
            let mut words = text.unicode_words().map(str::to_lowercase);
            words.any(|word| TIMES.contains(&word.as_str()))
        };
        // "One" mostly stands for a thing: "the first one".
        let has_number = atoms(text)
            .iter()
            .any(|atom| match (&atom.kind, &atom.number) {
                (Kind::Number, Some(number)) => !number.is_spelled || atom.key != "one",
                _ => false,
            });
        has_number || (self == Self::Rate && is_rate())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_for_quantities_are_told_by_their_first_words() {
        for (question, expected) in [
            ("How large may a part of a file be?", Some(Quantity::Amount)),
            ("For how long does the heap rest?", Some(Quantity::Amount)),
            ("How often is the spade oiled?", Some(Quantity::Rate)),
            ("How do I make the index larger?", None),
            ("Why does it take so long?", None),
            ("", None),
        ] {
            assert_eq!(Quantity::asked_by(question), expected, "{question}");
        }
    }

    #[test]
    fn texts_state_quantities_in_digits_and_words() {
        for (text, amount, rate) in [
            ("No part is larger than 20 MiB.", true, true),
            ("It rests for three days.", true, true),
            ("Oil it twice a year.", false, true),
            ("Large files are divided into parts.", false, false),
            ("Take the sharper one.", false, false),
        ] {
            assert_eq!(Quantity::Amount.is_in(text), amount, "{text}");
            assert_eq!(Quantity::Rate.is_in(text), rate, "{text}");
        }
    }
}

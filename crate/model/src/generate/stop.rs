//! Turns what was written so far into the decision whether to go on: stop texts, and models that turn in circles.

use crate::token::TokenId;

/// Whether `tokens` end in `n_copies` copies of the same 4 to 48 tokens. Shorter runs are no circle: a rule, a row of dots.
pub(super) fn ends_in_copies(tokens: &[TokenId], n_copies: usize) -> bool {
    const LENGTHS: std::ops::RangeInclusive<usize> = 4..=48;
    n_copies > 1
        && LENGTHS.into_iter().any(|len| {
            let start = tokens.len().checked_sub(len * n_copies);
            start.is_some_and(|start| {
                let copies = &tokens[start..];
                copies[len..] == copies[..copies.len() - len]
            })
        })
}

/// Holds back text that may be the start of a stop text.
pub(super) struct StopFilter<'s> {
    stop: &'s [String],
    /// Text that waits for what comes behind it.
    pub(super) held: String,
}

impl<'s> StopFilter<'s> {
    pub(super) fn new(stop: &'s [String]) -> Self {
        Self {
            stop,
            held: String::new(),
        }
    }

    /// Adds a piece; gives what is certainly no part of a stop text, and whether one came.
    pub(super) fn push(&mut self, piece: &str) -> (String, bool) {
        self.held.push_str(piece);
        let stops = self.stop.iter().filter(|stop| !stop.is_empty());
        if let Some(end) = stops
            .clone()
            .filter_map(|stop| self.held.find(stop.as_str()))
            .min()
        {
            self.held.truncate(end);
            return (std::mem::take(&mut self.held), true);
        }
        let may_continue = |start: &usize| {
            stops
                .clone()
                .any(|stop| stop.starts_with(&self.held[*start..]))
        };
        let starts = self.held.char_indices().map(|(start, _)| start);
        let keep = starts.clone().find(may_continue).unwrap_or(self.held.len());
        let held = self.held.split_off(keep);
        (std::mem::replace(&mut self.held, held), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_a_circle_by_its_third_round() {
        let tokens = |text: &str| -> Vec<TokenId> {
            text.bytes().map(|byte| TokenId(byte.into())).collect()
        };
        for (text, n_copies, expected) in [
            ("so abcd abcd abcd ", 3, true),
            ("so abcd abcd abcd", 3, true),
            ("so abcd abcd ", 3, false),
            ("so abcd abcd ", 2, true),
            ("so abcd abcd abcd ", 0, false),
            ("so abcd abcd abcd x", 3, false),
            ("abcabcabc", 3, false),
            ("", 3, false),
        ] {
            assert_eq!(
                ends_in_copies(&tokens(text), n_copies),
                expected,
                "{n_copies} copies in {text:?}"
            );
        }
    }
}

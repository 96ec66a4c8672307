//! Turns the prompt and the text written so far into a guess at the next tokens.
//!
//! A grounded answer copies from its passages. Where its last tokens occurred before, the tokens that followed them are
//! likely to follow again; and running several tokens costs little more than running one, since reading the weights
//! dominates. Source: Saxena, "Prompt Lookup Decoding" (2023).

use crate::token::TokenId;

/// How many of the last tokens must have occurred before; the longest match is tried first. A single token matches
/// almost anywhere.
const MATCHES: std::ops::RangeInclusive<usize> = 2..=4;
/// Tokens guessed at first and after a wrong guess: with the known one they fill a kernel's tile.
const FEW: usize = 3;
/// Tokens guessed after a guess that was entirely right.
const MANY: usize = 7;

/// Guesses the tokens that come next.
#[derive(Debug)]
pub(super) struct Draft {
    n_next: usize,
}

impl Draft {
    pub(super) fn new() -> Self {
        Self { n_next: FEW }
    }

    /// Tokens that may follow `tokens`; empty if their end did not occur before.
    pub(super) fn guess<'t>(&self, tokens: &'t [TokenId]) -> &'t [TokenId] {
        MATCHES
            .rev()
            .find_map(|n| {
                let start = tokens.len().checked_sub(n)?;
                let last = &tokens[start..];
                // The latest occurrence, because a text stays on its topic.
                let place = (0..start)
                    .rev()
                    .find(|place| tokens[*place..].starts_with(last))?;
                let next = &tokens[place + n..];
                Some(&next[..next.len().min(self.n_next)])
            })
            .unwrap_or_default()
    }

    /// Guesses more tokens next time if all of these were right, fewer otherwise.
    pub(super) fn learn(&mut self, n_guessed: usize, n_right: usize) {
        if n_guessed > 0 {
            self.n_next = if n_right == n_guessed { MANY } else { FEW };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<TokenId> {
        text.bytes().map(|byte| TokenId(byte.into())).collect()
    }

    #[test]
    fn guesses_what_followed_before() {
        for (text, expected) in [
            ("the key opens. the k", "ey "),
            ("abX abY ab", "Y a"),
            ("abcX bcY abc", "X b"),
            ("nothing twice", ""),
            ("aaa", "a"),
            ("", ""),
        ] {
            let text_tokens = tokens(text);
            let guess = Draft::new().guess(&text_tokens);
            assert_eq!(guess, tokens(expected), "after {text:?}");
        }
    }

    #[test]
    fn guesses_more_after_a_success() {
        let (mut draft, text) = (Draft::new(), tokens("0123456789abcdef 01"));
        draft.learn(3, 3);
        assert_eq!(draft.guess(&text), tokens("2345678"), "many");
        draft.learn(7, 2);
        assert_eq!(draft.guess(&text), tokens("234"), "few");
    }
}

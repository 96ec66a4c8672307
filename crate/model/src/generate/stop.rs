//! Decides when to stop writing: at a stop text, or when the model loops.

use crate::token::TokenId;

/// True if the last `len` of `tokens` also occur somewhere before.
pub(super) fn is_loop(tokens: &[TokenId], len: usize) -> bool {
    let Some(start) = tokens.len().checked_sub(len).filter(|_| len > 0) else {
        return false;
    };
    let (before, last) = tokens.split_at(start);
    before.windows(len).any(|run| run == last)
}

/// Holds back text that may be the start of a stop text.
pub(super) struct StopFilter<'s> {
    stop: &'s [String],
    /// Text held back until more of it has arrived.
    pub(super) held: String,
}

impl<'s> StopFilter<'s> {
    pub(super) fn new(stop: &'s [String]) -> Self {
        Self {
            stop,
            held: String::new(),
        }
    }

    /// Adds a piece; returns the text that can't be part of a stop text, and true once a stop text was found.
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
    fn sees_a_run_that_was_written_before() {
        let tokens = |text: &str| -> Vec<TokenId> {
            text.bytes().map(|byte| TokenId(byte.into())).collect()
        };
        for (text, len, expected) in [
            ("the port, the port", 8, true),
            ("the port, the por", 8, false),
            ("the port is the port", 8, true),
            ("the port, the port", 9, false),
            ("the port, the port", 0, false),
            ("........", 8, false),
            ("................", 8, true),
            ("", 8, false),
        ] {
            let found = is_loop(&tokens(text), len);
            assert_eq!(found, expected, "{len} of {text:?}");
        }
    }
}

//! Maps words to their ranks in sorted order, and a prefix to the range of ranks that it covers.

use std::ops::Range;

/// Distinct strings in increasing order, in one allocation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dictionary {
    text: String,
    /// Where each string ends in `text`.
    ends: Vec<u32>,
}

impl Dictionary {
    /// Appends a string; false if it does not sort after all others, or does not fit.
    pub(crate) fn push(&mut self, word: &str) -> bool {
        let in_order = self
            .len()
            .checked_sub(1)
            .is_none_or(|last| self.get(last) < word);
        let Some(end) = self
            .text
            .len()
            .checked_add(word.len())
            .and_then(|end| u32::try_from(end).ok())
        else {
            return false;
        };
        if in_order {
            self.text.push_str(word);
            self.ends.push(end);
        }
        in_order
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The string with rank `idx`; empty past the end.
    pub(crate) fn get(&self, idx: usize) -> &str {
        let start = idx
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .map_or(0, |&end| end as usize);
        let end = self.ends.get(idx).map_or(start, |&end| end as usize);
        self.text.get(start..end).unwrap_or("")
    }

    #[cfg(feature = "build")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|idx| self.get(idx))
    }

    pub(crate) fn find(&self, word: &str) -> Option<usize> {
        let idx = self.lower_bound(|other| other < word);
        (idx < self.len() && self.get(idx) == word).then_some(idx)
    }

    /// Number of strings up to and including `word`.
    pub(crate) fn n_up_to(&self, word: &str) -> usize {
        self.lower_bound(|other| other <= word)
    }

    pub(crate) fn with_prefix(&self, prefix: &str) -> Range<usize> {
        self.lower_bound(|word| word < prefix)
            ..self.lower_bound(|word| word < prefix || word.starts_with(prefix))
    }

    /// The first rank for which `is_before` no longer holds.
    fn lower_bound(&self, is_before: impl Fn(&str) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(self.get(middle)) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_words_and_prefixes() {
        let mut dictionary = Dictionary::default();
        for word in ["a", "ab", "abc", "b", "\u{e9}"] {
            assert!(dictionary.push(word), "`{word}` comes in order");
        }
        assert!(!dictionary.push("b"), "order and distinctness are kept");
        assert_eq!(dictionary.find("abc"), Some(2));
        assert_eq!(dictionary.find("abd"), None);
        assert_eq!((dictionary.n_up_to("ab"), dictionary.n_up_to("")), (2, 0));
        assert_eq!(dictionary.with_prefix("ab"), 1..3);
        assert_eq!(dictionary.with_prefix("c"), 4..4);
        assert_eq!(dictionary.with_prefix(""), 0..5);
        assert_eq!(
            dictionary.iter().collect::<Vec<_>>(),
            ["a", "ab", "abc", "b", "\u{e9}"]
        );
    }
}

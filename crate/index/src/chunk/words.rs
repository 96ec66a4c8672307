//! Counts the words of a text in any script, and splits a word longer than a chunk.

/// Maximum bytes of a single word; a longer one counts as several.
const WORD_BYTES: usize = 60;

/// Number of words in a text.
pub(super) fn count_words(text: &str) -> usize {
    text.split_whitespace().map(word_size).sum()
}

/// Number of words that a span without spaces counts as: one, more if it is very long, and about one per two letters in
/// scripts without spaces.
pub(super) fn word_size(word: &str) -> usize {
    if word.is_ascii() {
        return word.len().div_ceil(WORD_BYTES);
    }
    size(word.len(), word.chars().filter(|c| is_unspaced(*c)).count())
}

fn size(n_bytes: usize, n_unspaced: usize) -> usize {
    n_bytes
        .saturating_sub(n_unspaced * 3)
        .div_ceil(WORD_BYTES)
        .max(n_unspaced.div_ceil(2))
}

/// The word, or its parts of at most `max_words` if it is longer.
pub(super) fn word_parts(word: &str, max_words: usize) -> Vec<&str> {
    if word_size(word) <= max_words {
        return vec![word];
    }
    let max_size = (max_words / 2).max(1);
    let mut parts = Vec::new();
    let (mut start, mut n_unspaced) = (0, 0);
    for (at, character) in word.char_indices() {
        let is_full = size(at - start, n_unspaced) >= max_size;
        if is_full {
            parts.push(&word[start..at]);
            (start, n_unspaced) = (at, 0);
        }
        n_unspaced += usize::from(is_unspaced(character));
    }
    parts.push(&word[start..]);
    parts
}

/// Letters of Chinese, Japanese, Thai, Lao, Khmer, Burmese and Tibetan.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}'
        | '\u{0f00}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_and_scripts_without_spaces_count_as_several() {
        for (text, expected) in [
            ("one two", 2),
            (&"x".repeat(60), 1),
            (&"x".repeat(61), 2),
            ("\u{6c34}\u{6cf5}\u{7ad9}", 2),
            ("", 0),
        ] {
            let found = count_words(text);
            assert_eq!(found, expected, "words of `{text}`");
        }
    }

    #[test]
    fn the_parts_of_a_word_are_the_word() {
        let word = "x".repeat(1000);
        let parts = word_parts(&word, 10);
        assert_eq!(parts.concat(), word, "nothing is lost");
        let longest = parts.iter().map(|part| word_size(part)).max();
        assert!(longest <= Some(10), "at most 10 words, found {longest:?}");
    }
}

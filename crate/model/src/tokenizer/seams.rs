//! Finds the words inside a stretch of text without spaces, for tokens that are cut by likelihood and not at words.

use std::ops::Range;

use unicode_general_category::{GeneralCategory, get_general_category};

/// Widens the byte ranges of a text's tokens, in order, to those of their words: tokens that share a character or meet in
/// the middle of a word get the same range.
///
/// In scripts that do not put spaces between words every token is a word of its own.
pub(super) fn widen_to_words(text: &str, ranges: &mut [Range<usize>]) {
    let mut first = 0;
    for next in 1..=ranges.len() {
        let word = ranges[first].start..ranges[next - 1].end.max(ranges[first].end);
        if ranges.get(next).is_some_and(|range| {
            range.start < word.end || (range.start == word.end && is_within_word(text, word.end))
        }) {
            continue;
        }
        ranges[first..next].fill(word);
        first = next;
    }
}

/// True if the characters on both sides of `at` belong to one word.
fn is_within_word(text: &str, at: usize) -> bool {
    let (Some(before), Some(after)) = (text[..at].chars().next_back(), text[at..].chars().next())
    else {
        return false;
    };
    is_mark(after) || (is_letter(before) && is_letter(after))
}

/// True for a letter or digit of a script with spaces between words, and for what may stand on it.
fn is_letter(c: char) -> bool {
    (c.is_alphanumeric() || is_mark(c)) && !is_unspaced(c)
}

fn is_mark(c: char) -> bool {
    use GeneralCategory::{EnclosingMark, Format, NonspacingMark, SpacingMark};
    !c.is_ascii()
        && matches!(
            get_general_category(c),
            EnclosingMark | Format | NonspacingMark | SpacingMark
        )
}

/// The scripts without spaces between words: Thai and Lao, Burmese, Khmer, Japanese, Chinese.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of `text`, whose tokens are divided by `|`.
    fn words(marked: &str) -> Vec<String> {
        let text = marked.replace('|', "");
        let mut ranges = Vec::new();
        let mut at = 0;
        for token in marked.split('|') {
            ranges.push(at..at + token.len());
            at += token.len();
        }
        widen_to_words(&text, &mut ranges);
        ranges
            .into_iter()
            .map(|range| text[range].to_owned())
            .collect()
    }

    #[test]
    fn a_word_ends_at_punctuation_and_between_characters_of_unspaced_scripts() {
        for (marked, expected) in [
            ("lo|af|?", &["loaf", "loaf", "?"][..]),
            ("(v|1.|2)", &["(v1.", "(v1.", "2)"]),
            ("don|'|t", &["don", "'", "t"]),
            (
                "\u{6771}\u{4eac}\u{90fd}|\u{306b}",
                &["\u{6771}\u{4eac}\u{90fd}", "\u{306b}"],
            ),
            ("Wi|Fi|\u{3092}", &["WiFi", "WiFi", "\u{3092}"]),
            // A vowel sign and a virama stay with their letter, in Hindi and in Thai.
            (
                "\u{939}|\u{93f}\u{928}|\u{94d}\u{926}",
                &["\u{939}\u{93f}\u{928}\u{94d}\u{926}"; 3],
            ),
            (
                "\u{e17}|\u{e35}|\u{e48}|\u{e2d}",
                &[
                    "\u{e17}\u{e35}\u{e48}",
                    "\u{e17}\u{e35}\u{e48}",
                    "\u{e17}\u{e35}\u{e48}",
                    "\u{e2d}",
                ],
            ),
        ] {
            assert_eq!(words(marked), expected, "{marked}");
        }
    }

    #[test]
    fn tokens_that_share_a_character_are_one_word() {
        let mut ranges = [0..3, 0..3, 3..6];
        widen_to_words("\u{fb01}\u{6771}", &mut ranges);
        assert_eq!(ranges, [0..3, 0..3, 3..6]);
        widen_to_words("", &mut []);
    }
}

//! Turns a text into BERT's words: cleaned, without accents, lower-cased, split at spaces and around punctuation.
//!
//! Why not `BertNormalizer` and `BertPreTokenizer` of `tokenizers`: they bring Unicode's categories and decompositions
//! as lists of single characters, which would add a tenth to the page's download. A test compares every character with
//! their output.

use std::ops::Range;

use unicode_general_category::{GeneralCategory, get_general_category};

/// Characters stripped of their accents, in hexadecimal: the remaining characters, `<`, and all characters that become
/// them. Hangul syllables are computed instead.
const ACCENTS: &str = include_str!("accents.txt");

/// How text is cleaned before it is split into words.
#[derive(Debug)]
pub(super) struct Cleaning {
    lowercase: bool,
    /// Characters with accents, ascending, and what remains of each; `None` if accents stay.
    accents: Option<Vec<(char, Vec<char>)>>,
}

impl Cleaning {
    pub(super) fn new(lowercase: bool, strips_accents: bool) -> Cleaning {
        Cleaning {
            lowercase,
            accents: strips_accents.then(accents),
        }
    }

    /// `text` without control characters, with plain spaces, and with a space on each side of a Chinese character.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut cleaned = String::with_capacity(text.len());
        for c in text.chars().filter(|&c| !is_dropped(c)) {
            if is_chinese(c) {
                cleaned.push(' ');
                self.push(c, &mut cleaned);
                cleaned.push(' ');
            } else if c.is_whitespace() {
                cleaned.push(' ');
            } else {
                self.push(c, &mut cleaned);
            }
        }
        cleaned
    }

    /// Appends `c` without its accents, in the requested case.
    ///
    /// Marks that stay keep their order in the text, where Unicode would reorder two such marks in a row.
    fn push(&self, c: char, cleaned: &mut String) {
        let mut push = |c: char| {
            if self.lowercase {
                cleaned.extend(c.to_lowercase());
            } else {
                cleaned.push(c);
            }
        };
        let Some(accents) = self.accents.as_ref().filter(|_| !c.is_ascii()) else {
            return push(c);
        };
        if let Some(letters) = hangul(c) {
            letters.into_iter().flatten().for_each(push);
        } else if let Ok(at) = accents.binary_search_by_key(&c, |&(accented, _)| accented) {
            accents[at].1.iter().copied().for_each(push);
        } else if get_general_category(c) != GeneralCategory::NonspacingMark {
            push(c);
        }
    }
}

/// The words of a cleaned text; each punctuation mark is a word.
pub(super) fn words(cleaned: &str) -> impl Iterator<Item = &str> {
    cleaned.split_whitespace().flat_map(|word| {
        word.split_inclusive(is_punctuation).flat_map(|piece| {
            let mark = piece.char_indices().next_back();
            let mark = mark.filter(|&(_, c)| is_punctuation(c));
            let (word, mark) = piece.split_at(mark.map_or(piece.len(), |(at, _)| at));
            [word, mark].into_iter().filter(|part| !part.is_empty())
        })
    })
}

/// The byte range of each word in the uncleaned `text`: splitting first and cleaning afterwards gives the same words,
/// except where one character becomes several.
pub(super) fn word_ranges(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut open: Option<usize> = None;
    let mut chars = text.char_indices();
    let mut waiting: Option<Range<usize>> = None;
    std::iter::from_fn(move || {
        if let Some(mark) = waiting.take() {
            return Some(mark);
        }
        for (at, c) in chars.by_ref() {
            let stands_alone = is_punctuation(c) || is_chinese(c);
            let is_between = c.is_whitespace() && !is_dropped(c);
            if !stands_alone && !is_between {
                open.get_or_insert(at);
                continue;
            }
            let mark = stands_alone.then_some(at..at + c.len_utf8());
            match open.take() {
                Some(start) => {
                    waiting = mark;
                    return Some(start..at);
                }
                None if mark.is_some() => return mark,
                None => {}
            }
        }
        open.take().map(|start| start..text.len())
    })
}

fn accents() -> Vec<(char, Vec<char>)> {
    let chars = |codes: &str| -> Vec<char> {
        codes
            .split_whitespace()
            .filter_map(|code| u32::from_str_radix(code, 16).ok())
            .filter_map(char::from_u32)
            .collect()
    };
    let mut accents: Vec<(char, Vec<char>)> = ACCENTS
        .lines()
        .filter_map(|line| line.split_once('<'))
        .flat_map(|(remainder, accented)| {
            let remainder = chars(remainder);
            chars(accented)
                .into_iter()
                .map(move |c| (c, remainder.clone()))
        })
        .collect();
    accents.sort_unstable_by_key(|&(accented, _)| accented);
    accents
}

/// The two or three letters of a Hangul syllable, by the arithmetic of the Unicode Standard, section 3.12.
fn hangul(c: char) -> Option<[Option<char>; 3]> {
    const FIRST: u32 = 0xAC00;
    const N_VOWELS: u32 = 21;
    const N_TAILS: u32 = 28;
    if !('\u{AC00}'..='\u{D7A3}').contains(&c) {
        return None;
    }
    let idx = u32::from(c) - FIRST;
    let tail = idx % N_TAILS;
    Some([
        char::from_u32(0x1100 + idx / (N_VOWELS * N_TAILS)),
        char::from_u32(0x1161 + idx / N_TAILS % N_VOWELS),
        char::from_u32(0x11A7 + tail).filter(|_| tail > 0),
    ])
}

fn is_dropped(c: char) -> bool {
    use GeneralCategory::{Control, Format, PrivateUse};
    if c.is_ascii() {
        return c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r');
    }
    c == char::REPLACEMENT_CHARACTER
        || matches!(get_general_category(c), Control | Format | PrivateUse)
}

/// The blocks that BERT's own tokenizer treats as Chinese, including its gap between U+2B81F and U+2B920.
fn is_chinese(c: char) -> bool {
    matches!(u32::from(c),
        0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x2A6DF | 0x2A700..=0x2B73F
        | 0x2B740..=0x2B81F | 0x2B920..=0x2CEAF | 0x2F800..=0x2FA1F)
}

fn is_punctuation(c: char) -> bool {
    use GeneralCategory::{
        ClosePunctuation, ConnectorPunctuation, DashPunctuation, FinalPunctuation,
        InitialPunctuation, OpenPunctuation, OtherPunctuation,
    };
    if c.is_ascii() {
        return c.is_ascii_punctuation();
    }
    matches!(
        get_general_category(c),
        ClosePunctuation
            | ConnectorPunctuation
            | DashPunctuation
            | FinalPunctuation
            | InitialPunctuation
            | OpenPunctuation
            | OtherPunctuation
    )
}

#[cfg(test)]
mod tests {
    use tokenizers::normalizers::BertNormalizer;
    use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
    use tokenizers::{
        NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString,
        PreTokenizer,
    };

    use super::*;

    /// The result of `tokenizers`.
    fn expected(text: &str, lowercase: bool, strips_accents: bool) -> (String, Vec<String>) {
        let mut cleaned = NormalizedString::from(text);
        BertNormalizer::new(true, true, Some(strips_accents), lowercase)
            .normalize(&mut cleaned)
            .unwrap();
        let text = cleaned.get().to_owned();
        let mut words = PreTokenizedString::from(cleaned);
        BertPreTokenizer.pre_tokenize(&mut words).unwrap();
        let words = words
            .get_splits(OffsetReferential::Normalized, OffsetType::Byte)
            .into_iter()
            .map(|(word, ..)| word.to_owned())
            .collect();
        (text, words)
    }

    const TEXTS: [&str; 5] = [
        "",
        " ",
        "don't  stop...",
        "(a)b, c!",
        "\u{3000}中文\u{ad}字 Ünïcödé-한국어 x\t_y",
    ];

    #[test]
    fn words_keep_their_places() {
        for text in TEXTS {
            let cleaning = Cleaning::new(true, true);
            let found: Vec<String> = word_ranges(text)
                .flat_map(|range| {
                    let cleaned = cleaning.clean(&text[range]);
                    words(&cleaned).map(str::to_owned).collect::<Vec<_>>()
                })
                .collect();
            assert_eq!(found, expected(text, true, true).1, "{text:?}");
        }
        let ranges: Vec<_> = word_ranges("ab, c").collect();
        assert_eq!(ranges, [0..2, 2..3, 4..5]);
    }

    #[test]
    fn every_character_is_cleaned_as_by_tokenizers() {
        // Punctuation, marks and formats that are younger than the tables of `tokenizers`, which are Unicode 9's.
        const N_YOUNGER: usize = 164;
        for (lowercase, strips_accents) in [(true, true), (true, false), (false, false)] {
            let cleaning = Cleaning::new(lowercase, strips_accents);
            let different: Vec<char> = ('\0'..=char::MAX)
                .filter(|c| {
                    let text = format!("a{c}b");
                    let cleaned = cleaning.clean(&text);
                    let words = words(&cleaned).map(str::to_owned).collect();
                    (cleaned, words) != expected(&text, lowercase, strips_accents)
                })
                .collect();
            assert!(
                different.len() <= N_YOUNGER,
                "lower case {lowercase}, accents stripped {strips_accents}: at most {N_YOUNGER} may differ, found {}: \
                 {different:?}",
                different.len()
            );
        }
    }

    #[test]
    fn cuts_at_spaces_and_around_punctuation() {
        for text in TEXTS {
            let cleaned = Cleaning::new(true, true).clean(text);
            let words = words(&cleaned).map(str::to_owned).collect();
            assert_eq!((cleaned, words), expected(text, true, true), "{text:?}");
        }
    }
}

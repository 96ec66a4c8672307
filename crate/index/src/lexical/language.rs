//! Picks the stemmer for a document's language, while an index is built.
//!
//! The browser's module contains only the English stemmer: stems in other languages are stored with their words, and
//! looked up.

use rust_stemmers::Algorithm;
use unicode_normalization::UnicodeNormalization;

use super::english;
use super::fold::Folded;

/// How the words of one language are reduced to stems.
pub(crate) enum Stemmer {
    English,
    Snowball(rust_stemmers::Stemmer),
    Hebrew,
    /// No known algorithm: words match only as written.
    None,
}

impl Stemmer {
    /// The stemmer for a language as [`primary`](super::primary) gives it.
    pub(crate) fn of(language: &str) -> Self {
        let algorithm = match language {
            "en" => return Self::English,
            "ar" => Algorithm::Arabic,
            "da" => Algorithm::Danish,
            "nl" => Algorithm::Dutch,
            "fi" => Algorithm::Finnish,
            "fr" => Algorithm::French,
            "de" => Algorithm::German,
            "el" => Algorithm::Greek,
            "he" | "iw" => return Self::Hebrew,
            "hu" => Algorithm::Hungarian,
            "it" => Algorithm::Italian,
            "nb" | "nn" | "no" => Algorithm::Norwegian,
            "pt" => Algorithm::Portuguese,
            "ro" => Algorithm::Romanian,
            "ru" => Algorithm::Russian,
            "es" => Algorithm::Spanish,
            "sv" => Algorithm::Swedish,
            "ta" => Algorithm::Tamil,
            "tr" => Algorithm::Turkish,
            _ => return Self::None,
        };
        Self::Snowball(rust_stemmers::Stemmer::create(algorithm))
    }

    /// The stem of a folded word in lower case.
    pub(crate) fn stem(&self, word: &str) -> String {
        match self {
            Self::English => english::stem(word),
            // The algorithms expect a letter and its marks as one character.
            Self::Snowball(stemmer) => {
                let stem = stemmer.stem(&word.nfc().collect::<String>()).into_owned();
                Folded::of(&stem).text.into_owned()
            }
            Self::Hebrew => hebrew(word),
            Self::None => word.to_owned(),
        }
    }

    /// True if the language writes compounds as one word, so that long words are also found by their parts.
    pub(crate) fn is_compounding(language: &str) -> bool {
        matches!(
            language,
            "de" | "nl" | "sv" | "da" | "nb" | "nn" | "no" | "fi" | "hu"
        )
    }

    /// True if a query's words can be stemmed without a lookup.
    pub(crate) fn is_english(&self) -> bool {
        matches!(self, Self::English)
    }
}

/// The article, alone and after the particles that attach in front of it.
const HEBREW_ARTICLES: [&str; 6] = ["כשה", "ומה", "ושה", "וה", "שה", "ה"];
/// Endings of the plural.
const HEBREW_PLURALS: [&str; 2] = ["ים", "ות"];
/// Letters with a special form at the end of a word, and their form elsewhere.
const HEBREW_FINALS: [(char, char); 5] =
    [('ך', 'כ'), ('ם', 'מ'), ('ן', 'נ'), ('ף', 'פ'), ('ץ', 'צ')];
/// Minimum letters of a word: an apparent article or ending that leaves fewer is part of the word.
const MIN_HEBREW_LETTERS: usize = 3;

/// A Hebrew word without its article and plural ending, so that `הספרים` is found by `ספר`. Prepositions stay: too many
/// words begin with the same letters.
fn hebrew(word: &str) -> String {
    let is_word = |rest: &&str| rest.chars().count() >= MIN_HEBREW_LETTERS;
    let mut articles = HEBREW_ARTICLES.iter();
    let bare = articles.find_map(|article| word.strip_prefix(article).filter(is_word));
    let bare = bare.unwrap_or(word);
    let mut plurals = HEBREW_PLURALS.iter();
    let stem = plurals.find_map(|plural| bare.strip_suffix(plural).filter(is_word));
    let stem = stem.unwrap_or(bare);
    let last = stem.chars().next_back();
    let inner = last.and_then(|last| HEBREW_FINALS.iter().find(|(form, _)| *form == last));
    match inner {
        Some((form, inner)) => format!("{}{inner}", stem.trim_end_matches(*form)),
        None => stem.to_owned(),
    }
}

/// A language's stop words; empty if they are not known, and for English, which has its own list.
pub(crate) fn stop_words(language: &str) -> &'static [&'static str] {
    match language {
        "en" => &[],
        // The list covers Norwegian as a whole, not its two written standards.
        "nb" | "nn" => stop_words::lookup("no").unwrap_or_default(),
        other => stop_words::lookup(other).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_bend_words_their_own_way() {
        for (language, words) in [
            ("de", ["h\u{e4}user", "hauses"]),
            ("fr", ["continuer", "continuation"]),
            ("es", ["ni\u{f1}os", "ni\u{f1}o"]),
            ("it", ["gatti", "gatto"]),
            ("pt", ["meninos", "menino"]),
            (
                "ru",
                [
                    "\u{43a}\u{43d}\u{438}\u{433}\u{438}",
                    "\u{43a}\u{43d}\u{438}\u{433}\u{443}",
                ],
            ),
            ("sv", ["bilar", "bilen"]),
            ("nb", ["bilene", "biler"]),
            ("da", ["husene", "huset"]),
            ("he", ["המחשבים", "מחשב"]),
            ("he", ["והחלונות", "חלון"]),
            ("nl", ["boeken", "boek"]),
            ("fi", ["taloissa", "talot"]),
            ("hu", ["h\u{e1}zak", "h\u{e1}zakat"]),
            ("ro", ["c\u{103}r\u{21b}ilor", "c\u{103}r\u{21b}ile"]),
            ("tr", ["evlerde", "evler"]),
            (
                "el",
                [
                    "\u{3b2}\u{3b9}\u{3b2}\u{3bb}\u{3af}\u{3b1}",
                    "\u{3b2}\u{3b9}\u{3b2}\u{3bb}\u{3af}\u{3c9}\u{3bd}",
                ],
            ),
            (
                "ar",
                [
                    "\u{643}\u{62a}\u{627}\u{628}",
                    "\u{627}\u{644}\u{643}\u{62a}\u{627}\u{628}",
                ],
            ),
            ("en", ["running", "runs"]),
        ] {
            let stemmer = Stemmer::of(language);
            let [first, second] = words.map(|word| stemmer.stem(word));
            assert_eq!(first, second, "{language}: {words:?}");
        }
        assert_eq!(Stemmer::of("xx").stem("h\u{e4}user"), "h\u{e4}user");
    }

    #[test]
    fn stop_words_are_those_of_the_language() {
        assert!(stop_words("de").contains(&"und") && stop_words("nn").contains(&"og"));
        assert!(stop_words("xx").is_empty() && stop_words("en").is_empty());
    }
}

//! Normalises the ways of encoding a word to one form, and that to a weaker form without diacritics.
//!
//! First, characters that change no word are dropped: soft hyphens, joiners, variation selectors, tatweel, and the
//! optional vowel signs of Arabic and Hebrew. Characters are then decomposed by NFKD (Unicode Standard Annex 15), so
//! that ligatures, full and half width, and letters with separate marks compare equal; kana and Hangul are composed
//! again, because their marks make other letters. [`plain`] strips diacritics: terms are stored that way, and the class
//! of a word's form ([`super::postings::form_class`]) still tells `résumé` from `resume`.
//!
//! The decomposition tables are larger than all the code of a first search, and every browser has its own, so in a
//! browser the caller supplies them ([`set_decompose`]).

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

/// Decomposes one character as NFKD does.
pub type Decompose = fn(char) -> String;

static DECOMPOSE: OnceLock<Decompose> = OnceLock::new();

/// Supplies the tables that a browser's module does not contain. Only the first call counts; native builds need none.
pub fn set_decompose(decompose: Decompose) {
    // A second call would only supply the same browser's tables again.
    let _ = DECOMPOSE.set(decompose);
}

#[cfg(not(target_arch = "wasm32"))]
fn own(c: char) -> String {
    let mut decomposed = String::new();
    unicode_normalization::char::decompose_compatible(c, |part| decomposed.push(part));
    decomposed
}

#[cfg(target_arch = "wasm32")]
fn own(c: char) -> String {
    c.to_string()
}

/// A text folded for tokenizing, with the origin of each of its bytes.
pub(super) struct Folded<'t> {
    pub(super) text: Cow<'t, str>,
    /// The span of the original that each byte comes from; empty if nothing was changed.
    places: Vec<(usize, usize)>,
}

impl<'t> Folded<'t> {
    /// Folds a text without white space.
    pub(super) fn of(text: &'t str) -> Self {
        let mut folded = Folded {
            text: Cow::Borrowed(text),
            places: Vec::new(),
        };
        if text.is_ascii() {
            return folded;
        }
        let decompose = DECOMPOSE.get().copied().unwrap_or(own);
        let mut output = String::with_capacity(text.len());
        for (at, c) in text.char_indices() {
            let from = output.len();
            if c.is_ascii() || is_whole(c) {
                push(c, &mut output);
            } else if parts_from_word(c, &output) {
                output.push(' ');
                output.extend(decompose(c).chars().map(as_slash));
            } else {
                for part in decompose(c).chars() {
                    push(part, &mut output);
                }
            }
            // A mark that was composed with the letter before it extends that letter's span.
            folded.places.truncate(output.len());
            if output.len() < from + 1
                && let Some(last) = folded.places.last_mut()
            {
                last.1 = at + c.len_utf8();
            }
            folded.places.resize(output.len(), (at, at + c.len_utf8()));
        }
        folded.text = Cow::Owned(output);
        folded
    }

    /// The span of the original that a span of the folded text comes from.
    pub(super) fn original(&self, place: Range<usize>) -> Range<usize> {
        let start = self.places.get(place.start).map(|place| place.0);
        let end = place
            .end
            .checked_sub(1)
            .and_then(|last| self.places.get(last));
        match start.zip(end) {
            Some((start, end)) => start..end.1.max(start),
            None => place,
        }
    }
}

/// Characters that decomposition would only lengthen: most characters of any text.
fn is_whole(c: char) -> bool {
    matches!(c,
        '\u{430}'..='\u{44f}' | '\u{3b1}'..='\u{3c9}' | '\u{5d0}'..='\u{5ea}' | '\u{627}'..='\u{64a}'
        // Thai and Lao AM: decomposed, they would read as two characters.
        | '\u{e00}'..='\u{e7f}' | '\u{eb3}'
        | '\u{3041}'..='\u{30fe}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        // Trade mark signs are not letters of the word they follow.
        | '\u{2100}'..='\u{2101}' | '\u{2105}'..='\u{2106}' | '\u{2120}' | '\u{2122}'
        | '\u{2010}'..='\u{2015}' | '\u{2018}'..='\u{201f}' | '\u{a8}' | '\u{af}' | '\u{b4}' | '\u{b8}')
}

/// True if a character starts a new word after `before`: fractions, and superscript digits that annotate a word. After
/// a unit or a variable (`m²`) they belong to it.
fn parts_from_word(c: char, before: &str) -> bool {
    match c {
        '\u{bc}'..='\u{be}' | '\u{2150}'..='\u{215e}' => before.ends_with(char::is_alphanumeric),
        '\u{b9}' | '\u{b2}' | '\u{b3}' | '\u{2070}'..='\u{2079}' => {
            let word = before.rsplit(|c: char| !c.is_alphabetic()).next();
            word.is_some_and(|word| word.chars().nth(3).is_some())
        }
        _ => false,
    }
}

fn as_slash(c: char) -> char {
    if c == '\u{2044}' { '/' } else { c }
}

fn push(c: char, output: &mut String) {
    let last = output.chars().next_back();
    if is_unseen(c) || (is_joiner(c) && !last.is_some_and(is_pictograph)) {
        return;
    }
    if let Some(joined) = last.and_then(|last| joined(last, c)) {
        output.pop();
        output.push(joined);
        return;
    }
    output.push(match c {
        '\u{2010}' | '\u{2011}' => '-',
        '\u{266f}' => '#',
        other => as_slash(other),
    });
}

/// Composes a letter with the mark that follows it: voiced kana, and the letters of a Hangul syllable.
fn joined(last: char, c: char) -> Option<char> {
    let (low, high) = (u32::from(last), u32::from(c));
    let code = match high {
        // Short i is a letter of its own.
        0x306 if matches!(low, 0x418 | 0x438) => low + 1,
        0x3099 => match low {
            0x3046 | 0x30a6 => low + 0x4e,
            0x304b..=0x3061 | 0x30ab..=0x30c1 if low % 2 == 1 => low + 1,
            0x3064..=0x3068 | 0x30c4..=0x30c8 if low % 2 == 0 => low + 1,
            0x306f..=0x307b | 0x30cf..=0x30db if low % 3 == 0 => low + 1,
            _ => return None,
        },
        0x309a => match low {
            0x306f..=0x307b | 0x30cf..=0x30db if low % 3 == 0 => low + 2,
            _ => return None,
        },
        0x1161..=0x1175 => match low {
            0x1100..=0x1112 => 0xac00 + ((low - 0x1100) * 21 + high - 0x1161) * 28,
            _ => return None,
        },
        0x11a8..=0x11c2 => match low {
            0xac00..=0xd7a3 if (low - 0xac00) % 28 == 0 => low + high - 0x11a7,
            _ => return None,
        },
        _ => return None,
    };
    char::from_u32(code)
}

/// Characters that change no word: format characters, variation selectors, and the optional signs of Arabic and Hebrew.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{20e3}'
        | '\u{e0000}'..='\u{e0fff}'
        | '\u{640}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{652}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6ed}'
        | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}')
}

/// The zero-width joiner, which turns several pictographs into one and changes no word.
fn is_joiner(c: char) -> bool {
    c == '\u{200d}'
}

/// True if a character denotes a thing or an operation and is searched for on its own: currency, arrows, mathematics,
/// emoji.
pub(super) fn is_pictograph(c: char) -> bool {
    let in_a_block = matches!(c,
        '\u{a2}'..='\u{a7}' | '\u{a9}' | '\u{ac}' | '\u{ae}' | '\u{b0}' | '\u{b1}' | '\u{b6}' | '\u{d7}' | '\u{f7}'
        | '\u{2030}'..='\u{2033}' | '\u{20a0}'..='\u{20cf}' | '\u{2100}'..='\u{24ff}' | '\u{25a0}'..='\u{2bff}'
        | '\u{3030}' | '\u{1f000}'..='\u{1faff}');
    in_a_block && !c.is_alphanumeric()
}

/// True for a skin-tone modifier: an emoji matches with or without it.
pub(super) fn is_tone(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// True if a character is a diacritic above or below the letter before it, which some people leave out.
pub(super) fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{653}'..='\u{655}'
        | '\u{93c}' | '\u{9bc}' | '\u{a3c}' | '\u{abc}' | '\u{b3c}')
}

/// A folded word in lower case without its diacritics: the weaker form, which matches either spelling.
pub(super) fn plain(word: &str) -> Cow<'_, str> {
    if word.is_ascii() {
        return Cow::Borrowed(word);
    }
    let mut plain = String::with_capacity(word.len());
    for c in word.chars() {
        match c {
            _ if is_mark(c) => {}
            '\u{df}' => plain.push_str("ss"),
            '\u{e6}' => plain.push_str("ae"),
            '\u{153}' => plain.push_str("oe"),
            '\u{fe}' => plain.push_str("th"),
            '\u{f0}' | '\u{111}' => plain.push('d'),
            '\u{f8}' => plain.push('o'),
            '\u{127}' => plain.push('h'),
            '\u{131}' => plain.push('i'),
            '\u{142}' => plain.push('l'),
            '\u{649}' | '\u{6cc}' => plain.push('\u{64a}'),
            '\u{6a9}' => plain.push('\u{643}'),
            '\u{629}' => plain.push('\u{647}'),
            other => plain.push(other),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        Folded::of(text).text.into_owned()
    }

    #[test]
    fn encodings_of_one_text_are_one() {
        for (a, b) in [
            ("\u{e9}t\u{e9}", "e\u{301}te\u{301}"),
            ("\u{1ead}", "a\u{323}\u{302}"),
            ("sha\u{ad}dow", "shadow"),
            ("hy\u{200b}dro\u{2060}foil\u{feff}", "hydrofoil"),
            ("e\u{fb03}cient", "efficient"),
            ("\u{ff21}\u{ff30}\u{ff29}\u{ff11}", "API1"),
            (
                "\u{ff8c}\u{ff9f}\u{ff98}\u{ff9d}\u{ff80}",
                "\u{30d7}\u{30ea}\u{30f3}\u{30bf}",
            ),
            ("\u{304b}\u{3099}\u{30a6}\u{3099}", "\u{304c}\u{30f4}"),
            (
                "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}",
                "\u{d55c}\u{ae00}",
            ),
            (
                "\u{643}\u{640}\u{640}\u{62a}\u{627}\u{628}",
                "\u{643}\u{62a}\u{627}\u{628}",
            ),
            (
                "\u{643}\u{650}\u{62a}\u{64e}\u{627}\u{628}",
                "\u{643}\u{62a}\u{627}\u{628}",
            ),
            (
                "\u{5e9}\u{5b8}\u{5c1}\u{5dc}\u{5d5}\u{5b9}\u{5dd}",
                "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
            ),
            (
                "\u{645}\u{6cc}\u{200c}\u{631}\u{648}\u{645}",
                "\u{645}\u{6cc}\u{631}\u{648}\u{645}",
            ),
            ("H\u{2082}O", "H2O"),
            ("km\u{b2}", "km2"),
            ("hovers\u{b9}", "hovers 1"),
            ("2\u{bd}", "2 1/2"),
            ("\u{2764}\u{fe0f}", "\u{2764}"),
            ("\u{2167}", "VIII"),
        ] {
            assert_eq!(folded(a), folded(b), "{a:?} and {b:?}");
        }
        assert_eq!(
            folded("\u{1f469}\u{200d}\u{1f4bb}").chars().count(),
            3,
            "one picture"
        );
        assert_eq!(folded("Name\u{2122}"), "Name\u{2122}");
    }

    #[test]
    fn places_are_those_of_the_original() {
        let text = "a\u{ad}\u{fb01}e\u{301}z\u{200b}";
        let folded = Folded::of(text);
        assert_eq!(folded.text, "afie\u{301}z");
        for (piece, expected) in [
            ("fi", "\u{fb01}"),
            ("e\u{301}", "e\u{301}"),
            ("z", "z\u{200b}"),
        ] {
            let at = folded.text.find(piece).expect("there");
            let found = folded.original(at..at + piece.len());
            assert_eq!(&text[found], expected, "where {piece:?} stands");
        }
        for at in 0..folded.text.len() {
            let place = folded.original(at..at + 1);
            assert!(
                text.get(place.clone()).is_some(),
                "{place:?} cuts a character"
            );
        }
    }

    #[test]
    fn diacritics_are_the_weaker_form() {
        for (word, expected) in [
            ("na\u{ef}vet\u{e9}", "naivete"),
            ("stra\u{df}e", "strasse"),
            ("sm\u{f8}rrebr\u{f8}d", "smorrebrod"),
            ("\u{142}\u{f3}d\u{17a}", "lodz"),
            (
                "\u{3b4}\u{3c1}\u{3cc}\u{3bc}\u{3bf}\u{3c3}",
                "\u{3b4}\u{3c1}\u{3bf}\u{3bc}\u{3bf}\u{3c3}",
            ),
            (
                "\u{451}\u{43b}\u{43a}\u{430}",
                "\u{435}\u{43b}\u{43a}\u{430}",
            ),
            ("\u{43c}\u{43e}\u{438}\u{306}", "\u{43c}\u{43e}\u{439}"),
            (
                "\u{623}\u{62d}\u{645}\u{62f}",
                "\u{627}\u{62d}\u{645}\u{62f}",
            ),
        ] {
            assert_eq!(plain(&folded(word)), expected, "{word}");
        }
    }
}

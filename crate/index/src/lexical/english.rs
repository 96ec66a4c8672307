//! Turns an English word into its stem, so that "returning" and "returns" find "return".
//!
//! Porter's second algorithm ("Porter2", <https://snowballstem.org/algorithms/english/stemmer.html>), step by step as described
//! there. Diacritics are stripped first; a word that still has a character outside `a`-`z` and the apostrophe is its own stem.

use super::fold::plain;

/// The stem of a folded word in lower case.
pub(crate) fn stem(word: &str) -> String {
    let word = &*plain(word);
    if word.len() <= 2
        || !word
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'\'')
    {
        return word.to_owned();
    }
    if let Some(stem) = EXCEPTIONS
        .iter()
        .find(|(from, _)| *from == word)
        .map(|(_, to)| *to)
    {
        return stem.to_owned();
    }
    let mut state = Stemmer::new(word);
    state.step_0();
    state.step_1a();
    if !AFTER_1A.contains(&state.as_str()) {
        state.step_1b();
        state.step_1c();
        state.step_2();
        state.step_3();
        state.step_4();
        state.step_5();
    }
    state.as_str().to_ascii_lowercase()
}

const EXCEPTIONS: [(&str, &str); 18] = [
    ("skis", "ski"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("idly", "idl"),
    ("gently", "gentl"),
    ("ugly", "ugli"),
    ("early", "earli"),
    ("only", "onli"),
    ("singly", "singl"),
    ("sky", "sky"),
    ("news", "news"),
    ("howe", "howe"),
    ("atlas", "atlas"),
    ("cosmos", "cosmos"),
    ("bias", "bias"),
    ("andes", "andes"),
];

const AFTER_1A: [&str; 8] = [
    "inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed",
];

/// A word being stemmed; a `y` that is a consonant is written `Y`.
struct Stemmer {
    word: Vec<u8>,
    /// Where the regions R1 and R2 begin.
    r1: usize,
    r2: usize,
}

fn is_vowel(byte: u8) -> bool {
    matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

/// The position after the first consonant that follows a vowel, from `start` on.
fn region(word: &[u8], start: usize) -> usize {
    (start + 1..word.len())
        .find(|&idx| !is_vowel(word[idx]) && is_vowel(word[idx - 1]))
        .map_or(word.len(), |idx| idx + 1)
}

impl Stemmer {
    fn new(word: &str) -> Self {
        let mut word = word.trim_start_matches('\'').as_bytes().to_vec();
        for idx in 0..word.len() {
            if word[idx] == b'y' && (idx == 0 || is_vowel(word[idx - 1])) {
                word[idx] = b'Y';
            }
        }
        let r1 = ["gener", "commun", "arsen"]
            .iter()
            .find(|prefix| word.starts_with(prefix.as_bytes()))
            .map_or_else(|| region(&word, 0), |prefix| prefix.len());
        let r2 = region(&word, r1);
        Self { word, r1, r2 }
    }

    /// The bytes stay ASCII throughout, so this never falls back to the empty word.
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.word).unwrap_or("")
    }

    fn ends(&self, suffix: &str) -> bool {
        self.word.ends_with(suffix.as_bytes())
    }

    fn in_r1(&self, suffix: &str) -> bool {
        self.word.len() - suffix.len() >= self.r1
    }

    fn in_r2(&self, suffix: &str) -> bool {
        self.word.len() - suffix.len() >= self.r2
    }

    fn replace(&mut self, suffix: &str, with: &str) {
        self.word.truncate(self.word.len() - suffix.len());
        self.word.extend_from_slice(with.as_bytes());
    }

    fn has_vowel(&self, end: usize) -> bool {
        self.word[..end].iter().any(|&byte| is_vowel(byte))
    }

    /// True if the first `end` bytes end in a short syllable.
    fn ends_short(&self, end: usize) -> bool {
        let word = &self.word[..end];
        match *word {
            [first, second] => is_vowel(first) && !is_vowel(second),
            [.., before, vowel, after] => {
                !is_vowel(before)
                    && is_vowel(vowel)
                    && !is_vowel(after)
                    && !matches!(after, b'w' | b'x' | b'Y')
            }
            _ => false,
        }
    }

    fn is_short(&self) -> bool {
        self.r1 >= self.word.len() && self.ends_short(self.word.len())
    }

    fn step_0(&mut self) {
        if let Some(suffix) = ["'s'", "'s", "'"].iter().find(|suffix| self.ends(suffix)) {
            self.replace(suffix, "");
        }
    }

    fn step_1a(&mut self) {
        let len = self.word.len();
        if self.ends("sses") {
            self.replace("sses", "ss");
        } else if self.ends("ied") || self.ends("ies") {
            let with = if len > 4 { "i" } else { "ie" };
            self.word.truncate(len - 3);
            self.word.extend_from_slice(with.as_bytes());
        } else if self.ends("us") || self.ends("ss") {
        } else if self.ends("s") && len >= 2 && self.has_vowel(len - 2) {
            self.replace("s", "");
        }
    }

    fn step_1b(&mut self) {
        if let Some(suffix) = ["eedly", "eed"].iter().find(|suffix| self.ends(suffix)) {
            if self.in_r1(suffix) {
                self.replace(suffix, "ee");
            }
            return;
        }
        let Some(suffix) = ["ingly", "edly", "ing", "ed"]
            .iter()
            .find(|suffix| self.ends(suffix))
        else {
            return;
        };
        if !self.has_vowel(self.word.len() - suffix.len()) {
            return;
        }
        self.replace(suffix, "");
        if ["at", "bl", "iz"].iter().any(|end| self.ends(end)) {
            self.word.push(b'e');
        } else if ["bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt"]
            .iter()
            .any(|end| self.ends(end))
        {
            self.word.pop();
        } else if self.is_short() {
            self.word.push(b'e');
        }
    }

    fn step_1c(&mut self) {
        let len = self.word.len();
        if len > 2 && matches!(self.word[len - 1], b'y' | b'Y') && !is_vowel(self.word[len - 2]) {
            self.word[len - 1] = b'i';
        }
    }

    fn step_2(&mut self) {
        const ENDINGS: [(&str, &str); 22] = [
            ("ization", "ize"),
            ("ational", "ate"),
            ("fulness", "ful"),
            ("ousness", "ous"),
            ("iveness", "ive"),
            ("tional", "tion"),
            ("biliti", "ble"),
            ("lessli", "less"),
            ("entli", "ent"),
            ("ation", "ate"),
            ("alism", "al"),
            ("aliti", "al"),
            ("ousli", "ous"),
            ("iviti", "ive"),
            ("fulli", "ful"),
            ("enci", "ence"),
            ("anci", "ance"),
            ("abli", "able"),
            ("izer", "ize"),
            ("ator", "ate"),
            ("alli", "al"),
            ("bli", "ble"),
        ];
        if let Some((suffix, with)) = ENDINGS.iter().find(|(suffix, _)| self.ends(suffix)) {
            if self.in_r1(suffix) {
                self.replace(suffix, with);
            }
        } else if self.ends("ogi") {
            if self.in_r1("ogi") && self.ends("logi") {
                self.word.pop();
            }
        } else if self.ends("li") && self.in_r1("li") {
            let before = self.word.len().checked_sub(3).map(|idx| self.word[idx]);
            if before.is_some_and(|byte| b"cdeghkmnrt".contains(&byte)) {
                self.replace("li", "");
            }
        }
    }

    fn step_3(&mut self) {
        const ENDINGS: [(&str, &str); 8] = [
            ("ational", "ate"),
            ("tional", "tion"),
            ("alize", "al"),
            ("icate", "ic"),
            ("iciti", "ic"),
            ("ical", "ic"),
            ("ful", ""),
            ("ness", ""),
        ];
        if let Some((suffix, with)) = ENDINGS.iter().find(|(suffix, _)| self.ends(suffix)) {
            if self.in_r1(suffix) {
                self.replace(suffix, with);
            }
        } else if self.ends("ative") && self.in_r2("ative") {
            self.replace("ative", "");
        }
    }

    fn step_4(&mut self) {
        const ENDINGS: [&str; 18] = [
            "ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate", "iti",
            "ous", "ive", "ize", "ion", "al", "er", "ic",
        ];
        if let Some(suffix) = ENDINGS.iter().find(|suffix| self.ends(suffix)) {
            let before = self
                .word
                .len()
                .checked_sub(suffix.len() + 1)
                .map(|idx| self.word[idx]);
            let allowed = *suffix != "ion" || matches!(before, Some(b's' | b't'));
            if self.in_r2(suffix) && allowed {
                self.replace(suffix, "");
            }
        }
    }

    fn step_5(&mut self) {
        let len = self.word.len();
        if self.ends("e") {
            if self.in_r2("e") || (self.in_r1("e") && !self.ends_short(len - 1)) {
                self.word.pop();
            }
        } else if self.ends("ll") && self.in_r2("l") {
            self.word.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn stems_follow_the_published_algorithm() {
        // Pairs from the sample vocabulary that accompanies the algorithm's description.
        for (word, expected) in [
            ("consign", "consign"),
            ("consigned", "consign"),
            ("consistency", "consist"),
            ("consolation", "consol"),
            ("consolingly", "consol"),
            ("conspicuously", "conspicu"),
            ("constable", "constabl"),
            ("knackeries", "knackeri"),
            ("knavish", "knavish"),
            ("kneeling", "kneel"),
            ("knightly", "knight"),
            ("knots", "knot"),
            ("generate", "generat"),
            ("generously", "generous"),
            ("hopping", "hop"),
            ("hoping", "hope"),
            ("ties", "tie"),
            ("cries", "cri"),
            ("skies", "sky"),
            ("early", "earli"),
            ("say", "say"),
            ("by", "by"),
            ("owned", "own"),
            ("ownership", "ownership"),
            ("lifetimes", "lifetim"),
            ("returning", "return"),
            ("borrowed", "borrow"),
            ("iterators", "iter"),
            ("macros", "macro"),
            ("gas", "gas"),
            ("this", "this"),
            ("exceeding", "exceed"),
            ("dog's", "dog"),
        ] {
            assert_eq!(stem(word), expected, "stem of `{word}`");
        }
    }

    #[test]
    fn other_writing_is_left_alone() {
        for word in ["caf\u{e9}s", "i32s", "\u{4e2d}", "is", ""] {
            assert_eq!(stem(word), word, "`{word}`");
        }
        assert_eq!(stem("'''"), "");
    }
}

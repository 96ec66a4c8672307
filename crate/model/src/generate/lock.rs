//! Turns texts into the set of words that a model may write about them, so that it can pick words but not invent any.
//!
//! An item is a run of characters between white space, without the punctuation around it. It may be written if one of
//! the texts contains it as an item, if it is a common word, or if it is several such words of letters joined by a
//! hyphen or a slash; a word of letters may also gain or lose its capital. Everything else (a number, a version, a
//! flag, a path, an identifier) is copied whole or not at all. A number in brackets is a citation and is always
//! allowed. A token may be written if the item that it begins or continues can still become an allowed one. Facts can
//! still be combined wrongly; catching that is left to the check of the finished text.

use crate::sample::Sampler;
use crate::token::TokenId;
use crate::tokenizer::Tokenizer;

/// Tokens tried at one position, likeliest first; if none is allowed, the text ends.
const MAX_TRIES: usize = 40;
/// Longer items are not words, and can't be written.
const MAX_ITEM_BYTES: usize = 200;
/// Most digits of a citation's number.
const CITATION_DIGITS: usize = 2;
/// Punctuation that may precede or follow an item, a few marks at a time.
const OPENING: &[u8] = b"([{\"'`*_<";
const CLOSING: &[u8] = b".,;:!?)]}\"'`*_>";
const MAX_PUNCTUATION: usize = 4;
/// Marks that join words made of letters.
const JOINTS: &[u8] = b"-/";

/// The words that a text may hold.
#[derive(Debug, Clone, PartialEq)]
pub struct WordLock {
    /// Sorted, each once.
    words: Vec<Box<[u8]>>,
}

impl WordLock {
    /// Allows the items of `texts` and the words of `common`.
    pub fn new<'t>(
        texts: impl IntoIterator<Item = &'t str>,
        common: impl IntoIterator<Item = &'t str>,
    ) -> Self {
        let mut words: Vec<Box<[u8]>> = Vec::new();
        let items = texts.into_iter().flat_map(str::split_whitespace);
        for item in items.chain(common) {
            if item.len() > MAX_ITEM_BYTES {
                continue;
            }
            let is_punctuation = |c: char| {
                u8::try_from(c).is_ok_and(|byte| OPENING.contains(&byte) || CLOSING.contains(&byte))
            };
            let inner = item.trim_matches(is_punctuation);
            for word in [item, inner] {
                words.push(word.as_bytes().into());
            }
            // `self-hosted` also allows its parts; `v1-2` doesn't.
            for part in
                inner.split(|c: char| u8::try_from(c).is_ok_and(|byte| JOINTS.contains(&byte)))
            {
                if part.is_empty() || !part.chars().all(is_of_words) {
                    continue;
                }
                words.push(part.as_bytes().into());
                let mut chars = part.chars();
                let Some(first) = chars.next() else { continue };
                // `MB` and `iOS` have only one spelling.
                if chars.as_str().chars().any(char::is_uppercase) {
                    continue;
                }
                let rest = chars.as_str();
                for word in [
                    format!("{}{rest}", first.to_lowercase()),
                    format!("{}{rest}", first.to_uppercase()),
                ] {
                    words.push(word.as_bytes().into());
                }
            }
        }
        words.retain(|word| !word.is_empty());
        words.sort_unstable();
        words.dedup();
        Self { words }
    }

    /// True if a word begins with `start`.
    fn begins(&self, start: &[u8]) -> bool {
        let idx = self.words.partition_point(|word| &**word < start);
        self.words
            .get(idx)
            .is_some_and(|word| word.starts_with(start))
    }

    fn holds(&self, word: &[u8]) -> bool {
        let found = self.words.binary_search_by(|other| (**other).cmp(word));
        found.is_ok()
    }

    /// True if `item` is allowed or, unless it is `whole`, can still grow into one that is.
    fn allows(&self, item: &[u8], whole: bool) -> bool {
        let n_opening = item.iter().take(MAX_PUNCTUATION);
        let n_opening = n_opening.take_while(|byte| OPENING.contains(byte)).count();
        is_citation(item, whole) || (0..=n_opening).any(|n| self.allows_inner(&item[n..], whole))
    }

    fn allows_inner(&self, inner: &[u8], whole: bool) -> bool {
        if inner.is_empty() || (!whole && self.begins(inner)) {
            return true;
        }
        let n_closing = inner.iter().rev().take(2 * MAX_PUNCTUATION);
        let n_closing = n_closing.take_while(|byte| CLOSING.contains(byte)).count();
        let is_held = |n: usize| n < inner.len() && self.holds(&inner[..inner.len() - n]);
        if (0..=n_closing).any(is_held) || n_closing == inner.len() {
            return true;
        }
        // `works.[1]`: a citation with no space before it.
        let citation = inner
            .iter()
            .position(|byte| *byte == b'[')
            .filter(|at| *at > 0);
        if let Some(at) = citation
            && is_citation(&inner[at..], whole)
            && self.allows_inner(&inner[..at], true)
        {
            return true;
        }
        let Some(joint) = inner.iter().rposition(|byte| JOINTS.contains(byte)) else {
            return false;
        };
        let (left, right) = (&inner[..joint], &inner[joint + 1..]);
        let of_letters = |word: &[u8]| {
            std::str::from_utf8(word)
                .is_ok_and(|word| !word.is_empty() && word.chars().all(is_of_words))
        };
        let mut lefts = left.split(|byte| JOINTS.contains(byte));
        let letters = right
            .iter()
            .take_while(|byte| !CLOSING.contains(byte))
            .count();
        lefts.all(|word| of_letters(word) && self.holds(word))
            && (letters == 0 || of_letters(&right[..letters]))
            && (!right.is_empty() || !whole)
            && self.allows_inner(right, whole)
    }
}

/// Letters, and the marks inside words made of letters.
fn is_of_words(c: char) -> bool {
    c.is_alphabetic() || c == '\'' || c == '\u{2019}'
}

/// `[1]`, `[1][2].`, or the start of one.
fn is_citation(item: &[u8], whole: bool) -> bool {
    let mut rest = item;
    while let Some(inner) = rest.strip_prefix(b"[") {
        let n_digits = inner
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if n_digits > CITATION_DIGITS {
            return false;
        }
        match &inner[n_digits..] {
            [] => return !whole,
            [b']' | b',', after @ ..] if n_digits > 0 => rest = after,
            _ => return false,
        }
    }
    rest.len() < item.len() && rest.iter().all(|byte| CLOSING.contains(byte))
}

/// A lock, and the item that is being written.
pub(super) struct Locked<'l> {
    lock: &'l WordLock,
    tokenizer: &'l Tokenizer,
    item: Vec<u8>,
}

impl<'l> Locked<'l> {
    pub(super) fn new(lock: &'l WordLock, tokenizer: &'l Tokenizer) -> Self {
        Self {
            lock,
            tokenizer,
            item: Vec::new(),
        }
    }

    /// The sampler's first choice among the tokens that may be written; `None` if none of its likeliest [`MAX_TRIES`]
    /// may.
    pub(super) fn choose(&mut self, logits: &[f32], sampler: &Sampler) -> Option<TokenId> {
        let token = sampler.sample(logits);
        if self.take(token) {
            return Some(token);
        }
        let mut logits = logits.to_vec();
        let mut refused = token;
        for _ in 1..MAX_TRIES {
            *logits.get_mut(refused.idx())? = f32::MIN;
            let token = sampler.sample(&logits);
            if self.take(token) {
                return Some(token);
            }
            refused = token;
        }
        None
    }

    /// Accepts the token if it may be written.
    fn take(&mut self, token: TokenId) -> bool {
        if self.tokenizer.is_end(token) {
            return self.lock.allows(&self.item, true);
        }
        let mut bytes = Vec::new();
        self.tokenizer.append_bytes(token, &mut bytes);
        let mut item = self.item.clone();
        for byte in bytes {
            if !byte.is_ascii_whitespace() {
                item.push(byte);
                continue;
            }
            if !self.lock.allows(&item, true) {
                return false;
            }
            item.clear();
        }
        let is_allowed = item.is_empty() || self.lock.allows(&item, false);
        if is_allowed {
            self.item = item;
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIDENCE: &str = "Set `--max-old-space` to 512 MB in config/app.toml, as v1.2.3 does. A self-hosted server isn't \
        needed; \"quiet mode\" is.";
    const COMMON: [&str; 6] = ["the", "is", "not", "use", "well", "known"];

    #[test]
    fn what_stands_there_may_be_written_and_nothing_else() {
        let lock = WordLock::new([EVIDENCE], COMMON);
        for (item, expected) in [
            ("512", true),
            ("51", false),
            ("5120", false),
            ("MB", true),
            ("mb", false),
            ("--max-old-space", true),
            ("`--max-old-space`", true),
            ("--max-new-space", false),
            ("config/app.toml", true),
            ("config/app.toml.", true),
            ("app.toml", false),
            ("v1.2.3", true),
            ("v1.2", false),
            ("Server", true),
            ("SERVER", false),
            ("hosted", true),
            ("well-known", true),
            ("well-512", false),
            ("v1.2.3-hosted", false),
            ("The", true),
            ("isn't", true),
            ("(quiet", true),
            ("mode.\"", true),
            ("mode[1].", true),
            ("[1]", true),
            ("[12][3].", true),
            ("[123]", false),
            ("[513", false),
            ("...", true),
            ("banana", false),
        ] {
            assert_eq!(lock.allows(item.as_bytes(), true), expected, "{item}");
        }
    }

    #[test]
    fn what_may_become_a_word_is_let_go_on() {
        let lock = WordLock::new([EVIDENCE], COMMON);
        for (start, expected) in [
            ("5", true),
            ("513", false),
            ("serv", true),
            ("Serv", true),
            ("servi", false),
            ("`--max", true),
            ("config/", true),
            ("config/a", true),
            ("well-", true),
            ("well-kn", true),
            ("well-x", false),
            ("[", true),
            ("[1", true),
            ("mode.[", true),
            ("known.", true),
            ("known.x", false),
        ] {
            assert_eq!(lock.allows(start.as_bytes(), false), expected, "{start}");
        }
    }

    #[test]
    fn a_lock_of_nothing_lets_citations_through() {
        let lock = WordLock::new([], []);
        assert!(lock.allows(b"[1]", true), "a citation");
        assert!(!lock.allows(b"a", false), "a word");
    }
}

//! Turns a shard of correction candidates into bytes and back: front-coded words and their frequencies.

use serde::{Deserialize, Serialize};

use super::{MAX_TERM_BYTES, malformed, numbers, read_whole};
use crate::error::BundleError;
use crate::lexical::postings::Varints;
use crate::lexical::spelling::{Key, Known};
use crate::shard::Family;

const ROLE: &str = Family::Spelling.as_str();

#[derive(Serialize, Deserialize)]
struct SpellingFile<'b> {
    /// For each word: the length it shares with the previous one, the length of the rest, the rest. Ordered by first
    /// letter and length.
    words: &'b [u8],
    /// For each word, the binary logarithm of the number of chunks that contain it.
    frequencies: &'b [u8],
}

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Known>, BundleError> {
    let wrong = || malformed(ROLE, "words", "lengths within their words", "others");
    let file: SpellingFile<'_> = read_whole(ROLE, bytes)?;
    let mut varints = Varints::new(file.words);
    let mut words = Vec::new();
    let mut before: Vec<u8> = Vec::new();
    for &frequency in file.frequencies {
        let (shared, n_more) = varints.next().zip(varints.next()).ok_or_else(wrong)?;
        let (shared, n_more) = (shared as usize, n_more as usize);
        if shared > before.len() || n_more > MAX_TERM_BYTES || shared + n_more > MAX_TERM_BYTES {
            return Err(wrong());
        }
        before.truncate(shared);
        before.extend_from_slice(varints.take_bytes(n_more).ok_or_else(wrong)?);
        let word = std::str::from_utf8(&before).map_err(|_| wrong())?;
        words.push(Known {
            word: word.to_owned(),
            frequency,
        });
    }
    if varints.is_empty() {
        Ok(words)
    } else {
        Err(malformed(ROLE, "words", "as many as frequencies", "more"))
    }
}

/// The first key of each shard, as in the resident file: a letter and a length, as varints.
pub(super) fn read_keys(bytes: &[u8]) -> Result<Vec<Key>, BundleError> {
    let wrong = || {
        malformed(
            ROLE,
            "first keys",
            "pairs of letters and lengths in order",
            "others",
        )
    };
    let numbers = numbers(ROLE, "first keys", bytes)?;
    let mut keys: Vec<Key> = Vec::new();
    for pair in numbers.chunks(2) {
        let &[letter, length] = pair else {
            return Err(wrong());
        };
        let key = char::from_u32(letter).zip(u8::try_from(length).ok());
        keys.push(key.ok_or_else(wrong)?);
    }
    if keys.is_sorted() {
        Ok(keys)
    } else {
        Err(wrong())
    }
}

#[cfg(feature = "build")]
pub(super) mod write {
    use super::*;
    use crate::bundle::write::{push_shared, to_bytes, varints};
    use crate::lexical::spelling::{Spelling, key};

    /// A shard is full once it reaches this many bytes before compression.
    const SHARD_BYTES: usize = 12 << 10;

    /// All words cut into shards, with the first key of each.
    pub(in crate::bundle) fn shards(
        spelling: &Spelling,
    ) -> Result<(Vec<Key>, Vec<Vec<u8>>), BundleError> {
        let (mut keys, mut files) = (Vec::new(), Vec::new());
        let (mut words, mut frequencies) = (Vec::new(), Vec::new());
        let mut before = "";
        for known in spelling.shards().iter().flatten().flatten() {
            let Some(key) = key(&known.word) else {
                continue;
            };
            if words.len() >= SHARD_BYTES {
                files.push(file(&words, &frequencies)?);
                words.clear();
                frequencies.clear();
                before = "";
            }
            if words.is_empty() {
                keys.push(key);
            }
            push_shared(&mut words, before, &known.word);
            frequencies.push(known.frequency);
            before = &known.word;
        }
        if !words.is_empty() {
            files.push(file(&words, &frequencies)?);
        }
        Ok((keys, files))
    }

    fn file(words: &[u8], frequencies: &[u8]) -> Result<Vec<u8>, BundleError> {
        to_bytes(ROLE, &SpellingFile { words, frequencies })
    }

    pub(in crate::bundle) fn keys(keys: &[Key]) -> Vec<u8> {
        varints(
            keys.iter()
                .flat_map(|&(letter, length)| [letter.into(), length.into()]),
        )
    }
}

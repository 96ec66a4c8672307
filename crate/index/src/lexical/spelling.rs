//! Suggests corrections for a word that no document has.
//!
//! Words are ordered by first letter and length, which keeps the candidates for a mistyped word close together: people
//! seldom mistype the first letter.

use std::collections::BTreeSet;

/// Shorter words are not corrected: too many others are equally close.
const MIN_CHARS: usize = 4;
/// From this many letters on, two edits are allowed.
const LONG_CHARS: usize = 8;
/// Maximum corrections for one word.
const MAX_CORRECTIONS: usize = 3;
/// Maximum shards read for one word.
const MAX_SHARDS: usize = 4;
/// Longer words are not looked up.
pub(crate) const MAX_CHARS: usize = 20;

/// First letter and number of letters.
pub(crate) type Key = (char, u8);

/// The words of an index by [`Key`], in shards.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Spelling {
    /// The first key of each shard.
    firsts: Vec<Key>,
    shards: Vec<Option<Vec<Known>>>,
}

/// A word that documents have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) word: String,
    /// The binary logarithm of the number of chunks that have it.
    pub(crate) frequency: u8,
}

/// The key of a word; `None` for one that is never a correction.
pub(crate) fn key(word: &str) -> Option<Key> {
    let n_chars = word.chars().take(MAX_CHARS + 1).count();
    let is_word = |c: char| c.is_alphabetic() && !super::token::is_unspaced(c);
    if !(MIN_CHARS - 1..=MAX_CHARS).contains(&n_chars) || !word.chars().all(is_word) {
        return None;
    }
    Some((word.chars().next()?, u8::try_from(n_chars).ok()?))
}

impl Spelling {
    /// Shards that are not loaded yet; `firsts` is non-decreasing.
    pub(crate) fn absent(firsts: Vec<Key>) -> Self {
        let shards = firsts.iter().map(|_| None).collect();
        Self { firsts, shards }
    }

    /// A single shard with everything, ordered by key.
    #[cfg(feature = "build")]
    pub(crate) fn whole(words: Vec<Known>) -> Self {
        let first = words.first().and_then(|known| key(&known.word));
        Self {
            firsts: first.into_iter().collect(),
            shards: first.map(|_| Some(words)).into_iter().collect(),
        }
    }

    pub(crate) fn is_loaded(&self, shard: usize) -> bool {
        self.shards.get(shard).is_some_and(Option::is_some)
    }

    pub(crate) fn insert(&mut self, idx: usize, words: Vec<Known>) {
        if let Some(place) = self.shards.get_mut(idx) {
            *place = Some(words);
        }
    }

    #[cfg(feature = "build")]
    pub(crate) fn shards(&self) -> &[Option<Vec<Known>>] {
        &self.shards
    }

    /// The words nearest to `word`, best first, each with its number of edits; shards that must be read first are added
    /// to `missing`.
    pub(crate) fn corrections(
        &self,
        word: &str,
        missing: &mut BTreeSet<u32>,
    ) -> Vec<(&str, usize)> {
        let Some((letter, n_chars)) = key(word).filter(|&(_, n)| usize::from(n) >= MIN_CHARS)
        else {
            return Vec::new();
        };
        let limit = match usize::from(n_chars) < LONG_CHARS {
            true => 1,
            false => 2,
        };
        let (low, high) = ((letter, n_chars - limit), (letter, n_chars + limit));
        // The shard before the first that begins at `low` may still contain words of that key.
        let start = self
            .firsts
            .partition_point(|first| *first < low)
            .saturating_sub(1);
        let end = self.firsts.partition_point(|first| *first <= high);
        let wanted: Vec<char> = word.chars().collect();
        let mut near: Vec<(usize, &Known)> = Vec::new();
        for shard in (start..end).take(MAX_SHARDS) {
            let Some(words) = &self.shards[shard] else {
                missing.extend(u32::try_from(shard).ok());
                continue;
            };
            near.extend(words.iter().filter_map(|known| {
                let is_near = key(&known.word).is_some_and(|key| low <= key && key <= high);
                let known_chars = || known.word.chars().collect::<Vec<char>>();
                let distance = is_near.then(|| distance(&wanted, &known_chars(), limit.into()))?;
                Some((distance?, known))
            }));
        }
        near.sort_unstable_by(|(a, x), (b, y)| {
            a.cmp(b)
                .then(y.frequency.cmp(&x.frequency))
                .then(x.word.cmp(&y.word))
        });
        near.truncate(MAX_CORRECTIONS);
        near.into_iter()
            .map(|(distance, known)| (known.word.as_str(), distance))
            .collect()
    }
}

/// Edit distance from `b` to `a`, counting insertions, deletions, replacements and swaps of neighbours (optimal string
/// alignment; Boytsov, 2011, "Indexing methods for approximate dictionary searching"); `None` above `limit`.
fn distance(a: &[char], b: &[char], limit: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut two_before = vec![0; b.len() + 1];
    let mut before: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let exchanged = before[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = exchanged.min(before[j] + 1).min(row[j - 1] + 1);
            let swaps = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if swaps {
                row[j] = row[j].min(two_before[j - 2] + 1);
            }
        }
        if row.iter().min().is_some_and(|&least| least > limit) {
            return None;
        }
        two_before = std::mem::replace(&mut before, row);
    }
    before.last().copied().filter(|&distance| distance <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_mistakes() {
        let between = |a: &str, b: &str, limit| {
            let chars = |word: &str| word.chars().collect::<Vec<_>>();
            distance(&chars(a), &chars(b), limit)
        };
        assert_eq!(between("error", "error", 2), Some(0));
        assert_eq!(between("eror", "error", 2), Some(1));
        assert_eq!(between("erorr", "error", 2), Some(1), "neighbours swapped");
        assert_eq!(between("confgiuraton", "configuration", 2), Some(2));
        assert_eq!(between("kitten", "sitting", 3), Some(3));
        assert_eq!(between("kitten", "sitting", 2), None);
        assert_eq!(between("", "ab", 2), Some(2));
        assert_eq!(between("caf\u{e9}", "cafe", 1), Some(1));
    }

    fn spelling(words: &[(&str, u8)]) -> Spelling {
        let known = |&(word, frequency): &(&str, u8)| Known {
            word: word.to_owned(),
            frequency,
        };
        let mut known: Vec<Known> = words.iter().map(known).collect();
        known.sort_by_key(|known| key(&known.word));
        Spelling::whole(known)
    }

    #[test]
    fn the_nearest_and_most_frequent_come_first() {
        let spelling = spelling(&[
            ("error", 3),
            ("errors", 1),
            ("terror", 9),
            ("erode", 9),
            ("eros", 5),
        ]);
        let mut missing = BTreeSet::new();
        let found = spelling.corrections("erorr", &mut missing);
        assert_eq!(found, [("error", 1)]);
        assert_eq!(
            spelling.corrections("erros", &mut missing),
            [("eros", 1), ("error", 1), ("errors", 1)]
        );
        assert_eq!(spelling.corrections("err", &mut missing), []);
        assert_eq!(spelling.corrections("i32x", &mut missing), []);
        assert!(missing.is_empty(), "all is here");
    }

    #[test]
    fn absent_shards_are_named() {
        let firsts = vec![('a', 3), ('e', 3), ('e', 5), ('e', 5), ('f', 4)];
        let spelling = Spelling::absent(firsts);
        let mut missing = BTreeSet::new();
        assert_eq!(spelling.corrections("error", &mut missing), []);
        assert_eq!(missing.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
    }
}

//! Replaces characters as SentencePiece does before it cuts a text: full-width letters, ligatures, spaces of any kind.
//!
//! The rules come with the vocabulary, as SentencePiece's `precompiled_charsmap`: the length of a trie in bytes, the trie
//! as a double array of 32-bit units (darts-clone), then all replacements, each ended by a zero byte. A leaf's value is
//! the offset of its replacement.
//!
//! Why not `Precompiled` of `tokenizers`: it indexes the array without checking, so a damaged file would panic. A test
//! compares the two.

use std::ops::Range;

use crate::error::LoadError;
use crate::gguf::Gguf;

const KEY: &str = "tokenizer.ggml.precompiled_charsmap";
/// Most bytes of rules: SentencePiece's largest, `nmt_nfkc_cf`, has a quarter of that.
const MAX_BYTES: usize = 1 << 20;

/// Rules that replace a few characters by others.
#[derive(Debug, Default)]
pub(super) struct Charsmap {
    /// The double array; empty if there are no rules.
    units: Vec<u32>,
    replacements: String,
}

impl Charsmap {
    /// The rules in a file; none if it has none.
    pub(super) fn from_gguf(gguf: &Gguf) -> Result<Charsmap, LoadError> {
        if !gguf.metadata.contains_key(KEY) {
            return Ok(Charsmap::default());
        }
        // ggml writes bytes as signed or unsigned ones.
        let bytes: Vec<u8> = gguf
            .ints(KEY)?
            .into_iter()
            .map(|byte| byte.to_le_bytes()[0])
            .collect();
        Self::parse(&bytes).ok_or_else(|| LoadError::MetadataValue {
            key: KEY.into(),
            expected: format!("a trie and the texts that it names, up to {MAX_BYTES} bytes"),
            found: format!("{} bytes of something else", bytes.len()),
        })
    }

    fn parse(bytes: &[u8]) -> Option<Charsmap> {
        if bytes.len() > MAX_BYTES {
            return None;
        }
        let (length, rest) = bytes.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (trie, replacements) = rest.split_at_checked(length)?;
        let (units, unaligned) = trie.as_chunks();
        if !unaligned.is_empty() {
            return None;
        }
        Some(Charsmap {
            units: units.iter().map(|unit| u32::from_le_bytes(*unit)).collect(),
            replacements: str::from_utf8(replacements).ok()?.to_owned(),
        })
    }

    /// Appends `text` with its characters replaced, and for each byte of that the bytes of `text` that it stands for;
    /// where several rules begin, the longest applies.
    pub(super) fn replace(
        &self,
        text: &str,
        replaced: &mut String,
        origins: &mut Vec<Range<usize>>,
    ) {
        let mut at = 0;
        while let Some(first) = text[at..].chars().next() {
            let (n_bytes, replacement) = match self.longest(&text[at..]) {
                Some(found) => found,
                None => (first.len_utf8(), &text[at..at + first.len_utf8()]),
            };
            replaced.push_str(replacement);
            origins.resize(replaced.len(), at..at + n_bytes);
            at += n_bytes;
        }
    }

    /// The longest rule that `text` begins with: its length in bytes, and the replacement.
    fn longest(&self, text: &str) -> Option<(usize, &str)> {
        let mut found = None;
        let mut unit = Unit(*self.units.first()?);
        let mut at = unit.offset();
        for (idx, byte) in text.bytes().enumerate() {
            at ^= usize::from(byte);
            let Some(next) = self.units.get(at) else {
                break;
            };
            unit = Unit(*next);
            if byte == 0 || unit.label() != u32::from(byte) {
                break;
            }
            at ^= unit.offset();
            let end = idx + 1;
            if unit.has_leaf() && text.is_char_boundary(end) {
                let leaf = self.units.get(at).map(|leaf| Unit(*leaf).value());
                let replacement = leaf.and_then(|start| self.replacements.get(start..));
                let replacement = replacement.and_then(|rest| rest.split('\0').next());
                found = replacement.map(|replacement| (end, replacement)).or(found);
            }
        }
        found
    }
}

/// A unit of the double array. Source: darts-clone, `DoubleArrayUnit`.
#[derive(Clone, Copy)]
struct Unit(u32);

impl Unit {
    /// True if a key ends here.
    fn has_leaf(self) -> bool {
        self.0 >> 8 & 1 == 1
    }

    /// A leaf's value.
    fn value(self) -> usize {
        (self.0 & 0x7fff_ffff) as usize
    }

    /// The byte that leads here; a leaf's is above all bytes.
    fn label(self) -> u32 {
        self.0 & (1 << 31 | 0xff)
    }

    /// Distance to the units of the bytes that follow, by exclusive or.
    fn offset(self) -> usize {
        ((self.0 >> 10) << ((self.0 & 1 << 9) >> 6)) as usize
    }
}

#[cfg(test)]
#[path = "charsmap_tests.rs"]
mod tests;

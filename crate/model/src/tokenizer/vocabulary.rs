//! Turns GGUF metadata into a checked vocabulary: the tokens, their kinds, and the ids with special roles.

use std::collections::{BTreeSet, HashMap};

use crate::error::LoadError;
use crate::gguf::Gguf;
use crate::token::TokenId;

/// Tokens that end a turn, for files that name only one of them. Source: llama.cpp, `llama-vocab.cpp`.
const END_TEXTS: [&str; 22] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|return|>",
    "<|call|>",
    "<|calls|>",
    "<|flush|>",
    "<|tool_response>",
    "<end_of_turn>",
    "<end_of_utterance>",
    "<turn|>",
    "</s>",
    "<eos>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "[e~[",
    "<｜end▁of▁sentence｜>",
];

/// Tokens that don't end a turn if the vocabulary also has all of the tokens listed next to them, which do.
const NO_ENDS: [(&str, &[&str]); 4] = [
    ("<|end|>", &["<|return|>", "<|call|>"]),
    ("<|end|>", &["<|calls|>", "<|flush|>"]),
    ("<|end|>", &["<|call|>", "<|flush|>"]),
    ("</s>", &["<|tool_response>"]),
];

/// Purpose of a token: `tokenizer.ggml.token_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An ordinary piece of text.
    Normal,
    /// Stands for text that nothing else covers.
    Unknown,
    /// Steers the model; never part of a text.
    Control,
    /// Added by hand: matched before anything else.
    UserDefined,
    /// Never produced.
    Unused,
    /// One byte, spelt `<0x0A>`.
    Byte(u8),
}

/// The tokens of a model, by id.
#[derive(Debug)]
pub(super) struct Vocabulary {
    pub(super) pieces: Vec<String>,
    pub(super) kinds: Vec<Kind>,
    /// Tokens that end a generation.
    pub(super) ends: BTreeSet<TokenId>,
    pub(super) bos: Option<TokenId>,
    pub(super) eos: Option<TokenId>,
    pub(super) unknown: Option<TokenId>,
    pub(super) separator: Option<TokenId>,
}

impl Vocabulary {
    /// Reads and checks every tokenizer key that concerns tokens.
    pub(super) fn from_gguf(gguf: &Gguf) -> Result<Vocabulary, LoadError> {
        let pieces: Vec<String> = gguf
            .strings("tokenizer.ggml.tokens")?
            .into_iter()
            .map(String::from)
            .collect();
        if pieces.is_empty() || u32::try_from(pieces.len()).is_err() {
            return Err(LoadError::MetadataValue {
                key: "tokenizer.ggml.tokens".into(),
                expected: format!("1 to {} tokens", u32::MAX),
                found: pieces.len().to_string(),
            });
        }
        let mut kinds = kinds(gguf, &pieces)?;
        let role = |key: &str| role(gguf, key, pieces.len());
        let bos = match role("tokenizer.ggml.bos_token_id")? {
            Some(id) => Some(id),
            None => role("tokenizer.ggml.cls_token_id")?,
        };
        let eos = role("tokenizer.ggml.eos_token_id")?;
        let mut ends = BTreeSet::new();
        ends.extend(eos);
        ends.extend(role("tokenizer.ggml.eot_token_id")?);
        ends.extend(role("tokenizer.ggml.eom_token_id")?);
        let unknown = role("tokenizer.ggml.unknown_token_id")?;
        // Misspelt in GGUF from the start.
        let separator = role("tokenizer.ggml.seperator_token_id")?;
        let found: Vec<(TokenId, &str)> = (0..)
            .map(TokenId)
            .zip(pieces.iter().map(String::as_str))
            .filter(|(_, piece)| END_TEXTS.contains(piece))
            .collect();
        let has = |wanted: &str| found.iter().any(|&(_, piece)| piece == wanted);
        let is_end = |piece: &str| {
            let mut beside = NO_ENDS.iter().filter(|(no_end, _)| *no_end == piece);
            !beside.any(|(_, ends)| ends.iter().all(|&end| has(end)))
        };
        for &(id, piece) in &found {
            if is_end(piece) {
                ends.insert(id);
                // Some converters omit this, and the token would then be shown to the visitor.
                kinds[id.idx()] = Kind::Control;
            }
        }
        Ok(Vocabulary {
            pieces,
            kinds,
            ends,
            bos,
            eos,
            unknown,
            separator,
        })
    }

    /// Number of tokens.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Every token in order of id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (TokenId, &str, Kind)> {
        let ids = (0..).map(TokenId);
        ids.zip(&self.pieces)
            .zip(&self.kinds)
            .map(|((id, piece), &kind)| (id, piece.as_str(), kind))
    }

    /// The token spelt `piece`; the first, if a file repeats it.
    pub(super) fn find(&self, piece: &str) -> Option<TokenId> {
        self.iter()
            .find(|&(_, found, _)| found == piece)
            .map(|(id, ..)| id)
    }

    /// Ids by spelling of the tokens that `wanted` accepts; the first, if a file repeats a spelling.
    pub(super) fn ids(&self, wanted: impl Fn(Kind) -> bool) -> HashMap<&str, TokenId> {
        let mut ids = HashMap::with_capacity(self.len());
        for (id, piece, _) in self.iter().filter(|&(.., kind)| wanted(kind)) {
            ids.entry(piece).or_insert(id);
        }
        ids
    }
}

fn kinds(gguf: &Gguf, pieces: &[String]) -> Result<Vec<Kind>, LoadError> {
    const KEY: &str = "tokenizer.ggml.token_type";
    if !gguf.metadata.contains_key(KEY) {
        return Ok(vec![Kind::Normal; pieces.len()]);
    }
    let numbers = gguf.ints(KEY)?;
    demand_one_per_token(KEY, numbers.len(), pieces.len())?;
    let kind = |(number, piece): (i32, &String)| match number {
        0 | 1 => Ok(Kind::Normal),
        2 => Ok(Kind::Unknown),
        3 => Ok(Kind::Control),
        4 => Ok(Kind::UserDefined),
        5 => Ok(Kind::Unused),
        6 => byte(piece)
            .map(Kind::Byte)
            .ok_or_else(|| LoadError::MetadataValue {
                key: "tokenizer.ggml.tokens".into(),
                expected: "byte tokens from `<0x00>` to `<0xFF>`".into(),
                found: piece.chars().take(32).collect(),
            }),
        _ => Err(LoadError::MetadataValue {
            key: KEY.into(),
            expected: "types from 0 to 6".into(),
            found: number.to_string(),
        }),
    };
    numbers.into_iter().zip(pieces).map(kind).collect()
}

/// The byte that `<0x0A>` spells.
fn byte(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    let is_hex = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u8::from_str_radix(digits, 16).ok())?
}

/// Checks that a list about the tokens has one entry for each.
pub(super) fn demand_one_per_token(
    key: &str,
    found: usize,
    n_tokens: usize,
) -> Result<(), LoadError> {
    if found == n_tokens {
        return Ok(());
    }
    Err(LoadError::MetadataValue {
        key: key.into(),
        expected: format!("one value for each of {n_tokens} tokens"),
        found: found.to_string(),
    })
}

/// The token of a role. An id outside the vocabulary counts as none, as in llama.cpp.
fn role(gguf: &Gguf, key: &str, n_tokens: usize) -> Result<Option<TokenId>, LoadError> {
    let id = gguf.opt_u32(key)?.map(TokenId);
    Ok(id.filter(|id| id.idx() < n_tokens))
}

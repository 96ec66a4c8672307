//! Chooses the tokens of a multilingual embedder that a site needs.
//!
//! Those of its own texts; all single characters, so that any word can be spelt; and, for words of visitors that the site
//! doesn't use, the most frequent tokens that are written with the site's own letters.

use std::collections::{BTreeSet, HashMap, HashSet};

use anchorite::model::TokenId;
use anchorite::model::embed::{Embedder, Side};
use anchorite::model::error::{LoadError, RunError};
use anchorite::model::gguf::{Gguf, rows};
use anchorite::model::parts::Parts;
use rayon::prelude::*;

use super::Site;

/// How many tokens are kept for one language beyond those of its texts, how many more for each further one, and the most.
const FREQUENT: usize = 12_000;
const FREQUENT_MORE: usize = 4_000;
const MAX_FREQUENT: usize = 28_000;
/// How SentencePiece spells a space.
const SPACE: char = '\u{2581}';
/// A letter that fewer of the site's tokens have is a stray word in another language.
const MIN_TOKENS: usize = 2;

/// The embedder `bytes` with the tokens that a site's texts and its visitors need.
///
/// # Errors
/// Those of loading and of running the embedder.
pub(crate) fn of_site(
    bytes: Vec<u8>,
    embedder: &Embedder,
    site: &Site<'_>,
) -> anyhow::Result<Vec<u8>> {
    let used = used(embedder, site)?;
    let parts = Parts::new(vec![bytes]);
    let kept = kept(&Gguf::parse(&parts)?, used, site.languages.tags().len())?;
    Ok(rows::keep(&parts, &kept)?)
}

/// The tokens of all texts, read as passages and as queries.
fn used(embedder: &Embedder, site: &Site<'_>) -> Result<HashSet<TokenId>, RunError> {
    (0..site.chunks.len())
        .into_par_iter()
        .map(|at| {
            let text = (site.text)(at);
            let mut tokens = embedder.tokens(Side::Passage, &text)?;
            tokens.extend(embedder.tokens(Side::Query, &text)?);
            Ok(tokens.into_iter().collect::<HashSet<_>>())
        })
        .try_reduce(HashSet::new, |mut all, some| {
            all.extend(some);
            Ok(all)
        })
}

fn kept(
    gguf: &Gguf,
    used: HashSet<TokenId>,
    n_languages: usize,
) -> Result<BTreeSet<TokenId>, LoadError> {
    let pieces = gguf.strings("tokenizer.ggml.tokens")?;
    let scores = gguf.floats("tokenizer.ggml.scores")?;
    let letters_of =
        |piece: &str| -> HashSet<char> { piece.chars().filter(|c| *c != SPACE).collect() };
    let mut n_tokens = HashMap::new();
    for id in &used {
        for letter in pieces
            .get(id.idx())
            .into_iter()
            .flat_map(|piece| letters_of(piece))
        {
            *n_tokens.entry(letter).or_insert(0) += 1;
        }
    }
    let is_letter = |c: char| c == SPACE || n_tokens.get(&c).is_some_and(|n| *n >= MIN_TOKENS);
    let mut frequent: Vec<(usize, f32)> = pieces
        .iter()
        .zip(scores)
        .enumerate()
        .filter(|(_, (piece, _))| piece.chars().all(is_letter))
        .map(|(idx, (_, score))| (idx, score))
        .collect();
    frequent.sort_by(|a, b| b.1.total_cmp(&a.1));
    let n_frequent = FREQUENT + FREQUENT_MORE * n_languages.saturating_sub(1);
    frequent.truncate(n_frequent.min(MAX_FREQUENT));
    let id = |idx: usize| u32::try_from(idx).ok().map(TokenId);
    let single = pieces
        .iter()
        .enumerate()
        .filter(|(_, piece)| piece.chars().nth(1).is_none());
    let more = single
        .map(|(idx, _)| idx)
        .chain(frequent.into_iter().map(|(idx, _)| idx));
    Ok(used.into_iter().chain(more.filter_map(id)).collect())
}

//! Turns chunks into the lists that keyword search reads.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::LexicalIndex;
use super::collection::{Collection, length_code};
use super::postings::{Posting, encode};
use super::shard::TermShard;
use super::tokenize::{Token, TokenKind, tokens};
use crate::chunk::Chunk;
use crate::document::Document;
use crate::error::BuildError;

/// Where one term occurs, in order.
#[derive(Default)]
struct Places {
    postings: Vec<Posting>,
    titles: Vec<u32>,
}

/// What one chunk says of one term.
#[derive(Default)]
struct Mentions {
    n_text: u32,
    in_own_heading: bool,
    in_heading_above: bool,
}

#[derive(Default)]
struct Builder {
    places: BTreeMap<String, Places>,
    forms: BTreeMap<String, BTreeSet<String>>,
}

impl LexicalIndex {
    /// Indexes `chunks`, which stand in the order of their documents.
    ///
    /// # Errors
    /// [`BuildError::ChunkOrder`] if a chunk names a document before that of the chunk above it, or none.
    /// [`BuildError::TooMany`] if positions would not fit the format.
    pub fn build(documents: &[Document], chunks: &[Chunk]) -> Result<Self, BuildError> {
        let mut builder = Builder::default();
        let mut first_chunks = vec![0];
        let mut lengths = Vec::with_capacity(chunks.len());
        for (idx, document) in documents.iter().enumerate() {
            builder.title(to_u32("documents", idx)?, &document.title);
        }
        for (idx, chunk) in chunks.iter().enumerate() {
            let document = chunk.document as usize;
            let Some(titled) = documents
                .get(document)
                .filter(|_| document + 1 >= first_chunks.len())
            else {
                return Err(BuildError::ChunkOrder {
                    chunk: idx,
                    document: chunk.document,
                    n_documents: documents.len(),
                });
            };
            let chunk_idx = to_u32("chunks", idx)?;
            first_chunks.resize(document + 1, chunk_idx);
            let n_words = builder.chunk(chunk_idx, chunk, &titled.title);
            lengths.push(length_code(n_words));
        }
        first_chunks.resize(documents.len() + 1, to_u32("chunks", chunks.len())?);
        let weights = (0_u32..)
            .zip(documents)
            .filter(|(_, document)| document.weight != 1.0)
            .map(|(idx, document)| (idx, counted_weight(document.weight)))
            .collect();
        let collection = Collection::new(lengths, first_chunks, weights)
            .map_err(|wrong| too_many(wrong.place))?;
        Ok(Self::whole(collection, builder.finish()?))
    }
}

/// A weight as it is counted: never below 0, and never infinite.
fn counted_weight(weight: f32) -> f32 {
    if weight.is_finite() && weight > 0.0 {
        weight
    } else {
        0.0
    }
}

impl Builder {
    fn title(&mut self, document: u32, title: &str) {
        for token in tokens(title) {
            for term in self.terms(token) {
                let titles = &mut self.places.entry(term).or_default().titles;
                if titles.last() != Some(&document) {
                    titles.push(document);
                }
            }
        }
    }

    /// Indexes one chunk; returns how many words its text has.
    fn chunk(&mut self, chunk_idx: u32, chunk: &Chunk, title: &str) -> u32 {
        let mut mentions: HashMap<String, Mentions> = HashMap::new();
        let mut n_words = 0_u32;
        for token in tokens(&chunk.text) {
            n_words = n_words.saturating_add(u32::from(token.kind == TokenKind::Word));
            for term in self.terms(token) {
                mentions.entry(term).or_default().n_text += 1;
            }
        }
        for (idx, heading) in chunk.headings.iter().enumerate() {
            let is_own = idx + 1 == chunk.headings.len();
            // The page's title is a field of its own.
            if !is_own && heading == title {
                continue;
            }
            for token in tokens(heading) {
                for term in self.terms(token) {
                    let mention = mentions.entry(term).or_default();
                    mention.in_own_heading |= is_own;
                    mention.in_heading_above |= !is_own;
                }
            }
        }
        for (
            term,
            Mentions {
                n_text,
                in_own_heading,
                in_heading_above,
            },
        ) in mentions
        {
            let posting = Posting {
                chunk: chunk_idx,
                n_text,
                in_own_heading,
                in_heading_above,
            };
            self.places.entry(term).or_default().postings.push(posting);
        }
        n_words
    }

    /// The terms that a token is found by; notes its form where the stem is much shorter.
    fn terms(&mut self, token: Token) -> impl Iterator<Item = String> + use<> {
        let n_shared = token
            .surface
            .bytes()
            .zip(token.term.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        if token.surface.len() >= n_shared + 2 {
            let terms = self.forms.entry(token.surface).or_default();
            terms.insert(token.term.clone());
        }
        std::iter::once(token.term).chain(token.parts)
    }

    fn finish(self) -> Result<TermShard, BuildError> {
        let mut shard = TermShard {
            starts: vec![0],
            ..TermShard::default()
        };
        for (term, places) in &self.places {
            if !shard.terms.push(term) {
                return Err(too_many("bytes of terms"));
            }
            encode(&places.postings, &places.titles, &mut shard.postings);
            let end = to_u32("bytes of postings", shard.postings.len())?;
            shard.starts.push(end);
        }
        for (form, terms) in self.forms {
            if !shard.forms.push(&form) {
                return Err(too_many("bytes of forms"));
            }
            shard.form_terms.push(terms.into_iter().collect());
        }
        Ok(shard)
    }
}

fn too_many(what: &'static str) -> BuildError {
    BuildError::TooMany {
        what,
        expected: u64::from(u32::MAX),
        found: u64::from(u32::MAX) + 1,
    }
}

/// Positions in postings are shifted by three bits.
const MAX_POSITION: u32 = u32::MAX >> 3;

fn to_u32(what: &'static str, position: usize) -> Result<u32, BuildError> {
    let limit = if what == "chunks" {
        MAX_POSITION
    } else {
        u32::MAX
    };
    u32::try_from(position)
        .ok()
        .filter(|&position| position <= limit)
        .ok_or(BuildError::TooMany {
            what,
            expected: u64::from(limit),
            found: position as u64,
        })
}

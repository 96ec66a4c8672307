//! Turns chunks into the posting lists that keyword search reads.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::collection::{Collection, length_code};
use super::dictionary::Dictionary;
use super::fold::plain;
use super::language::{Stemmer, stop_words};
use super::postings::{Posting, encode, form_class};
use super::primary;
use super::shard::TermShard;
use super::spelling::{Known, Spelling, key};
use super::token::{Token, TokenKind};
use super::tokenize::{surface, tokens_with};
use super::vocabulary::Vocabulary;
use super::{Languages, LexicalIndex};
use crate::chunk::Chunk;
use crate::document::Document;
use crate::error::BuildError;

/// Where one term occurs, in order.
#[derive(Default)]
struct Places {
    postings: Vec<Posting>,
    titles: Vec<u32>,
}

/// The occurrences of one term in one chunk.
#[derive(Default)]
struct Mentions {
    n_text: u32,
    in_own_heading: bool,
    in_heading_above: bool,
    /// See [`Posting::forms`].
    forms: u32,
}

/// In an index of at least this many chunks, a word that only one of them has is not offered as a correction: it may be
/// misspelt itself.
const MANY_CHUNKS: usize = 2000;
/// A language's stop word counts as one only if at least one chunk in this many contains it.
const STOP_WORD_SHARE: usize = 100;

#[derive(Default)]
struct Builder {
    stemmers: BTreeMap<String, Stemmer>,
    places: BTreeMap<String, Places>,
    forms: BTreeMap<String, BTreeSet<String>>,
    vocabulary: Vocabulary,
}

impl LexicalIndex {
    /// Indexes `chunks`, given in the order of their documents.
    ///
    /// # Errors
    /// [`BuildError::ChunkOrder`] if a chunk names an earlier document than the chunk before it, or none that exists.
    /// [`BuildError::TooMany`] if positions would not fit the format.
    pub fn build(documents: &[Document], chunks: &[Chunk]) -> Result<Self, BuildError> {
        let mut builder = Builder::default();
        let mut first_chunks = vec![0];
        let mut lengths = Vec::with_capacity(chunks.len());
        // Collect the words of all pages, unstemmed, before the first page is indexed.
        let written = |text: &str| tokens_with(text, &str::to_owned);
        for document in documents {
            let language = primary(document.language.as_deref());
            let stemmer = builder.stemmers.entry(language.clone());
            stemmer.or_insert_with(|| Stemmer::of(&language));
            builder.vocabulary.extend(&written(&document.title));
        }
        for chunk in chunks {
            builder.vocabulary.extend(&written(&chunk.text));
            let heading = chunk.headings.last().map_or("", String::as_str);
            builder.vocabulary.extend(&written(heading));
        }
        for (idx, document) in documents.iter().enumerate() {
            builder.title(to_u32("documents", idx)?, document);
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
            let n_words = builder.chunk(chunk_idx, chunk, titled);
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
        let languages = builder.languages(chunks.len());
        let spelling = builder.spelling(chunks.len());
        Ok(Self::whole(
            collection,
            languages,
            spelling,
            builder.finish()?,
        ))
    }
}

/// Replaces a negative, infinite or NaN weight with 0.
fn counted_weight(weight: f32) -> f32 {
    if weight.is_finite() && weight > 0.0 {
        weight
    } else {
        0.0
    }
}

impl Builder {
    /// The tokens of a text in its document's language, plus words joined from neighbours and the parts of compounds.
    fn tokens(&self, text: &str, document: &Document) -> Vec<Token> {
        let language = primary(document.language.as_deref());
        let stemmer = self.stemmers.get(&language).unwrap_or(&Stemmer::None);
        let mut tokens = tokens_with(text, &|word| stemmer.stem(word));
        let mut others = self.vocabulary.joined(text, &tokens);
        if Stemmer::is_compounding(&language) {
            let parts = tokens
                .iter()
                .filter_map(|token| self.vocabulary.parts(token));
            others.extend(parts.flatten());
        }
        tokens.extend(others.into_iter().map(|surface| {
            let term = plain(&stemmer.stem(&surface)).into_owned();
            Token {
                term,
                ..Token::plain(TokenKind::Tail, 0..0, surface)
            }
        }));
        tokens
    }

    fn title(&mut self, idx: u32, document: &Document) {
        for token in self.tokens(&document.title, document) {
            for (term, _) in self.terms(token, document) {
                let titles = &mut self.places.entry(term).or_default().titles;
                if titles.last() != Some(&idx) {
                    titles.push(idx);
                }
            }
        }
    }

    /// Indexes one chunk; returns the number of words in its text.
    fn chunk(&mut self, chunk_idx: u32, chunk: &Chunk, document: &Document) -> u32 {
        let mut mentions: HashMap<String, Mentions> = HashMap::new();
        let mut n_words = 0_u32;
        for token in self.tokens(&chunk.text, document) {
            n_words = n_words.saturating_add(u32::from(token.kind == TokenKind::Word));
            for (term, form) in self.terms(token, document) {
                let mention = mentions.entry(term).or_default();
                mention.n_text += 1;
                mention.forms |= form;
            }
        }
        for (idx, heading) in chunk.headings.iter().enumerate() {
            let is_own = idx + 1 == chunk.headings.len();
            // The page's title is a field of its own.
            if !is_own && *heading == document.title {
                continue;
            }
            for token in self.tokens(heading, document) {
                for (term, form) in self.terms(token, document) {
                    let mention = mentions.entry(term).or_default();
                    mention.forms |= form;
                    mention.in_own_heading |= is_own;
                    mention.in_heading_above |= !is_own;
                }
            }
        }
        for (term, mention) in mentions {
            let posting = Posting {
                chunk: chunk_idx,
                n_text: mention.n_text,
                in_own_heading: mention.in_own_heading,
                in_heading_above: mention.in_heading_above,
                forms: mention.forms,
            };
            self.places.entry(term).or_default().postings.push(posting);
        }
        n_words
    }

    /// The terms that a token is indexed under, each with its form's class as a set. Records the form if a query cannot
    /// derive the terms from the word, or if a prefix cannot find it by the stem.
    fn terms(
        &mut self,
        token: Token,
        document: &Document,
    ) -> impl Iterator<Item = (String, u32)> + use<> {
        let surface = plain(&token.surface);
        let shared = surface
            .bytes()
            .zip(token.term.bytes())
            .take_while(|(a, b)| a == b);
        let n_shared = shared.count();
        let stemmer = self.stemmers.get(&primary(document.language.as_deref()));
        let is_form = match stemmer.is_some_and(Stemmer::is_english) {
            true => surface.len() >= n_shared + 2,
            false => surface != token.term,
        };
        let form = 1 << form_class(&token.surface);
        if is_form {
            let terms = self.forms.entry(surface.into_owned()).or_default();
            terms.insert(token.term.clone());
        }
        let parts = token.parts.into_iter();
        let parts = parts.map(|part| (part.term, 1 << form_class(&part.surface)));
        std::iter::once((token.term, form)).chain(parts)
    }

    /// The documents' languages, and those of their stop words that are frequent here.
    fn languages(&self, n_chunks: usize) -> Languages {
        let mut words: BTreeSet<String> = BTreeSet::new();
        for (language, stemmer) in &self.stemmers {
            let folded = stop_words(language).iter();
            words.extend(folded.map(|word| surface(word)).filter(|word| {
                let places = self.places.get(&*plain(&stemmer.stem(word)));
                places.is_some_and(|places| places.postings.len() * STOP_WORD_SHARE >= n_chunks)
            }));
        }
        let mut stop_words = Dictionary::default();
        words.iter().for_each(|word| {
            stop_words.push(word);
        });
        Languages {
            names: self.stemmers.keys().cloned().collect(),
            stop_words,
        }
    }

    /// The words offered as corrections.
    fn spelling(&self, n_chunks: usize) -> Spelling {
        let least = if n_chunks < MANY_CHUNKS { 1 } else { 2 };
        let frequent = self
            .places
            .iter()
            .filter(|(_, places)| places.postings.len() >= least);
        let mut words: Vec<_> = frequent
            .filter_map(|(word, places)| {
                let frequency = u8::try_from(places.postings.len().ilog2()).unwrap_or(u8::MAX);
                let known = Known {
                    word: word.clone(),
                    frequency,
                };
                Some((key(word)?, known))
            })
            .collect();
        // Words with equal keys keep the order of the dictionary.
        words.sort_by_key(|&(key, _)| key);
        Spelling::whole(words.into_iter().map(|(_, known)| known).collect())
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

/// Postings shift positions left by three bits.
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

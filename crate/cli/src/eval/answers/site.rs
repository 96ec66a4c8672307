//! Indexes the part of a site that may be read for a question, from pages or a bundle's index, and judges quotations
//! against that site.

use std::collections::HashMap;

use anchorite::index::chunk::{Chunk, ChunkOptions, chunk_documents};
use anchorite::index::document::Document;
use anchorite::index::vector::VectorOptions;
use anchorite::index::{ChunkIdx, Index, IndexOptions, Similarity};
use anchorite::model::embed::Side;

use super::case::{Case, Judged, Response, Right, Scope};
use super::squad::{Compared, holds};
use crate::build::embedder::language::Languages;
use crate::build::embedder::{self, Chosen, Fitted};
use crate::eval::embeddings::CachedEmbedder;

/// All pages that the questions are about.
pub(crate) struct Site {
    documents: Vec<Document>,
    chunks: Vec<Chunk>,
    /// One per chunk; `None` for a site that is searched by words only.
    embeddings: Option<Vec<Vec<f32>>>,
    /// The scale of the embeddings' cosines.
    similarity: Option<Similarity>,
    /// The text of each section by its address, with single spaces.
    texts: HashMap<String, String>,
}

impl Site {
    /// The site made of `documents`.
    ///
    /// # Errors
    /// Those of the embedder.
    pub(crate) fn from_documents(
        name: &str,
        documents: Vec<Document>,
        embedder: Option<&CachedEmbedder<'_>>,
    ) -> anyhow::Result<Self> {
        let chunks = chunk_documents(&documents, &ChunkOptions::default());
        let mut texts = HashMap::new();
        for document in &documents {
            for section in &document.sections {
                let url = address(&document.url, section.anchor.as_deref());
                add(&mut texts, url, &section.text);
            }
        }
        Self::new(name, documents, chunks, texts, embedder)
    }

    /// The site of a bundle, from the texts of its index, which must all be loaded. An index does not keep weights and
    /// languages of documents, so [`Self::index`] builds without them.
    ///
    /// # Errors
    /// Those of the embedder.
    pub(crate) fn from_index(
        name: &str,
        index: &Index,
        embedder: Option<&CachedEmbedder<'_>>,
    ) -> anyhow::Result<Self> {
        let mut documents: Vec<Document> = Vec::new();
        let mut chunks = Vec::new();
        let mut texts = HashMap::new();
        let mut last = None;
        for idx in 0..u32::try_from(index.n_chunks()).unwrap_or(u32::MAX) {
            let idx = ChunkIdx(idx);
            let Some((chunk, entry)) = index.chunk(idx).zip(index.document(idx)) else {
                continue;
            };
            if last != Some(chunk.document) {
                last = Some(chunk.document);
                documents.push(Document {
                    source: entry.url.clone(),
                    url: entry.url.clone(),
                    title: entry.title.clone(),
                    sections: Vec::new(),
                    filters: Default::default(),
                    meta: entry.meta.clone(),
                    sort: Default::default(),
                    weight: 1.0,
                    language: None,
                });
            }
            add(&mut texts, index.url(idx), &chunk.text);
            chunks.push(Chunk {
                document: u32::try_from(documents.len() - 1)?,
                ..chunk.clone()
            });
        }
        let site = Self::new(name, documents, chunks, texts, embedder)?;
        Ok(Self {
            similarity: index.similarity,
            ..site
        })
    }

    fn new(
        name: &str,
        documents: Vec<Document>,
        chunks: Vec<Chunk>,
        texts: HashMap<String, String>,
        embedder: Option<&CachedEmbedder<'_>>,
    ) -> anyhow::Result<Self> {
        let embeddings = embedder
            .map(|embedder| {
                let text =
                    |chunk: &Chunk| chunk.embedding_text(&documents[chunk.document as usize].title);
                embedder.embed(
                    Side::Passage,
                    name,
                    &chunks.iter().map(text).collect::<Vec<_>>(),
                )
            })
            .transpose()?;
        Ok(Self {
            documents,
            chunks,
            embeddings,
            similarity: None,
            texts,
        })
    }

    /// The languages of its pages.
    pub(crate) fn languages(&self) -> Languages {
        Languages::of(&self.documents, &self.chunks)
    }

    /// The embedder as a build fits it to this site, which has its embeddings from the whole one; and the site's index.
    ///
    /// # Errors
    /// Those of the embedder.
    pub(crate) fn fit(
        &mut self,
        chosen: Chosen,
        keeps_all: bool,
    ) -> anyhow::Result<(Fitted, Option<Index>)> {
        let languages = self.languages();
        let embeddings = self.embeddings.as_deref().unwrap_or_default();
        let fitted = chosen.fitted(
            &embedder::Site {
                chunks: &self.chunks,
                text: &|at| {
                    let chunk = &self.chunks[at];
                    chunk.embedding_text(&self.documents[chunk.document as usize].title)
                },
                embedding: &|at| embeddings.get(at).map(Vec::as_slice),
                languages: &languages,
            },
            keeps_all,
        )?;
        self.similarity = fitted.similarity;
        let mut index = self.index(&Scope::Whole)?;
        if let Some(index) = &mut index {
            fitted.complete(index)?;
            self.similarity = index.similarity;
        }
        Ok((fitted, index))
    }

    /// An index of the part that `scope` names; `None` if that is empty.
    ///
    /// # Errors
    /// If there are too many chunks for an index.
    pub(crate) fn index(&self, scope: &Scope) -> anyhow::Result<Option<Index>> {
        let mut documents: Vec<Document> = Vec::new();
        let (mut chunks, mut embeddings) = (Vec::new(), Vec::new());
        let mut last = None;
        for (idx, chunk) in self.chunks.iter().enumerate() {
            let document = &self.documents[chunk.document as usize];
            let url = address(&document.url, chunk.anchor.as_deref());
            let may_be_read = match scope {
                Scope::Whole => true,
                Scope::Without(addresses) => !names(addresses, &url),
                Scope::Only(addresses) => names(addresses, &url),
            };
            if !may_be_read {
                continue;
            }
            if last != Some(chunk.document) {
                last = Some(chunk.document);
                documents.push(document.clone());
            }
            chunks.push(Chunk {
                document: u32::try_from(documents.len() - 1)?,
                ..chunk.clone()
            });
            if let Some(all) = &self.embeddings {
                embeddings.push(all[idx].clone());
            }
        }
        if chunks.is_empty() {
            return Ok(None);
        }
        let embeddings = self.embeddings.is_some().then_some(embeddings);
        let options = IndexOptions {
            similarity: self.similarity,
            vectors: VectorOptions::default(),
        };
        let index = Index::build(&documents, chunks, embeddings, &options)?;
        Ok(Some(index))
    }

    /// Judges a response by the known right answers, and by the pages.
    pub(crate) fn judge(&self, case: &Case, response: Response, right: Right) -> Judged {
        let quotation = response.quotation.join("\n");
        // If nothing answers, only silence is right, even if answers were removed from reach.
        let compared = match case.is_answerable {
            true => &case.answers[..],
            false => &[],
        };
        let span = Compared::new(&response.span, compared);
        let holds_answer = holds(&quotation, &case.answers);
        let is_from_expected = names(&case.expected, &response.url);
        let exact = span.exact();
        let agrees = match right {
            _ if case.answers.is_empty() => is_from_expected,
            Right::Quotation => holds_answer,
            Right::Span => exact == 1.0,
        };
        let text = self.texts.get(&response.url);
        Judged {
            question: case.question.clone(),
            page: case.page.clone(),
            is_answerable: case.is_answerable,
            outcome: response.outcome,
            probability: response.probability,
            is_right: case.is_answerable && agrees && !quotation.trim().is_empty(),
            holds_answer,
            is_from_expected,
            exact,
            f1: span.f1(),
            quotation_f1: Compared::new(&quotation, compared).f1(),
            is_verbatim: text.is_some_and(|text| stand_in(text, &response.quotation)),
            resolves: text.is_some(),
            evidence: response.evidence,
            span_inside: single_spaced(&quotation).contains(&single_spaced(&response.span)),
            answers: case.answers.clone(),
            expected: case.expected.clone(),
            quotation,
            span: response.span,
            url: response.url,
        }
    }
}

/// True if `url` is one of `addresses`, or is on a page that is one of them.
pub(crate) fn names(addresses: &[String], url: &str) -> bool {
    let page = page(url);
    addresses.iter().any(|one| one == url || one == page)
}

/// An address without its anchor.
pub(super) fn page(url: &str) -> &str {
    url.split_once('#').map_or(url, |(page, _)| page)
}

fn address(page: &str, anchor: Option<&str>) -> String {
    match anchor {
        Some(anchor) => format!("{page}#{anchor}"),
        None => page.to_owned(),
    }
}

/// A section may be in several chunks, and one address may open several sections without an anchor.
fn add(texts: &mut HashMap<String, String>, url: String, text: &str) {
    let known = texts.entry(url).or_default();
    if !known.is_empty() {
        known.push(' ');
    }
    known.push_str(&single_spaced(text));
}

/// Words with single spaces, without fences: white space may differ, and a quotation shows code without them.
fn single_spaced(text: &str) -> String {
    let shown = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("```"));
    let words: Vec<&str> = shown.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

/// True if `text` contains the parts in order.
fn stand_in(text: &str, parts: &[String]) -> bool {
    let mut rest = text;
    parts.iter().all(|part| {
        let part = single_spaced(part);
        let found = rest.find(&part);
        if let Some(start) = found {
            rest = &rest[start + part.len()..];
        }
        found.is_some()
    })
}

#[cfg(test)]
#[path = "site_tests.rs"]
mod tests;

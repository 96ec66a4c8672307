//! Turns the engine, as it ships, into systems: the sentence it would quote, and the first sentence as a bar to beat.

use std::cell::RefCell;
use std::rc::Rc;

use anchorite::index::Index;
use anchorite::model::embed::Embedder;
use anchorite::{Passage, gate, quote, retrieve, sentence};

use super::case::{Case, Outcome, Response, Scope, System};
use super::site::Site;

/// How many passages are read, as a page does.
const N_PASSAGES: usize = 5;

/// What is read for a question, once for all systems.
pub(super) struct Engine {
    site: Rc<Site>,
    embedder: Option<Embedder>,
    /// The index of the last scope; `None` inside where nothing may be read.
    index: Option<(Scope, Option<Index>)>,
    last: Option<(String, Scope, Found)>,
}

struct Found {
    passages: Vec<Passage>,
    embedding: Option<Vec<f32>>,
    is_answerable: bool,
    /// The best similarity, or without an embedder the best share of the question's words; 0 to 1.
    score: f32,
}

impl Engine {
    /// The systems that read `site`; `whole` is its index, where there is one already.
    pub(super) fn systems(
        site: Rc<Site>,
        whole: Option<Index>,
        embedder: Option<Embedder>,
    ) -> Vec<Box<dyn System>> {
        let engine = Rc::new(RefCell::new(Engine {
            site,
            embedder,
            index: whole.map(|index| (Scope::Whole, Some(index))),
            last: None,
        }));
        vec![
            Box::new(WordCount(Rc::clone(&engine))),
            Box::new(FirstSentence(engine)),
        ]
    }

    /// Reads what `case` lets be read; `None` where that is nothing.
    fn read(&mut self, case: &Case) -> anyhow::Result<Option<Read<'_>>> {
        if self
            .index
            .as_ref()
            .is_none_or(|(scope, _)| *scope != case.scope)
        {
            self.index = Some((case.scope.clone(), self.site.index(&case.scope)?));
        }
        let Some((_, Some(index))) = &self.index else {
            return Ok(None);
        };
        let embedder = self.embedder.as_ref();
        let last = self.last.take();
        let last = last.filter(|last| last.0 == case.question && last.1 == case.scope);
        let last = match last {
            Some(last) => last,
            None => {
                let found = found(index, embedder, &case.question)?;
                (case.question.clone(), case.scope.clone(), found)
            }
        };
        let (.., found) = self.last.insert(last);
        Ok(Some(Read {
            found,
            index,
            embedder,
        }))
    }
}

struct Read<'e> {
    found: &'e Found,
    index: &'e Index,
    embedder: Option<&'e Embedder>,
}

fn found(index: &Index, embedder: Option<&Embedder>, question: &str) -> anyhow::Result<Found> {
    let embedding = match embedder.filter(|_| index.vectors.is_some()) {
        Some(embedder) => embedder.embed(&[question])?.pop(),
        None => None,
    };
    let (passages, evidence) =
        retrieve::passages(index, question, embedding.as_deref(), N_PASSAGES);
    Ok(Found {
        is_answerable: gate::is_answerable(evidence) && !passages.is_empty(),
        score: evidence
            .similarity
            .unwrap_or(evidence.coverage)
            .clamp(0.0, 1.0),
        passages,
        embedding,
    })
}

/// The sentence of the best passage that shares most with the question, behind the gate.
struct WordCount(Rc<RefCell<Engine>>);

impl System for WordCount {
    fn name(&self) -> &str {
        "word count"
    }

    fn is_calibrated(&self) -> bool {
        false
    }

    fn answer(&mut self, case: &Case) -> anyhow::Result<Response> {
        let mut engine = self.0.borrow_mut();
        let Some(Read {
            found,
            index,
            embedder,
        }) = engine.read(case)?
        else {
            return Ok(Response::default());
        };
        let quote = quote::quote(
            &case.question,
            found.embedding.as_deref(),
            &found.passages,
            index,
            embedder,
        )?;
        let quoted = quote.and_then(|quote| {
            let passage = found
                .passages
                .iter()
                .find(|one| one.number == quote.passage)?;
            Some((quote.text, passage.url.clone()))
        });
        let Some((text, url)) = quoted else {
            return Ok(Response::default());
        };
        Ok(Response {
            outcome: match found.is_answerable {
                true => Outcome::Answered,
                false => Outcome::None,
            },
            probability: found.score,
            span: text.clone(),
            quotation: vec![text],
            url,
        })
    }
}

/// The first sentence of the first passage that has one, for whatever is asked.
struct FirstSentence(Rc<RefCell<Engine>>);

impl System for FirstSentence {
    fn name(&self) -> &str {
        "first sentence"
    }

    fn is_calibrated(&self) -> bool {
        false
    }

    fn answer(&mut self, case: &Case) -> anyhow::Result<Response> {
        let mut engine = self.0.borrow_mut();
        let Some(Read { found, .. }) = engine.read(case)? else {
            return Ok(Response::default());
        };
        let first = found.passages.iter().find_map(|passage| {
            let sentences = sentence::sentences(&passage.text);
            Some((passage, (*sentences.first()?).to_owned()))
        });
        Ok(
            first.map_or_else(Response::default, |(passage, text)| Response {
                outcome: Outcome::Answered,
                probability: found.score,
                span: text.clone(),
                quotation: vec![text],
                url: passage.url.clone(),
            }),
        )
    }
}

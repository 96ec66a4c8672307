//! Wraps the engine as the systems to measure: the reader, and its baselines, the word count and the first sentence.

use std::cell::RefCell;
use std::rc::Rc;

use anchorite::gate::Evidence;
use anchorite::index::Index;
use anchorite::model::embed::{Embedder, Side};
use anchorite::model::read::Reader;
use anchorite::{Passage, Quote, Thresholds, quote, read, retrieve, sentence};

use super::case::{Case, Outcome, Response, Scope, System};
use super::site::Site;

/// Number of passages read, as on a page.
const N_PASSAGES: usize = 5;

/// The engine, with the passages of the last question, which are found once for all systems.
pub(super) struct Engine {
    site: Rc<Site>,
    embedder: Option<Embedder>,
    /// The index of the last scope; the inner `None` means that nothing may be read.
    index: Option<(Scope, Option<Index>)>,
    last: Option<(String, Scope, Found)>,
}

struct Found {
    passages: Vec<Passage>,
    embedding: Option<Vec<f32>>,
    evidence: Evidence,
}

impl Found {
    /// The best similarity or, without an embedder, the best share of the question's words; 0 to 1.
    fn score(&self) -> f32 {
        let Evidence {
            similarity,
            coverage,
            ..
        } = self.evidence;
        similarity.unwrap_or(coverage).clamp(0.0, 1.0)
    }

    /// The address of a passage by its number.
    fn url(&self, number: usize) -> Option<String> {
        let passage = self.passages.iter().find(|one| one.number == number)?;
        Some(passage.url.clone())
    }
}

impl Engine {
    /// The systems that read `site`; `whole` is its index, if there is one already.
    pub(super) fn systems(
        site: Rc<Site>,
        whole: Option<Index>,
        embedder: Option<Embedder>,
        reader: Option<(Reader, Thresholds)>,
    ) -> Vec<Box<dyn System>> {
        let engine = Rc::new(RefCell::new(Engine {
            site,
            embedder,
            index: whole.map(|index| (Scope::Whole, Some(index))),
            last: None,
        }));
        let mut systems: Vec<Box<dyn System>> = Vec::new();
        if let Some((reader, thresholds)) = reader {
            systems.push(Box::new(Reading {
                engine: Rc::clone(&engine),
                reader,
                thresholds,
            }));
        }
        systems.push(Box::new(WordCount(Rc::clone(&engine))));
        systems.push(Box::new(FirstSentence(engine)));
        systems
    }

    /// Retrieves from the part of the site that `case` names; `None` if that is empty.
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
        Some(embedder) => embedder.embed(Side::Query, &[question])?.pop(),
        None => None,
    };
    let (passages, evidence) =
        retrieve::passages(index, question, embedding.as_deref(), N_PASSAGES);
    Ok(Found {
        passages,
        embedding,
        evidence,
    })
}

impl From<anchorite::Outcome> for Outcome {
    fn from(outcome: anchorite::Outcome) -> Self {
        match outcome {
            anchorite::Outcome::Answered => Self::Answered,
            anchorite::Outcome::Closest => Self::Closest,
            anchorite::Outcome::Absent => Self::None,
        }
    }
}

/// The engine as shipped: the unit that the reader chooses, decided by its probability.
struct Reading {
    engine: Rc<RefCell<Engine>>,
    reader: Reader,
    thresholds: Thresholds,
}

impl System for Reading {
    fn name(&self) -> &str {
        "reader"
    }

    fn answer(&mut self, case: &Case) -> anyhow::Result<Response> {
        let mut engine = self.engine.borrow_mut();
        let Some(Read { found, .. }) = engine.read(case)? else {
            return Ok(Response::default());
        };
        let mut evidence = found.evidence;
        let best = read::best(&self.reader, &case.question, &found.passages, &mut evidence)?;
        let Some(best) = best.first() else {
            return Ok(Response::default());
        };
        Ok(self.response(best, &found.passages, evidence))
    }

    fn candidates(&mut self, case: &Case) -> anyhow::Result<Vec<(Response, f32)>> {
        let mut engine = self.engine.borrow_mut();
        let Some(Read { found, .. }) = engine.read(case)? else {
            return Ok(Vec::new());
        };
        let candidates = read::candidates(&self.reader, &case.question, &found.passages)?;
        let told = candidates.iter().map(|candidate| {
            let evidence = Evidence {
                reading: Some(candidate.signs),
                ..found.evidence
            };
            let response = self.response(candidate, &found.passages, evidence);
            (response, candidate.share)
        });
        Ok(told.collect())
    }
}

impl Reading {
    fn response(
        &self,
        candidate: &read::Candidate,
        passages: &[Passage],
        evidence: Evidence,
    ) -> Response {
        let passage = &passages[candidate.passage];
        let quote = quote::quote(candidate, passage);
        Response {
            outcome: evidence.outcome(self.thresholds).into(),
            probability: evidence.probability().unwrap_or(0.0),
            span: quote.marked().unwrap_or(&quote.text).to_owned(),
            quotation: parts(&quote),
            url: passage.url.clone(),
            evidence: Some(evidence),
        }
    }
}

/// The parts of a quotation, without the ellipses between them.
pub(super) fn parts(quote: &Quote) -> Vec<String> {
    let lines = quote.text.split("\n\u{2026}\n");
    lines.map(str::to_owned).collect()
}

/// The sentence of the best passage that shares most words with the question, subject to the gate.
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
        let quote = quote::by_words(
            &case.question,
            found.embedding.as_deref(),
            &found.passages,
            index,
            embedder,
        )?;
        let quoted = quote.and_then(|quote| Some((found.url(quote.passage)?, quote)));
        let Some((url, quote)) = quoted else {
            return Ok(Response::default());
        };
        Ok(Response {
            // Without a reader, the gate claims no more than the closest passage; here the quotation counts as claimed.
            outcome: match found.evidence.outcome(Thresholds::default()) {
                anchorite::Outcome::Absent => Outcome::None,
                _ => Outcome::Answered,
            },
            probability: found.score(),
            span: quote.text.clone(),
            quotation: parts(&quote),
            url,
            evidence: Some(found.evidence),
        })
    }
}

/// The first sentence of the first passage that has one, whatever the question.
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
                probability: found.score(),
                span: text.clone(),
                quotation: vec![text],
                url: passage.url.clone(),
                evidence: None,
            }),
        )
    }
}

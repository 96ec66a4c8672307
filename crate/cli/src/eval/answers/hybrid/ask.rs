//! Answers a question with the engine as one row of the table prescribes.

use std::ops::ControlFlow;
use std::rc::Rc;

use anchorite::model::adapter::Adapter;
use anchorite::model::generate::Backend;
use anchorite::{Answer, AskEvent, AskOptions, Session};

use super::super::case::{Case, Right};
use super::super::site::Site;
use super::rows::{Row, Speaker};
use super::verdict::{self, Shown, Verdict};
use super::weights::Writers;
use crate::ask::now_ms;

/// The engine over a site, with the adapters that rows apply.
pub(super) struct Asked {
    session: Session,
    site: Rc<Site>,
    right: Right,
    adapter: Option<Adapter>,
    bare_adapter: Option<Adapter>,
}

impl Asked {
    pub(super) fn new(
        mut session: Session,
        site: Rc<Site>,
        writers: Writers,
        right: Right,
    ) -> anyhow::Result<Self> {
        session.set_generator(writers.generator, None)?;
        Ok(Self {
            session,
            site,
            right,
            adapter: writers.adapter.map(|(_, adapter)| adapter),
            bare_adapter: writers.bare_adapter.map(|(_, adapter)| adapter),
        })
    }

    /// The backend of the generator.
    pub(super) fn backend(&self) -> Option<Backend> {
        self.session.backend().cloned()
    }

    /// The passages for a question, and the quotation: all rows start from these, so they are found once.
    pub(super) fn quote(&mut self, case: &Case) -> anyhow::Result<Answer> {
        let options = AskOptions {
            generate: false,
            ..AskOptions::default()
        };
        Ok(self.ask(&case.question, &options)?.0)
    }

    /// Applies a row's adapter to the generator, or removes the current one.
    pub(super) fn speak_as(&mut self, row: Row) -> anyhow::Result<()> {
        self.session.set_adapter(match row.speaker() {
            Speaker::Adapter => self.adapter.clone(),
            Speaker::BareAdapter => self.bare_adapter.clone(),
            Speaker::Base | Speaker::None => None,
        })?;
        Ok(())
    }

    /// A row's answer, judged.
    pub(super) fn answer(
        &mut self,
        row: Row,
        case: &Case,
        quoted: &Answer,
    ) -> anyhow::Result<Verdict> {
        // Consecutive questions are about the same page, which would still be cached; for a visitor's first question it
        // is not.
        self.session.forget_prompt();
        let shown = match row {
            Row::Quotation => Shown::answered(quoted, String::new()),
            Row::RetrievalAdapter => {
                let (answer, written) = self.ask(&case.question, &AskOptions::default())?;
                Shown::answered(&answer, written)
            }
            _ => self.drafted(row, case, quoted)?,
        };
        let site = &self.site;
        Ok(verdict::judge(site, self.right, (row, case), shown, quoted))
    }

    /// The generator's text when nothing else decides: no reader, no gate, no lock.
    fn drafted(&mut self, row: Row, case: &Case, quoted: &Answer) -> anyhow::Result<Shown> {
        let options = AskOptions {
            prompt: row.form(),
            lock: false,
            ..AskOptions::default()
        };
        let passages = &quoted.passages;
        let draft = self
            .session
            .draft(&case.question, passages, &options, now_ms);
        let draft = pollster::block_on(draft)?;
        Ok(draft.map_or_else(Shown::default, |draft| Shown::drafted(row, draft)))
    }

    /// The answer as a page shows it, and the generator's whole output for it.
    fn ask(&mut self, question: &str, options: &AskOptions) -> anyhow::Result<(Answer, String)> {
        let mut written = String::new();
        let on_event = async |event: AskEvent| {
            if let AskEvent::Text { text } = event {
                written.push_str(&text);
            }
            ControlFlow::Continue(())
        };
        let answer = self.session.ask(question, options, now_ms, on_event);
        let answer = pollster::block_on(answer)?;
        Ok((answer, written))
    }
}

//! Turns judged questions and a generator into a table of ways to answer them: the generator alone, from long prompts,
//! from passages, with an adapter, and as a page runs it.

mod arguments;
mod ask;
mod html;
mod lines;
mod measures;
mod rows;
mod verdict;
mod weights;

use std::collections::{BTreeMap, HashSet};
use std::process::ExitCode;
use std::rc::Rc;

use anchorite::model::generate::Backend;
use anchorite::{Answer, Session, Thresholds};
use anyhow::Context;
use serde::Serialize;

pub(super) use self::arguments::Arguments;
use self::ask::Asked;
use self::rows::{Bytes, Row, Speaker};
use self::verdict::{Place, REFUSALS, Verdict};
use self::weights::{Named, Writers};
use super::case::{Case, Right, Scope};
use super::figures::Figure;
use super::{AnswersArguments, Ground, Lines, progress};
use crate::report::Hint;

/// The whole report.
#[derive(Serialize)]
struct Table {
    /// The file's name.
    data: String,
    right: Right,
    questions: usize,
    answerable: usize,
    pages: usize,
    seed: u64,
    /// How often retrieval ranked the answering passage first, among the others read, or not at all.
    places: Places,
    generator: Named,
    adapter: Option<Named>,
    bare_adapter: Option<Named>,
    /// The backend of the generator.
    backend: Option<Backend>,
    /// Phrases that count as a refusal by a model that decides alone.
    refusals: [&'static str; REFUSALS.len()],
    rows: Vec<RowReport>,
}

/// Number of questions by the rank of their passage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Places {
    first: usize,
    among: usize,
    missing: usize,
}

/// One row of the report.
#[derive(Serialize)]
struct RowReport {
    row: Row,
    name: &'static str,
    says: &'static str,
    /// Bytes of the weights that a visitor downloads.
    bytes: u64,
    /// `None` if it was not given, or if the row does not apply the adapter that it was given for.
    training_seconds: Option<u64>,
    /// The score minus that of the engine as a page runs it, on the same questions; `None` without that row.
    difference: Option<Figure>,
    figures: BTreeMap<&'static str, Figure>,
}

pub(super) fn run(ground: Ground, arguments: &AnswersArguments) -> anyhow::Result<ExitCode> {
    let own = &arguments.hybrid;
    let writers = weights::load(own)?;
    let rows = weights::rows(&own.rows, &writers)?;
    warn(&ground.cases, &rows);
    let mut lines = match &arguments.answers {
        Some(path) => Some(Lines::create(path)?),
        None => None,
    };
    let mut table = head(&ground, &writers, arguments);
    let bytes = bytes(&ground, &writers);
    let (mut asked, cases) = asked(ground, writers, arguments.right)?;
    table.backend = asked.backend();

    let bar = progress(cases.len() * (rows.len() + 1), "asking");
    let mut quoted: Vec<Answer> = Vec::with_capacity(cases.len());
    for case in &cases {
        let found = asked.quote(case).with_context(|| could_not(None, case))?;
        table.places.count(Place::of(case, &found.passages));
        quoted.push(found);
        bar.inc(1);
    }
    let mut verdicts: Vec<Vec<Verdict>> = Vec::with_capacity(rows.len());
    for &row in &rows {
        asked.speak_as(row)?;
        let mut judged = Vec::with_capacity(cases.len());
        for (case, quoted) in cases.iter().zip(&quoted) {
            let verdict = asked.answer(row, case, quoted);
            let verdict = verdict.with_context(|| could_not(Some(row), case))?;
            if let Some(lines) = &mut lines {
                lines.write(&verdict)?;
                lines.flush()?;
            }
            judged.push(verdict);
            bar.inc(1);
        }
        verdicts.push(judged);
    }
    bar.finish_and_clear();
    table.rows = reports(&rows, &verdicts, bytes, arguments);
    if let Some(path) = &own.html {
        std::fs::write(path, html::page(&table, &verdicts))
            .with_context(|| super::could_not(path))?;
    }
    match arguments.json {
        true => crate::eval::table::print_json(&table)?,
        false => print!("{}", lines::text(&table)),
    }
    Ok(ExitCode::SUCCESS)
}

fn could_not(row: Option<Row>, case: &Case) -> String {
    let row = row.map_or("the retrieval", Row::name);
    format!("{row}: could not answer `{}`", case.question)
}

/// Without known answers, a text is judged by its citations, and rows that read nothing cite nothing.
fn warn(cases: &[Case], rows: &[Row]) {
    let unknown = cases.iter();
    let unknown = unknown.filter(|case| case.is_answerable && case.answers.is_empty());
    let n_unknown = unknown.count();
    let has_bare = rows.iter().any(|row| row.reads() == rows::Reads::Nothing);
    if n_unknown > 0 && has_bare {
        eprintln!(
            "warning: {n_unknown} of {} questions name no answers: what is said to them is right where an expected address is \
             cited, which a row without passages never does",
            cases.len()
        );
    }
}

/// The session, and its questions.
fn asked(ground: Ground, writers: Writers, right: Right) -> anyhow::Result<(Asked, Vec<Case>)> {
    let index = match ground.index {
        Some(index) => Some(index),
        None => ground.site.index(&Scope::Whole)?,
    };
    let index = index.ok_or_else(|| {
        Hint::error(
            format!("`{}` has no text to find anything in", ground.name),
            "give questions with their paragraphs",
        )
    })?;
    let (reader, thresholds) = ground.reader.unzip();
    let thresholds: Thresholds = thresholds.unwrap_or_default();
    let mut session = Session::new(index, ground.name, thresholds);
    if let Some(embedder) = ground.embedder {
        session.set_embedder(embedder)?;
    }
    if let Some(reader) = reader {
        session.set_reader(reader);
    }
    let asked = Asked::new(session, Rc::clone(&ground.site), writers, right)?;
    Ok((asked, ground.cases))
}

fn bytes(ground: &Ground, writers: &Writers) -> Bytes {
    let of = |adapter: &Option<(Named, _)>| adapter.as_ref().map_or(0, |(named, _)| named.bytes);
    let [embedder, reader] = ground.bytes;
    Bytes {
        generator: writers.named.bytes,
        adapter: of(&writers.adapter),
        bare_adapter: of(&writers.bare_adapter),
        embedder,
        reader,
    }
}

/// The part of the table that is known before anything is asked.
fn head(ground: &Ground, writers: &Writers, arguments: &AnswersArguments) -> Table {
    let cases = &ground.cases;
    let pages: HashSet<&str> = cases.iter().map(|case| case.page.as_str()).collect();
    let named = |adapter: &Option<(Named, _)>| adapter.as_ref().map(|(named, _)| named.clone());
    Table {
        data: ground.name.clone(),
        right: arguments.right,
        questions: cases.len(),
        answerable: cases.iter().filter(|case| case.is_answerable).count(),
        pages: pages.len(),
        seed: arguments.seed,
        places: Places::default(),
        generator: writers.named.clone(),
        adapter: named(&writers.adapter),
        bare_adapter: named(&writers.bare_adapter),
        backend: None,
        refusals: REFUSALS,
        rows: Vec::new(),
    }
}

impl Places {
    fn count(&mut self, place: Option<Place>) {
        match place {
            Some(Place::First) => self.first += 1,
            Some(Place::Among) => self.among += 1,
            Some(Place::Missing) => self.missing += 1,
            None => {}
        }
    }
}

fn reports(
    rows: &[Row],
    verdicts: &[Vec<Verdict>],
    bytes: Bytes,
    arguments: &AnswersArguments,
) -> Vec<RowReport> {
    let seed = arguments.seed;
    let whole = rows.iter().position(|row| *row == Row::RetrievalAdapter);
    let report = |(&row, judged): (&Row, &Vec<Verdict>)| RowReport {
        row,
        name: row.name(),
        says: row.says(),
        bytes: bytes.of(row),
        training_seconds: match row.speaker() {
            Speaker::Adapter => arguments.hybrid.training_seconds,
            _ => None,
        },
        difference: whole
            .filter(|&whole| rows[whole] != row)
            .and_then(|whole| measures::difference(judged, &verdicts[whole], seed)),
        figures: measures::figures(judged, seed),
    };
    rows.iter().zip(verdicts).map(report).collect()
}

#[cfg(test)]
mod tests;

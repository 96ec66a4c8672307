//! Measures answers to judged questions: how often they are right, wrongly claimed, or refused.

mod case;
mod curve;
pub(super) mod data;
mod engine;
mod figures;
mod hybrid;
mod own;
mod plot;
mod reliability;
mod site;
mod squad;
mod table;

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use anchorite::Thresholds;
use anchorite::gate::Evidence;
use anchorite::index::Index;
use anchorite::index::bundle::Role;
use anchorite::model::embed::Embedder;
use anchorite::model::parts::Parts;
use anchorite::model::read::Reader;
use anyhow::Context;
use fastrand::Rng;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use self::case::{Case, Judged, Right, Scope, System};
use self::data::Misplaced;
use self::engine::Engine;
use self::figures::Figures;
use self::site::{Site, page};
use super::embeddings::CachedEmbedder;
use super::{EmbedderArguments, hash};
use crate::build::embedder::language;
use crate::bundle;
use crate::report::Hint;

#[derive(clap::Args)]
pub(crate) struct AnswersArguments {
    /// A file in SQuAD's form, or lines of `{"question", "context", "answers": [{"text", "start"}], "impossible",
    /// "title"}`.
    #[arg(long, required_unless_present = "questions")]
    data: Option<PathBuf>,
    /// A site's own questions, as `eval retrieval` takes them, each with `"answers": [".."]` where the words are known,
    /// or `"answerable": false`. Needs `--bundle`.
    #[arg(long, requires = "bundle", conflicts_with = "data")]
    questions: Option<PathBuf>,
    /// The folder that `anchorite build` wrote, which `--questions` are put to.
    #[arg(long)]
    bundle: Option<PathBuf>,
    /// Read only the paragraph that belongs to each question, as SQuAD does, instead of finding it among all.
    #[arg(long, requires = "data", conflicts_with = "ablate")]
    oracle: bool,
    /// Remove the section that answers a question before asking it, so that every answer claimed is wrong.
    #[arg(long)]
    ablate: bool,
    /// Remove the whole page that answers a question before asking it, so that what is left is about something else.
    #[arg(long, conflicts_with_all = ["oracle", "ablate"])]
    ablate_page: bool,
    /// When an answer is right: the quotation holds an answer, or the span is one by SQuAD's exact match.
    #[arg(long, value_enum, default_value_t = Right::Quotation)]
    right: Right,
    /// Ask only this many of the questions, drawn with the seed.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Fixes which questions `--limit` draws, and which pages the intervals do.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Write the curves of risk by coverage to this file, as SVG.
    #[arg(long)]
    plot: Option<PathBuf>,
    /// Write each answer and its verdict to this file, as JSON lines.
    #[arg(long)]
    answers: Option<PathBuf>,
    /// Only write the units that the reader chose among, each with its signs and whether it is right, to this file, as JSON lines: the
    /// weights of the choice are fitted to them.
    #[arg(long, conflicts_with_all = ["answers", "plot", "json"])]
    candidates: Option<PathBuf>,
    #[command(flatten)]
    embedder: EmbedderArguments,
    /// The reader for `--data`, a GGUF file; default: the one that ships.
    #[arg(long, env = "ANCHORITE_READER")]
    reader: Option<PathBuf>,
    /// Print JSON on standard output.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    hybrid: hybrid::Arguments,
}

/// The whole report.
#[derive(Serialize)]
struct Report {
    /// The file's name.
    data: String,
    reading: Reading,
    right: Right,
    questions: usize,
    answerable: usize,
    pages: usize,
    seed: u64,
    /// `None` for a site's own questions, which state no offsets of answers.
    misplaced: Option<Misplaced>,
    systems: Vec<SystemReport>,
}

/// One system's part of the report.
#[derive(Serialize)]
struct SystemReport {
    name: String,
    #[serde(flatten)]
    figures: Figures,
}

/// The part of a site that is read for a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Reading {
    Site,
    Paragraph,
    Ablated,
    /// The site without the page that holds its answer.
    PageAblated,
}

impl fmt::Display for Reading {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Reading::Site => "each read against the whole site",
            Reading::Paragraph => "each read against its own paragraph",
            Reading::Ablated => "each read against the site without its answer",
            Reading::PageAblated => "each read against the site without its page",
        })
    }
}

/// Reads a file of judged questions from memory, public or a site's own, and returns how many it has.
///
/// # Errors
/// If it has neither form.
pub fn check_judged(text: &str) -> anyhow::Result<usize> {
    match super::questions::parse(text, "") {
        Ok(questions) => Ok(questions.len()),
        Err(_) => Ok(data::parse(text, String::new())?.cases.len()),
    }
}

/// Questions, their site, and the models that search and read it.
struct Ground {
    name: String,
    cases: Vec<Case>,
    site: Rc<Site>,
    /// The site's index, if there is one already.
    index: Option<Index>,
    embedder: Option<Embedder>,
    reader: Option<(Reader, Thresholds)>,
    misplaced: Option<Misplaced>,
    /// Lengths of the embedder and of the reader, in bytes.
    bytes: [u64; 2],
}

/// Questions, their site, and the systems that answer them.
struct Prepared {
    name: String,
    cases: Vec<Case>,
    site: Rc<Site>,
    misplaced: Option<Misplaced>,
    systems: Vec<Box<dyn System>>,
}

pub(super) fn run(arguments: &AnswersArguments) -> anyhow::Result<ExitCode> {
    let reading = match (arguments.oracle, arguments.ablate) {
        (true, _) => Reading::Paragraph,
        (_, true) => Reading::Ablated,
        _ if arguments.ablate_page => Reading::PageAblated,
        _ => Reading::Site,
    };
    let mut ground = match (&arguments.questions, &arguments.bundle, &arguments.data) {
        (Some(questions), Some(dir), _) => {
            own(questions, dir, arguments.ablate || arguments.ablate_page)?
        }
        (_, _, Some(data)) => public(data, arguments)?,
        _ => {
            return Err(Hint::error(
                "there is nothing to score",
                "give judged questions with --data, or a site's own with --questions and --bundle",
            ));
        }
    };
    ground.cases = asked(ground.cases, reading);
    if ground.cases.is_empty() {
        return Err(Hint::error(
            format!("no question of `{}` is answerable", ground.name),
            "leave --ablate out: there is nothing to take away",
        ));
    }
    if let Some(limit) = arguments.limit {
        ground.cases = drawn(ground.cases, limit as usize, arguments.seed);
    }
    if let Some(misplaced) = &ground.misplaced {
        warn(misplaced);
    }
    if arguments.hybrid.table {
        return hybrid::run(ground, arguments);
    }
    let mut prepared = Prepared::of(ground);
    if let Some(path) = &arguments.candidates {
        write_candidates(path, &mut prepared, arguments.right)?;
        return Ok(ExitCode::SUCCESS);
    }
    let judged = answer(&mut prepared, arguments.right)?;
    if let Some(path) = &arguments.answers {
        write_answers(path, &prepared.systems, &judged)?;
    }
    let report = report(&prepared, &judged, reading, arguments);
    if let Some(path) = &arguments.plot {
        std::fs::write(path, plot::svg(&report))
            .with_context(|| format!("could not write `{}`", path.display()))?;
    }
    match arguments.json {
        true => super::table::print_json(&report)?,
        false => print!("{}", table::text(&report)),
    }
    Ok(ExitCode::SUCCESS)
}

/// A public set: its paragraphs form the site.
fn public(path: &Path, arguments: &AnswersArguments) -> anyhow::Result<Ground> {
    let set = data::read(path)?;
    let mut chosen = arguments.embedder.chosen(&arguments.hybrid.named)?;
    let whole = chosen.load()?;
    let cached = CachedEmbedder {
        embedder: &whole,
        hash: &hash(&chosen.file),
        dir: arguments.embedder.cache.as_deref(),
    };
    let mut documents = set.documents;
    for document in &mut documents {
        let texts = document
            .sections
            .iter()
            .map(|section| section.text.as_str());
        document.language = language::of(document.language.as_deref(), texts);
    }
    let mut site = Site::from_documents(&set.name, documents, Some(&cached))?;
    // As in a build: the embedder's own reader, or the one that ships, which reads English.
    let reader = match (&arguments.reader, chosen.reader.take()) {
        (None, Some(own)) => Some(own.bytes),
        (None, None) if !site.languages().is_english() => None,
        (given, _) => super::reader(given.as_deref())?,
    };
    drop(whole);
    let (fitted, index) = site.fit(chosen, arguments.embedder.whole_vocabulary)?;
    let len = |bytes: &[u8]| bytes.len() as u64;
    let bytes = [len(&fitted.file.bytes), reader.as_deref().map_or(0, len)];
    let embedder = fitted.embedder;
    let load = |bytes| Reader::load(Parts::new(vec![bytes]), Some(&embedder));
    let reader = reader.map(load).transpose();
    let reader = reader.context("could not load the reader")?;
    let reader = reader.map(|reader| (reader, Thresholds::default()));
    let site = Rc::new(site);
    Ok(Ground {
        bytes,
        name: set.name,
        cases: set.cases,
        site,
        index,
        embedder: Some(embedder),
        reader,
        misplaced: Some(set.misplaced),
    })
}

/// A site's own questions: the bundle is used as served, and rebuilt only to remove sections.
fn own(questions: &Path, dir: &Path, ablate: bool) -> anyhow::Result<Ground> {
    let dir = &bundle::folder(dir);
    let manifest = bundle::manifest(dir)?;
    let index = bundle::index(dir, &manifest)?;
    let cases = own::read(questions, &index)?;
    let embedder = bundle::embedder(dir, &manifest)?;
    let reader = bundle::reader(dir, &manifest, embedder.as_ref())?;
    let reader = reader.map(|reader| (reader, Thresholds::of(&manifest)));
    let cached = embedder.as_ref().map(|embedder| CachedEmbedder {
        embedder,
        hash: &manifest.id,
        dir: None,
    });
    let name = questions.file_stem().unwrap_or(questions.as_os_str());
    let name = name.to_string_lossy().into_owned();
    let embedded = cached.filter(|_| ablate && index.vectors.is_some());
    let site = Rc::new(Site::from_index(&name, &index, embedded.as_ref())?);
    let len = |role: Role| manifest.file(role).map_or(0, |file| file.bytes);
    Ok(Ground {
        bytes: [len(Role::Embedder), len(Role::Reader)],
        name,
        cases,
        site,
        index: Some(index),
        embedder,
        reader,
        misplaced: None,
    })
}

impl Prepared {
    /// The systems that are measured over `ground`.
    fn of(ground: Ground) -> Self {
        let site = Rc::clone(&ground.site);
        Self {
            systems: Engine::systems(site, ground.index, ground.embedder, ground.reader),
            name: ground.name,
            cases: ground.cases,
            site: ground.site,
            misplaced: ground.misplaced,
        }
    }
}

/// The questions as `reading` asks them, grouped by scope.
fn asked(cases: Vec<Case>, reading: Reading) -> Vec<Case> {
    let ask = |case: Case| match reading {
        Reading::Paragraph => Some(case),
        Reading::Site => Some(Case {
            scope: Scope::Whole,
            ..case
        }),
        // If nothing answers, there is nothing to remove.
        Reading::Ablated | Reading::PageAblated => case.is_answerable.then(|| Case {
            is_answerable: false,
            scope: Scope::Without(match reading {
                Reading::PageAblated => case
                    .expected
                    .iter()
                    .map(|url| page(url).to_owned())
                    .collect(),
                _ => case.expected.clone(),
            }),
            ..case
        }),
    };
    let mut cases: Vec<Case> = cases.into_iter().filter_map(ask).collect();
    cases.sort_by(|a, b| a.scope.cmp(&b.scope));
    cases
}

/// Draws `limit` of the cases, kept in order.
fn drawn(cases: Vec<Case>, limit: usize, seed: u64) -> Vec<Case> {
    let mut numbers: Vec<usize> = (0..cases.len()).collect();
    Rng::with_seed(seed).shuffle(&mut numbers);
    numbers.truncate(limit);
    let kept: HashSet<usize> = numbers.into_iter().collect();
    let cases = cases.into_iter().enumerate();
    cases
        .filter(|(number, _)| kept.contains(number))
        .map(|(_, case)| case)
        .collect()
}

fn warn(misplaced: &Misplaced) {
    let Misplaced {
        answers,
        elsewhere,
        absent,
    } = misplaced;
    if elsewhere + absent > 0 {
        eprintln!(
            "warning: of {answers} answers, {elsewhere} stand elsewhere in their paragraph than the file says, {absent} do not \
             stand in it; all count, because only their text is compared"
        );
    }
}

fn progress(n: usize, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let progress = ProgressBar::new(n as u64);
    progress.with_style(style).with_message(what)
}

/// The verdicts on each system's answers, in the order of the systems.
fn answer(prepared: &mut Prepared, right: Right) -> anyhow::Result<Vec<Vec<Judged>>> {
    let progress = progress(prepared.cases.len(), "asking");
    let mut judged: Vec<Vec<Judged>> = prepared.systems.iter().map(|_| Vec::new()).collect();
    for case in &prepared.cases {
        for (system, judged) in prepared.systems.iter_mut().zip(&mut judged) {
            let response = system.answer(case).with_context(|| {
                format!("{} could not answer `{}`", system.name(), case.question)
            })?;
            anyhow::ensure!(
                (0.0..=1.0).contains(&response.probability),
                "{}: expected a probability, found {} for `{}`",
                system.name(),
                response.probability,
                case.question
            );
            judged.push(prepared.site.judge(case, response, right));
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(judged)
}

/// Writes the candidates for each question's answer.
fn write_candidates(path: &Path, prepared: &mut Prepared, right: Right) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Line<'c> {
        question: &'c str,
        page: &'c str,
        is_answerable: bool,
        candidates: Vec<Candidate>,
    }
    #[derive(Serialize)]
    struct Candidate {
        evidence: Option<Evidence>,
        share: f32,
        url: String,
        is_right: bool,
    }
    let mut lines = Lines::create(path)?;
    for case in &prepared.cases {
        for system in &mut prepared.systems {
            let told = system.candidates(case)?.into_iter();
            let candidates: Vec<Candidate> = told
                .map(|(response, share)| {
                    let judged = prepared.site.judge(case, response, right);
                    Candidate {
                        evidence: judged.evidence,
                        share,
                        url: judged.url,
                        is_right: judged.is_right,
                    }
                })
                .collect();
            if candidates.is_empty() {
                continue;
            }
            lines.write(&Line {
                question: &case.question,
                page: &case.page,
                is_answerable: case.is_answerable,
                candidates,
            })?;
        }
    }
    lines.finish()
}

fn write_answers(
    path: &Path,
    systems: &[Box<dyn System>],
    judged: &[Vec<Judged>],
) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Line<'j> {
        system: &'j str,
        #[serde(flatten)]
        judged: &'j Judged,
    }
    let mut lines = Lines::create(path)?;
    for (system, judged) in systems.iter().zip(judged) {
        for judged in judged {
            let system = system.name();
            lines.write(&Line { system, judged })?;
        }
    }
    lines.finish()
}

/// A JSON lines file being written.
struct Lines<'p> {
    path: &'p Path,
    out: BufWriter<File>,
}

impl<'p> Lines<'p> {
    fn create(path: &'p Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| could_not(path))?;
        let out = BufWriter::new(file);
        Ok(Self { path, out })
    }

    fn write(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        let line = serde_json::to_string(line)?;
        writeln!(self.out, "{line}").with_context(|| could_not(self.path))
    }

    /// Flushes the lines so far, because a run that takes hours may be stopped.
    fn flush(&mut self) -> anyhow::Result<()> {
        self.out.flush().with_context(|| could_not(self.path))
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.flush()
    }
}

fn could_not(path: &Path) -> String {
    format!("could not write `{}`", path.display())
}

fn report(
    prepared: &Prepared,
    judged: &[Vec<Judged>],
    reading: Reading,
    arguments: &AnswersArguments,
) -> Report {
    let cases = &prepared.cases;
    let pages: HashSet<&str> = cases.iter().map(|case| case.page.as_str()).collect();
    let systems = prepared.systems.iter().zip(judged);
    Report {
        data: prepared.name.clone(),
        reading,
        right: arguments.right,
        questions: cases.len(),
        answerable: cases.iter().filter(|case| case.is_answerable).count(),
        pages: pages.len(),
        seed: arguments.seed,
        misplaced: prepared.misplaced,
        systems: systems
            .map(|(system, judged)| SystemReport {
                name: system.name().to_owned(),
                figures: Figures::of(judged, system.is_calibrated(), arguments.seed),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests;

//! Turns the committed questions into how often the gate lets answerable ones through and declines the others.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::prepare;
use crate::{demo, run};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A folder of documents that `tests/fixtures/questions` has questions about; may be given several times. Default: the user
    /// guide.
    #[arg(long, default_value = "docs")]
    site: Vec<PathBuf>,
    /// Try other thresholds too, and print those that do best.
    #[arg(long)]
    fit: bool,
    /// Print JSON lines on standard output: a row for each question, an object for each site, and one for the fit.
    #[arg(long)]
    json: bool,
}

/// What the right decision is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// The documents answer it.
    Answerable,
    /// It is near the topic, and they don't.
    Near,
    /// It is about another site.
    Foreign,
}

/// Of `anchorite ask --json`, what is needed here.
#[derive(Deserialize)]
struct Answer {
    question: String,
    answerable: bool,
    evidence: Evidence,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
struct Evidence {
    similarity: Option<f32>,
    coverage: f32,
}

#[derive(Serialize)]
struct Row {
    site: String,
    kind: Kind,
    question: String,
    let_through: bool,
    evidence: Evidence,
}

/// Shares of the questions of one site.
#[derive(Clone, Copy, Default, Serialize)]
struct Shares {
    /// Of answerable questions.
    let_through: f64,
    /// Of questions near the topic.
    declined_near: f64,
    /// Of questions about another site.
    declined_foreign: f64,
}

#[derive(Serialize)]
struct SiteShares {
    site: String,
    #[serde(flatten)]
    shares: Shares,
}

/// Thresholds as in `crate/engine/src/gate.rs`.
#[derive(Clone, Copy, Serialize)]
struct Thresholds {
    similarity_alone: f32,
    similarity_floor: f32,
    coverage_with_similarity: f32,
}

#[derive(Serialize)]
struct Fit {
    thresholds: Thresholds,
    sites: Vec<SiteShares>,
}

impl Thresholds {
    fn let_through(self, evidence: Evidence) -> bool {
        let similarity = evidence.similarity.unwrap_or(-1.0);
        similarity >= self.similarity_alone
            || (similarity >= self.similarity_floor
                && evidence.coverage >= self.coverage_with_similarity)
    }
}

impl Shares {
    fn of(rows: &[Row], site: &str, let_through: impl Fn(&Row) -> bool) -> Self {
        let share = |kind: Kind, expected: bool| {
            let of_kind = rows
                .iter()
                .filter(|row| row.site == site && row.kind == kind);
            let right = of_kind.clone().filter(|row| let_through(row) == expected);
            #[expect(clippy::cast_precision_loss, reason = "counts are small")]
            let share = right.count() as f64 / of_kind.count().max(1) as f64;
            share
        };
        Self {
            let_through: share(Kind::Answerable, true),
            declined_near: share(Kind::Near, false),
            declined_foreign: share(Kind::Foreign, false),
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let program = prepare::command_line()?;
    let mut rows = Vec::new();
    let mut names = Vec::new();
    for site in &arguments.site {
        let site = site
            .canonicalize()
            .with_context(|| format!("there is no folder `{}`", site.display()))?;
        let name = demo::corpus_name(&site);
        let bundle = prepare::folder().join("gate").join(&name);
        run::run(
            run::command(&program)
                .arg("build")
                .arg(demo::documents_root(&site))
                .args(["--no-generator", "--json", "--out"])
                .arg(&bundle)
                .stdout(std::io::stderr()),
        )?;
        let questions = questions(&name)?;
        let asked: Vec<&str> = questions
            .iter()
            .map(|(_, question)| question.as_str())
            .collect();
        let answers = ask(&program, &bundle, &asked)?;
        for ((kind, question), answer) in questions.iter().zip(answers) {
            if *question != answer.question {
                bail!("`{question}` got the answer to `{}`", answer.question);
            }
            let row = Row {
                site: name.clone(),
                kind: *kind,
                question: answer.question,
                let_through: answer.answerable,
                evidence: answer.evidence,
            };
            if arguments.json {
                println!("{}", serde_json::to_string(&row)?);
            }
            rows.push(row);
        }
        names.push(name);
    }
    let shares = |let_through: &dyn Fn(&Row) -> bool| -> Vec<SiteShares> {
        let of = |name: &String| SiteShares {
            site: name.clone(),
            shares: Shares::of(&rows, name, let_through),
        };
        names.iter().map(of).collect()
    };
    print("as it is", &shares(&|row| row.let_through), arguments.json)?;
    if arguments.fit {
        let thresholds = fit(&rows, &names)?;
        let fit = Fit {
            thresholds,
            sites: shares(&|row| thresholds.let_through(row.evidence)),
        };
        if arguments.json {
            println!("{}", serde_json::to_string(&fit)?);
        } else {
            let Thresholds {
                similarity_alone: alone,
                similarity_floor: floor,
                coverage_with_similarity: coverage,
            } = thresholds;
            print(
                &format!("alone {alone:.2}, floor {floor:.2}, coverage {coverage:.2}"),
                &fit.sites,
                false,
            )?;
        }
    }
    Ok(())
}

fn print(title: &str, sites: &[SiteShares], json: bool) -> anyhow::Result<()> {
    for site in sites {
        if json {
            println!("{}", serde_json::to_string(site)?);
        } else {
            println!(
                "{title}: {} lets {:.2} of answerable questions through, declines {:.2} near the topic and {:.2} about other sites",
                site.site,
                site.shares.let_through,
                site.shares.declined_near,
                site.shares.declined_foreign
            );
        }
    }
    Ok(())
}

/// Of the thresholds that let nine of ten answerable questions of each site through, those that decide rightly most often; of
/// equals the ones in the middle.
fn fit(rows: &[Row], names: &[String]) -> anyhow::Result<Thresholds> {
    let steps = |from: u8, to: u8| (from..=to).map(|step| f32::from(step) / 50.0);
    let mut best: (usize, Vec<Thresholds>) = (0, Vec::new());
    for similarity_alone in steps(15, 40) {
        for similarity_floor in steps(8, 30).filter(|&floor| floor <= similarity_alone) {
            for coverage_with_similarity in steps(0, 50) {
                let thresholds = Thresholds {
                    similarity_alone,
                    similarity_floor,
                    coverage_with_similarity,
                };
                let decide = |row: &Row| thresholds.let_through(row.evidence);
                let lets_enough = |name: &String| Shares::of(rows, name, decide).let_through >= 0.9;
                if !names.iter().all(lets_enough) {
                    continue;
                }
                let is_right = |row: &&Row| decide(row) == (row.kind == Kind::Answerable);
                let n_right = rows.iter().filter(is_right).count();
                if n_right > best.0 {
                    best = (n_right, Vec::new());
                }
                if n_right == best.0 {
                    best.1.push(thresholds);
                }
            }
        }
    }
    let middle = best.1.get(best.1.len() / 2).copied();
    middle.context("no thresholds let nine of ten answerable questions through")
}

/// The questions about `site`, and those about the other sites, which it does not answer.
fn questions(site: &str) -> anyhow::Result<Vec<(Kind, String)>> {
    let folder = run::root().join("tests/fixtures/questions");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .with_context(|| format!("could not read `{}`", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    paths.sort();
    if !paths
        .iter()
        .any(|path| path.file_stem().is_some_and(|stem| stem == site))
    {
        bail!(
            "no file in `{}` has questions about `{site}`",
            folder.display()
        );
    }
    let mut all = Vec::new();
    for path in paths {
        let file = prepare::questions(&path)?;
        let is_own = path.file_stem().is_some_and(|stem| stem == site);
        let kind = if is_own {
            Kind::Answerable
        } else {
            Kind::Foreign
        };
        all.extend(file.questions.into_iter().map(|one| (kind, one.question)));
        let near = file.unanswerable.into_iter().filter(|_| is_own);
        all.extend(near.map(|one| (Kind::Near, one.question)));
    }
    Ok(all)
}

/// Asks all questions of one bundle, without a generator.
fn ask(program: &Path, bundle: &Path, questions: &[&str]) -> anyhow::Result<Vec<Answer>> {
    let mut child = run::command(program)
        .arg("ask")
        .arg(bundle)
        .args(["-", "--json", "--max-tokens", "0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start `anchorite ask`")?;
    let mut input = child.stdin.take().context("no way to ask")?;
    let lines = questions.join("\n");
    // All questions are read before the first answer is.
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().context("no answers")?;
    writer.join().unwrap_or(Ok(())).context("could not ask")?;
    if !output.status.success() {
        bail!("`anchorite ask` failed: {}", output.status);
    }
    let text = String::from_utf8(output.stdout).context("answers that are not UTF-8")?;
    text.lines()
        .map(|line| serde_json::from_str(line).context("`anchorite ask` printed no answer"))
        .collect()
}

//! Measures how much sooner the first token comes if a shared prefix is read only once, on questions about the user
//! guide.

use std::io::Write;
use std::process::Stdio;

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::prepare::{self, Guide};
use crate::run;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Print JSON lines on standard output: a row for each question, then one object for each kind.
    #[arg(long)]
    json: bool,
    /// Repetitions of all questions, with and without reuse in turn; the fastest of each counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    reps: u32,
    /// The backend that runs the generator.
    #[arg(long, value_enum, default_value_t = Backend::Cpu)]
    backend: Backend,
}

#[derive(Clone, Copy, ValueEnum)]
enum Backend {
    Cpu,
    Gpu,
}

/// The fields of `anchorite ask --json` that are needed here.
#[derive(Deserialize)]
struct Answer {
    question: String,
    sentences: Vec<Sentence>,
    backend: Option<Device>,
    timing: Timing,
}

#[derive(Deserialize, PartialEq)]
struct Sentence {
    text: String,
}

#[derive(Deserialize)]
struct Device {
    kind: String,
    device: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Timing {
    retrieve_ms: f64,
    quote_ms: f64,
    prefill_ms: f64,
    prompt_tokens: usize,
    cached_tokens: usize,
    generated_tokens: usize,
}

impl Timing {
    /// Milliseconds from the question to the generator's first token.
    fn first_token_ms(&self) -> f64 {
        self.retrieve_ms + self.quote_ms + self.prefill_ms
    }
}

/// The prefix that a question's prompt shares with the one before it.
#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Another question about the same site shares the instructions, and the passages up to the first difference.
    Another,
    /// The same question again shares the whole prompt.
    Again,
}

#[derive(Serialize)]
struct Row {
    kind: Kind,
    question: String,
    prompt_tokens: usize,
    cached_tokens: usize,
    first_token_ms: f64,
    plain_first_token_ms: f64,
    prefill_ms: f64,
    plain_prefill_ms: f64,
}

#[derive(Serialize)]
struct Summary {
    kind: Kind,
    backend: String,
    questions: usize,
    /// Means of all questions.
    prompt_tokens: f64,
    cached_tokens: f64,
    /// Medians of all questions, in milliseconds, with and without reuse.
    first_token_ms: f64,
    plain_first_token_ms: f64,
    prefill_ms: f64,
    plain_prefill_ms: f64,
    /// True if every answer had the same text with and without reuse; otherwise this command fails.
    identical: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let guide = prepare::guide()?;
    let mut reused: Vec<Answer> = Vec::new();
    let mut plain: Vec<Answer> = Vec::new();
    for _ in 0..arguments.reps {
        keep_fastest(&mut reused, ask(&guide, arguments.backend, &[])?);
        keep_fastest(&mut plain, ask(&guide, arguments.backend, &["--no-reuse"])?);
    }
    let device = reused.iter().find_map(|answer| answer.backend.as_ref());
    let device = device.context("no question got prose")?;
    let backend = format!("{}, {}", device.kind, device.device);
    let mut rows = Vec::new();
    // The first question has no predecessor to share a prefix with.
    for (idx, (with, without)) in reused.iter().zip(&plain).enumerate().skip(1) {
        if with.sentences != without.sentences {
            bail!("reuse changed the answer to `{}`", with.question);
        }
        if with.timing.generated_tokens == 0 {
            continue;
        }
        let row = Row {
            kind: if idx % 2 == 1 {
                Kind::Again
            } else {
                Kind::Another
            },
            question: with.question.clone(),
            prompt_tokens: with.timing.prompt_tokens,
            cached_tokens: with.timing.cached_tokens,
            first_token_ms: with.timing.first_token_ms(),
            plain_first_token_ms: without.timing.first_token_ms(),
            prefill_ms: with.timing.prefill_ms,
            plain_prefill_ms: without.timing.prefill_ms,
        };
        if arguments.json {
            println!("{}", serde_json::to_string(&row)?);
        } else {
            println!(
                "{:>3} of {:>3} tokens known, first token after {:>6.1} ms, {:>6.1} ms without  {}",
                row.cached_tokens,
                row.prompt_tokens,
                row.first_token_ms,
                row.plain_first_token_ms,
                row.question
            );
        }
        rows.push(row);
    }
    for kind in [Kind::Another, Kind::Again] {
        let of_kind: Vec<&Row> = rows.iter().filter(|row| row.kind == kind).collect();
        print_summary(&summary(kind, &backend, &of_kind), arguments.json)?;
    }
    Ok(())
}

/// Asks each question twice in a row, all in one session.
fn ask(guide: &Guide, backend: Backend, options: &[&str]) -> anyhow::Result<Vec<Answer>> {
    let backend = match backend {
        Backend::Cpu => "cpu",
        Backend::Gpu => "gpu",
    };
    let mut command = run::command(&guide.program);
    command
        .arg("ask")
        .arg(&guide.bundle)
        .args(["--json", "--backend", backend])
        .args(["--passages", prepare::N_PASSAGES])
        .args(options)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().context("could not start `anchorite`")?;
    let mut lines = String::new();
    for question in &guide.questions {
        lines.push_str(&format!("{question}\n{question}\n"));
    }
    // A pipe holds these few kilobytes, so neither side waits for the other. It closes at the end of the statement.
    child
        .stdin
        .take()
        .context("`anchorite` has no standard input")?
        .write_all(lines.as_bytes())
        .context("could not ask")?;
    let output = child
        .wait_with_output()
        .context("could not wait for `anchorite`")?;
    if !output.status.success() {
        bail!("`anchorite ask` failed: {}", output.status);
    }
    let text = String::from_utf8(output.stdout).context("the answers are not UTF-8")?;
    text.lines()
        .map(|line| serde_json::from_str(line).context("`anchorite ask` printed no answer"))
        .collect()
}

/// Keeps, for each question, the answer that began first.
fn keep_fastest(best: &mut Vec<Answer>, answers: Vec<Answer>) {
    if best.is_empty() {
        *best = answers;
        return;
    }
    for (best, answer) in best.iter_mut().zip(answers) {
        if answer.timing.first_token_ms() < best.timing.first_token_ms() {
            *best = answer;
        }
    }
}

fn summary(kind: Kind, backend: &str, rows: &[&Row]) -> Summary {
    let median = |of: fn(&Row) -> f64| {
        let mut values: Vec<f64> = rows.iter().map(|row| of(row)).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    let mean = |of: fn(&Row) -> usize| {
        rows.iter().map(|row| of(row)).sum::<usize>() as f64 / rows.len().max(1) as f64
    };
    Summary {
        kind,
        backend: backend.to_owned(),
        questions: rows.len(),
        prompt_tokens: mean(|row| row.prompt_tokens),
        cached_tokens: mean(|row| row.cached_tokens),
        first_token_ms: median(|row| row.first_token_ms),
        plain_first_token_ms: median(|row| row.plain_first_token_ms),
        prefill_ms: median(|row| row.prefill_ms),
        plain_prefill_ms: median(|row| row.plain_prefill_ms),
        identical: true,
    }
}

fn print_summary(summary: &Summary, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(summary)?);
        return Ok(());
    }
    let name = match summary.kind {
        Kind::Another => "another question",
        Kind::Again => "the same once more",
    };
    println!(
        "{name}, {} times, {}: {:.0} of {:.0} prompt tokens known; first token after {:.1} ms, {:.1} ms without \
         (of these, prompt {:.1} and {:.1} ms); identical text",
        summary.questions,
        summary.backend,
        summary.cached_tokens,
        summary.prompt_tokens,
        summary.first_token_ms,
        summary.plain_first_token_ms,
        summary.prefill_ms,
        summary.plain_prefill_ms,
    );
    Ok(())
}

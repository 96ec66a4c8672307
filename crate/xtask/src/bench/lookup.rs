//! Measures the model runs and the time saved by guessing tokens from the passages, on questions about the user guide.

use std::path::Path;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::prepare;
use crate::run;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Print JSON lines on standard output: a row for each question, then one object with the sums.
    #[arg(long)]
    json: bool,
    /// Timed repetitions of each answer; the fastest counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    reps: u32,
}

/// The fields of `anchorite ask --json` that are needed here.
#[derive(Deserialize)]
struct Answer {
    sentences: Vec<Sentence>,
    timing: Timing,
}

#[derive(Deserialize, PartialEq)]
struct Sentence {
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Timing {
    decode_ms: f64,
    generated_tokens: usize,
    steps: usize,
}

#[derive(Serialize)]
struct Row {
    question: String,
    tokens: usize,
    steps: usize,
    decode_ms: f64,
    plain_decode_ms: f64,
}

#[derive(Serialize)]
struct Summary {
    answers: usize,
    tokens: usize,
    steps: usize,
    tokens_per_step: f64,
    /// Time without guessing divided by time with it.
    speed_up: f64,
    /// True if every answer had the same tokens with and without guessing; otherwise this command fails.
    identical: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let guide = prepare::guide()?;
    let mut rows: Vec<Row> = Vec::new();
    for question in guide.questions {
        let plain = fastest(
            &guide.program,
            &guide.bundle,
            &question,
            &["--no-lookup"],
            arguments.reps,
        )?;
        if plain.timing.generated_tokens == 0 {
            eprintln!("no prose: {question}");
            continue;
        }
        let guessed = fastest(
            &guide.program,
            &guide.bundle,
            &question,
            &[],
            arguments.reps,
        )?;
        if guessed.sentences != plain.sentences
            || guessed.timing.generated_tokens != plain.timing.generated_tokens
        {
            bail!("guessing changed the answer to `{question}`");
        }
        let row = Row {
            question,
            tokens: guessed.timing.generated_tokens,
            steps: guessed.timing.steps,
            decode_ms: guessed.timing.decode_ms,
            plain_decode_ms: plain.timing.decode_ms,
        };
        if arguments.json {
            println!("{}", serde_json::to_string(&row)?);
        } else {
            println!(
                "{:>3} tokens {:>3} steps {:>6.1} ms {:>6.1} ms without  {}",
                row.tokens, row.steps, row.decode_ms, row.plain_decode_ms, row.question
            );
        }
        rows.push(row);
    }
    let summary = summary(&rows);
    if arguments.json {
        println!("{}", serde_json::to_string(&summary)?);
    } else {
        println!(
            "{} answers, {} tokens in {} steps: {:.2} tokens a step, {:.2} times as fast, identical text",
            summary.answers,
            summary.tokens,
            summary.steps,
            summary.tokens_per_step,
            summary.speed_up
        );
    }
    Ok(())
}

/// The fastest of `reps` answers; the text is the same each time.
fn fastest(
    program: &Path,
    bundle: &Path,
    question: &str,
    options: &[&str],
    reps: u32,
) -> anyhow::Result<Answer> {
    let mut answers = Vec::new();
    for _ in 0..reps {
        let mut ask = run::command(program);
        ask.arg("ask").arg(bundle).arg("--json").args(options);
        ask.args(["--passages", prepare::N_PASSAGES]);
        let output = run::output(ask.arg("--").arg(question))?;
        let answer: Answer =
            serde_json::from_str(&output).context("`anchorite ask` printed no answer")?;
        answers.push(answer);
    }
    answers
        .into_iter()
        .min_by(|a, b| a.timing.decode_ms.total_cmp(&b.timing.decode_ms))
        .context("nothing was asked")
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn summary(rows: &[Row]) -> Summary {
    let tokens = rows.iter().map(|row| row.tokens).sum();
    let steps = rows.iter().map(|row| row.steps).sum();
    let plain_ms: f64 = rows.iter().map(|row| row.plain_decode_ms).sum();
    let ms: f64 = rows.iter().map(|row| row.decode_ms).sum();
    Summary {
        answers: rows.len(),
        tokens,
        steps,
        tokens_per_step: tokens as f64 / steps as f64,
        speed_up: plain_ms / ms,
        identical: true,
    }
}

//! Answers questions from a bundle, with citations, and prints the answers as they come.

use std::io::BufRead;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Instant;

use anchorite::model::generate::BackendRequest;
use anchorite::prompt::{ABSTENTION, Form};
use anchorite::{Answer, AskEvent, AskOptions, Outcome, Passage, Sentence, Session, Written};
use anyhow::Context;

use crate::bundle;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder that `anchorite build` wrote.
    bundle: PathBuf,
    /// The question; `-` reads one from each line of standard input, which is faster than one run for each.
    #[arg(required = true, num_args = 1..)]
    question: Vec<String>,
    /// Number of passages to read and to show; by default as many as a page reads.
    #[arg(long, default_value_t = AskOptions::default().passages)]
    passages: usize,
    /// Maximum tokens that the generator writes; 0 leaves it out.
    #[arg(long, default_value_t = 96)]
    max_tokens: usize,
    /// Sampling temperature; 0 is greedy.
    #[arg(long, default_value_t = 0.0)]
    temperature: f32,
    /// Seed of the sampling.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The text that the generator reads before the question: the few sentences that the reader chose, whole passages, or
    /// the whole pages that they are on, as many as the model's window holds.
    #[arg(long, value_enum, default_value_t = PromptArgument::Evidence)]
    prompt: PromptArgument,
    /// Where the generator runs.
    #[arg(long, value_enum, default_value_t = BackendArgument::Cpu)]
    backend: BackendArgument,
    /// Run the generator without the adapter.
    #[arg(long)]
    no_adapter: bool,
    /// The bundle's adapter that is applied, by the name that `anchorite inspect` shows; default: the first.
    #[arg(long, value_name = "NAME", conflicts_with = "no_adapter")]
    adapter: Option<String>,
    /// Let the generator write any word, not only those of its sources, of the question and common ones.
    #[arg(long)]
    no_lock: bool,
    /// Run the model for each token, without guessing any from the passages.
    #[arg(long)]
    no_lookup: bool,
    /// Read each prompt from its start, including the part it shares with the previous one.
    #[arg(long)]
    no_reuse: bool,
    /// Print the whole answer as JSON on standard output; with `-`, each on a line of its own.
    #[arg(long)]
    json: bool,
}

/// The processor or the graphics device that runs a generator.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum BackendArgument {
    Cpu,
    Gpu,
}

impl From<BackendArgument> for BackendRequest {
    fn from(argument: BackendArgument) -> Self {
        match argument {
            BackendArgument::Cpu => BackendRequest::Cpu,
            BackendArgument::Gpu => BackendRequest::Gpu,
        }
    }
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum PromptArgument {
    Evidence,
    Passages,
    Long,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let dir = bundle::folder(&arguments.bundle);
    let manifest = bundle::manifest(&dir)?;
    let mut session = bundle::open(&dir, &manifest)?;
    if arguments.max_tokens > 0 {
        let backend = arguments.backend.into();
        let adapter = arguments.adapter.as_deref();
        bundle::add_generator(&mut session, &dir, &manifest, backend, adapter)?;
    }
    let options = AskOptions {
        passages: arguments.passages,
        max_tokens: arguments.max_tokens,
        temperature: arguments.temperature,
        seed: arguments.seed,
        adapter: !arguments.no_adapter,
        prompt_lookup: !arguments.no_lookup,
        lock: !arguments.no_lock,
        prompt: match arguments.prompt {
            PromptArgument::Evidence => Form::Evidence,
            PromptArgument::Passages => Form::Passages,
            PromptArgument::Long => Form::Long,
        },
        ..AskOptions::default()
    };
    if arguments.question != ["-"] {
        let question = arguments.question.join(" ");
        let answer = ask(&mut session, &question, &options, arguments.json)?;
        if arguments.json {
            println!("{}", serde_json::to_string_pretty(&answer)?);
        }
        return Ok(ExitCode::SUCCESS);
    }
    for line in std::io::stdin().lock().lines() {
        let question = line.context("could not read the questions")?;
        if question.trim().is_empty() {
            continue;
        }
        if arguments.no_reuse {
            session.forget_prompt();
        }
        let answer = ask(&mut session, &question, &options, arguments.json)?;
        if arguments.json {
            println!("{}", serde_json::to_string(&answer)?);
        } else {
            println!();
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Answers one question, and prints it for people unless the caller prints it as JSON.
fn ask(
    session: &mut Session,
    question: &str,
    options: &AskOptions,
    json: bool,
) -> anyhow::Result<Answer> {
    let answer = pollster::block_on(session.ask(question, options, now_ms, async |event| {
        if !json {
            print_event(&event);
        }
        ControlFlow::Continue(())
    }))?;
    if !json {
        print_end(&answer);
        println!();
        print_passages(&answer.passages);
    }
    Ok(answer)
}

/// Milliseconds since the first call.
pub(crate) fn now_ms() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "the command line runs natively and owns the clock"
    )]
    let now = Instant::now();
    now.duration_since(*START.get_or_init(|| now)).as_secs_f64() * 1000.0
}

fn print_event(event: &AskEvent) {
    match event {
        // Printed below the answer, where people look up its numbers.
        AskEvent::Sources { .. } => {}
        AskEvent::Quote {
            quote: Some(quote),
            outcome,
        } => {
            if *outcome == Outcome::Closest {
                println!("The closest passage, which may not answer:\n");
            }
            println!("\"{}\" [{}]", quote.text, quote.passage);
        }
        AskEvent::Quote { quote: None, .. } => {
            println!("{ABSTENTION} These sections come nearest:")
        }
        // Shown once it has been checked.
        AskEvent::Text { .. } => {}
        AskEvent::Restarted { on, reason, .. } => {
            eprintln!(
                "warning: {reason}; answering again on the {}",
                on.to_uppercase()
            );
        }
        AskEvent::Backend { .. } => {}
    }
}

fn print_passages(passages: &[Passage]) {
    for passage in passages {
        println!(
            "[{}] {}\n    {}",
            passage.number,
            passage.heading_path(),
            passage.url
        );
    }
}

/// Sentences, each with the numbers of the passages that support it.
fn cited(sentences: &[Sentence]) -> String {
    let with_numbers = sentences.iter().map(|sentence| {
        let numbers = sentence
            .passages
            .iter()
            .map(|number| format!(" [{number}]"));
        format!("{}{}", sentence.text, numbers.collect::<String>())
    });
    with_numbers.collect::<Vec<_>>().join(" ")
}

/// The reason for not showing a text.
fn reason(written: Written) -> &'static str {
    match written {
        Written::Nothing => "no whole sentence",
        Written::Language => "the model does not know this language",
        Written::Abstained => "the model found no answer",
        Written::Unsupported => "the passages do not support it",
        Written::Fragment => "a piece of it is no sentence",
        Written::Differs => "it says something else than the quotation",
        Written::Loops => "it turned in circles",
        Written::Repeats | Written::Shown => "it is the quotation over again",
    }
}

fn print_end(answer: &Answer) {
    if answer.written == Written::Language {
        eprintln!("nothing is written: {}", reason(answer.written));
    }
    if let Some(backend) = &answer.backend
        && answer.timing.generated_tokens > 0
    {
        match answer.written {
            Written::Shown => println!(
                "\n{}\n(written by a small model, and checked against what it cites)",
                cited(&answer.sentences)
            ),
            left_out => eprintln!("the generator's text was left out: {}", reason(left_out)),
        }
        if let Some(window) = answer.window
            && (window.is_cut || window.left_out > 0)
        {
            eprintln!(
                "it has read {} source(s){}; {} more found no room in its window",
                window.sources,
                if window.is_cut {
                    ", the last one cut"
                } else {
                    ""
                },
                window.left_out
            );
        }
        eprintln!(
            "{} on {}: {} tokens read in {:.0} ms, {} written at {:.1} tokens/s",
            backend.kind,
            backend.device,
            answer.timing.prompt_tokens,
            answer.timing.prefill_ms,
            answer.timing.generated_tokens,
            answer.timing.tokens_per_second
        );
    }
}

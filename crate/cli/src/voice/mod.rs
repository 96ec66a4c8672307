//! Measures how a voice differs from the adapter it was trained from: in facts not at all, in manner as it was trained.
//!
//! Both answer the same questions, and are compared as a page shows them. Retrieval, reader and gate decide before
//! either of them writes, and a text that disagrees with the quotation gives way to it; a voice could still change
//! which passages are cited, and which numbers, names and code are stated.

mod admit;
mod prompts;
mod verdict;

use std::process::ExitCode;

use anchorite::index::bundle::{Role, WeightFile};
use anchorite::index::chunk::{ChunkOptions, chunk_documents};
use anchorite::index::parse::{ParseOptions, parse_page};
use anchorite::index::{Index, IndexOptions};
use anchorite::model::adapter::Adapter;
use anchorite::model::generate::{BackendRequest, Generator};
use anchorite::model::parts::Parts;
use anchorite::{AskOptions, Draft, Phrases, Session, Thresholds};
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use crate::ask::now_ms;
use crate::models::choice;
use crate::models::store::ModelArguments;
use crate::report::Hint;
pub(crate) use admit::admit;
use prompts::Prompt;
use verdict::Said;
pub(crate) use verdict::Verdict;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The voice: a name that `anchorite models` lists, or a GGUF file.
    voice: String,
    /// The generator that it is for, by name or as a file.
    #[arg(long, value_name = "NAME|FILE")]
    generator: String,
    /// The adapter that it is compared with; default: the one that the registry names for the generator.
    #[arg(long, value_name = "NAME|FILE")]
    against: Option<String>,
    /// Also ask the generator alone, told of the manner in its instructions.
    #[arg(long)]
    prompted: bool,
    /// Ask this many of the questions, evenly chosen; default: all.
    #[arg(long, value_name = "N", default_value_t = usize::MAX)]
    limit: usize,
    /// Print it as JSON on standard output, with every text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    named: ModelArguments,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let named = &arguments.named;
    let generator = choice::chosen(named, &arguments.generator, Role::Generator)?;
    let voice = choice::chosen(named, &arguments.voice, Role::Adapter)?;
    let base = match &arguments.against {
        Some(value) => Some(choice::chosen(named, value, Role::Adapter)?),
        None => choice::own_adapter(named, &arguments.generator)?,
    };
    let base = base.ok_or_else(|| {
        Hint::error(
            "there is no adapter to compare the voice with",
            "name the one that its training began with, with --against",
        )
    })?;
    choice::check(&generator, [&voice, &base])?;
    let verdict = compare(
        generator,
        &base,
        &voice,
        arguments.prompted,
        arguments.limit,
    )?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&verdict)?);
    } else {
        verdict.print();
    }
    Ok(ExitCode::from(u8::from(!verdict.is_faithful())))
}

/// Asks both adapters the questions, or an evenly chosen number of them.
pub(crate) fn compare(
    generator: WeightFile,
    base: &WeightFile,
    voice: &WeightFile,
    is_prompted: bool,
    limit: usize,
) -> anyhow::Result<Verdict> {
    let parts = |file: &WeightFile| Parts::new(vec![file.bytes.clone()]);
    let loaded = pollster::block_on(Generator::load(
        Parts::new(vec![generator.bytes]),
        None,
        BackendRequest::Cpu,
        "for the comparison",
    ));
    let loaded = loaded.context("could not load the generator")?;
    let load = |file: &WeightFile| {
        Adapter::load(&parts(file), loaded.config())
            .with_context(|| format!("could not load adapter `{}`", file.name))
    };
    let (base, voice) = (load(base)?, load(voice)?);
    let Some(manner) = voice.voice.clone() else {
        return Err(Hint::error(
            format!(
                "adapter `{}` is no voice: its file names no label",
                voice.name
            ),
            "write `anchorite.voice.label` and its phrases into the file, as `anchorite adapter convert --voice` does",
        ));
    };
    let mut session = Session::new(empty_index()?, String::new(), Thresholds::default());
    session.set_generator(loaded, None)?;
    let all = prompts::prompts();
    let step = all.len().div_ceil(limit.clamp(1, all.len()));
    let prompts: Vec<Prompt> = all.into_iter().step_by(step).collect();
    let (base_texts, _) = ask_all(&mut session, Some(base), &prompts, None, "before")?;
    let (voice_texts, milliseconds) = ask_all(&mut session, Some(voice), &prompts, None, "voice")?;
    let prompted = match is_prompted {
        false => None,
        true => {
            let told = verdict::instructions(&manner);
            Some(ask_all(&mut session, None, &prompts, Some(&told), "prompted")?.0)
        }
    };
    Ok(Verdict::new(
        manner,
        &prompts,
        base_texts,
        voice_texts,
        prompted,
        milliseconds,
    ))
}

/// All drafts of an adapter, and their time; `told` is appended to each question.
fn ask_all(
    session: &mut Session,
    adapter: Option<Adapter>,
    prompts: &[Prompt],
    told: Option<&str>,
    what: &'static str,
) -> anyhow::Result<(Vec<Said>, f64)> {
    let phrases = match adapter.as_ref().and_then(|adapter| adapter.voice.as_ref()) {
        Some(voice) => Phrases::new(voice)?,
        None => Phrases::default(),
    };
    session.set_adapter(adapter)?;
    let style = ProgressStyle::with_template("{msg:<10} [{bar:30}] {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let progress = ProgressBar::new(prompts.len() as u64)
        .with_style(style)
        .with_message(what);
    let options = AskOptions::default();
    let start = now_ms();
    let mut said = Vec::new();
    for prompt in prompts {
        let question = match told {
            Some(told) => format!("{}\n{told}", prompt.question),
            None => prompt.question.clone(),
        };
        let draft =
            pollster::block_on(session.draft(&question, &prompt.passages, &options, now_ms))?;
        let draft: Draft = draft.context("the session lost its generator")?;
        said.push(Said::new(draft, prompt, &phrases));
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok((said, now_ms() - start))
}

/// A session wants an index; the evidence is given, so it is never searched.
fn empty_index() -> anyhow::Result<Index> {
    let text = b"# Nothing\n\nNothing is looked up here.\n";
    let page = parse_page("nothing.md", text, &ParseOptions::default());
    let documents = vec![page.context("could not make an index")?];
    let chunks = chunk_documents(&documents, &ChunkOptions::default());
    Ok(Index::build(
        &documents,
        chunks,
        None,
        &IndexOptions::default(),
    )?)
}

//! Turns questions about one bundle into answers: all the way from retrieval to checked sentences.

use std::ops::ControlFlow;

use anchorite_index::bundle::Manifest;
use anchorite_index::{Index, Shard, ShardId, lexical};
use anchorite_model::TokenId;
use anchorite_model::adapter::Adapter;
use anchorite_model::config::ModelConfig;
use anchorite_model::embed::Embedder;
use anchorite_model::generate::{Backend, GenerateOptions, Generator, StopReason};
use anchorite_model::read::Reader;
use anchorite_model::sample::SampleOptions;

use crate::answer::{Answer, AskEvent, AskOptions, Draft, Passage, Quote, Timing, Window};
use crate::check::Source;
use crate::error::EngineError;
use crate::follow_up::{self, FollowUp};
use crate::gate::{Outcome, Thresholds};
use crate::prompt::Form;
use crate::read::Candidate;
use crate::recover::{Fallback, Reload, load_again};
use crate::retrieve::{Found, SearchRequest};
use crate::searcher::{Searcher, check_length};
use crate::voices::Voices;
use crate::written::{self, Written};
use crate::{check, prompt, quote, read, retrieve};

/// A run of this many tokens, written twice, counts as a loop.
const LOOP_TOKENS: usize = 8;
/// The same for a voice that reports what each document says: two reports may use nearly the same words.
const REPORTED_LOOP_TOKENS: usize = 32;

/// One bundle, with the models loaded for it so far.
///
/// Every rung of the ladder works without the next: an index alone searches by words, an embedder adds meaning, a
/// reader decides whether there is an answer and finds it, a generator adds prose.
pub struct Session {
    searcher: Searcher,
    bundle: String,
    reader: Option<Reader>,
    thresholds: Thresholds,
    generator: Option<Generator>,
    voices: Voices,
    /// Loads the generator again after its device was lost.
    reload: Option<Reload>,
}

impl Session {
    /// A session that searches by words. `bundle`, the manifest's id, goes into every answer; `thresholds` decide
    /// outcomes.
    pub fn new(index: Index, bundle: String, thresholds: Thresholds) -> Session {
        Session {
            searcher: Searcher::new(index),
            bundle,
            reader: None,
            thresholds,
            generator: None,
            voices: Voices::default(),
            reload: None,
        }
    }

    /// The index that is searched.
    pub fn index(&self) -> &Index {
        self.searcher.index()
    }

    /// The embedder, once it is loaded.
    pub fn embedder(&self) -> Option<&Embedder> {
        self.searcher.embedder()
    }

    /// Adds search by meaning.
    ///
    /// # Errors
    /// [`EngineError::EmbedderMismatch`] when the index holds vectors of another length.
    pub fn set_embedder(&mut self, embedder: Embedder) -> Result<(), EngineError> {
        self.searcher.set_embedder(embedder)
    }

    /// Adds the reader. Without it, a quotation is chosen by the words it shares with the question, and nothing counts
    /// as answered.
    pub fn set_reader(&mut self, reader: Reader) {
        self.reader = Some(reader);
    }

    /// Adds the generator, with the adapter to apply to it, if there is one.
    ///
    /// # Errors
    /// [`EngineError::NoTemplate`] when the model has no chat template; as [`add_voice`](Self::add_voice).
    pub fn set_generator(
        &mut self,
        generator: Generator,
        adapter: Option<Adapter>,
    ) -> Result<(), EngineError> {
        if generator.template().is_none() {
            return Err(EngineError::NoTemplate {
                name: generator.config().name.clone(),
            });
        }
        self.generator = Some(generator);
        self.voices.taken_off();
        self.set_adapter(adapter)
    }

    /// Replaces all adapters by one, or removes them; the generator stays.
    ///
    /// # Errors
    /// A failure of the device that holds the previous one; as [`add_voice`](Self::add_voice).
    pub fn set_adapter(&mut self, adapter: Option<Adapter>) -> Result<(), EngineError> {
        self.voices.clear(self.generator.as_mut())?;
        match adapter {
            Some(adapter) => self.add_voice(&adapter.name.clone(), adapter),
            None => Ok(()),
        }
    }

    /// Adds an adapter for [`AskOptions::voice`] to name; the first one added speaks if it names none.
    ///
    /// An adapter made for another model fails only when it is first applied.
    ///
    /// # Errors
    /// [`EngineError::VoicePhrase`] if one of its set phrases could say something about the documents.
    pub fn add_voice(&mut self, name: &str, adapter: Adapter) -> Result<(), EngineError> {
        self.voices.insert(name, adapter)
    }

    /// The generator's configuration, needed to load adapters; `None` without a generator.
    pub fn generator_config(&self) -> Option<&ModelConfig> {
        self.generator.as_ref().map(Generator::config)
    }

    /// Lets an answer survive a graphics device that fails while it is being written: `reload` loads the generator
    /// again, and the text starts over, see [`AskEvent::Restarted`]. Without `reload` the failure is an error.
    pub fn set_reload(&mut self, reload: Reload) {
        self.reload = Some(reload);
    }

    /// Drops the cached prompt, so the next question can't reuse it; its answer is the same, but takes longer.
    pub fn forget_prompt(&mut self) {
        if let Some(generator) = &mut self.generator {
            generator.forward_mut();
        }
    }

    /// The backend that runs the generator; `None` when there is none.
    pub fn backend(&self) -> Option<&Backend> {
        self.generator.as_ref().map(Generator::backend)
    }

    /// Takes a shard that a search or [`needs`](Self::needs) named; see [`Searcher::insert_shard`].
    ///
    /// # Errors
    /// As [`Searcher::insert_shard`].
    pub fn insert_shard(&mut self, id: ShardId, bytes: &[u8]) -> Result<(), EngineError> {
        self.searcher.insert_shard(id, bytes)
    }

    /// Adds the vectors of the index; see [`Searcher::set_vectors`].
    ///
    /// # Errors
    /// As [`Searcher::set_vectors`].
    pub fn set_vectors(&mut self, manifest: &Manifest, bytes: &[u8]) -> Result<(), EngineError> {
        self.searcher.set_vectors(manifest, bytes)
    }

    /// The best sections for a query that may still be being typed, from the shards loaded so far; none for an empty
    /// query.
    ///
    /// # Errors
    /// [`EngineError::QuestionTooLong`], [`EngineError::SortKey`], or a failure of the embedder.
    pub fn search(&self, query: &str, request: &SearchRequest) -> Result<Found, EngineError> {
        self.searcher.search(query, request)
    }

    /// The shards to supply before [`ask`](Self::ask) finds everything; call again until there are none.
    ///
    /// # Errors
    /// [`EngineError::QuestionTooLong`], or a failure of the embedder.
    pub fn needs(&self, question: &str, options: &AskOptions) -> Result<Vec<Shard>, EngineError> {
        let (asked, _) = completed(question, options);
        self.searcher.needs(&asked, options.passages)
    }

    /// Answers `question`; `on_event` receives the passages, the quotation and the generator's text as they come.
    ///
    /// `now_ms` is a clock in milliseconds with any origin. `ControlFlow::Break` from `on_event` ends the answer with
    /// what is there so far.
    ///
    /// # Errors
    /// A question that is empty or too long, an option out of range, or a failure of a model.
    pub async fn ask(
        &mut self,
        question: &str,
        options: &AskOptions,
        now_ms: fn() -> f64,
        mut on_event: impl AsyncFnMut(AskEvent) -> ControlFlow<()>,
    ) -> Result<Answer, EngineError> {
        check_asked(question, options)?;

        let (asked, is_unclear) = completed(question, options);
        let whole = question;
        let question = asked.as_str();
        let start = now_ms();
        let mut reading = self.searcher.read(question, options.passages)?;
        let mut timing = Timing {
            retrieve_ms: now_ms() - start,
            ..Timing::default()
        };
        let mut stopped = on_event(AskEvent::Sources {
            passages: reading.passages.clone(),
        })
        .await
        .is_break();

        let start = now_ms();
        let best = match &self.reader {
            Some(reader) if !stopped => {
                read::best(reader, question, &reading.passages, &mut reading.evidence)?
            }
            _ => Vec::new(),
        };
        let mut outcome = reading.evidence.outcome(self.thresholds);
        let quote = match (best.first(), outcome) {
            (_, Outcome::Absent) => None,
            _ if stopped => None,
            (Some(best), _) => Some(quote::quote(best, &reading.passages[best.passage])),
            (None, _) => self.searcher.quote_by_words(question, &reading)?,
        };
        if quote.is_none() {
            outcome = Outcome::Absent;
        }
        timing.quote_ms = now_ms() - start;
        stopped = stopped
            || on_event(AskEvent::Quote {
                quote: quote.clone(),
                outcome,
            })
            .await
            .is_break();

        let mut answer = Answer {
            question: whole.to_owned(),
            asked: question.to_owned(),
            is_unclear,
            outcome,
            probability: reading.evidence.probability(),
            evidence: reading.evidence,
            quote,
            sentences: Vec::new(),
            written: Written::Nothing,
            window: None,
            passages: reading.passages,
            stopped,
            bundle: self.bundle.clone(),
            backend: self.backend().cloned(),
            timing,
        };
        // Without a reader nothing decides whether the passage answers, but a caller that loads a generator wants its
        // text.
        let is_answered =
            outcome == Outcome::Answered || (outcome == Outcome::Closest && self.reader.is_none());
        if is_answered && !stopped && options.generate && options.max_tokens > 0 {
            match self.can_write(&answer) {
                true => {
                    self.write(&mut answer, &best, options, now_ms, on_event)
                        .await?;
                }
                false => answer.written = Written::Language,
            }
        }
        Ok(answer)
    }

    /// False if the generator names its languages, and that of the quotation is not among them.
    fn can_write(&self, answer: &Answer) -> bool {
        let Some(generator) = &self.generator else {
            return true;
        };
        let quoted = answer.quote.as_ref().map(|quote| quote.passage);
        let passage = answer
            .passages
            .iter()
            .find(|one| Some(one.number) == quoted);
        let language = passage.and_then(|one| one.language.as_deref());
        let spoken = &generator.config().languages;
        language.is_none_or(|language| {
            let of = |tag: &str| lexical::primary(Some(tag));
            spoken.is_empty() || spoken.iter().any(|tag| of(tag) == of(language))
        })
    }

    /// Lets the generator write into `answer`, from the reader's units if there is a reader, and once more if its
    /// device fails on the way.
    async fn write(
        &mut self,
        answer: &mut Answer,
        units: &[Candidate],
        options: &AskOptions,
        now_ms: fn() -> f64,
        mut on_event: impl AsyncFnMut(AskEvent) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        let mut before: Option<Fallback> = None;
        loop {
            let Some(backend) = self.backend().cloned() else {
                return Ok(());
            };
            let tried = self.write_once(answer, units, options, now_ms, &mut on_event);
            let Err(error) = tried.await else {
                return Ok(());
            };
            let fallback = Fallback::after_run(&error, &backend, before.as_ref());
            let Some((fallback, reload)) = fallback.zip(self.reload.as_mut()) else {
                return Err(error);
            };
            // The lost device's copy of the model is useless, and the next one needs the memory.
            self.generator = None;
            let (generator, fallback, wanted) = load_again(reload, fallback, &mut on_event).await?;
            self.generator = Some(generator);
            self.voices.taken_off();
            before = Some(fallback);
            answer.backend = self.backend().cloned();
            if !wanted {
                answer.stopped = true;
                return Ok(());
            }
        }
    }

    /// Lets the generator write into `answer`; fails if its device does.
    async fn write_once(
        &mut self,
        answer: &mut Answer,
        units: &[Candidate],
        options: &AskOptions,
        now_ms: fn() -> f64,
        on_event: impl AsyncFnMut(AskEvent) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        let (asked, passages) = (&answer.asked, &answer.passages);
        let run = self.run(asked, passages, units, options, now_ms, on_event);
        let Some(draft) = run.await? else {
            return Ok(());
        };
        answer.written = match &answer.quote {
            Some(quote) => written::judge(&draft, quote, asked),
            None => Written::Nothing,
        };
        answer.sentences = draft.sentences;
        answer.window = Some(draft.window);
        answer.stopped = draft.stopped;
        answer.timing = Timing {
            retrieve_ms: answer.timing.retrieve_ms,
            quote_ms: answer.timing.quote_ms,
            ..draft.timing
        };
        Ok(())
    }

    /// Lets the generator write about `passages` regardless of reader and gate, for comparisons of the model alone. A
    /// page shows only text that [`ask`](Self::ask) has judged. `None` without a generator.
    ///
    /// # Errors
    /// As [`ask`](Self::ask); text lost to a failed device is not written again.
    pub async fn draft(
        &mut self,
        question: &str,
        passages: &[Passage],
        options: &AskOptions,
        now_ms: fn() -> f64,
    ) -> Result<Option<Draft>, EngineError> {
        check_asked(question, options)?;
        let on_event = async |_| ControlFlow::Continue(());
        self.run(question, passages, &[], options, now_ms, on_event)
            .await
    }

    /// Runs the generator on passages, or on the reader's units of them.
    async fn run(
        &mut self,
        asked: &str,
        passages: &[Passage],
        units: &[Candidate],
        options: &AskOptions,
        now_ms: fn() -> f64,
        mut on_event: impl AsyncFnMut(AskEvent) -> ControlFlow<()>,
    ) -> Result<Option<Draft>, EngineError> {
        let Some(generator) = &mut self.generator else {
            return Ok(None);
        };
        let is_units = options.prompt == Form::Evidence && !units.is_empty();
        let offered = match options.prompt {
            Form::Evidence if is_units => {
                let quote = |unit: &Candidate| quote::quote(unit, &passages[unit.passage]);
                let quotes: Vec<Quote> = units.iter().map(quote).collect();
                prompt::units(passages, &quotes)
            }
            Form::Evidence | Form::Passages => passages
                .iter()
                .map(|passage| prompt::source(passage, &passage.section))
                .collect(),
            Form::Long => retrieve::pages(self.searcher.index(), passages),
            Form::Bare => Vec::new(),
        };
        let voice = options.voice.as_deref();
        let phrases = self.voices.apply(generator, options.adapter, voice)?;
        let (tokens, sources, window) =
            prompt_tokens(generator, asked, offered, is_units, options)?;
        let generate_options = GenerateOptions {
            max_tokens: options.max_tokens,
            sample: SampleOptions {
                temperature: options.temperature,
                top_k: options.top_k,
                top_p: options.top_p,
                min_p: options.min_p,
                repetition_penalty: options.repetition_penalty,
                seed: options.seed,
            },
            prompt_lookup: options.prompt_lookup,
            stop: Vec::new(),
            loop_tokens: match options.lock {
                true if phrases.reports() => REPORTED_LOOP_TOKENS,
                true => LOOP_TOKENS,
                false => 0,
            },
            lock: match options.lock {
                true => prompt::lock(asked, &sources, &phrases),
                false => None,
            },
        };
        let generation = generator
            .generate(&tokens, &generate_options, now_ms, async |text: &str| {
                on_event(AskEvent::Text {
                    text: text.to_owned(),
                })
                .await
            })
            .await?;
        let text = match generation.stop {
            StopReason::EndToken | StopReason::StopText | StopReason::Cancelled => {
                generation.text.as_str()
            }
            // An unfinished sentence makes no claim that can be checked.
            _ => check::whole_sentences(&generation.text),
        };
        Ok(Some(Draft {
            // Only text that was in the prompt can be cited.
            sentences: check::check_voice(text, &sources, &phrases),
            text: text.to_owned(),
            sources,
            window,
            stopped: generation.stop == StopReason::Cancelled,
            is_loop: generation.stop == StopReason::Repetition,
            is_voiced: !phrases.is_empty(),
            timing: Timing {
                prefill_ms: generation.prefill_ms,
                decode_ms: generation.decode_ms,
                prompt_tokens: generation.n_prompt_tokens,
                cached_tokens: generation.n_cached_tokens,
                generated_tokens: generation.n_generated_tokens,
                steps: generation.n_steps,
                tokens_per_second: speed(generation.n_generated_tokens, generation.decode_ms),
                ..Timing::default()
            },
        }))
    }
}

/// The question to put to the documents, and true if it may refer to something unknown.
fn completed(question: &str, options: &AskOptions) -> (String, bool) {
    match follow_up::rewrite(question, &options.history) {
        FollowUp::Rewritten { question, .. } => (question, false),
        FollowUp::StandsAlone => (question.to_owned(), false),
        FollowUp::Unclear => (question.to_owned(), true),
    }
}

/// The prompt's tokens, and the sources in it. The first unit always stays, and as many of the others as there is room
/// for.
fn prompt_tokens(
    generator: &Generator,
    asked: &str,
    offered: Vec<Source>,
    is_units: bool,
    options: &AskOptions,
) -> Result<(Vec<TokenId>, Vec<Source>, Window), EngineError> {
    let Some(template) = generator.template() else {
        return Err(EngineError::NoTemplate {
            name: generator.config().name.clone(),
        });
    };
    let tokenizer = generator.tokenizer();
    let encode = |text: &str| tokenizer.encode(text, true);
    let count = |text: &str| Ok(encode(text)?.len());
    let render = |messages: &[_]| Ok(template.render(messages, true)?);
    let escaped = |text: &str| tokenizer.escape_control_tokens(text).into_owned();
    let offered: Vec<Source> = offered
        .into_iter()
        .map(|source| Source {
            heading_path: escaped(&source.heading_path),
            text: escaped(&source.text),
            ..source
        })
        .collect();
    let question = escaped(asked);
    let config = generator.config();
    let budget = config.context_length.saturating_sub(options.max_tokens);
    let prompt = match is_units {
        true => prompt::evidence(&question, &offered, budget, count, render)?,
        false => prompt::fit(options.prompt, &question, &offered, budget, count, render)?,
    };
    Ok((encode(&prompt.text)?, prompt.sources, prompt.window))
}

fn check_asked(question: &str, options: &AskOptions) -> Result<(), EngineError> {
    check_length(question)?;
    if !lexical::is_searchable(question) {
        return Err(EngineError::QuestionEmpty);
    }
    if !(1..=20).contains(&options.passages) {
        return Err(EngineError::Option {
            option: "passages",
            expected: "1 to 20",
            found: options.passages.to_string(),
        });
    }
    if !(0.0..=2.0).contains(&options.temperature) {
        return Err(EngineError::Option {
            option: "temperature",
            expected: "0 to 2",
            found: options.temperature.to_string(),
        });
    }
    Ok(())
}

/// Tokens per second, without the first one, whose time counts as prefill.
fn speed(n_generated: usize, decode_ms: f64) -> f64 {
    if n_generated < 2 || decode_ms <= 0.0 {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 tokens")]
    let decoded = (n_generated - 1) as f64;
    decoded * 1000.0 / decode_ms
}

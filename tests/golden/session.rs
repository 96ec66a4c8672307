//! Shows, in native sessions, that an answer survives the loss of its graphics device, and that a prefix shared by two
//! prompts is run once.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;

use anchorite::check::Source;
use anchorite::prompt::Form;

use anchorite::{Answer, AskEvent, AskOptions, EngineError, Session, Thresholds, Written};
use anchorite_index::chunk::{ChunkOptions, chunk_documents};
use anchorite_index::document::Document;
use anchorite_index::parse::{ParseOptions, parse_page};
use anchorite_index::{Index, IndexOptions};
use anchorite_model::forward::Forward;
use anchorite_model::generate::{BackendRequest, Generator};
use anchorite_model::gpu::Gpu;
use anchorite_model::{Adapter, LoadError, Parts};
use harness::script::Script;
use pollster::block_on;

const QUESTION: &str = "How does the chat open with the keyboard?";

fn file(name: &str) -> Vec<u8> {
    std::fs::read(harness::root().join(name)).expect("a file of the checkout")
}

fn script() -> Script {
    Script::new(Script::TEXT, Script::ADAPTED)
}

fn load(backend: BackendRequest, reason: &str) -> Result<Generator, EngineError> {
    let parts = Parts::new(vec![script().gguf]);
    Ok(block_on(Generator::load(parts, None, backend, reason))?)
}

/// The device that a generator runs on, for tests to break.
fn device(generator: &mut Generator) -> Option<Gpu> {
    match generator.forward_mut() {
        Forward::Gpu(forward) => Some(forward.gpu().clone()),
        _ => None,
    }
}

/// A session over two pages of the guide, with a generator that writes a known text, and its adapter.
fn session(generator: Generator) -> Session {
    let documents = ["adding-chat", "backends"].map(|name| {
        let source = format!("{name}.md");
        let text = file(&format!("docs/{source}"));
        parse_page(&source, &text, &ParseOptions::default()).expect("a good page")
    });
    let chunks = chunk_documents(&documents, &ChunkOptions::default());
    let index = Index::build(&documents, chunks, None, &IndexOptions::default());
    let mut session = Session::new(
        index.expect("a good index"),
        "test".to_owned(),
        Thresholds::default(),
    );
    let adapter = Parts::new(vec![script().adapter]);
    let adapter = Adapter::load(&adapter, generator.config()).expect("the adapter");
    session
        .set_generator(generator, Some(adapter))
        .expect("it can be spoken to");
    session
}

/// Asks, and breaks each device after the first piece of text it writes, `n_losses` times; later pieces may still come
/// from a device's queue. Returns the answer, the events other than text, and the final text.
fn ask(
    session: &mut Session,
    question: &str,
    devices: &Rc<RefCell<Vec<Gpu>>>,
    mut n_losses: usize,
) -> Result<(Answer, Vec<String>, String), EngineError> {
    let (mut told, mut text, mut n_broken) = (Vec::new(), String::new(), 0);
    let options = AskOptions {
        max_tokens: 24,
        adapter: false,
        ..AskOptions::default()
    };
    let answer = block_on(session.ask(
        question,
        &options,
        || 0.0,
        async |event| {
            match event {
                AskEvent::Text { text: piece } => {
                    text.push_str(&piece);
                    let devices = devices.borrow();
                    if n_losses > 0 && devices.len() > n_broken {
                        n_losses -= 1;
                        n_broken = devices.len();
                        devices.last().expect("a device to break").destroy();
                    }
                }
                AskEvent::Restarted { on, code, reason } => {
                    assert!(!text.is_empty(), "it was lost in mid-answer");
                    assert!(reason.contains("was lost"), "why: {reason}");
                    told.push(format!("{code}, on {on}"));
                }
                AskEvent::Backend { backend } => {
                    text.clear();
                    let kind = if backend.kind == "cpu" { "cpu" } else { "gpu" };
                    told.push(format!("runs on {kind}"));
                }
                AskEvent::Sources { .. } => told.push("sources".to_owned()),
                AskEvent::Quote { .. } => told.push("quote".to_owned()),
            }
            ControlFlow::Continue(())
        },
    ))?;
    Ok((answer, told, text))
}

/// A session whose generator is reloaded on the device at most `n_more` times; `None` if there is no device.
fn on_the_gpu(n_more: usize) -> Option<(Session, Rc<RefCell<Vec<Gpu>>>)> {
    harness::gpu::gpu()?;
    let devices = Rc::new(RefCell::new(Vec::new()));
    let mut generator = load(BackendRequest::Gpu, "a test").expect("it loads");
    devices.borrow_mut().extend(device(&mut generator));
    let mut session = session(generator);
    let (left, opened) = (Cell::new(n_more), Rc::clone(&devices));
    session.set_reload(Box::new(move |backend, reason| {
        let loaded = if backend == BackendRequest::Gpu && left.get() == 0 {
            Err(EngineError::Load(LoadError::Gpu {
                reason: "no graphics adapter was found".to_owned(),
            }))
        } else {
            left.set(left.get().saturating_sub(1));
            load(backend, &reason)
        };
        let loaded = loaded.map(|mut generator| {
            opened.borrow_mut().extend(device(&mut generator));
            generator
        });
        Box::pin(async move { loaded })
    }));
    Some((session, devices))
}

#[test]
fn a_lost_device_is_opened_again_and_the_answer_is_the_same() {
    let Some((mut session, devices)) = on_the_gpu(1) else {
        return;
    };
    let (_, told, expected) = ask(&mut session, QUESTION, &devices, 0).expect("an answer");
    assert_eq!(told, ["sources", "quote"], "nothing happened");
    assert!(!expected.is_empty(), "the generator wrote");
    let (answer, told, text) = ask(&mut session, QUESTION, &devices, 1).expect("an answer");
    assert_eq!(
        told,
        ["sources", "quote", "device_lost, on gpu", "runs on gpu"]
    );
    assert_eq!(text, expected, "the same text");
    let backend = answer.backend.expect("a generator wrote");
    assert!(
        backend.reason.contains("was lost"),
        "why there: {}",
        backend.reason
    );
    assert_eq!(Some(&backend), session.backend(), "the session says so too");
}

#[test]
fn the_processor_takes_over_from_a_device_that_is_lost_again() {
    let Some((mut session, devices)) = on_the_gpu(1) else {
        return;
    };
    // The CPU's own text: its sums round differently from the device's, which may change a close choice.
    let generator = load(BackendRequest::Cpu, "a test").expect("it loads");
    let alone = ask(&mut self::session(generator), QUESTION, &Rc::default(), 0);
    let (_, _, expected) = alone.expect("an answer");
    let (answer, told, text) = ask(&mut session, QUESTION, &devices, 2).expect("an answer");
    assert_eq!(
        told,
        [
            "sources",
            "quote",
            "device_lost, on gpu",
            "runs on gpu",
            "device_lost, on cpu",
            "runs on cpu"
        ]
    );
    assert_eq!(text, expected, "the same text");
    assert_eq!(answer.backend.map(|backend| backend.kind), Some("cpu"));
}

#[test]
fn the_processor_takes_over_where_no_device_opens_again() {
    let Some((mut session, devices)) = on_the_gpu(0) else {
        return;
    };
    let (answer, told, text) = ask(&mut session, QUESTION, &devices, 1).expect("an answer");
    assert_eq!(
        told,
        [
            "sources",
            "quote",
            "device_lost, on gpu",
            "gpu, on cpu",
            "runs on cpu"
        ]
    );
    assert!(!text.is_empty(), "the generator wrote");
    let reason = answer.backend.expect("a generator wrote").reason;
    assert!(
        reason.contains("was lost") && reason.ends_with("then no graphics adapter was found"),
        "why there: {reason}"
    );
}

#[test]
fn a_loss_is_an_error_where_nobody_can_load_again() {
    let Some((session, devices)) = on_the_gpu(0) else {
        return;
    };
    let mut session = session;
    session.set_reload(Box::new(|_, _| {
        Box::pin(async {
            Err(EngineError::Reload {
                reason: "the host is gone".to_owned(),
            })
        })
    }));
    let error = ask(&mut session, QUESTION, &devices, 1).expect_err("no file, no text");
    assert_eq!(error.code(), "reload");
    let (answer, told, _) = ask(&mut session, QUESTION, &devices, 0).expect("a quotation");
    assert_eq!(told, ["sources", "quote"], "the rung below still stands");
    assert!(
        answer.quote.is_some() && answer.backend.is_none(),
        "{answer:?}"
    );
}

#[test]
fn a_generator_is_silent_about_a_page_in_a_language_that_it_does_not_know() {
    let pages = [
        (
            "de.md",
            "---\nlang: de-AT\n---\n# Chat\n\nDer Chat wird mit der Tastatur geöffnet.\n",
        ),
        (
            "en.md",
            "---\nlang: en\n---\n# Chat\n\nThe chat opens with the keyboard.\n",
        ),
    ];
    let documents = pages.map(|(source, text)| {
        parse_page(source, text.as_bytes(), &ParseOptions::default()).expect("a good page")
    });
    let written = |documents: &[Document], languages: &[&str], question: &str| {
        let chunks = chunk_documents(documents, &ChunkOptions::default());
        let index = Index::build(documents, chunks, None, &IndexOptions::default());
        let index = index.expect("a good index");
        let mut session = Session::new(index, "test".to_owned(), Thresholds::default());
        let model = Parts::new(vec![Script::speaking("Press Alt.", languages).gguf]);
        let generator = Generator::load(model, None, BackendRequest::Cpu, "a test");
        let generator = block_on(generator).expect("it loads");
        session
            .set_generator(generator, None)
            .expect("it can be spoken to");
        let (answer, ..) = ask(&mut session, question, &Rc::default(), 0).expect("an answer");
        assert!(answer.quote.is_some(), "the quotation stands: {answer:?}");
        (
            answer.written == Written::Language,
            answer.timing.generated_tokens > 0,
        )
    };
    let german = "Chat mit der Tastatur geöffnet";
    let (silent, wrote) = ((true, false), (false, true));
    for (documents, languages, question, expected) in [
        (&documents[..1], &["en"][..], german, silent),
        (&documents[..1], &["en", "DE"], german, wrote),
        (&documents[..1], &[], german, wrote),
        (&documents[..], &["en"], german, silent),
        (&documents[..], &["en"], QUESTION, wrote),
    ] {
        let found = written(documents, languages, question);
        assert_eq!(found, expected, "{languages:?} asked {question}");
    }
}

#[test]
fn what_two_questions_share_is_read_once_and_changes_nothing() {
    let none = Rc::default();
    let generator = load(BackendRequest::Cpu, "a test").expect("it loads");
    // The instructions alone: everything before the first passage.
    let fixed = {
        let template = generator.template().expect("it can be spoken to");
        let render = |sources: &[Source]| {
            let messages = anchorite::prompt::messages(Form::Passages, "Why?", sources);
            let text = template.render(&messages, true).expect("it renders");
            generator.tokenizer().encode(&text, true).expect("tokens")
        };
        let source = Source {
            number: 1,
            heading_path: "Guide".to_owned(),
            text: "Because.".to_owned(),
        };
        let (none, one) = (render(&[]), render(&[source]));
        none.iter().zip(&one).take_while(|(a, b)| a == b).count() - 1
    };
    let mut session = session(generator);
    let questions = [
        QUESTION,
        "What happens when the GPU device is lost?",
        QUESTION,
    ];
    let mut cold = Vec::new();
    for question in questions {
        session.forget_prompt();
        let (answer, _, text) = ask(&mut session, question, &none, 0).expect("an answer");
        assert_eq!(answer.timing.cached_tokens, 0, "nothing is known");
        cold.push(text);
    }
    session.forget_prompt();
    for (idx, question) in questions.into_iter().enumerate() {
        let (answer, _, text) = ask(&mut session, question, &none, 0).expect("an answer");
        let found = answer.timing.cached_tokens;
        assert_eq!(found > 0, idx > 0, "question {idx}: {found} tokens known");
        assert!(
            idx == 0 || found >= fixed,
            "question {idx}: the instructions' {fixed} tokens are known, found {found}"
        );
        assert_eq!(text, cold[idx], "question {idx}: the same text");
    }
    let (answer, _, text) = ask(&mut session, QUESTION, &none, 0).expect("an answer");
    assert_eq!(text, cold[0], "asked twice in a row: the same text");
    assert_eq!(
        answer.timing.cached_tokens,
        answer.timing.prompt_tokens - 1,
        "asked twice in a row, only the last token is read, for its logits"
    );
}

#[test]
fn a_question_names_the_voice_that_answers_it() {
    let generator = load(BackendRequest::Cpu, "a test").expect("it loads");
    let mut session = session(generator);
    let config = session.generator_config().expect("a generator").clone();
    let adapted = Adapter::load(&Parts::new(vec![script().adapter]), &config).expect("it fits");
    let mut silent = adapted.clone();
    silent
        .pairs
        .values_mut()
        .for_each(|pair| pair.b.iter_mut().for_each(|value| *value = 0.0));
    session.set_adapter(None).expect("nothing to take off");
    session.add_voice("plain", silent).expect("no phrases");
    session.add_voice("other", adapted.clone()).expect("none");
    let write = |session: &mut Session, voice: Option<&str>| {
        let mut text = String::new();
        let options = AskOptions {
            max_tokens: 24,
            lock: false,
            voice: voice.map(str::to_owned),
            ..AskOptions::default()
        };
        let asked = session.ask(
            QUESTION,
            &options,
            || 0.0,
            async |event| {
                if let AskEvent::Text { text: piece } = event {
                    text.push_str(&piece);
                }
                ControlFlow::Continue(())
            },
        );
        block_on(asked).map(|_| text)
    };
    let plain = write(&mut session, None).expect("the first one");
    assert_eq!(plain.trim(), Script::TEXT);
    for _ in 0..2 {
        let other = write(&mut session, Some("other")).expect("the other one");
        assert_eq!(other.trim(), Script::ADAPTED, "its own text");
        let again = write(&mut session, Some("plain")).expect("the first one");
        assert_eq!(again, plain, "nothing of the other voice is left");
        assert_eq!(write(&mut session, None).expect("the first one"), plain);
    }
    let error = write(&mut session, Some("third")).expect_err("no such voice");
    assert_eq!(error.code(), "unknown_voice");
    assert!(
        error.to_string().contains("`plain`, `other`"),
        "names them: {error}"
    );
    let mut claiming = adapted;
    claiming.voice = Some(anchorite_model::adapter::Voice {
        label: "Claims".to_owned(),
        openings: vec!["The port is 80.".to_owned()],
        closings: Vec::new(),
    });
    let error = session.add_voice("claims", claiming);
    assert_eq!(error.expect_err("a number").code(), "voice_phrase");
}

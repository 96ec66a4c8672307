//! Turns questions from JavaScript into answers, and queries into hits: the whole engine.
#![cfg(target_arch = "wasm32")]

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;

use anchorite::index::bundle::Role;
use anchorite::model::adapter::Adapter;
use anchorite::model::embed::Embedder;
use anchorite::model::error::LoadError;
use anchorite::model::forward::GpuForward;
use anchorite::model::generate::{BackendRequest, Generator};
use anchorite::model::gpu::Gpu;
use anchorite::model::parts::Parts;
use anchorite::model::read::Reader;
use anchorite::recover::Reload;
use anchorite::{AskEvent, AskOptions, EngineError, Session};
use anchorite_web_common::{
    Files, Opened, busy, code, export_index_methods, lend_tables, reason, to_js, value,
};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageChannel, WorkerGlobalScope};

#[wasm_bindgen(start)]
fn start() {
    lend_tables();
}

/// Says that every device of this browser has the feature `subgroups`, which the page requests in wgpu's place. Call it
/// before loading a generator.
#[wasm_bindgen(js_name = browserHasSubgroups)]
pub fn browser_has_subgroups() {
    anchorite::model::gpu::browser_has_subgroups();
}

/// Stops a running answer, which then ends after the token in progress.
#[wasm_bindgen]
#[derive(Clone, Default)]
pub struct AbortFlag(Rc<Cell<bool>>);

#[wasm_bindgen]
impl AbortFlag {
    /// A flag that has not been raised.
    #[wasm_bindgen(constructor)]
    pub fn new() -> AbortFlag {
        AbortFlag::default()
    }

    /// Ends the answer before its next token.
    pub fn abort(&self) {
        self.0.set(true);
    }
}

/// One bundle, and what has arrived of it.
#[wasm_bindgen]
pub struct Engine {
    opened: Opened<Session>,
    /// A graphics device with the generator's kernels, until the generator is loaded.
    prepared: Rc<RefCell<Option<Gpu>>>,
}

export_index_methods!(Engine);

#[wasm_bindgen]
impl Engine {
    /// Makes the index searchable by meaning.
    #[wasm_bindgen(js_name = loadEmbedder)]
    pub fn load_embedder(&self) -> Result<(), JsValue> {
        self.opened.change(|session| {
            let parts = self.opened.files.take(Role::Embedder)?;
            session.set_embedder(Embedder::load(Parts::new(parts))?)
        })
    }

    /// Has the reader choose quotations and decide outcomes, once its parts have arrived. One that shares the layers of
    /// the embedder is loaded after it.
    #[wasm_bindgen(js_name = loadReader)]
    pub fn load_reader(&self) -> Result<(), JsValue> {
        self.opened.change(|session| {
            let parts = self.opened.files.take(Role::Reader)?;
            let reader = Reader::load(Parts::new(parts), session.embedder())?;
            session.set_reader(reader);
            Ok(())
        })
    }

    /// Opens the graphics device and compiles the generator's kernels, once the parts that have arrived hold its file's head.
    /// Returns nothing before that: call again when the next part arrives. [`Engine::load_generator`] does not wait, so await
    /// the promise first. It also resolves if the device refuses, which loading then reports.
    #[wasm_bindgen(js_name = prepareGenerator, unchecked_return_type = "Promise<void> | undefined")]
    pub fn prepare_generator(&self, adapter: bool) -> Option<js_sys::Promise> {
        let gguf = self.opened.files.head(Role::Generator)?;
        let prepared = Rc::clone(&self.prepared);
        Some(wasm_bindgen_futures::future_to_promise(async move {
            if let Ok(gpu) = GpuForward::prepare(&gguf, adapter).await {
                *prepared.borrow_mut() = Some(gpu);
            }
            Ok(JsValue::UNDEFINED)
        }))
    }

    /// Loads the generator, and its adapter where wanted and shipped, on `webgpu` or `cpu`; resolves to the backend.
    ///
    /// When a graphics device fails mid-answer, `again` is called with the backend to load next. It supplies the generator's
    /// parts again, and then its promise resolves; it rejects with the code `gpu` if there is no device to load on.
    #[wasm_bindgen(js_name = loadGenerator, unchecked_return_type = "Promise<wire.Backend>")]
    pub fn load_generator(
        &self,
        #[wasm_bindgen(unchecked_param_type = "\"webgpu\" | \"cpu\"")] backend: &str,
        reason: String,
        adapter: bool,
        #[wasm_bindgen(unchecked_param_type = "(backend: \"webgpu\" | \"cpu\") => Promise<void>")]
        again: js_sys::Function,
    ) -> Result<js_sys::Promise, JsValue> {
        let request = match backend {
            "webgpu" => BackendRequest::Gpu,
            "cpu" => BackendRequest::Cpu,
            other => {
                return Err(to_js(&EngineError::Option {
                    option: "backend",
                    expected: "`webgpu` or `cpu`",
                    found: other.to_owned(),
                }));
            }
        };
        let session = self.opened.session()?;
        let files = Rc::clone(&self.opened.files);
        let take = |role| match files.take(role) {
            Ok(parts) => Ok(Parts::new(parts)),
            Err(error) => Err(to_js(&error)),
        };
        let parts = take(Role::Generator)?;
        let adapter_parts = match adapter && files.manifest.file(Role::Adapter).is_some() {
            true => Some(take(Role::Adapter)?),
            false => None,
        };
        let prepared = self.prepared.take();
        Ok(wasm_bindgen_futures::future_to_promise(async move {
            let load = async {
                let generator = Generator::load_on(parts, None, request, &reason, prepared).await?;
                let adapter = adapter_parts
                    .map(|parts| Adapter::load(&parts, generator.config()))
                    .transpose()?;
                let mut session = session.try_borrow_mut().map_err(|_| EngineError::Busy)?;
                session.set_generator(generator, adapter)?;
                session.set_reload(reload(files, again));
                Ok::<_, EngineError>(session.backend().cloned())
            };
            value(&load.await.map_err(|error| to_js(&error))?)
        }))
    }

    /// Adds the adapter of this name, which a question's `voice` can then name, once its parts have arrived. The first adapter is
    /// loaded with the generator.
    #[wasm_bindgen(js_name = loadVoice)]
    pub fn load_voice(&self, name: &str) -> Result<(), JsValue> {
        self.opened.change(|session| {
            let mut files = self.opened.files.manifest.files.iter();
            let file = files.find(|file| file.role == Role::Adapter && file.name == name);
            let file = file.ok_or_else(|| EngineError::UnknownVoice {
                expected: Vec::new(),
                found: name.to_owned(),
            })?;
            let parts = Parts::new(self.opened.files.take_file(file)?);
            let Some(config) = session.generator_config() else {
                return Err(EngineError::Missing {
                    role: Role::Generator,
                    path: "not loaded yet".to_owned(),
                });
            };
            let adapter = Adapter::load(&parts, config)?;
            session.add_voice(name, adapter)
        })
    }

    /// The shards to supply before a question is asked; call again until there are none.
    #[wasm_bindgen(unchecked_return_type = "wire.Shard[]")]
    pub fn needs(
        &self,
        question: &str,
        #[wasm_bindgen(unchecked_param_type = "Partial<wire.AskOptions>")] options: JsValue,
    ) -> Result<JsValue, JsValue> {
        let options = ask_options(options)?;
        let session = self.opened.session()?;
        let session = session.try_borrow().map_err(|_| busy())?;
        let needs = session.needs(question, &options);
        value(&needs.map_err(|error| to_js(&error))?)
    }

    /// Answers a question: `on_event` gets passages, quotation and text as they come, and the promise the whole answer.
    #[expect(
        clippy::await_holding_refcell_ref,
        reason = "held on purpose: a call that comes meanwhile finds it borrowed, and is told `busy`"
    )]
    #[wasm_bindgen(unchecked_return_type = "Promise<wire.Answer>")]
    pub fn ask(
        &self,
        question: String,
        #[wasm_bindgen(unchecked_param_type = "Partial<wire.AskOptions>")] options: JsValue,
        abort: &AbortFlag,
        #[wasm_bindgen(js_name = onEvent, unchecked_param_type = "(event: wire.AskEvent) => void")]
        on_event: js_sys::Function,
    ) -> Result<js_sys::Promise, JsValue> {
        let session = self.opened.session()?;
        let abort = abort.clone();
        let options = ask_options(options)?;
        Ok(wasm_bindgen_futures::future_to_promise(async move {
            let mut session = session.try_borrow_mut().map_err(|_| busy())?;
            let answer = session
                .ask(&question, &options, now_ms, async |event: AskEvent| {
                    // A listener that throws must not end the answer: the page sees the error in its own console.
                    if let Ok(event) = value(&event) {
                        let _ = on_event.call1(&JsValue::NULL, &event);
                    }
                    next_task().await;
                    if abort.0.get() {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                })
                .await
                .map_err(|error| to_js(&error))?;
            value(&answer)
        }))
    }
}

impl Engine {
    fn over(opened: Opened<Session>) -> Self {
        Self {
            opened,
            prepared: Rc::default(),
        }
    }
}

fn ask_options(options: JsValue) -> Result<AskOptions, JsValue> {
    if options.is_undefined() || options.is_null() {
        return Ok(AskOptions::default());
    }
    serde_wasm_bindgen::from_value(options).map_err(|cause| {
        to_js(&EngineError::Option {
            option: "options",
            expected: "AskOptions",
            found: cause.to_string(),
        })
    })
}

/// Has `again` supply the generator's parts, and loads the generator from them.
fn reload(files: Rc<Files>, again: js_sys::Function) -> Reload {
    Box::new(move |request, reason| {
        let (files, again) = (Rc::clone(&files), again.clone());
        Box::pin(async move {
            let backend = match request {
                BackendRequest::Gpu => "webgpu",
                BackendRequest::Cpu => "cpu",
            };
            let brought = match again.call1(&JsValue::NULL, &backend.into()) {
                Ok(promise) => JsFuture::from(js_sys::Promise::resolve(&promise)).await,
                Err(thrown) => Err(thrown),
            };
            brought.map_err(|thrown| from_js(&thrown))?;
            let parts = Parts::new(files.take(Role::Generator)?);
            Ok(Generator::load(parts, None, request, &reason).await?)
        })
    })
}

/// The error of a call that supplies the generator's file again; any code but `gpu` means that the file did not arrive.
fn from_js(thrown: &JsValue) -> EngineError {
    let reason = reason(thrown);
    match code(thrown).as_deref() {
        Some("gpu") => LoadError::Gpu { reason }.into(),
        _ => EngineError::Reload { reason },
    }
}

/// The worker's clock, in milliseconds.
fn now_ms() -> f64 {
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    scope
        .performance()
        .map_or(0.0, |performance| performance.now())
}

/// Lets the worker read its messages (an abort among them) between two tokens.
///
/// A message to itself is a task of its own, and unlike a timer it is not delayed.
async fn next_task() {
    let promise = js_sys::Promise::new(&mut |resolve, reject| {
        let posted = MessageChannel::new().and_then(|channel| {
            channel.port1().set_onmessage(Some(&resolve));
            channel.port2().post_message(&JsValue::NULL)
        });
        if posted.is_err() {
            // Without a channel there is nothing to wait for.
            let _ = reject.call0(&JsValue::NULL);
        }
    });
    let _ = JsFuture::from(promise).await;
}

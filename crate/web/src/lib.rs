//! Turns calls from JavaScript into calls of the engine, and its results and errors into plain objects.
#![cfg(target_arch = "wasm32")]

mod error;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use anchorite::index::bundle::{self, FileEntry, Manifest, Role};
use anchorite::model::adapter::Adapter;
use anchorite::model::embed::Embedder;
use anchorite::model::generate::{BackendRequest, Generator};
use anchorite::model::parts::Parts;
use anchorite::{AskEvent, AskOptions, EngineError, Session};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageChannel, WorkerGlobalScope};

use crate::error::{busy, to_js};

/// One bundle, and what has arrived of it.
#[wasm_bindgen]
pub struct Engine {
    manifest: Manifest,
    /// Checked parts that wait for [`Engine::load_index`] and its siblings, by path.
    parts: BTreeMap<String, Vec<u8>>,
    session: Option<Rc<RefCell<Session>>>,
}

/// Says to a running answer that the reader has had enough.
#[wasm_bindgen]
#[derive(Clone, Default)]
pub struct AbortFlag(Rc<Cell<bool>>);

#[wasm_bindgen]
impl AbortFlag {
    /// A flag that is not raised.
    #[wasm_bindgen(constructor)]
    pub fn new() -> AbortFlag {
        AbortFlag::default()
    }

    /// Ends the answer before its next token.
    pub fn abort(&self) {
        self.0.set(true);
    }
}

#[wasm_bindgen]
impl Engine {
    /// An engine for the bundle that `manifest` (the bytes of `manifest.json`) describes.
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &[u8]) -> Result<Engine, JsValue> {
        let manifest = Manifest::parse(manifest).map_err(|error| to_js(&error.into()))?;
        Ok(Engine {
            manifest,
            parts: BTreeMap::new(),
            session: None,
        })
    }

    /// The manifest as an object.
    pub fn manifest(&self) -> Result<JsValue, JsValue> {
        value(&self.manifest)
    }

    /// Takes a downloaded part, whose length and hash are checked.
    pub fn add_part(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), JsValue> {
        let part = self.manifest.part(path).ok_or_else(|| {
            to_js(&EngineError::UnknownPart {
                path: path.to_owned(),
            })
        })?;
        part.verify(&bytes).map_err(|error| to_js(&error.into()))?;
        self.parts.insert(path.to_owned(), bytes);
        Ok(())
    }

    /// Makes the index searchable by words.
    pub fn load_index(&mut self) -> Result<(), JsValue> {
        let load = |engine: &mut Engine| -> Result<Session, EngineError> {
            let documents = engine.take(Role::Documents)?.concat();
            let lexical = engine.take(Role::Lexical)?.concat();
            let vectors = match engine.manifest.file(Role::Vectors) {
                Some(_) => Some(engine.take(Role::Vectors)?.concat()),
                None => None,
            };
            let index =
                bundle::read_index(&engine.manifest, &documents, &lexical, vectors.as_deref())?;
            Ok(Session::new(index, engine.manifest.id.clone()))
        };
        let session = load(self).map_err(|error| to_js(&error))?;
        self.session = Some(Rc::new(RefCell::new(session)));
        Ok(())
    }

    /// Makes the index searchable by meaning.
    pub fn load_embedder(&mut self) -> Result<(), JsValue> {
        let parts = self.take(Role::Embedder).map_err(|error| to_js(&error))?;
        let session = self.session()?;
        let load = || -> Result<(), EngineError> {
            let embedder = Embedder::load(Parts::new(parts))?;
            session
                .try_borrow_mut()
                .map_err(|_| EngineError::Busy)?
                .set_embedder(embedder)
        };
        load().map_err(|error| to_js(&error))
    }

    /// Loads the generator, and its adapter where wanted and shipped, on `webgpu` or `cpu`; resolves to the backend.
    pub fn load_generator(
        &mut self,
        backend: &str,
        reason: String,
        adapter: bool,
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
        let session = self.session()?;
        let parts = Parts::new(self.take(Role::Generator).map_err(|error| to_js(&error))?);
        let adapter_parts = match adapter && self.manifest.file(Role::Adapter).is_some() {
            true => Some(Parts::new(
                self.take(Role::Adapter).map_err(|error| to_js(&error))?,
            )),
            false => None,
        };
        Ok(wasm_bindgen_futures::future_to_promise(async move {
            let load = async {
                let generator = Generator::load(parts, None, request, &reason).await?;
                let adapter = adapter_parts
                    .map(|parts| Adapter::load(&parts, generator.config()))
                    .transpose()?;
                let mut session = session.try_borrow_mut().map_err(|_| EngineError::Busy)?;
                session.set_generator(generator, adapter)?;
                Ok::<_, EngineError>(session.backend().cloned())
            };
            value(&load.await.map_err(|error| to_js(&error))?)
        }))
    }

    /// The best sections for a query that may still be being typed.
    pub fn search(&self, query: &str, limit: usize) -> Result<JsValue, JsValue> {
        let session = self.session()?;
        // An answer that is being written holds the session; its box can wait for the next keystroke.
        let session = session.try_borrow().map_err(|_| busy())?;
        value(
            &session
                .search(query, limit)
                .map_err(|error| to_js(&error))?,
        )
    }

    /// Answers a question; `on_event` gets passages, quotation and text as they come, the promise the whole answer.
    #[expect(
        clippy::await_holding_refcell_ref,
        reason = "held on purpose: a call that comes meanwhile finds it borrowed, and is told `busy`"
    )]
    pub fn ask(
        &self,
        question: String,
        options: JsValue,
        abort: &AbortFlag,
        on_event: js_sys::Function,
    ) -> Result<js_sys::Promise, JsValue> {
        let session = self.session()?;
        let abort = abort.clone();
        let options: AskOptions = if options.is_undefined() || options.is_null() {
            AskOptions::default()
        } else {
            serde_wasm_bindgen::from_value(options).map_err(|cause| {
                to_js(&EngineError::Option {
                    option: "options",
                    expected: "AskOptions",
                    found: cause.to_string(),
                })
            })?
        };
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
    fn session(&self) -> Result<Rc<RefCell<Session>>, JsValue> {
        self.session
            .clone()
            .ok_or_else(|| to_js(&EngineError::IndexNotLoaded))
    }

    /// Removes the parts of a file from the waiting ones, in order.
    fn take(&mut self, role: Role) -> Result<Vec<Vec<u8>>, EngineError> {
        let missing = |path: &str| EngineError::Missing {
            role,
            path: path.to_owned(),
        };
        let file: &FileEntry = self
            .manifest
            .file(role)
            .ok_or_else(|| missing("not named in the manifest"))?;
        if let Some(part) = file
            .parts
            .iter()
            .find(|part| !self.parts.contains_key(&part.path))
        {
            return Err(missing(&part.path));
        }
        Ok(file
            .parts
            .iter()
            .filter_map(|part| self.parts.remove(&part.path))
            .collect())
    }
}

fn value<T: Serialize>(value: &T) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(JsValue::from)
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
/// A message to oneself is a task of its own, and unlike a timer it is not delayed.
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

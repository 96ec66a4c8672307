//! Turns the files of one bundle, and queries, into results: the class that the modules for search and for answers share.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use anchorite::EngineError;
use anchorite::SearchRequest;
#[cfg(feature = "answers")]
use anchorite::Thresholds;
use anchorite::index::bundle::{self, FileEntry, Manifest, Role};
use anchorite::index::error::BundleError;
use anchorite::index::{Index, Shard, ShardId, Sort};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::error::{busy, to_js};
use crate::reserve;

/// The holder of the index. A module that only searches must not be able to hold a model, whose code it would link.
#[cfg(feature = "answers")]
pub(crate) type Session = anchorite::Session;
#[cfg(not(feature = "answers"))]
pub(crate) type Session = anchorite::Searcher<crate::js_embedder::JsEmbedder>;

#[cfg(feature = "answers")]
fn session(index: Index, manifest: &Manifest) -> Session {
    Session::new(index, manifest.id.clone(), Thresholds::of(manifest))
}
#[cfg(not(feature = "answers"))]
fn session(index: Index, _: &Manifest) -> Session {
    Session::new(index)
}

/// The files of one bundle that have arrived and are not read yet.
pub(crate) struct Files {
    pub(crate) manifest: Manifest,
    /// Checked parts that wait for [`Engine::load_index`] and its siblings, by path.
    pub(crate) parts: RefCell<BTreeMap<String, Vec<u8>>>,
}

/// One bundle, and what has arrived of it.
#[wasm_bindgen]
pub struct Engine {
    pub(crate) files: Rc<Files>,
    pub(crate) session: Option<Rc<RefCell<Session>>>,
    /// A graphics device with the generator's kernels, until the generator is loaded.
    #[cfg(feature = "answers")]
    pub(crate) prepared: Rc<RefCell<Option<anchorite::model::gpu::Gpu>>>,
}

#[wasm_bindgen]
impl Engine {
    /// An engine for the bundle that `manifest` (the bytes of `manifest.json`) describes.
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &[u8]) -> Result<Engine, JsValue> {
        let manifest = Manifest::parse(manifest).map_err(|error| to_js(&error.into()))?;
        Ok(Engine {
            files: Rc::new(Files {
                manifest,
                parts: RefCell::default(),
            }),
            session: None,
            #[cfg(feature = "answers")]
            prepared: Rc::default(),
        })
    }

    /// The manifest as an object.
    pub fn manifest(&self) -> Result<JsValue, JsValue> {
        value(&self.files.manifest)
    }

    /// See [`reserve`].
    pub fn reserve(&self, bytes: f64) -> Result<(), JsValue> {
        reserve(bytes)
    }

    /// Takes a downloaded part, whose length and hash are checked.
    pub fn add_part(&self, path: &str, bytes: Vec<u8>) -> Result<(), JsValue> {
        self.files.check(path, &bytes)?;
        self.files.parts.borrow_mut().insert(path.to_owned(), bytes);
        Ok(())
    }

    /// Opens the index, without its shards.
    pub fn load_index(&mut self) -> Result<(), JsValue> {
        let load = |files: &Files| -> Result<Session, EngineError> {
            let resident = files.take(Role::Index)?.concat();
            let index = bundle::read_index(&files.manifest, &resident)?;
            Ok(session(index, &files.manifest))
        };
        let session = load(&self.files).map_err(|error| to_js(&error))?;
        self.session = Some(Rc::new(RefCell::new(session)));
        Ok(())
    }

    /// Adds the vectors of the index.
    pub fn load_vectors(&self) -> Result<(), JsValue> {
        let bytes = self
            .files
            .take(Role::Vectors)
            .map_err(|error| to_js(&error))?
            .concat();
        let session = self.session()?;
        let mut session = session.try_borrow_mut().map_err(|_| busy())?;
        session
            .set_vectors(&self.files.manifest, &bytes)
            .map_err(|error| to_js(&error))
    }

    /// Takes a shard of the index, whose length and hash are checked.
    pub fn insert_shard(&self, id: u32, bytes: &[u8]) -> Result<(), JsValue> {
        let id = ShardId::from_bits(id).ok_or_else(|| {
            let error = BundleError::UnknownShard { id };
            to_js(&error.into())
        })?;
        let session = self.session()?;
        let mut session = session.try_borrow_mut().map_err(|_| busy())?;
        session
            .insert_shard(id, bytes)
            .map_err(|error| to_js(&error))
    }

    /// Every missing shard of the index; call again once they are supplied.
    pub fn missing(&self) -> Result<JsValue, JsValue> {
        self.with_index(|index| value(&index.missing_shards()))
    }

    /// Every shard of the index that is known so far.
    pub fn shards(&self) -> Result<JsValue, JsValue> {
        self.with_index(|index| value(&index.shards()))
    }

    /// The filters' shard if it is missing; otherwise how many documents have each value of each filter.
    pub fn filters(&self) -> Result<JsValue, JsValue> {
        self.with_index(|index| {
            let filters = index.filters().map(|filters| filters.counts());
            value(&FilterValues {
                missing: index.needs_filter_values(),
                filters: filters.unwrap_or_default(),
            })
        })
    }

    /// Names of the values that the documents can be sorted by.
    pub fn sort_keys(&self) -> Result<JsValue, JsValue> {
        self.with_index(|index| value(&index.sort_keys()))
    }

    /// The best sections for a query, which may be half typed, and the shards that would make them complete.
    /// `filters` alternates names and values: plain strings cost a page fewer bytes of code than an object. `sort_by` is empty
    /// for best first.
    pub fn search(
        &self,
        query: &str,
        limit: usize,
        filters: Vec<String>,
        sort_by: String,
        descending: bool,
    ) -> Result<JsValue, JsValue> {
        let mut request = SearchRequest {
            limit,
            filters: BTreeMap::new(),
            sort: (!sort_by.is_empty()).then_some(Sort {
                by: sort_by,
                descending,
            }),
        };
        for pair in filters.chunks_exact(2) {
            let values = request.filters.entry(pair[0].clone()).or_default();
            values.push(pair[1].clone());
        }
        let session = self.session()?;
        // An answer in progress holds the session; the search box can wait for the next keystroke.
        let session = session.try_borrow().map_err(|_| busy())?;
        let found = session.search(query, &request);
        value(&found.map_err(|error| to_js(&error))?)
    }
}

/// The result of [`Engine::filters`].
#[derive(Serialize)]
struct FilterValues<'i> {
    missing: Vec<Shard>,
    filters: BTreeMap<&'i str, BTreeMap<&'i str, usize>>,
}

impl Engine {
    pub(crate) fn session(&self) -> Result<Rc<RefCell<Session>>, JsValue> {
        self.session
            .clone()
            .ok_or_else(|| to_js(&EngineError::IndexNotLoaded))
    }

    /// The result of `read` on the index, as an object.
    fn with_index(
        &self,
        read: impl FnOnce(&Index) -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue> {
        let session = self.session()?;
        let session = session.try_borrow().map_err(|_| busy())?;
        read(session.index())
    }
}

impl Files {
    /// Compares a downloaded part with the manifest's length and hash.
    pub(crate) fn check(&self, path: &str, bytes: &[u8]) -> Result<(), JsValue> {
        let part = self.manifest.part(path).ok_or_else(|| {
            to_js(&EngineError::UnknownPart {
                path: path.to_owned(),
            })
        })?;
        part.verify(bytes).map_err(|error| to_js(&error.into()))
    }

    /// Removes the parts of a file from the waiting ones, in order.
    pub(crate) fn take(&self, role: Role) -> Result<Vec<Vec<u8>>, EngineError> {
        let file = self.manifest.file(role);
        self.take_file(file.ok_or_else(|| EngineError::Missing {
            role,
            path: "not named in the manifest".to_owned(),
        })?)
    }

    /// As [`Files::take`], for a file of a role that several have.
    pub(crate) fn take_file(&self, file: &FileEntry) -> Result<Vec<Vec<u8>>, EngineError> {
        let missing = |path: &str| EngineError::Missing {
            role: file.role,
            path: path.to_owned(),
        };
        let mut waiting = self.parts.borrow_mut();
        if let Some(part) = file
            .parts
            .iter()
            .find(|part| !waiting.contains_key(&part.path))
        {
            return Err(missing(&part.path));
        }
        Ok(file
            .parts
            .iter()
            .filter_map(|part| waiting.remove(&part.path))
            .collect())
    }
}

pub(crate) fn value<T: Serialize>(value: &T) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(JsValue::from)
}

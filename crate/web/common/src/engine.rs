//! The methods that every engine with an index has, generic over the session that holds it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use anchorite::index::bundle::{self, Manifest, Role};
use anchorite::index::error::BundleError;
use anchorite::index::{Index, ShardId, Sort};
use anchorite::{
    Embed, EngineError, FilterValues, Found, SearchRequest, Searcher, Session, Thresholds,
};
use wasm_bindgen::prelude::*;

use crate::error::{busy, to_js};
use crate::files::Files;
use crate::{reserve, value};

/// A holder of an index. A module that only searches must not be able to hold a model, whose code it would link; so each
/// module has a session of its own type.
pub trait IndexSession {
    /// A session over `index`, which belongs to the bundle that `manifest` describes.
    fn new(index: Index, manifest: &Manifest) -> Self;

    /// The index.
    fn index(&self) -> &Index;

    /// See [`Searcher::set_vectors`].
    ///
    /// # Errors
    /// As there.
    fn set_vectors(&mut self, manifest: &Manifest, bytes: &[u8]) -> Result<(), EngineError>;

    /// See [`Searcher::insert_shard`].
    ///
    /// # Errors
    /// As there.
    fn insert_shard(&mut self, id: ShardId, bytes: &[u8]) -> Result<(), EngineError>;

    /// See [`Searcher::search`].
    ///
    /// # Errors
    /// As there.
    fn search(&self, query: &str, request: &SearchRequest) -> Result<Found, EngineError>;
}

/// Implements [`IndexSession`] by the inherent methods of the same names.
macro_rules! by_inherent_methods {
    ($new:expr) => {
        fn new(index: Index, manifest: &Manifest) -> Self {
            $new(index, manifest)
        }

        fn index(&self) -> &Index {
            self.index()
        }

        fn set_vectors(&mut self, manifest: &Manifest, bytes: &[u8]) -> Result<(), EngineError> {
            self.set_vectors(manifest, bytes)
        }

        fn insert_shard(&mut self, id: ShardId, bytes: &[u8]) -> Result<(), EngineError> {
            self.insert_shard(id, bytes)
        }

        fn search(&self, query: &str, request: &SearchRequest) -> Result<Found, EngineError> {
            self.search(query, request)
        }
    };
}

impl<E: Embed> IndexSession for Searcher<E> {
    by_inherent_methods!(|index, _| Searcher::new(index));
}

impl IndexSession for Session {
    by_inherent_methods!(|index, manifest: &Manifest| {
        Session::new(index, manifest.id.clone(), Thresholds::of(manifest))
    });
}

/// One bundle, and what has been opened of it.
pub struct Opened<S> {
    /// The files that have arrived.
    pub files: Rc<Files>,
    session: Option<Rc<RefCell<S>>>,
}

#[expect(
    clippy::missing_errors_doc,
    reason = "every error is an object from `to_js`, and `export_index_methods` documents the methods for JavaScript"
)]
#[expect(missing_docs, reason = "documented where they are exported")]
impl<S: IndexSession> Opened<S> {
    pub fn new(manifest: &[u8]) -> Result<Self, JsValue> {
        Ok(Self {
            files: Rc::new(Files::new(manifest)?),
            session: None,
        })
    }

    pub fn manifest(&self) -> Result<JsValue, JsValue> {
        value(&self.files.manifest)
    }

    pub fn reserve(&self, bytes: f64) -> Result<(), JsValue> {
        reserve(bytes)
    }

    pub fn load_index(&mut self) -> Result<(), JsValue> {
        let load = |files: &Files| -> Result<S, EngineError> {
            let resident = files.take(Role::Index)?.concat();
            let index = bundle::read_index(&files.manifest, &resident)?;
            Ok(S::new(index, &files.manifest))
        };
        let session = load(&self.files).map_err(|error| to_js(&error))?;
        self.session = Some(Rc::new(RefCell::new(session)));
        Ok(())
    }

    pub fn load_vectors(&self) -> Result<(), JsValue> {
        self.change(|session| {
            let bytes = self.files.take(Role::Vectors)?.concat();
            session.set_vectors(&self.files.manifest, &bytes)
        })
    }

    pub fn insert_shard(&self, id: u32, bytes: &[u8]) -> Result<(), JsValue> {
        let id = ShardId::from_bits(id).ok_or_else(|| {
            let error = BundleError::UnknownShard { id };
            to_js(&error.into())
        })?;
        self.change(|session| session.insert_shard(id, bytes))
    }

    pub fn missing(&self) -> Result<JsValue, JsValue> {
        self.with_index(|index| value(&index.missing_shards()))
    }

    pub fn shards(&self) -> Result<JsValue, JsValue> {
        self.with_index(|index| value(&index.shards()))
    }

    pub fn filters(&self) -> Result<JsValue, JsValue> {
        self.with_index(|index| value(&FilterValues::of(index)))
    }

    pub fn sort_keys(&self) -> Result<JsValue, JsValue> {
        self.with_index(|index| value(&index.sort_keys()))
    }

    pub fn search(
        &self,
        query: &str,
        limit: usize,
        filters: &[String],
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

    /// The session, once the index is loaded.
    pub fn session(&self) -> Result<Rc<RefCell<S>>, JsValue> {
        self.session
            .clone()
            .ok_or_else(|| to_js(&EngineError::IndexNotLoaded))
    }

    /// Runs `change` on the session, unless an answer in progress holds it.
    pub fn change(
        &self,
        change: impl FnOnce(&mut S) -> Result<(), EngineError>,
    ) -> Result<(), JsValue> {
        let session = self.session()?;
        let mut session = session.try_borrow_mut().map_err(|_| busy())?;
        change(&mut session).map_err(|error| to_js(&error))
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

/// Exports the methods of [`Opened`] as methods of a class whose field `opened` holds one, and whose function `over` makes
/// the class from one. The caller has wasm-bindgen's prelude in scope.
#[macro_export]
macro_rules! export_index_methods {
    ($engine:ident) => {
        #[wasm_bindgen]
        impl $engine {
            /// Reads a bundle's manifest (the bytes of `manifest.json`); refuses one of an unknown format. All methods throw
            /// plain objects `{ code, message, hint }`.
            #[wasm_bindgen(constructor)]
            pub fn new(manifest: &[u8]) -> Result<$engine, JsValue> {
                $crate::Opened::new(manifest).map($engine::over)
            }

            /// The bundle's contents.
            #[wasm_bindgen(unchecked_return_type = "wire.Manifest")]
            pub fn manifest(&self) -> Result<JsValue, JsValue> {
                self.opened.manifest()
            }

            /// Makes room for `bytes` of files, or throws `no_memory`.
            pub fn reserve(&self, bytes: f64) -> Result<(), JsValue> {
                self.opened.reserve(bytes)
            }

            /// Takes one part, after checking its length and SHA-256.
            #[wasm_bindgen(js_name = addPart)]
            pub fn add_part(&self, path: &str, bytes: Vec<u8>) -> Result<(), JsValue> {
                self.opened.files.add(path, bytes)
            }

            /// Opens the index, without its shards: calls name those that they miss.
            #[wasm_bindgen(js_name = loadIndex)]
            pub fn load_index(&mut self) -> Result<(), JsValue> {
                self.opened.load_index()
            }

            /// Adds the vectors of the index.
            #[wasm_bindgen(js_name = loadVectors)]
            pub fn load_vectors(&self) -> Result<(), JsValue> {
                self.opened.load_vectors()
            }

            /// Takes a shard, after checking its length and SHA-256. Throws `busy` while an answer is being made.
            #[wasm_bindgen(js_name = insertShard)]
            pub fn insert_shard(&self, id: u32, bytes: &[u8]) -> Result<(), JsValue> {
                self.opened.insert_shard(id, bytes)
            }

            /// Every missing shard whose name is known; call again once they are inserted.
            #[wasm_bindgen(unchecked_return_type = "wire.Shard[]")]
            pub fn missing(&self) -> Result<JsValue, JsValue> {
                self.opened.missing()
            }

            /// Every shard whose name is known, loaded or not.
            #[wasm_bindgen(unchecked_return_type = "wire.Shard[]")]
            pub fn shards(&self) -> Result<JsValue, JsValue> {
                self.opened.shards()
            }

            /// The filters' shard if it is missing; otherwise how many documents have each value of each filter.
            #[wasm_bindgen(unchecked_return_type = "wire.FilterValues")]
            pub fn filters(&self) -> Result<JsValue, JsValue> {
                self.opened.filters()
            }

            /// Names of the values that `search` can sort by.
            #[wasm_bindgen(js_name = sortKeys, unchecked_return_type = "string[]")]
            pub fn sort_keys(&self) -> Result<JsValue, JsValue> {
                self.opened.sort_keys()
            }

            /// The best sections for a query, which may be half typed, and the shards that would make them complete.
            /// `filters` alternates names and values: plain strings cost a page fewer bytes of code than an object.
            /// `sortBy` is empty for best first. Throws `busy` while an answer is being made.
            #[wasm_bindgen(unchecked_return_type = "wire.Found")]
            pub fn search(
                &self,
                query: &str,
                limit: usize,
                filters: Vec<String>,
                #[wasm_bindgen(js_name = sortBy)] sort_by: String,
                descending: bool,
            ) -> Result<JsValue, JsValue> {
                self.opened
                    .search(query, limit, &filters, sort_by, descending)
            }
        }
    };
}

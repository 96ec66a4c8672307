//! The files of one bundle, from their arrival part by part until they are read.

use std::cell::RefCell;
use std::collections::BTreeMap;

use anchorite::EngineError;
use anchorite::index::bundle::{FileEntry, Manifest, Role};
use anchorite::model::gguf::Gguf;
use anchorite::model::parts::Parts;
use wasm_bindgen::prelude::*;

use crate::error::to_js;

/// The parts of a bundle's files that have arrived and are not read yet.
pub struct Files {
    /// The bundle's contents.
    pub manifest: Manifest,
    /// Checked parts that wait to be loaded, by path.
    waiting: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl Files {
    /// No file of the bundle that `manifest` (the bytes of `manifest.json`) describes has arrived.
    ///
    /// # Errors
    /// A manifest that is malformed or of another version.
    pub fn new(manifest: &[u8]) -> Result<Self, JsValue> {
        let manifest = Manifest::parse(manifest).map_err(|error| to_js(&error.into()))?;
        Ok(Self {
            manifest,
            waiting: RefCell::default(),
        })
    }

    /// Compares a downloaded part with the manifest's length and hash.
    ///
    /// # Errors
    /// A part that the manifest doesn't list, or lists with another length or hash.
    pub fn check(&self, path: &str, bytes: &[u8]) -> Result<(), JsValue> {
        let part = self.manifest.part(path).ok_or_else(|| {
            to_js(&EngineError::UnknownPart {
                path: path.to_owned(),
            })
        })?;
        part.verify(bytes).map_err(|error| to_js(&error.into()))
    }

    /// Checks a part, and keeps it until its file is loaded.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn add(&self, path: &str, bytes: Vec<u8>) -> Result<(), JsValue> {
        self.check(path, &bytes)?;
        self.waiting.borrow_mut().insert(path.to_owned(), bytes);
        Ok(())
    }

    /// Removes the parts of a role's file, in order.
    ///
    /// # Errors
    /// [`EngineError::Missing`] if the bundle has no such file, or a part of it has not arrived.
    pub fn take(&self, role: Role) -> Result<Vec<Vec<u8>>, EngineError> {
        let file = self.manifest.file(role);
        self.take_file(file.ok_or_else(|| EngineError::Missing {
            role,
            path: "not named in the manifest".to_owned(),
        })?)
    }

    /// As [`take`](Self::take), for a file whose role others have too.
    ///
    /// # Errors
    /// [`EngineError::Missing`] if a part has not arrived.
    pub fn take_file(&self, file: &FileEntry) -> Result<Vec<Vec<u8>>, EngineError> {
        let mut waiting = self.waiting.borrow_mut();
        let mut parts = file.parts.iter();
        if let Some(part) = parts.find(|part| !waiting.contains_key(&part.path)) {
            return Err(EngineError::Missing {
                role: file.role,
                path: part.path.clone(),
            });
        }
        let parts = file.parts.iter();
        Ok(parts
            .filter_map(|part| waiting.remove(&part.path))
            .collect())
    }

    /// The head of a GGUF file, if the parts that have arrived from its start contain it. They stay.
    pub fn head(&self, role: Role) -> Option<Gguf> {
        let file = self.manifest.file(role)?;
        let mut waiting = self.waiting.borrow_mut();
        let arrived = file
            .parts
            .iter()
            .map_while(|part| waiting.remove_entry(&part.path));
        // Taken out and put back: a copy would need room that was not reserved.
        let (paths, bytes): (Vec<_>, Vec<_>) = arrived.unzip();
        let head = Parts::new(bytes);
        let gguf = Gguf::parse_head(&head, file.bytes).ok();
        waiting.extend(paths.into_iter().zip(head.into_parts()));
        gguf
    }
}

//! Shared by the WebAssembly modules: the files of a bundle as they arrive, the methods of an index, errors as objects.
//!
//! Each module is a small crate beside this one, and links only what its own types can hold: `search` has no model,
//! `embedder` has no index, `answers` has both.
#![cfg(target_arch = "wasm32")]

mod engine;
mod error;
mod files;

use anchorite::EngineError;
use serde::Serialize;
use wasm_bindgen::prelude::*;

pub use crate::engine::{IndexSession, Opened};
pub use crate::error::{busy, code, reason, to_js};
pub use crate::files::Files;

/// The types that the declarations of a module name. They are made from the Rust types, see `tests/contract`.
#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = "import type * as wire from \"../../src/engine/wire.js\";";

/// Lends an index this browser's own tables for decomposing characters; they would be a large part of a module's code.
pub fn lend_tables() {
    anchorite_index::lexical::set_decompose(|c| {
        String::from(js_sys::JsString::from(c).normalize("NFKD"))
    });
}

/// `value` as a plain object, with `null` for what is absent.
///
/// # Errors
/// A value that JavaScript can't hold.
pub fn value<T: Serialize>(value: &T) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(JsValue::from)
}

/// Makes room for `bytes` of files before any of them is downloaded: once memory runs out in the middle of a load, the
/// module can only stop.
///
/// # Errors
/// [`EngineError::NoMemory`].
pub fn reserve(bytes: f64) -> Result<(), JsValue> {
    /// Bytes held in addition to the layouts while a large file is read: some parts, and one tensor as stored.
    const EXTRA: f64 = 64.0 * 1024.0 * 1024.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a conversion from float that does not fit takes the nearest number"
    )]
    // A layout may be a third larger than its file. A small file may be in memory twice.
    let asked = (bytes * 9.0 / 4.0).min(bytes * 4.0 / 3.0 + EXTRA) as u64;
    let reserved =
        usize::try_from(asked).is_ok_and(|asked| Vec::<u8>::new().try_reserve_exact(asked).is_ok());
    // A module's memory never shrinks, so the room made here stays for the files.
    if reserved {
        Ok(())
    } else {
        Err(to_js(&EngineError::NoMemory { asked }))
    }
}

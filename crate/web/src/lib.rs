//! Turns calls from JavaScript into calls of the engine, and its results and errors into plain objects.
//!
//! It is linked three times. Features decide a module's contents: `answers` is everything, `index` is search, and `embedder` is
//! the model that turns a query into a vector for search.
#![cfg(target_arch = "wasm32")]

#[cfg(feature = "answers")]
mod answer;
#[cfg(all(feature = "index", not(feature = "answers")))]
mod js_embedder;
#[cfg(feature = "embedder")]
mod embedder;
#[cfg(feature = "index")]
mod engine;
mod error;

use anchorite::EngineError;
use wasm_bindgen::prelude::*;

use crate::error::to_js;

/// Lends search this browser's own tables for decomposing characters; they would be a large part of its code.
#[cfg(feature = "index")]
#[wasm_bindgen(start)]
pub fn lend_tables() {
    anchorite_index::lexical::set_decompose(|c| {
        String::from(js_sys::JsString::from(c).normalize("NFKD"))
    });
}

/// Says that every device of this browser has the feature `subgroups`, which the page requests in wgpu's place.
#[cfg(feature = "answers")]
#[wasm_bindgen]
pub fn browser_has_subgroups() {
    anchorite::model::gpu::browser_has_subgroups();
}

/// Makes room for `bytes` of files before any of them is downloaded: once memory runs out in the middle of a load, the
/// module can only stop.
fn reserve(bytes: f64) -> Result<(), JsValue> {
    /// Bytes held in addition to the layouts while a large file is read: some parts, and one tensor as stored.
    const BESIDE: f64 = 64.0 * 1024.0 * 1024.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a conversion from float that does not fit takes the nearest number"
    )]
    // A layout may be a third larger than its file. A small file may be in memory twice.
    let asked = (bytes * 9.0 / 4.0).min(bytes * 4.0 / 3.0 + BESIDE) as u64;
    let reserved =
        usize::try_from(asked).is_ok_and(|asked| Vec::<u8>::new().try_reserve_exact(asked).is_ok());
    // A module's memory never shrinks, so the room made here stays for the files.
    if reserved {
        Ok(())
    } else {
        Err(to_js(&EngineError::NoMemory { asked }))
    }
}

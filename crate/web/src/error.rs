//! Turns the engine's errors into the one object that JavaScript sees: `{ code, message, hint }`.

use anchorite::EngineError;
#[cfg(feature = "answers")]
use anchorite::model::error::LoadError;
use wasm_bindgen::JsValue;

/// The error as an object; `code` is stable, the rest is for people.
pub(crate) fn to_js(error: &EngineError) -> JsValue {
    let object = js_sys::Object::new();
    let fields = [
        ("code", error.code().to_owned()),
        ("message", error.to_string()),
        ("hint", error.hint().to_owned()),
    ];
    for (name, text) in fields {
        // Setting a property of a fresh object can't fail.
        let _ = js_sys::Reflect::set(&object, &name.into(), &text.into());
    }
    object.into()
}

/// The message of an error that was thrown elsewhere.
#[cfg(feature = "index")]
pub(crate) fn reason(thrown: &JsValue) -> String {
    text(thrown, "message").unwrap_or_else(|| format!("{thrown:?}"))
}

#[cfg(feature = "index")]
fn text(thrown: &JsValue, name: &str) -> Option<String> {
    let field = js_sys::Reflect::get(thrown, &name.into()).ok()?;
    field.as_string()
}

/// The error of a call that supplies the generator's file again; any code but `gpu` means that the file did not arrive.
#[cfg(feature = "answers")]
pub(crate) fn from_js(thrown: &JsValue) -> EngineError {
    let reason = reason(thrown);
    match text(thrown, "code").as_deref() {
        Some("gpu") => LoadError::Gpu { reason }.into(),
        _ => EngineError::Reload { reason },
    }
}

/// The error for a call while another one holds the session.
#[cfg(feature = "index")]
pub(crate) fn busy() -> JsValue {
    to_js(&EngineError::Busy)
}

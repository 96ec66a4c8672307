//! Turns the engine's errors into the one object that JavaScript sees: `{ code, message, hint }`.

use anchorite::EngineError;
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

/// The state of being asked twice at once.
pub(crate) fn busy() -> JsValue {
    to_js(&EngineError::Busy)
}
